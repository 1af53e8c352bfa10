"""The ledger in our words: what we ask of it, one call each, and what it answers.

An operation is data: the decision makes it, the lane sends it, the adapter speaks it. Writes are told from reads by
``is_write``; the digest of a write's content is what its intent keeps.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.orders import Address, RateFigures


class TaxKind(StrEnum):
    """How a tax of the ledger is put together."""

    SIMPLE = "simple"
    COMPOUND = "compound"
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTax:
    """One tax or tax group of the organisation; ``rate`` in percent. ``country`` may be empty."""

    tax_id: str
    name: str
    rate: Decimal
    kind: TaxKind = TaxKind.SIMPLE
    country: str = ""
    active: bool = True
    parts: tuple[Decimal, ...] = ()  # the rates of a group's members, where the ledger tells them


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCurrency:
    """One currency that the organisation has."""

    currency_id: str
    code: str
    digits: int
    is_base: bool = False


class TaxRounding(StrEnum):
    """Where the organisation rounds VAT; told only by an invoice's answer."""

    UNKNOWN = "unknown"
    PER_RATE = "per_rate"  # entity_level: summed per rate, then rounded
    PER_LINE = "per_line"  # item_level


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """What the ledger says of the organisation."""

    organization_id: str
    name: str
    currency: str
    time_zone: str
    country: str = ""
    plan: str = ""
    active: bool = True
    digits: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """What a lane must know of its organisation before it maps an order; kept with the connection."""

    organization: Organization
    taxes: tuple[LedgerTax, ...]
    currencies: tuple[LedgerCurrency, ...]
    rounding: TaxRounding = TaxRounding.UNKNOWN
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPerson:
    """Somebody at a contact; ``person_id`` is empty for one that is to be made.

    ``others`` are the ledger's own fields that mean nothing to us, by name, each as JSON: they are sent back as they
    came, because a ledger may empty what is left out.
    """

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    primary: bool = False
    person_id: str = ""
    mobile: str = ""
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactData:
    """What we write of a customer, and compare; within the ledger's field limits."""

    name: str
    company: str = ""
    is_business: bool = False
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    tax_number: str = ""
    language: str = ""
    billing: Address = Address()
    shipping: Address = Address()
    currency: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact as the ledger has it. From a list ``data`` is None: name, e-mail and state are known, no more."""

    contact_id: str
    name: str
    email: str = ""
    company: str = ""
    active: bool = True
    is_customer: bool = True
    modified_at: datetime | None = None
    created_at: datetime | None = None
    currency: str = ""
    data: ContactData | None = None
    persons: tuple[ContactPerson, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line as it is sent. ``rate`` may be negative (a discount); ``tax_id`` None means no tax on the line."""

    name: str
    quantity: Decimal
    rate: Decimal
    description: str = ""
    unit: str = ""
    tax_id: str | None = None
    tax_rate: Decimal = Decimal(0)
    tax_parts: tuple[Decimal, ...] = ()
    discount: Decimal = Decimal(0)
    item_id: str | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraft:
    """A draft invoice as we want it: everything that the ledger is sent."""

    contact_id: str
    reference: str
    issued_on: date
    due_on: date
    currency: str
    lines: tuple[InvoiceLine, ...]
    currency_id: str = ""  # the ledger's own id of the currency
    tax_inclusive: bool = False
    exchange_rate: Decimal | None = None
    discount: Decimal = Decimal(0)
    discount_before_tax: bool = True
    adjustment: Decimal = Decimal(0)
    adjustment_label: str = ""
    notes: str = ""
    unique_field: str | None = None
    unique_key: str = ""
    payment_terms: int = 0
    payment_terms_label: str | None = None  # None: the ledger's own; empty: the usual words for the days
    number: str = ""  # empty: the ledger counts; a change never alters it
    terms: str | None = None  # None: the shop says nothing of them, what is there stays
    salesperson: str | None = None  # None as for terms
    template_id: str = ""
    custom_fields: tuple[tuple[str, str], ...] = ()  # API name and value; an empty value takes away what was there


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One line as the ledger has it."""

    line_id: str
    name: str
    quantity: Decimal
    rate: Decimal
    total: Decimal
    tax_id: str = ""
    tax_rate: Decimal = Decimal(0)


class InvoiceStatus(StrEnum):
    """The ledger's states of an invoice, in our words; ``other`` is one that we do not know."""

    DRAFT = "draft"
    SENT = "sent"
    OVERDUE = "overdue"
    VIEWED = "viewed"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice as the ledger has it. A list tells neither ``lines`` nor ``tax_total`` nor ``tax_by_rate`` (None)."""

    invoice_id: str
    number: str
    status: InvoiceStatus
    reference: str
    contact_id: str
    total: Decimal
    currency: str
    issued_on: date | None = None
    tax_total: Decimal | None = None
    tax_by_rate: tuple[RateFigures, ...] | None = None
    lines: tuple[LedgerLine, ...] | None = None
    balance: Decimal | None = None
    rounding: TaxRounding = TaxRounding.UNKNOWN
    unique_key: str | None = None  # the unique field's value where the answer shows it
    words: InvoiceWords | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    url: str = ""  # the ledger's own page for people with a login
    emailed: bool | None = None  # None: the answer does not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A product of the ledger."""

    item_id: str
    name: str
    sku: str = ""


# ---- operations: one call each ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call to the ledger. Its class says what, its fields say of what."""

    @property
    def is_write(self) -> bool:
        """Tell whether the call changes the ledger."""
        return isinstance(self, WriteOperation)

    @property
    def name(self) -> str:
        """Give the operation's name for logs, metrics and intents: ``create_invoice``."""
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in type(self).__name__)
        return words.lstrip("_")

    def digest(self) -> bytes:
        """Give the hash of what is asked: equal for equal content, whatever the process."""
        text = json.dumps([self.name, asdict(self)], sort_keys=True, default=_plain, ensure_ascii=True)
        return hashlib.sha256(text.encode()).digest()


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrganization(Operation):
    """Ask for the organisation itself -> Organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTaxes(Operation):
    """Ask for a page of taxes and groups -> Page[LedgerTax]."""

    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCurrencies(Operation):
    """Ask for a page of currencies -> Page[LedgerCurrency]."""

    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListContacts(Operation):
    """Ask for a page of contacts, 200 -> Page[Contact]; ``by_change`` gives those changed last first."""

    page: int = 1
    by_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindContacts(Operation):
    """Ask for the contacts of exactly this name -> Page[Contact] (verify locally: filters may be ignored)."""

    contact_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContact(Operation):
    """Ask for one contact, whole -> Contact."""

    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindInvoices(Operation):
    """Ask for the invoices of exactly this reference -> Page[Invoice] (verify locally)."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInvoices(Operation):
    """Ask for a page of the invoices changed after a moment, 200 -> Page[Invoice]; the oldest come first."""

    changed_after: datetime | None = None
    page: int = 1
    newest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInvoice(Operation):
    """Ask for one invoice, whole -> Invoice."""

    invoice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindItems(Operation):
    """Ask for items that mention this text -> Page[Item] (verify the SKU locally: there is no filter for it)."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOperation(Operation):
    """A call that changes the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateContact(WriteOperation):
    """Make a contact -> Contact. Raises NameTakenError where the name exists."""

    data: ContactData


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateContact(WriteOperation):
    """Change a contact's own and billing data -> Contact. ``persons`` are those it has: none is lost."""

    contact_id: str
    data: ContactData
    persons: tuple[ContactPerson, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateInvoice(WriteOperation):
    """Make a draft invoice -> Invoice."""

    draft: InvoiceDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInvoice(WriteOperation):
    """Change a draft in place -> Invoice; ``line_ids`` name the lines that are kept, in the order of the draft's."""

    invoice_id: str
    draft: InvoiceDraft
    line_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidInvoice(WriteOperation):
    """Make an invoice void; it keeps its number -> None."""

    invoice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteInvoice(WriteOperation):
    """Delete an invoice -> None."""

    invoice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list; ``more`` tells that another one follows."""

    rows: tuple[Any, ...]
    more: bool = False
