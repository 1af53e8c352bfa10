"""A write of which no answer is known: wait until it has settled, then ask the ledger before writing again."""

from decimal import Decimal

from consumer.domain.comparison import Sought, is_ours
from consumer.domain.deciding.situation import (
    DELETED_BY_HAND,
    DELETED_FOR_DIFFERENCE,
    Adopt,
    Call,
    Decision,
    Forget,
    Gone,
    Rest,
    Situation,
    park,
    recorded,
    stands,
)
from consumer.domain.ledger import FindInvoices, Invoice, ReadInvoice
from consumer.domain.records import Conclusion, Intent, Note, Resolution
from consumer.domain.states import OrderState, Reason, ReasonCode


def resolve(situation: Situation, intent: Intent) -> Decision:
    """Decide what is to be asked about an open intent, or what the answers make of it."""
    if intent.settles_in_seconds > 0:
        return _doubt(intent.settles_in_seconds, f"No answer is known to {intent.operation}; asked in a while.")
    match intent.operation:
        case "create_invoice":
            return _resolve_create(situation, intent)
        case "update_invoice" | "delete_invoice" | "void_invoice":
            return _resolve_by_read(situation, intent)
        case _:
            return Forget(
                resolve=Resolution.SUPERSEDED, note=Note(decision="forget", words=(f"{intent.operation} again.",))
            )


def _doubt(seconds: float, words: str, *, looked: bool = False) -> Rest:
    conclusion = Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=max(seconds, 0.05))
    return Rest(conclusion=conclusion, note=Note(decision="wait_for_certainty", words=(words,)), looked=looked)


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
    return _absent(situation, intent)


def _absent(situation: Situation, intent: Intent) -> Decision:
    """A list may lag behind: only two looks, some time apart, make an absence."""
    again = 30.0 if situation.connection is None else situation.connection.limits.look_again_seconds
    if intent.looked_seconds_ago is None:
        return _doubt(again, "It was not found; looked for once more in a while.", looked=True)
    if intent.looked_seconds_ago < again:
        return _doubt(again - intent.looked_seconds_ago, "It was not found; looked for once more in a while.")
    return Forget(
        resolve=Resolution.ABSENT, note=Note(decision="absent", words=("Two looks found nothing: made anew.",))
    )


def _resolve_by_read(situation: Situation, intent: Intent) -> Decision:
    """An update or removal: the ledger's own state is the answer, and what is left to do is decided from it."""
    invoice_id = intent.sought["invoice_id"]
    if invoice_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=invoice_id))
    invoice = situation.known.invoices[invoice_id]
    if invoice is None:
        note = Note(decision="gone", words=("The document is gone from the ledger.",))
        status = DELETED_FOR_DIFFERENCE if intent.operation == "delete_invoice" else DELETED_BY_HAND
        return Gone(invoice_id=invoice_id, status=status, note=note, resolve=Resolution.ADOPTED)
    note = Note(decision="seen", words=("The ledger's own state was read.",))
    return Adopt(invoice=invoice, note=note, resolve=Resolution.ADOPTED)


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
