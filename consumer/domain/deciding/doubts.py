"""A write of which no answer is known: wait until it has settled, then ask the ledger before writing again."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from consumer.domain.comparison import Sought, is_ours
from consumer.domain.deciding.absence import absent, doubt
from consumer.domain.deciding.money_doubts import (
    resolve_applied,
    resolve_credit_note,
    resolve_paid_out,
    resolve_payment,
)
from consumer.domain.deciding.situation import (
    DELETED_BY_HAND,
    DELETED_FOR_DIFFERENCE,
    VOIDED_BY_HAND,
    Adopt,
    Call,
    Decision,
    Forget,
    Gone,
    Restate,
    Situation,
    park,
    recorded,
    stands,
)
from consumer.domain.ledger import FindInvoices, Invoice, InvoiceStatus, ReadInvoice
from consumer.domain.records import Intent, Note, Resolution
from consumer.domain.states import Reason, ReasonCode


def resolve(situation: Situation, intent: Intent) -> Decision:
    """Decide what is to be asked about an open intent, or what the answers make of it."""
    # A taken key was an answer: the document that has it is there already, and nothing is waited for.
    if intent.settles_in_seconds > 0 and not situation.known.key_taken:
        return doubt(intent.settles_in_seconds, f"No answer is known to {intent.operation}; asked in a while.")
    ask = _ASK.get(intent.operation)
    if ask is None:
        note = Note(decision="forget", words=(f"{intent.operation} again.",))
        return Forget(resolve=Resolution.SUPERSEDED, note=note)
    return ask(situation, intent)


def _resolve_create(situation: Situation, intent: Intent) -> Decision:
    known = situation.known
    if known.by_reference is None:
        return Call(operation=FindInvoices(reference=intent.sought["reference"]))
    candidates = [i for i in known.by_reference if stands(i) and not recorded(situation.record, i)]
    for invoice in candidates:
        if invoice.invoice_id not in known.invoices:
            return Call(operation=ReadInvoice(invoice_id=invoice.invoice_id))
    read = [whole for c in candidates if (whole := known.invoices[c.invoice_id]) is not None and stands(whole)]
    ours = [invoice for invoice in read if _is_of_intent(situation, intent, invoice)]
    if len(ours) == 1:
        note = Note(decision="adopt", words=("No answer had come, but the invoice was made.",))
        return Adopt(invoice=ours[0], note=note, resolve=Resolution.ADOPTED)
    if read:
        return park(_not_ours(intent, read), resolve=Resolution.SUPERSEDED)
    if known.key_taken:
        return park(_taken_elsewhere(intent), resolve=Resolution.SUPERSEDED)
    return absent(situation, intent)


def _resolve_by_read(situation: Situation, intent: Intent) -> Decision:
    """An update or removal: the ledger's own state is the answer, and what is left to do is decided from it."""
    invoice_id = intent.sought["invoice_id"]
    if invoice_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=invoice_id))
    invoice = situation.known.invoices[invoice_id]
    if invoice is None:
        note = Note(decision="gone", words=("The document is gone from the ledger.",))
        ours = intent.sought.get("status", DELETED_FOR_DIFFERENCE)
        status = ours if intent.operation == "delete_invoice" else DELETED_BY_HAND
        return Gone(invoice_id=invoice_id, status=status, note=note, resolve=Resolution.ADOPTED)
    if invoice.status is InvoiceStatus.VOID and intent.operation != "void_invoice":
        note = Note(decision="gone", words=("Somebody has made the document void.",))
        return Gone(invoice_id=invoice_id, status=VOIDED_BY_HAND, note=note, resolve=Resolution.ADOPTED)
    note = Note(decision="seen", words=("The ledger's own state was read.",))
    if intent.operation == "email_invoice":
        return _mailed(situation, invoice)
    return Adopt(invoice=invoice, note=note, resolve=Resolution.ADOPTED)


def _mailed(situation: Situation, invoice: Invoice) -> Decision:
    """A mail whose answer was lost is not sent again: twice is worse than a person's look at the story."""
    live = situation.record.live_invoice
    if live is None:
        return Forget(resolve=Resolution.SUPERSEDED, note=Note(decision="forget", words=("No invoice to mail.",)))
    words = "The mail had left." if invoice.emailed else "It is not known whether the mail left; it is not repeated."
    document = replace(live, status=invoice.status.value, balance=invoice.balance, emailed=True)
    return Restate(document=document, note=Note(decision="email", words=(words,)), resolve=Resolution.ADOPTED)


def _is_of_intent(situation: Situation, intent: Intent, invoice: Invoice) -> bool:
    """Tell whether the intent made it: its total is the order's, or what the draft gives under the other rounding."""
    sought = intent.sought
    return any(
        is_ours(
            invoice,
            reference=sought["reference"],
            unique_field=situation.has_unique_field,
            unique_key=sought.get("unique_key", ""),
            intent=Sought(contact_id=sought.get("contact_id", ""), total=Decimal(total), begun_at=intent.begun_at),
        )
        for total in {sought["total"], sought.get("total_otherwise", sought["total"])}
    )


def _not_ours(intent: Intent, found: list[Invoice]) -> Reason:
    links = ", ".join(f"{invoice.number} {invoice.url}".strip() for invoice in found)
    return Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"Other documents in the ledger have the reference {intent.sought['reference']}: {links}",
        fix="Look at them in the ledger: delete or void what is wrong and retry, or ignore the order.",
    )


def _taken_elsewhere(intent: Intent) -> Reason:
    return Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"The ledger says that the key of {intent.sought['reference']} is taken, and shows no such document.",
        fix="Look for it in the ledger, among the deleted and the void too; delete it or free its key, then retry.",
    )


_ASK: dict[str, Callable[[Situation, Intent], Decision]] = {
    "create_invoice": _resolve_create,
    "update_invoice": _resolve_by_read,
    "delete_invoice": _resolve_by_read,
    "void_invoice": _resolve_by_read,
    "mark_sent": _resolve_by_read,
    "email_invoice": _resolve_by_read,
    "create_credit_note": resolve_credit_note,
    "apply_credit": resolve_applied,
    "refund_credit": resolve_paid_out,
    "record_payment": resolve_payment,
}
