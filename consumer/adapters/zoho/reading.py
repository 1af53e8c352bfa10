"""From Zoho's documents to the ledger in our words."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from consumer.adapters.zoho import documents as zoho
from consumer.adapters.zoho.countries import country_code
from consumer.adapters.zoho.times import read_date, read_moment
from consumer.domain.credits import CreditNote, CreditNoteStatus, CreditRefund, Payment
from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import (
    Contact,
    ContactData,
    ContactPerson,
    Invoice,
    InvoiceStatus,
    Item,
    LedgerCurrency,
    LedgerLine,
    LedgerTax,
    Organization,
    TaxKind,
    TaxRounding,
)
from consumer.domain.money import minor_digits
from consumer.domain.orders import Address, RateFigures

ZERO = Decimal(0)
DEFAULT_TIME_ZONE = "UTC"

# Fields of a contact person that Booked has no use for and sends back as they came.
PERSON_OTHERS = (
    "salutation",
    "designation",
    "department",
    "skype",
    "fax",
    "is_added_in_portal",
    "communication_preference",
)

_STATUSES = MappingProxyType(
    {
        "draft": InvoiceStatus.DRAFT,
        "sent": InvoiceStatus.SENT,
        "unpaid": InvoiceStatus.SENT,
        "overdue": InvoiceStatus.OVERDUE,
        "viewed": InvoiceStatus.VIEWED,
        "partially_paid": InvoiceStatus.PARTIALLY_PAID,
        "paid": InvoiceStatus.PAID,
        "void": InvoiceStatus.VOID,
    }
)
_NOTE_STATUSES = {status.value: status for status in CreditNoteStatus}
_ROUNDINGS = MappingProxyType({"entity_level": TaxRounding.PER_RATE, "item_level": TaxRounding.PER_LINE})
_KINDS = MappingProxyType({"compound_tax": TaxKind.COMPOUND, "tax_group": TaxKind.GROUP})
_PERCENT_IN_NAME = re.compile(r"^(?P<name>.*?)\s*\(\s*(?P<rate>\d+(?:\.\d+)?)\s*%\s*\)\s*$")


def organization(document: zoho.OrganizationDocument) -> Organization:
    """Read an organisation; it counts as active unless the ledger says otherwise."""
    active = document.is_org_active if document.is_org_active is not None else document.org_settings.is_org_active
    return Organization(
        organization_id=document.organization_id,
        name=document.name,
        currency=document.currency_code,
        time_zone=document.time_zone or DEFAULT_TIME_ZONE,
        country=country_code(document.country_code, document.country),
        plan=document.plan_name,
        active=active is not False,
        digits=_digits(document.price_precision, document.currency_code),
    )


def tax(document: zoho.TaxDocument) -> LedgerTax:
    """Read a tax or a group of taxes; one without a percentage is a group whose parts tell it, else 0 %."""
    parts = tuple(part.tax_percentage for part in document.taxes if part.tax_percentage is not None)
    rate = document.tax_percentage if document.tax_percentage is not None else sum(parts, ZERO)
    kind = TaxKind.GROUP if document.taxes else _KINDS.get(document.tax_type, TaxKind.SIMPLE)
    return LedgerTax(
        tax_id=document.tax_id,
        name=document.tax_name,
        rate=rate,
        kind=kind,
        country=country_code(document.country_code, document.country),
        active=not document.is_inactive and document.status.lower() != "inactive",
        parts=parts,
    )


def currency(document: zoho.CurrencyDocument) -> LedgerCurrency:
    """Read a currency."""
    return LedgerCurrency(
        currency_id=document.currency_id,
        code=document.currency_code,
        digits=_digits(document.price_precision, document.currency_code),
        is_base=document.is_base_currency,
    )


def item(document: zoho.ItemDocument) -> Item:
    """Read a product."""
    return Item(item_id=document.item_id, name=document.name, sku=document.sku)


def contact(document: zoho.ContactDocument, *, whole: bool, written: ContactData | None = None) -> Contact:
    """Read a contact. A row of a list is not ``whole``: it has no addresses, so its ``data`` is None.

    ``written`` is what the call itself has written: it stands in where the answer does not show a field at all
    (editions without VAT leave ``vat_reg_no`` out), else the contact would look changed for ever.
    """
    return Contact(
        contact_id=document.contact_id,
        name=document.contact_name,
        email=document.email or _primary(document).email,
        company=document.company_name,
        active=document.status.lower() != "inactive",
        is_customer=document.contact_type.lower() != "vendor",
        modified_at=read_moment(document.last_modified_time),
        created_at=read_moment(document.created_time),
        currency=document.currency_code,
        data=_contact_data(document, written or ContactData(name="")) if whole else None,
        persons=tuple(map(_person, document.contact_persons or ())),
    )


def invoice(document: zoho.InvoiceDocument, *, unique_field: str | None, url: str) -> Invoice:
    """Read an invoice; ``url`` is the page for people. Raises ValueError where the total is missing."""
    if document.total is None:
        raise ValueError(f"invoice {document.invoice_id} has no total")
    whole = document.line_items is not None
    return Invoice(
        invoice_id=document.invoice_id,
        number=document.invoice_number,
        status=_STATUSES.get(document.status.lower(), InvoiceStatus.OTHER),
        reference=document.reference_number,
        contact_id=document.customer_id,
        total=document.total,
        currency=document.currency_code,
        issued_on=read_date(document.date),
        tax_total=_tax_total(document) if whole else None,
        tax_by_rate=tax_by_rate(document) if whole else None,
        lines=None if document.line_items is None else tuple(map(_line, document.line_items)),
        balance=document.balance,
        rounding=_ROUNDINGS.get(document.tax_rounding, TaxRounding.UNKNOWN),
        unique_key=_unique_key(document, unique_field),
        words=_words(document) if whole else None,
        created_at=read_moment(document.created_time),
        modified_at=read_moment(document.last_modified_time),
        url=url,
        emailed=document.is_emailed,
    )


def credit_note(document: zoho.CreditNoteDocument, *, unique_field: str | None, url: str) -> CreditNote:
    """Read a credit note; ``url`` is the page for people. Raises ValueError where the total is missing."""
    if document.total is None:
        raise ValueError(f"credit note {document.invoice_id} has no total")
    whole = document.line_items is not None
    return CreditNote(
        credit_note_id=document.invoice_id,
        number=document.invoice_number,
        status=_NOTE_STATUSES.get(document.status.lower(), CreditNoteStatus.OTHER),
        reference=document.reference_number,
        contact_id=document.customer_id,
        total=document.total,
        currency=document.currency_code,
        balance=document.balance,
        issued_on=read_date(document.date),
        tax_total=_tax_total(document) if whole else None,
        tax_by_rate=tax_by_rate(document) if whole else None,
        lines=None if document.line_items is None else tuple(map(_line, document.line_items)),
        rounding=_ROUNDINGS.get(document.tax_rounding, TaxRounding.UNKNOWN),
        unique_key=_unique_key(document, unique_field),
        created_at=read_moment(document.created_time),
        modified_at=read_moment(document.last_modified_time),
        url=url,
    )


def payment(document: zoho.PaymentDocument) -> Payment:
    """Read a payment. Raises ValueError where the amount is missing."""
    if document.amount is None:
        raise ValueError(f"payment {document.payment_id} has no amount")
    return Payment(
        payment_id=document.payment_id,
        contact_id=document.customer_id,
        amount=document.amount,
        currency=document.currency_code,
        number=document.payment_number,
        reference=document.reference_number,
        paid_on=read_date(document.date),
        created_at=read_moment(document.created_time),
        modified_at=read_moment(document.last_modified_time),
    )


def credit_refund(document: zoho.CreditRefundDocument, credit_note_id: str) -> CreditRefund:
    """Read what was given back of a credit note. Raises ValueError where the amount is missing."""
    if document.amount is None:
        raise ValueError(f"refund {document.creditnote_refund_id} has no amount")
    return CreditRefund(
        refund_id=document.creditnote_refund_id,
        credit_note_id=credit_note_id,
        amount=document.amount,
        reference=document.reference_number,
        refunded_on=read_date(document.date),
    )


def tax_by_rate(document: zoho.InvoiceDocument) -> tuple[RateFigures, ...] | None:
    """Tell the VAT of an invoice per rate, by rate; None where the answer does not tell it.

    A group's members count each under its own rate, as the ledger lists them. The sums in ``taxes`` name a tax and
    mostly not its rate, which then stands in the name or on the lines. Where the figures found do not add up to
    ``tax_total`` something was misread, and nothing is better than a wrong figure.
    """
    total = _tax_total(document)
    if total is None:
        return None
    taxed = [line for line in document.line_items or () if line.tax_id and _rate(line) != ZERO]
    rates = {_rate(line) for line in taxed}
    grouped = any(_is_group(line) for line in taxed)
    if not rates:
        return () if total == ZERO else None
    if len(rates) == 1 and not grouped:
        return (RateFigures(rate=rates.pop(), net=None, tax=total),)
    sums = _sums(document.taxes or (), taxed)
    if sums is None or sum(sums.values(), ZERO) != total:
        return None
    missing = set() if grouped else rates - set(sums)
    return tuple(RateFigures(rate=rate, net=None, tax=sums.get(rate, ZERO)) for rate in sorted(missing | set(sums)))


def _sums(
    taxes: Iterable[zoho.InvoiceTaxDocument], lines: Iterable[zoho.LineDocument]
) -> Mapping[Decimal, Decimal] | None:
    rates = _rates_by_name(lines)
    sums: dict[Decimal, Decimal] = {}
    for entry in taxes:
        rate = _rate_of(entry, rates)
        if entry.tax_amount is None or (rate is None and entry.tax_amount != ZERO):
            return None
        if rate is not None:
            sums[rate] = sums.get(rate, ZERO) + entry.tax_amount
    return sums


def _rates_by_name(lines: Iterable[zoho.LineDocument]) -> Mapping[str, Decimal | None]:
    """Map ids and names of simple taxes to the rate of their lines; None where lines of several rates have the name."""
    rates: dict[str, Decimal | None] = {}
    for line in lines:
        if not _is_group(line):
            for name in {line.tax_id, line.tax_name, _bare(line.tax_name)} - {""}:
                rates[name] = _rate(line) if rates.get(name, _rate(line)) == _rate(line) else None
    return rates


def _rate_of(entry: zoho.InvoiceTaxDocument, rates: Mapping[str, Decimal | None]) -> Decimal | None:
    if entry.tax_percentage is not None:
        return entry.tax_percentage
    match = _PERCENT_IN_NAME.match(entry.tax_name)
    if match:
        return Decimal(match["rate"])
    known = (rates[name] for name in (entry.tax_id, entry.tax_name) if rates.get(name) is not None)
    return next(known, None)


def _is_group(line: zoho.LineDocument) -> bool:
    return line.tax_type == "tax_group" or len(line.line_item_taxes) > 1


def _bare(name: str) -> str:
    """Give a tax's name without the percentage that Zoho puts behind it: ``VAT`` of ``VAT (22%)``."""
    match = _PERCENT_IN_NAME.match(name)
    return match["name"] if match else name


def _rate(line: zoho.LineDocument) -> Decimal:
    return line.tax_percentage if line.tax_percentage is not None else ZERO


def _tax_total(document: zoho.InvoiceDocument) -> Decimal | None:
    if document.tax_total is not None:
        return document.tax_total
    amounts = [entry.tax_amount for entry in document.taxes or ()]
    if document.taxes is None or None in amounts:
        return None
    return sum((amount for amount in amounts if amount is not None), ZERO)


def _line(document: zoho.LineDocument) -> LedgerLine:
    return LedgerLine(
        line_id=document.line_item_id,
        name=document.name,
        quantity=document.quantity if document.quantity is not None else Decimal(1),
        rate=document.rate or ZERO,
        total=document.item_total or ZERO,
        tax_id=document.tax_id,
        tax_rate=_rate(document),
    )


def _unique_key(document: zoho.InvoiceDocument, unique_field: str | None) -> str | None:
    if unique_field is None:
        return None
    for field in document.custom_fields:
        if field.api_name == unique_field:
            return field.value
    value = document.custom_field_hash.get(unique_field)
    return None if value is None else str(value).strip()


def _words(document: zoho.InvoiceDocument) -> InvoiceWords:
    return InvoiceWords(
        due_on=read_date(document.due_date),
        notes=document.notes,
        terms=document.terms,
        salesperson=document.salesperson_name,
        template_id=document.template_id,
        payment_terms_label=document.payment_terms_label,
        custom_fields=tuple((field.api_name, field.value or "") for field in document.custom_fields if field.api_name),
    )


def _contact_data(document: zoho.ContactDocument, written: ContactData) -> ContactData:
    primary = _primary(document)
    return ContactData(
        name=document.contact_name,
        company=document.company_name,
        is_business=document.customer_sub_type.lower() == "business",
        email=document.email or primary.email,
        first_name=document.first_name or primary.first_name,
        last_name=document.last_name or primary.last_name,
        phone=document.phone or primary.phone or primary.mobile,
        tax_number=_shown(document.vat_reg_no, written.tax_number),
        language=_shown(document.language_code, written.language),
        billing=_address(document.billing_address, written.billing),
        shipping=_address(document.shipping_address, written.shipping),
        currency=document.currency_code,
        notes=_shown(document.notes, written.notes),
    )


def _shown(value: str | None, written: str) -> str:
    return written if value is None else value


def _primary(document: zoho.ContactDocument) -> ContactPerson:
    people = [_person(person) for person in document.contact_persons or ()]
    return next((person for person in people if person.primary), people[0] if people else ContactPerson())


def _person(document: zoho.PersonDocument) -> ContactPerson:
    return ContactPerson(
        first_name=document.first_name,
        last_name=document.last_name,
        email=document.email,
        phone=document.phone,
        mobile=document.mobile,
        primary=document.is_primary_contact,
        person_id=document.contact_person_id,
        others=_kept_fields(document),
    )


def _kept_fields(document: zoho.PersonDocument) -> tuple[tuple[str, str], ...]:
    """Keep what an update has to send again as it is, because Zoho takes what is left out for emptied."""
    extra = document.model_extra or {}
    told = ((name, extra.get(name)) for name in PERSON_OTHERS)
    return tuple((name, json.dumps(value, sort_keys=True)) for name, value in told if value not in (None, "", {}))


def _address(document: zoho.AddressDocument | None, written: Address) -> Address:
    if document is None:
        return written
    return Address(
        name=document.attention,
        street=document.address,
        street2=document.street2,
        postal_code=document.zip_code,
        city=document.city,
        state=document.state,
        country=country_code(document.country_code, document.country),
        phone=document.phone,
    )


def _digits(precision: int | None, code: str) -> int:
    return precision if precision is not None else minor_digits(code)
