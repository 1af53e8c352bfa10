"""The requests about credit notes, payments and what is sent to the customer. Pure; see ``requests`` for the rest."""

from typing import Any

from consumer.adapters.zoho import limits, writing
from consumer.adapters.zoho.request_parts import Request, Surroundings, get_one, id_in_path, list_of, write
from consumer.domain import credits as money

PAYMENT_MODE = "others"  # where the shop names none


def find_credit_notes(operation: money.FindCreditNotes, around: Surroundings) -> Request:
    """GET /creditnotes by reference."""
    reference = limits.whole(operation.reference, limits.REFERENCE, "reference")
    return list_of(around, "/creditnotes", reference_number=reference)


def read_credit_note(operation: money.ReadCreditNote, around: Surroundings) -> Request:
    """GET /creditnotes/{id}."""
    return get_one(around, f"/creditnotes/{_note(operation.credit_note_id)}")


def list_credit_refunds(operation: money.ListCreditRefunds, around: Surroundings) -> Request:
    """GET /creditnotes/{id}/refunds."""
    return get_one(around, f"/creditnotes/{_note(operation.credit_note_id)}/refunds")


def find_payments(operation: money.FindPayments, around: Surroundings) -> Request:
    """GET /customerpayments by reference."""
    reference = limits.whole(operation.reference, limits.REFERENCE, "reference")
    return list_of(around, "/customerpayments", reference_number=reference)


def read_lock(_: money.ReadLock, around: Surroundings) -> Request:
    """GET /transactionlocks: all of them, one row per module."""
    return get_one(around, "/transactionlocks")


def create_credit_note(operation: money.CreateCreditNote, around: Surroundings) -> Request:
    """POST /creditnotes; with ``invoice_id`` in the query it is put on that invoice at once."""
    body = writing.credit_note_body(operation.draft, currency_ids=around.currency_ids)
    query = {"invoice_id": operation.apply_to} if operation.apply_to else {}
    return write(around, "POST", "/creditnotes", body, **query)


def apply_credit(operation: money.ApplyCredit, around: Surroundings) -> Request:
    """POST /creditnotes/{id}/invoices."""
    body = {"invoices": [{"invoice_id": operation.invoice_id, "amount_applied": operation.amount}]}
    return write(around, "POST", f"/creditnotes/{_note(operation.credit_note_id)}/invoices", body)


def refund_credit(operation: money.RefundCredit, around: Surroundings) -> Request:
    """POST /creditnotes/{id}/refunds."""
    body = {
        "date": operation.refunded_on.isoformat(),
        "refund_mode": operation.mode or PAYMENT_MODE,
        "amount": operation.amount,
        "reference_number": limits.whole(operation.reference, limits.REFERENCE, "reference"),
        "from_account_id": operation.account_id,
    }
    return write(around, "POST", f"/creditnotes/{_note(operation.credit_note_id)}/refunds", body)


def mark_sent(operation: money.MarkSent, around: Surroundings) -> Request:
    """POST /invoices/{id}/status/sent."""
    return write(around, "POST", f"/invoices/{id_in_path(operation.invoice_id, 'invoice id')}/status/sent")


def email_invoice(operation: money.EmailInvoice, around: Surroundings) -> Request:
    """POST /invoices/{id}/email."""
    path = f"/invoices/{id_in_path(operation.invoice_id, 'invoice id')}/email"
    return write(around, "POST", path, {"to_mail_ids": list(operation.to)})


def record_payment(operation: money.RecordPayment, around: Surroundings) -> Request:
    """POST /customerpayments."""
    body: dict[str, Any] = {
        "customer_id": limits.whole(operation.contact_id, limits.REFERENCE, "contact id"),
        "payment_mode": operation.mode or PAYMENT_MODE,
        "amount": operation.amount,
        "date": operation.paid_on.isoformat(),
        "reference_number": limits.whole(operation.reference, limits.REFERENCE, "reference"),
        "invoices": [{"invoice_id": operation.invoice_id, "amount_applied": operation.amount}],
    }
    if operation.account_id:
        body["account_id"] = operation.account_id
    return write(around, "POST", "/customerpayments", body)


def _note(credit_note_id: str) -> str:
    return id_in_path(credit_note_id, "credit note id")
