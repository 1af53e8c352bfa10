"""What an invoice of the ledger says beside its figures and lines."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceWords:
    """What else an invoice says, as the ledger has it; None where its answer does not show it."""

    due_on: date | None = None
    notes: str | None = None
    terms: str | None = None
    salesperson: str | None = None
    template_id: str | None = None
    payment_terms_label: str | None = None
    custom_fields: tuple[tuple[str, str], ...] | None = None
