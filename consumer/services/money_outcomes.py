"""What the answers to sendings, credits, payments and refunds make of our records of the documents."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from consumer.domain.credits import (
    ApplyCredit,
    CreateCreditNote,
    CreditNote,
    CreditRefund,
    EmailInvoice,
    Payment,
    RefundCredit,
)
from consumer.domain.ledger import InvoiceStatus, Operation
from consumer.domain.money import ZERO
from consumer.domain.records import Document, Note, OrderRecord
from consumer.domain.texts import plain


def sent_out(live: Document, operation: Operation) -> tuple[Document, Note]:
    """Give the invoice after it was marked as sent or mailed; its time of change is not known from the answer."""
    status = InvoiceStatus.SENT.value if live.status == InvoiceStatus.DRAFT.value else live.status
    mailed = live.emailed or isinstance(operation, EmailInvoice)
    document = replace(live, status=status, emailed=mailed, ledger_modified_at=None)
    return document, Note(decision="sent", words=())


def money_after(
    record: OrderRecord, operation: Operation, about: Document, result: Any
) -> tuple[Document, Document | None, Note]:
    """Give the document as the answer shows it, and the invoice whose balance it has changed (None: it has not)."""
    match operation:
        case CreateCreditNote(apply_to=invoice_id):
            document, note = _credit_note(about, result)
            return document, _less_owed(record, about.total) if invoice_id else None, note
        case ApplyCredit(amount=amount):
            return about, _less_owed(record, amount), Note(decision="applied")
        case RefundCredit():
            refund: CreditRefund = result
            return replace(about, ledger_id=refund.refund_id), None, Note(decision="refunded")
        case _:
            payment: Payment = result
            paid = replace(
                about, ledger_id=payment.payment_id, number=payment.number, ledger_modified_at=payment.modified_at
            )
            return paid, _less_owed(record, about.total), Note(decision="paid")


def _credit_note(about: Document, made: CreditNote) -> tuple[Document, Note]:
    """Compare what was made with what was meant: the ledger's own figures are the ones that are recorded."""
    tax = sum((one.tax for one in about.sums), ZERO)
    agreed = made.total == about.total and made.tax_total in (None, tax)
    words = (
        f"Credit note {made.number}: total and VAT are those that were meant."
        if agreed
        else f"Credit note {made.number} came to {plain(made.total)} {made.currency} (VAT {_said(made.tax_total)}); "
        f"{plain(about.total)} (VAT {plain(tax)}) was meant. Correct it in the ledger: {made.url}"
    )
    document = replace(
        about,
        ledger_id=made.credit_note_id,
        number=made.number,
        status=made.status.value,
        total=made.total,
        tax_total=made.tax_total,
        tax_by_rate=made.tax_by_rate or (),
        issued_on=made.issued_on or about.issued_on,
        url=made.url,
        balance=made.balance,
        agreed=agreed,
        ledger_modified_at=made.modified_at,
    )
    return document, Note(decision="credited", words=(words,))


def _said(amount: Decimal | None) -> str:
    return "not told" if amount is None else plain(amount)


def _less_owed(record: OrderRecord, amount: Decimal) -> Document | None:
    """Give the live invoice with so much less owed on it; when it was changed by that the answer does not tell."""
    live = record.live_invoice
    if live is None:
        return None
    owed = None if live.balance is None else max(live.balance - amount, ZERO)
    status = live.status
    if owed is not None:
        status = (InvoiceStatus.PARTIALLY_PAID if owed else InvoiceStatus.PAID).value
    return replace(live, balance=owed, status=status, ledger_modified_at=None)
