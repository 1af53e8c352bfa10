"""What the answers about credit notes, payments and locks say. Pure; see ``results`` for the rest."""

from datetime import date

from consumer.adapters.zoho import documents, reading
from consumer.adapters.zoho.result_parts import (
    Body,
    Organisation,
    UnusableAnswerError,
    one_of,
    page_of,
    rows_of,
    verified,
)
from consumer.adapters.zoho.times import read_date
from consumer.domain import credits as money
from consumer.domain import ledger
from consumer.domain.reconciling.operations import ListCreditNotesDated

_SALES = frozenset({"sales", "all", ""})  # a row that names no module is taken to lock all of them
_DISABLED = "disabled"


def _read_note(document: documents.CreditNoteDocument, organisation: Organisation) -> money.CreditNote:
    url = organisation.credit_note_url(document.invoice_id)
    try:
        return reading.credit_note(document, unique_field=organisation.credit_note_unique_field, url=url)
    except ValueError as error:
        raise UnusableAnswerError(str(error)) from None


def found_credit_notes(operation: money.FindCreditNotes, body: Body, organisation: Organisation) -> ledger.Page:
    """Read the list, checked against the reference."""
    rows = rows_of(body, "creditnotes", documents.CreditNoteDocument)
    exact = [row for row in rows if row.reference_number == operation.reference.strip()]
    matching = verified(rows, exact, body, "reference")
    return page_of(body, [_read_note(row, organisation) for row in matching], len(rows))


def dated_credit_notes(operation: ListCreditNotesDated, body: Body, organisation: Organisation) -> ledger.Page:
    """Read the list, without what is of other days: a ledger may ignore the filter."""
    rows = rows_of(body, "creditnotes", documents.CreditNoteDocument)
    read = [_read_note(row, organisation) for row in rows]
    dated = [one for one in read if one.issued_on and operation.from_day <= one.issued_on <= operation.to_day]
    return page_of(body, dated, len(rows))


def credit_note(operation: ledger.Operation, body: Body, organisation: Organisation) -> money.CreditNote:
    """Read a credit note, whole."""
    del operation
    return _read_note(one_of(body, "creditnote", documents.CreditNoteDocument), organisation)


def credit_refunds(operation: money.ListCreditRefunds, body: Body, organisation: Organisation) -> ledger.Page:
    """Read what was given back of a credit note."""
    del organisation
    rows = rows_of(body, "creditnote_refunds", documents.CreditRefundDocument)
    return page_of(body, [_read_refund(row, operation.credit_note_id) for row in rows], len(rows))


def refunded_credit(operation: money.RefundCredit, body: Body, organisation: Organisation) -> money.CreditRefund:
    """Read a refund that was recorded."""
    del organisation
    document = one_of(body, "creditnote_refund", documents.CreditRefundDocument)
    return _read_refund(document, operation.credit_note_id)


def _read_refund(document: documents.CreditRefundDocument, credit_note_id: str) -> money.CreditRefund:
    try:
        return reading.credit_refund(document, credit_note_id)
    except ValueError as error:
        raise UnusableAnswerError(str(error)) from None


def _read_payment(document: documents.PaymentDocument) -> money.Payment:
    try:
        return reading.payment(document)
    except ValueError as error:
        raise UnusableAnswerError(str(error)) from None


def found_payments(operation: money.FindPayments, body: Body, organisation: Organisation) -> ledger.Page:
    """Read the list, checked against the reference."""
    del organisation
    rows = rows_of(body, "customerpayments", documents.PaymentDocument)
    exact = [row for row in rows if row.reference_number == operation.reference.strip()]
    matching = verified(rows, exact, body, "reference")
    return page_of(body, map(_read_payment, matching), len(rows))


def recorded_payment(operation: money.RecordPayment, body: Body, organisation: Organisation) -> money.Payment:
    """Read a payment that was recorded."""
    del operation, organisation
    return _read_payment(one_of(body, "payment", documents.PaymentDocument))


def lock(operation: money.ReadLock, body: Body, organisation: Organisation) -> date | None:
    """Read until which day sales are locked; the names in the answer are an assumption (sandbox/assumptions.toml)."""
    del operation, organisation
    rows = rows_of(body, "transaction_locks", documents.LockDocument)
    locks = [row for row in rows if row.module.lower() in _SALES and row.status.lower() != _DISABLED]
    days = [day for row in locks if (day := read_date(row.locked_until)) is not None]
    if locks and not days:
        # A lock without a day that we can read is no open period.
        raise UnusableAnswerError("with a transaction lock that names no day")
    return max(days, default=None)
