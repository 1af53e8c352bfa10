"""What follows an invoice in the ledger: credit notes, their refunds, payments; and the operations on them.

A credit note is drafted as an invoice is (``InvoiceDraft``): the ledger takes the same lines, and computes them in the
same way. Amounts are positive, in the document's currency.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from consumer.domain.ledger import InvoiceDraft, LedgerLine, Operation, TaxRounding, WriteOperation
from consumer.domain.orders import RateFigures


class CreditNoteStatus(StrEnum):
    """The ledger's states of a credit note, in our words; ``other`` is one that we do not know."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"  # all of it is used
    VOID = "void"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A credit note as the ledger has it; ``balance`` is what is not yet on an invoice or given back.

    A list tells neither ``tax_total`` nor ``tax_by_rate`` nor ``lines`` (None).
    """

    credit_note_id: str
    number: str
    status: CreditNoteStatus
    reference: str
    contact_id: str
    total: Decimal
    currency: str
    balance: Decimal | None = None
    issued_on: date | None = None
    tax_total: Decimal | None = None
    tax_by_rate: tuple[RateFigures, ...] | None = None
    lines: tuple[LedgerLine, ...] | None = None
    rounding: TaxRounding = TaxRounding.UNKNOWN
    unique_key: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRefund:
    """Money of a credit note that was given back to the customer."""

    refund_id: str
    credit_note_id: str
    amount: Decimal
    reference: str = ""
    refunded_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A customer's payment as the ledger has it."""

    payment_id: str
    contact_id: str
    amount: Decimal
    currency: str = ""
    number: str = ""
    reference: str = ""
    paid_on: date | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


# ---- reads ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FindCreditNotes(Operation):
    """Ask for the credit notes of exactly this reference -> Page[CreditNote] (verify locally)."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCreditNote(Operation):
    """Ask for one credit note, whole -> CreditNote. Raises NotFoundError."""

    credit_note_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCreditRefunds(Operation):
    """Ask for what was given back of a credit note -> Page[CreditRefund]."""

    credit_note_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPayments(Operation):
    """Ask for the payments of exactly this reference -> Page[Payment] (verify locally)."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLock(Operation):
    """Ask until which day the ledger's sales are closed -> date, or None where they are open.

    Documents of that day and before are refused; the first open day is the one after.
    """


# ---- writes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCreditNote(WriteOperation):
    """Make a credit note -> CreditNote; with ``apply_to``, an invoice's id, it is put on that invoice at once.

    Raises KeyTakenError where the unique field refuses.
    """

    draft: InvoiceDraft
    apply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyCredit(WriteOperation):
    """Put this much of a credit note on an invoice -> None."""

    credit_note_id: str
    invoice_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundCredit(WriteOperation):
    """Record that this much of a credit note was given back -> CreditRefund. An empty ``mode``: the ledger's others."""

    credit_note_id: str
    amount: Decimal
    refunded_on: date
    reference: str
    account_id: str
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSent(WriteOperation):
    """Make a draft invoice a sent one, without mail -> None."""

    invoice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailInvoice(WriteOperation):
    """Have the ledger mail an invoice to these addresses -> None; a draft becomes sent by it."""

    invoice_id: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment(WriteOperation):
    """Record a payment of an invoice -> Payment. An empty ``mode``: the ledger's others; ``account_id``: its default.

    Refused where ``amount`` is above the invoice's balance.
    """

    contact_id: str
    invoice_id: str
    amount: Decimal
    paid_on: date
    reference: str
    mode: str = ""
    account_id: str = ""
