"""An order with a live invoice: leave it, correct it, credit it, take it down, or ask a person.

The ledger's own state decides, not our record of it: nothing is written to a document before it was read, or seen
unchanged in a list of changes, within this booking.
"""

from dataclasses import replace

from consumer.domain.deciding.cancelling import asked_away, take_down
from consumer.domain.deciding.correcting import correct_draft, correct_sent, difference_credited, edited_by_hand
from consumer.domain.deciding.credit_use import use_credits
from consumer.domain.deciding.refunding import credit_refund, credited_in_full, told_otherwise
from consumer.domain.deciding.settling import settle
from consumer.domain.deciding.situation import (
    DELETED_BY_HAND,
    VOIDED_BY_HAND,
    Call,
    Decision,
    Gone,
    Rest,
    Restate,
    Situation,
    draft_digest,
    park,
)
from consumer.domain.deciding.wanted import contact_wanted, credit_notes, folds_refunds, pending_refunds, wanted_sent
from consumer.domain.ledger import Invoice, InvoiceStatus, ReadInvoice
from consumer.domain.mapping import Mapped
from consumer.domain.records import Conclusion, Document, Note
from consumer.domain.settings import UnpaidAfterBooking
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode


def decide_existing(situation: Situation, live: Document) -> Decision:
    """Decide for an order whose live invoice is known."""
    record = situation.record
    first = credited_in_full(situation, live) or asked_away(situation, live)
    if first is not None:
        return first
    if record.facts.cancelled:
        return take_down(situation, live, "The order was cancelled.")
    if situation.order is not None and situation.order.payment_taken_back:
        return _unpaid(situation, live)
    asked_update = record.facts.asked is Ask.UPDATE
    # Content goes from settled orders only, and no other takes its place without being there: what it said is booked.
    same_content = record.personal_removed or live.content_hash == record.content_hash
    same = live.agreed and same_content and _same_moment(situation, live)
    if same and not asked_update:
        return _follow_up(situation, live, Note(decision="booked"))
    return _unless_known(situation, live, _changed(situation, live))


def _unless_known(situation: Situation, live: Document, decision: Decision) -> Decision:
    """Where a document would be stated as it stands already, go on: else an update that is asked for never ends."""
    if isinstance(decision, Restate) and decision.document == live and decision.resolve is None:
        return _follow_up(situation, live, decision.note)
    return decision


def _same_moment(situation: Situation, live: Document) -> bool:
    """Times are no part of the content, but a document's day may be told by the payment, of which more came since."""
    return live.paid_moment is None or live.paid_moment == situation.record.facts.paid_moment


def _changed(situation: Situation, live: Document) -> Decision:
    """The content is another one than was written, or what was written has not been proved right."""
    wanted = wanted_sent(situation, live)
    if isinstance(wanted, Reason):
        return park(wanted)
    contact_id = contact_wanted(situation, live, wanted)
    return contact_id if not isinstance(contact_id, str) else _compared(situation, live, wanted, contact_id)


def _compared(situation: Situation, live: Document, wanted: Mapped, contact_id: str) -> Decision:
    same = live.agreed and draft_digest(wanted) == live.written_digest and contact_id == live.contact_id
    if same and situation.record.facts.asked is not Ask.UPDATE:
        words = ("The change touches nothing that stands on the document.",)
        return _follow_up(situation, live, Note(decision="no_change", words=words))
    now = difference_credited(situation, live) or _seen(situation, live)
    if not isinstance(now, Invoice):
        return now
    if same and not edited_by_hand(live, now):
        return _follow_up(situation, live, Note(decision="no_change", words=("It says what the order says already.",)))
    return _correct(situation, live, now, wanted, contact_id)


def _correct(situation: Situation, live: Document, now: Invoice, wanted: Mapped, contact_id: str) -> Decision:
    if now.status is InvoiceStatus.DRAFT:
        return correct_draft(situation, live, now, contact_id)
    return correct_sent(situation, live, now, wanted, contact_id)


def _seen(situation: Situation, live: Document) -> Invoice | Decision:
    """Give the invoice as the ledger has it now, or what is to be done first or instead."""
    if live.ledger_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=live.ledger_id))
    now = situation.known.invoices[live.ledger_id]
    return gone_by_hand(live, now) if now is None or now.status is InvoiceStatus.VOID else now


def gone_by_hand(live: Document, now: Invoice | None) -> Gone:
    """Note that somebody deleted our invoice, or made it void; what follows is decided from there."""
    if now is None:
        words = f"Invoice {live.number} was deleted in the ledger by hand."
        return Gone(invoice_id=live.ledger_id, status=DELETED_BY_HAND, note=Note(decision="gone", words=(words,)))
    words = f"Invoice {live.number} was made void in the ledger by hand."
    return Gone(invoice_id=live.ledger_id, status=VOIDED_BY_HAND, note=Note(decision="gone", words=(words,)))


def _wrong_credit(note: Document) -> Reason:
    return Reason(
        code=ReasonCode.DIFFERENCE,
        message=f"Credit note {note.number} came to other figures in the ledger than were meant: {note.total}.",
        fix=f"Correct it in the ledger, then release the order: {note.url}".strip(),
    )


def _unpaid(situation: Situation, live: Document) -> Decision:
    """Its payment was taken back: as if it had been cancelled, or a person decides."""
    if situation.shop is not None and situation.shop.unpaid_after_booking is UnpaidAfterBooking.AS_CANCELLED:
        return take_down(situation, live, "The order's payment was taken back.")
    return park(
        Reason(
            code=ReasonCode.UNPAID_AFTER_BOOKING,
            message=f"The order's payment was taken back after invoice {live.number} had been made ({live.status}).",
            fix=f"Correct invoice {live.number} in the ledger, or delete it: booked order delete. {live.url}".strip(),
        )
    )


def _follow_up(situation: Situation, live: Document, note: Note) -> Decision:
    """The invoice is right: give back what was refunded, use what was credited, and do what the shop wants done."""
    wrong = next((d for d in credit_notes(situation.record, live) if not d.agreed), None)
    if wrong is not None and not situation.record.facts.released:
        return park(_wrong_credit(wrong))
    otherwise = told_otherwise(situation, live)
    if otherwise is not None and not situation.record.facts.released:
        return park(otherwise)
    refunds = pending_refunds(situation, live)
    if refunds:
        now = _seen(situation, live)
        if not isinstance(now, Invoice):
            return now
        if now.status is not InvoiceStatus.DRAFT:
            return credit_refund(situation, live, now, refunds[0])
        if folds_refunds(situation):
            return correct_draft(situation, live, now, live.contact_id)
        note = replace(note, words=(*note.words, "Refunds are credited once the invoice has been sent."))
    step = use_credits(situation, live) or settle(situation, live)
    return step or Rest(conclusion=Conclusion(state=OrderState.BOOKED), note=note)
