"""A ledger's books in memory, with the rules that booking depends on: what is unique, what may be changed, totals.

Every method is one step that happens whole or not at all; nothing here waits. Refusals are RefusedError and its kin
with the codes that Zoho Books gives, so that what decides by them is tested without a network.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from consumer.adapters.memory.ledger_credits import Credits
from consumer.adapters.memory.ledger_rows import merged, name_key, row, written_words
from consumer.domain import arithmetic
from consumer.domain import ledger as words
from consumer.domain.customer_changes import person_of
from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import (
    Contact,
    ContactData,
    ContactPerson,
    Invoice,
    InvoiceDraft,
    InvoiceLine,
    InvoiceStatus,
    Item,
    LedgerCurrency,
    LedgerLine,
    LedgerTax,
    Organization,
    Page,
    TaxRounding,
)
from consumer.domain.money import minor_digits
from consumer.errors import (
    DocumentStateError,
    KeyTakenError,
    NameTakenError,
    NotFoundError,
    NumberTakenError,
    RefusedError,
)

PAGE_SIZE: Final = 200
_FIRST_ID: Final = 460_000_000_000_000_000
_BAD: Final = 400
_GONE: Final = 404

T = TypeVar("T")


def operation_name(operation: words.Operation) -> str:
    """Give the operation's name from its class; its ``name`` may be a field of its own."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(operation).__name__).lower()


class Totals(Protocol):
    """Computes what a document comes to; lines carry the rates of the book's own taxes."""

    def __call__(self, draft: InvoiceDraft, digits: int, rounding: TaxRounding) -> arithmetic.Figures:
        """Compute the figures."""
        ...


@dataclass(slots=True, kw_only=True)
class LedgerBook:
    """One organisation's books. ``contacts`` and ``invoices`` are by id and hold what stands; deleted ones are gone.

    ``unique_field`` says whether the organisation refuses a second document with the same key. ``now`` is the
    ledger's own clock. ``commits`` is every write that took effect, in sequence: the oracle of a test.
    """

    organization: Organization
    taxes: tuple[LedgerTax, ...] = ()
    currencies: tuple[LedgerCurrency, ...] = ()
    items: tuple[Item, ...] = ()
    rounding: TaxRounding = TaxRounding.PER_RATE
    unique_field: bool = False
    negative_lines: bool = True
    page_size: int = PAGE_SIZE
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    totals: Totals = arithmetic.compute
    contacts: dict[str, Contact] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    commits: list[words.WriteOperation] = field(default_factory=list)
    credits: Credits = field(default_factory=Credits)
    _last_id: int = _FIRST_ID
    _last_number: int = 0
    _last_change: datetime | None = None

    def apply(self, operation: words.Operation) -> Any:
        """Do the operation and give its result. Raises RefusedError and its kin; then nothing has changed."""
        name = operation_name(operation)
        own = getattr(self, f"_{name}", None)
        result = getattr(self.credits, name)(self, operation) if own is None else own(operation)
        if isinstance(operation, words.WriteOperation):
            self.commits.append(operation)
        return result

    # ---- what people do by hand

    def set_status(self, invoice_id: str, status: InvoiceStatus) -> None:
        """Change an invoice's state as a person would: mark it sent, paid, void."""
        balance = Decimal(0) if status is InvoiceStatus.PAID else self.invoices[invoice_id].balance
        self.invoices[invoice_id] = replace(
            self.invoices[invoice_id], status=status, balance=balance, modified_at=self.moment()
        )

    def remove(self, invoice_id: str) -> None:
        """Delete an invoice as a person would."""
        del self.invoices[invoice_id]

    def set_contact_active(self, contact_id: str, *, active: bool) -> None:
        """Mark a contact as active or inactive as a person would."""
        self.contacts[contact_id] = replace(self.contacts[contact_id], active=active, modified_at=self.moment())

    def live_invoices(self, reference: str) -> tuple[Invoice, ...]:
        """Give the invoices of a reference that are not void."""
        found = (one for one in self.invoices.values() if one.reference == reference)
        return tuple(one for one in found if one.status is not InvoiceStatus.VOID)

    # ---- reads

    def _read_organization(self, _: words.ReadOrganization) -> Organization:
        return self.organization

    def _list_taxes(self, operation: words.ListTaxes) -> Page:
        return self.page(self.taxes, operation.page)

    def _list_currencies(self, operation: words.ListCurrencies) -> Page:
        return self.page(self.currencies, operation.page)

    def _list_contacts(self, operation: words.ListContacts) -> Page:
        rows = [replace(one, data=None, persons=()) for one in self.contacts.values()]
        if operation.by_change:
            rows.sort(key=lambda one: one.modified_at or datetime.min.replace(tzinfo=UTC), reverse=True)
        return self.page(rows, operation.page)

    def _find_contacts(self, operation: words.FindContacts) -> Page:
        # The filter is exact, while names are unique whatever their case: a taken name may not be found.
        found = (one for one in self.contacts.values() if one.name == operation.contact_name)
        return self.page([replace(one, data=None, persons=()) for one in found], 1)

    def _read_contact(self, operation: words.ReadContact) -> Contact:
        return self._contact(operation.contact_id, _GONE)

    def _find_invoices(self, operation: words.FindInvoices) -> Page:
        found = (one for one in self.invoices.values() if one.reference == operation.reference)
        return self.page([row(one) for one in found], 1)

    def _list_invoices(self, operation: words.ListInvoices) -> Page:
        after = operation.changed_after
        found = (
            one for one in self.invoices.values() if after is None or (one.modified_at and one.modified_at > after)
        )
        return self.page([row(one) for one in found], operation.page)

    def _read_invoice(self, operation: words.ReadInvoice) -> Invoice:
        return self.known_invoice(operation.invoice_id)

    def _find_items(self, operation: words.FindItems) -> Page:
        wanted = operation.text.casefold()
        return self.page([one for one in self.items if wanted in f"{one.name} {one.sku}".casefold()], 1)

    # ---- writes

    def _create_contact(self, operation: words.CreateContact) -> Contact:
        self._check_name(operation.data.name, None)
        moment = self.moment()
        persons = self._persons(operation.data, ())
        contact = Contact(contact_id=self.new_id(), name=operation.data.name, created_at=moment)
        return self._store_contact(contact, operation.data, persons, moment)

    def _update_contact(self, operation: words.UpdateContact) -> Contact:
        contact = self._contact(operation.contact_id, _GONE)
        self._check_name(operation.data.name, contact.contact_id)
        persons = self._persons(operation.data, operation.persons)
        data = merged(contact.data or ContactData(name=contact.name), operation.data)
        return self._store_contact(contact, data, persons, self.moment())

    def _create_invoice(self, operation: words.CreateInvoice) -> Invoice:
        draft = operation.draft
        self._check_draft(draft, None)
        if draft.number and any(one.number == draft.number for one in self.invoices.values()):
            raise NumberTakenError(f"invoice {draft.number} exists", _BAD, 1001)
        moment = self.moment()
        invoice_id = self.new_id()
        number = draft.number or self._number()
        base = Invoice(
            invoice_id=invoice_id,
            number=number,
            status=InvoiceStatus.DRAFT,
            reference=draft.reference,
            contact_id=draft.contact_id,
            total=Decimal(0),
            currency=draft.currency,
            created_at=moment,
            url=f"https://ledger.invalid/{self.organization.organization_id}/invoices/{invoice_id}",
        )
        return self._store_invoice(base, draft, (), moment)

    def _update_invoice(self, operation: words.UpdateInvoice) -> Invoice:
        invoice = self.known_invoice(operation.invoice_id)
        if invoice.status is InvoiceStatus.VOID:
            raise DocumentStateError(f"invoice {invoice.number} is {invoice.status}", _BAD, 12007)
        self._check_draft(operation.draft, invoice.invoice_id)
        self.credits.check_open(invoice.issued_on)
        known = {line.line_id for line in invoice.lines or ()}
        if not {line_id for line_id in operation.line_ids if line_id} <= known:
            raise RefusedError("invalid value passed for line_item_id", _BAD, 2)
        return self._store_invoice(invoice, operation.draft, operation.line_ids, self.moment())

    def _void_invoice(self, operation: words.VoidInvoice) -> None:
        invoice = self.known_invoice(operation.invoice_id)
        self.credits.check_open(invoice.issued_on)
        self.credits.give_back(self, invoice.invoice_id)
        self.invoices[invoice.invoice_id] = replace(invoice, status=InvoiceStatus.VOID, modified_at=self.moment())

    def _delete_invoice(self, operation: words.DeleteInvoice) -> None:
        invoice = self.known_invoice(operation.invoice_id)
        self.credits.check_deletable(invoice)
        del self.invoices[invoice.invoice_id]

    # ---- rules

    def _contact(self, contact_id: str, status: int) -> Contact:
        if contact_id not in self.contacts:
            raise NotFoundError(f"contact {contact_id} does not exist", status, 1002)
        return self.contacts[contact_id]

    def known_invoice(self, invoice_id: str) -> Invoice:
        """Give an invoice. Raises NotFoundError."""
        if invoice_id not in self.invoices:
            raise NotFoundError(f"invoice {invoice_id} does not exist", _GONE, 1002)
        return self.invoices[invoice_id]

    def _check_name(self, name: str, own_id: str | None) -> None:
        key = name_key(name)
        if any(name_key(one.name) == key and one.contact_id != own_id for one in self.contacts.values()):
            raise NameTakenError(f'the customer "{name}" already exists', _BAD, 3062)

    def check_customer_and_lines(self, draft: InvoiceDraft) -> None:
        """Refuse a document of nobody's, or of lines that cannot be."""
        if not self._contact(draft.contact_id, _BAD).active:
            raise NotFoundError(f"contact {draft.contact_id} is not active", _BAD, 1002)
        self._check_lines(draft.lines)

    def _check_draft(self, draft: InvoiceDraft, own_id: str | None) -> None:
        self.check_customer_and_lines(draft)
        self.credits.check_open(draft.issued_on)
        if self.currencies and draft.currency not in {one.code for one in self.currencies}:
            raise RefusedError(f"the organisation has no currency {draft.currency}", _BAD, 9004)
        if self.unique_field and draft.unique_key:
            others = (one for one in self.invoices.values() if one.invoice_id != own_id)
            if any(one.unique_key == draft.unique_key for one in others):
                raise KeyTakenError(f"the value {draft.unique_key} is in use", _BAD, 2)

    def _check_lines(self, lines: Sequence[InvoiceLine]) -> None:
        known = {tax.tax_id for tax in self.taxes}
        for line in lines:
            if line.quantity <= 0 or (line.rate < 0 and not self.negative_lines):
                raise RefusedError("invalid value passed for quantity or rate", _BAD, 2)
            if line.tax_id and line.tax_id not in known:
                raise RefusedError("invalid value passed for tax_id", _BAD, 2)
        if not lines:
            raise RefusedError("invalid value passed for line_items", _BAD, 2)

    def _store_contact(
        self, contact: Contact, data: ContactData, persons: tuple[ContactPerson, ...], moment: datetime
    ) -> Contact:
        # What stands at the contact itself is the primary person's.
        primary = next((one for one in persons if one.primary), None)
        if primary is not None:
            data = replace(
                data,
                first_name=primary.first_name,
                last_name=primary.last_name,
                email=primary.email,
                phone=primary.phone,
            )
        stored = replace(
            contact,
            name=data.name,
            email=data.email,
            company=data.company,
            currency=data.currency or self.organization.currency,
            modified_at=moment,
            data=replace(data, currency=data.currency or self.organization.currency),
            persons=persons,
        )
        self.contacts[stored.contact_id] = stored
        return stored

    def _persons(self, data: ContactData, kept: Sequence[ContactPerson]) -> tuple[ContactPerson, ...]:
        fresh = ContactPerson(first_name=data.first_name, last_name=data.last_name, email=data.email, phone=data.phone)
        if fresh == ContactPerson():
            return tuple(kept)
        target = person_of(data, kept)
        if target is None:
            return (*kept, replace(fresh, person_id=self.new_id(), primary=not kept))
        told = {
            name: value for name in ("first_name", "last_name", "email", "phone") if (value := getattr(fresh, name))
        }
        return tuple(replace(one, **told) if one is target else one for one in kept)

    def figures(self, draft: InvoiceDraft) -> arithmetic.Figures:
        """Compute what a document comes to under the book's own taxes."""
        lines = tuple(self._with_rate(line) for line in draft.lines)
        return self.totals(replace(draft, lines=lines), minor_digits(draft.currency), self.rounding)

    def put(self, invoice: Invoice) -> None:
        """Keep a changed invoice under a new time of change."""
        self.invoices[invoice.invoice_id] = replace(invoice, modified_at=self.moment())

    def _store_invoice(
        self, invoice: Invoice, draft: InvoiceDraft, line_ids: Sequence[str], moment: datetime
    ) -> Invoice:
        lines = tuple(self._with_rate(line) for line in draft.lines)
        digits = minor_digits(draft.currency)
        figures = self.figures(draft)
        ids = [*line_ids, *[""] * len(lines)]
        stored = replace(
            invoice,
            reference=draft.reference,
            contact_id=draft.contact_id,
            currency=draft.currency,
            issued_on=draft.issued_on,
            total=figures.total,
            balance=self.credits.owed(invoice, figures.total),
            status=self.credits.status(invoice, figures.total),
            tax_total=figures.tax_total,
            tax_by_rate=figures.tax_by_rate,
            lines=tuple(self._line(line, ids[n] or self.new_id(), digits) for n, line in enumerate(lines)),
            rounding=self.rounding,
            unique_key=draft.unique_key if draft.unique_field else None,
            words=written_words(draft, invoice.words or InvoiceWords()),
            modified_at=moment,
        )
        self.invoices[stored.invoice_id] = stored
        return stored

    def _with_rate(self, line: InvoiceLine) -> InvoiceLine:
        tax = next((one for one in self.taxes if one.tax_id == line.tax_id), None)
        if tax is None:
            return replace(line, tax_id=None, tax_rate=Decimal(0), tax_parts=())
        return replace(line, tax_rate=tax.rate, tax_parts=tax.parts)

    def _line(self, line: InvoiceLine, line_id: str, digits: int) -> LedgerLine:
        return LedgerLine(
            line_id=line_id,
            name=line.name,
            quantity=line.quantity,
            rate=line.rate,
            total=arithmetic.line_amount(line, digits),
            tax_id=line.tax_id or "",
            tax_rate=line.tax_rate,
        )

    def page(self, rows: Iterable[T], page: int) -> Page:
        """Cut a list into pages."""
        everything = tuple(rows)
        start = (page - 1) * self.page_size
        return Page(rows=everything[start : start + self.page_size], more=len(everything) > start + self.page_size)

    def moment(self) -> datetime:
        """Give the ledger's time, later than every one before it, so that changes have a sequence."""
        moment = self.now()
        if self._last_change is not None and moment <= self._last_change:
            moment = self._last_change + timedelta(microseconds=1)
        self._last_change = moment
        return moment

    def new_id(self) -> str:
        """Give the next id."""
        self._last_id += 1
        return str(self._last_id)

    def _number(self) -> str:
        taken = {one.number for one in self.invoices.values()}
        while True:
            self._last_number += 1
            number = f"INV-{self._last_number:06d}"
            if number not in taken:
                return number
