"""Credit notes, payments and what is sent to customers, in the books in memory; see ``ledger_book`` for the rest."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.memory.ledger_rows import row
from consumer.domain import credits as money
from consumer.domain.credits import CreditNote, CreditNoteStatus, CreditRefund, Payment
from consumer.domain.ledger import Invoice, InvoiceDraft, InvoiceStatus, Page
from consumer.domain.reconciling.operations import ListCreditNotesDated, ListInvoicesDated
from consumer.errors import (
    DocumentStateError,
    KeyTakenError,
    NotFoundError,
    OverBalanceError,
    PaymentsInTheWayError,
    PeriodClosedError,
)

if TYPE_CHECKING:
    from consumer.adapters.memory.ledger_book import LedgerBook

_ZERO: Final = Decimal(0)
_BAD: Final = 400
_GONE: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Money on an invoice; ``credit_note_id`` is empty for a payment's."""

    invoice_id: str
    amount: Decimal
    credit_note_id: str = ""


@dataclass(slots=True, kw_only=True)
class Credits:
    """What hangs on invoices. ``closed_until``: documents of that day and before are refused.

    ``mails`` are the addresses that invoices were mailed to, by invoice.
    """

    notes: dict[str, CreditNote] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, CreditRefund] = field(default_factory=dict)
    mails: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    closed_until: date | None = None
    shares: list[Share] = field(default_factory=list)  # money on invoices

    # ---- rules

    def check_open(self, day: date | None) -> None:
        """Refuse a day of a closed period."""
        if self.closed_until is not None and day is not None and day <= self.closed_until:
            raise PeriodClosedError(f"transactions dated on or before {self.closed_until} are locked", _BAD, 12020)

    def check_deletable(self, invoice: Invoice) -> None:
        """Refuse to delete what has money on it, or lies in a closed period."""
        if self._on(invoice) or invoice.status in {InvoiceStatus.PAID, InvoiceStatus.PARTIALLY_PAID}:
            raise PaymentsInTheWayError(f"invoice {invoice.number} has payments or credits", _BAD, 4001)
        self.check_open(invoice.issued_on)

    def owed(self, invoice: Invoice, total: Decimal) -> Decimal:
        """Give what is still owed of a total. Raises OverBalanceError where more is on it."""
        if self._on(invoice) > max(total, _ZERO):
            raise OverBalanceError(f"invoice {invoice.number} has more paid than {total}", _BAD, 24016)
        return total - self._on(invoice)

    def status(self, invoice: Invoice, total: Decimal) -> InvoiceStatus:
        """Give an invoice's state once its total is this one."""
        on_it = self._on(invoice)
        if not on_it:
            return invoice.status
        return InvoiceStatus.PAID if on_it == total else InvoiceStatus.PARTIALLY_PAID

    def _on(self, invoice: Invoice) -> Decimal:
        return sum((one.amount for one in self.shares if one.invoice_id == invoice.invoice_id), _ZERO)

    def give_back(self, book: "LedgerBook", invoice_id: str) -> None:
        """Take the money off an invoice that becomes void: a credit note has it again, a payment is unused."""
        taken = [one for one in self.shares if one.invoice_id == invoice_id]
        self.shares = [one for one in self.shares if one.invoice_id != invoice_id]
        for one in taken:
            if one.credit_note_id in self.notes:
                self._use(book, self.notes[one.credit_note_id], -one.amount)

    # ---- reads

    def find_credit_notes(self, _: "LedgerBook", operation: money.FindCreditNotes) -> Page:
        """See the operation."""
        found = (note for note in self.notes.values() if note.reference == operation.reference)
        return _page(replace(note, tax_total=None, tax_by_rate=None) for note in found)

    def list_credit_notes_dated(self, book: "LedgerBook", operation: ListCreditNotesDated) -> Page:
        """See the operation."""
        days = (operation.from_day, operation.to_day)
        found = [one for one in self.notes.values() if one.issued_on and days[0] <= one.issued_on <= days[1]]
        rows = [replace(note, tax_total=None, tax_by_rate=None, lines=None) for note in found]
        return book.page(rows, operation.page)

    def list_invoices_dated(self, book: "LedgerBook", operation: ListInvoicesDated) -> Page:
        """See the operation."""
        days = (operation.from_day, operation.to_day)
        found = [one for one in book.invoices.values() if one.issued_on and days[0] <= one.issued_on <= days[1]]
        return book.page([row(one) for one in found], operation.page)

    def read_credit_note(self, _: "LedgerBook", operation: money.ReadCreditNote) -> CreditNote:
        """See the operation."""
        return self._note(operation.credit_note_id)

    def list_credit_refunds(self, _: "LedgerBook", operation: money.ListCreditRefunds) -> Page:
        """See the operation."""
        self._note(operation.credit_note_id)
        return _page(one for one in self.refunds.values() if one.credit_note_id == operation.credit_note_id)

    def find_payments(self, _: "LedgerBook", operation: money.FindPayments) -> Page:
        """See the operation."""
        return _page(one for one in self.payments.values() if one.reference == operation.reference)

    def read_lock(self, _: "LedgerBook", __: money.ReadLock) -> date | None:
        """See the operation."""
        return self.closed_until

    # ---- writes

    def create_credit_note(self, book: "LedgerBook", operation: money.CreateCreditNote) -> CreditNote:
        """See the operation."""
        draft = operation.draft
        self._check_note(book, draft)
        figures = book.figures(draft)
        if operation.apply_to:
            self._check_takes(book, operation.apply_to, figures.total, of_credit=True)
        moment = book.moment()
        note_id = book.new_id()
        note = CreditNote(
            credit_note_id=note_id,
            number=f"CN-{len(self.notes) + 1:05d}",
            status=CreditNoteStatus.OPEN,
            reference=draft.reference,
            contact_id=draft.contact_id,
            total=figures.total,
            currency=draft.currency,
            balance=figures.total,
            issued_on=draft.issued_on,
            tax_total=figures.tax_total,
            tax_by_rate=figures.tax_by_rate,
            rounding=book.rounding,
            unique_key=draft.unique_key if draft.unique_field else None,
            created_at=moment,
            modified_at=moment,
            url=f"https://ledger.invalid/{book.organization.organization_id}/creditnotes/{note_id}",
        )
        self.notes[note_id] = note
        if operation.apply_to:
            self._put(book, operation.apply_to, figures.total, note_id)
            self._use(book, note, figures.total)
        return self.notes[note_id]

    def apply_credit(self, book: "LedgerBook", operation: money.ApplyCredit) -> None:
        """See the operation."""
        note = self._note(operation.credit_note_id)
        self._check_left(note, operation.amount)
        self._check_takes(book, operation.invoice_id, operation.amount, of_credit=True)
        self._put(book, operation.invoice_id, operation.amount, note.credit_note_id)
        self._use(book, note, operation.amount)

    def refund_credit(self, book: "LedgerBook", operation: money.RefundCredit) -> CreditRefund:
        """See the operation."""
        note = self._note(operation.credit_note_id)
        self._check_left(note, operation.amount)
        self.check_open(operation.refunded_on)
        refund = CreditRefund(
            refund_id=book.new_id(),
            credit_note_id=note.credit_note_id,
            amount=operation.amount,
            reference=operation.reference,
            refunded_on=operation.refunded_on,
        )
        self.refunds[refund.refund_id] = refund
        self._use(book, note, operation.amount)
        return refund

    def mark_sent(self, book: "LedgerBook", operation: money.MarkSent) -> None:
        """See the operation."""
        invoice = book.known_invoice(operation.invoice_id)
        if invoice.status is InvoiceStatus.VOID:
            raise DocumentStateError(f"invoice {invoice.number} is void", _BAD, 12007)
        if invoice.status is InvoiceStatus.DRAFT:
            book.put(replace(invoice, status=InvoiceStatus.SENT))

    def email_invoice(self, book: "LedgerBook", operation: money.EmailInvoice) -> None:
        """See the operation."""
        invoice = book.known_invoice(operation.invoice_id)
        status = InvoiceStatus.SENT if invoice.status is InvoiceStatus.DRAFT else invoice.status
        self.mails.setdefault(invoice.invoice_id, []).append(operation.to)
        book.put(replace(invoice, status=status, emailed=True))

    def record_payment(self, book: "LedgerBook", operation: money.RecordPayment) -> Payment:
        """See the operation."""
        self.check_open(operation.paid_on)
        self._check_takes(book, operation.invoice_id, operation.amount, of_credit=False)
        moment = book.moment()
        payment = Payment(
            payment_id=book.new_id(),
            contact_id=operation.contact_id,
            amount=operation.amount,
            currency=book.known_invoice(operation.invoice_id).currency,
            number=str(len(self.payments) + 1),
            reference=operation.reference,
            paid_on=operation.paid_on,
            created_at=moment,
            modified_at=moment,
        )
        self.payments[payment.payment_id] = payment
        self._put(book, operation.invoice_id, operation.amount)
        return payment

    # ---- parts

    def _note(self, credit_note_id: str) -> CreditNote:
        if credit_note_id not in self.notes:
            raise NotFoundError(f"credit note {credit_note_id} does not exist", _GONE, 1002)
        return self.notes[credit_note_id]

    def _check_note(self, book: "LedgerBook", draft: InvoiceDraft) -> None:
        book.check_customer_and_lines(draft)
        self.check_open(draft.issued_on)
        if draft.unique_key and any(note.unique_key == draft.unique_key for note in self.notes.values()):
            raise KeyTakenError(f"the value {draft.unique_key} is in use", _BAD, 2)

    def _check_left(self, note: CreditNote, amount: Decimal) -> None:
        if note.status is CreditNoteStatus.VOID:
            raise DocumentStateError(f"credit note {note.number} is void", _BAD, 12004)
        if note.status is CreditNoteStatus.CLOSED:
            raise DocumentStateError(f"credit note {note.number} is closed", _BAD, 12003)
        if amount > (note.balance or _ZERO):
            raise OverBalanceError(f"credit note {note.number} has {note.balance} left", _BAD, 24016)

    def _check_takes(self, book: "LedgerBook", invoice_id: str, amount: Decimal, *, of_credit: bool) -> None:
        invoice = book.known_invoice(invoice_id)
        code = {InvoiceStatus.DRAFT: 12005, InvoiceStatus.VOID: 12007}.get(invoice.status)
        if code is not None and (of_credit or invoice.status is InvoiceStatus.VOID):
            raise DocumentStateError(f"invoice {invoice.number} is {invoice.status}", _BAD, code)
        if invoice.status is InvoiceStatus.PAID and of_credit:
            raise DocumentStateError(f"invoice {invoice.number} is closed", _BAD, 12006)
        if amount > (invoice.balance or _ZERO):
            raise OverBalanceError(f"invoice {invoice.number}: {invoice.balance} is owed", _BAD, 24016)

    def _put(self, book: "LedgerBook", invoice_id: str, amount: Decimal, credit_note_id: str = "") -> None:
        invoice = book.known_invoice(invoice_id)
        self.shares.append(Share(invoice_id=invoice_id, amount=amount, credit_note_id=credit_note_id))
        balance = (invoice.balance or _ZERO) - amount
        status = InvoiceStatus.PAID if balance == 0 else InvoiceStatus.PARTIALLY_PAID
        book.put(replace(invoice, balance=balance, status=status))

    def _use(self, book: "LedgerBook", note: CreditNote, amount: Decimal) -> None:
        balance = (note.balance or _ZERO) - amount
        status = CreditNoteStatus.OPEN if balance else CreditNoteStatus.CLOSED
        self.notes[note.credit_note_id] = replace(note, balance=balance, status=status, modified_at=book.moment())


def _page(rows: Iterable[Any]) -> Page:
    return Page(rows=tuple(rows))
