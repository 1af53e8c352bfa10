"""What a comparison asks of a ledger beside single documents: the cheap lists, by the documents' own days."""

from dataclasses import dataclass
from datetime import date

from consumer.domain.ledger import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInvoicesDated(Operation):
    """Ask for a page of the invoices of these days, 200 -> Page[Invoice]; those made first come first (verify)."""

    from_day: date
    to_day: date  # inclusive
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCreditNotesDated(Operation):
    """Ask for a page of the credit notes of these days, 200 -> Page[CreditNote]; as ListInvoicesDated."""

    from_day: date
    to_day: date  # inclusive
    page: int = 1
