"""An order with a live invoice: leave it, correct the draft, take it down, or ask a person."""

from dataclasses import replace

from consumer.domain.deciding.situation import (
    DELETED_BY_HAND,
    Adopt,
    Call,
    Decision,
    Gone,
    Rest,
    Situation,
    draft_digest,
    order_subject,
    park,
    unreadable,
)
from consumer.domain.ledger import DeleteInvoice, Invoice, InvoiceStatus, ReadInvoice, UpdateInvoice, VoidInvoice
from consumer.domain.mapping import Mapped
from consumer.domain.records import Conclusion, Document, Note
from consumer.domain.states import OrderState, Reason, ReasonCode


def decide_existing(situation: Situation, live: Document) -> Decision:
    """Decide for an order whose live invoice is known."""
    record = situation.record
    if record.facts.cancelled:
        return _take_down(situation, live)
    if live.agreed and live.content_hash == record.content_hash:
        return Rest(conclusion=Conclusion(state=OrderState.BOOKED), note=Note(decision="booked"))
    mapped = situation.mapped
    if not isinstance(mapped, Mapped):
        return park(mapped or unreadable())
    same_draft = draft_digest(mapped) == live.written_digest
    if live.agreed and same_draft:
        words = ("The change touches nothing that stands on the document.",)
        return Rest(conclusion=Conclusion(state=OrderState.BOOKED), note=Note(decision="no_change", words=words))
    return _correct(situation, mapped, live, same_draft=same_draft)


def _take_down(situation: Situation, live: Document) -> Decision:
    """A cancelled order's draft is made void, so that its number stays accounted for; anything else needs a person."""
    if live.ledger_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=live.ledger_id))
    now = situation.known.invoices[live.ledger_id]
    if now is None:
        note = Note(decision="gone", words=("The cancelled order's invoice is gone from the ledger.",))
        return Gone(invoice_id=live.ledger_id, status=DELETED_BY_HAND, note=note)
    if now.status is InvoiceStatus.VOID:
        return Adopt(invoice=now, note=Note(decision="seen", words=("It is void already.",)))
    if now.status is not InvoiceStatus.DRAFT:
        return park(_needs_hand(ReasonCode.CANCELLED_AFTER_BOOKING, live, "was cancelled", "Void or credit"))
    return Call(
        operation=VoidInvoice(invoice_id=live.ledger_id),
        note=Note(decision="void", words=("The order was cancelled while its invoice was a draft.",)),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id},
    )


def _correct(situation: Situation, mapped: Mapped, live: Document, *, same_draft: bool) -> Decision:
    """Make the draft say what the order says now, unless a person has had a hand in it.

    Where the very same draft was answered with other figures there is nothing better to send: it is taken back.
    """
    if live.ledger_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=live.ledger_id))
    now = situation.known.invoices[live.ledger_id]
    if now is None or now.status is InvoiceStatus.VOID:
        return park(
            _needs_hand(ReasonCode.GONE_FROM_LEDGER, live, "changed", "It was deleted or voided there; look at")
        )
    if now.status is not InvoiceStatus.DRAFT:
        return park(_needs_hand(ReasonCode.CHANGED_AFTER_BOOKING, live, "changed", "Correct"))
    if edited_by_hand(live, now):
        return park(_needs_hand(ReasonCode.EDITED_BY_HAND, live, "changed", "Somebody edited it; correct"))
    return _take_back(situation, live) if same_draft else _update(situation, mapped, live, now)


def edited_by_hand(live: Document, now: Invoice) -> bool:
    """Tell whether somebody changed the document after we last saw it."""
    if live.ledger_modified_at is not None and now.modified_at is not None:
        return now.modified_at != live.ledger_modified_at
    return now.total != live.total


def _take_back(situation: Situation, live: Document) -> Call:
    return Call(
        operation=DeleteInvoice(invoice_id=live.ledger_id),
        note=Note(decision="take_back", words=("The ledger's figures differ from the shop's.",)),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id},
    )


def _update(situation: Situation, mapped: Mapped, live: Document, now: Invoice) -> Call:
    line_ids = tuple(line.line_id for line in now.lines or ())[: len(mapped.draft.lines)]
    return Call(
        operation=update_of(mapped, live, line_ids),
        note=Note(decision="update", words=mapped.words, figures={"expected_total": str(mapped.expected.total)}),
        subject=order_subject(situation.record),
        sought={
            "invoice_id": live.ledger_id,
            "digest": draft_digest(mapped).hex(),
            "content_hash": (situation.record.content_hash or b"").hex(),
            "total": str(mapped.expected.total),
        },
    )


def update_of(mapped: Mapped, live: Document, line_ids: tuple[str, ...] = ()) -> UpdateInvoice:
    """Give the change that makes the live invoice say what the order says; it keeps what it is found by."""
    draft = replace(mapped.draft, contact_id=live.contact_id, reference=live.reference, unique_key=live.unique_key)
    return UpdateInvoice(invoice_id=live.ledger_id, draft=draft, line_ids=line_ids)


def _needs_hand(code: ReasonCode, live: Document, what: str, fix: str) -> Reason:
    return Reason(
        code=code,
        message=f"The order {what} after invoice {live.number} had been made ({live.status}).",
        fix=f"{fix} invoice {live.number} in the ledger: {live.url}".strip(),
    )
