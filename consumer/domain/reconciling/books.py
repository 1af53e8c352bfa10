"""The ledger's documents of a period, as its lists show them, and what is known of one that was read by its id."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from consumer.domain.credits import CreditNote, CreditNoteStatus
from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.money import minor_digits
from consumer.domain.reconciling.rates import Rates, told_rates
from consumer.domain.records import Document, DocumentKind

CREDIT_MARK = "~credit_note~"  # between an order's reference and the part that a credit note is for
_GONE = "gone"
_KNOWN = frozenset({*InvoiceStatus, *CreditNoteStatus} - {InvoiceStatus.VOID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One document of the ledger. ``rates`` is None until it was read by its id; ``status`` gone: it is not there."""

    kind: DocumentKind
    ledger_id: str
    number: str
    status: str
    reference: str
    contact_id: str
    total: Decimal
    currency: str
    unique_key: str | None = None
    issued_on: date | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    url: str = ""
    rates: Rates | None = None
    found_by_list: bool = True

    @property
    def stands(self) -> bool:
        """Tell whether it counts: neither void nor deleted."""
        return self.status not in (InvoiceStatus.VOID.value, _GONE)

    @property
    def gone(self) -> bool:
        """Tell whether it was asked for by its id and is not there."""
        return self.status == _GONE

    @property
    def order_reference(self) -> str:
        """Give the reference of the order that it is for."""
        return self.reference.partition(CREDIT_MARK)[0]


def stands(document: Document) -> bool:
    """Tell whether a recorded document counts: neither void nor deleted, as far as is recorded."""
    return document.status in _KNOWN


def of_invoice(invoice: Invoice, *, by_list: bool = True) -> Listed:
    """Take an invoice, as a list shows it or read whole."""
    return Listed(
        kind=DocumentKind.INVOICE,
        ledger_id=invoice.invoice_id,
        number=invoice.number,
        status=invoice.status.value,
        reference=invoice.reference,
        contact_id=invoice.contact_id,
        total=invoice.total,
        currency=invoice.currency,
        unique_key=invoice.unique_key,
        issued_on=invoice.issued_on,
        created_at=invoice.created_at,
        modified_at=invoice.modified_at,
        url=invoice.url,
        rates=None
        if by_list
        else told_rates(invoice.total, invoice.tax_by_rate, invoice.lines, minor_digits(invoice.currency)),
        found_by_list=by_list,
    )


def of_credit_note(note: CreditNote, *, by_list: bool = True) -> Listed:
    """Take a credit note, as a list shows it or read whole."""
    return Listed(
        kind=DocumentKind.CREDIT_NOTE,
        ledger_id=note.credit_note_id,
        number=note.number,
        status=note.status.value,
        reference=note.reference,
        contact_id=note.contact_id,
        total=note.total,
        currency=note.currency,
        unique_key=note.unique_key,
        issued_on=note.issued_on,
        created_at=note.created_at,
        modified_at=note.modified_at,
        url=note.url,
        rates=None if by_list else told_rates(note.total, note.tax_by_rate, note.lines, minor_digits(note.currency)),
        found_by_list=by_list,
    )


def gone(document: Document | Listed) -> Listed:
    """Say of a document that it was asked for by its id and is not there."""
    return Listed(
        kind=document.kind,
        ledger_id=document.ledger_id,
        number=document.number,
        status=_GONE,
        reference=document.reference,
        contact_id=document.contact_id,
        total=document.total,
        currency=document.currency,
        issued_on=document.issued_on,
        url=document.url,
        rates=(),
        found_by_list=False,
    )


def as_invoice(listed: Listed) -> Invoice:
    """Give a listed invoice as a lane's look first keeps it."""
    return Invoice(
        invoice_id=listed.ledger_id,
        number=listed.number,
        status=InvoiceStatus(listed.status),
        reference=listed.reference,
        contact_id=listed.contact_id,
        total=listed.total,
        currency=listed.currency,
        issued_on=listed.issued_on,
        unique_key=listed.unique_key,
        created_at=listed.created_at,
        modified_at=listed.modified_at,
        url=listed.url,
    )
