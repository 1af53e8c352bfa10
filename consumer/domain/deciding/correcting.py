"""The order has changed since its invoice was made: correct the draft, or the sent invoice by the shop's setting."""

from dataclasses import replace

from consumer.domain.arithmetic import TaxSum, sums_by_tax
from consumer.domain.crediting import Given, key_of, rest_of
from consumer.domain.deciding.cancelling import take_down
from consumer.domain.deciding.credit_use import use_credits
from consumer.domain.deciding.refunding import credit_rest, give_back, made_before_sums
from consumer.domain.deciding.settling import leaves_more
from consumer.domain.deciding.situation import (
    Call,
    Decision,
    Restate,
    Situation,
    draft_digest,
    order_subject,
    park,
)
from consumer.domain.deciding.wanted import (
    credit_notes,
    digits_of,
    meant,
    pending_refunds,
    refunds_of,
    rounding_of,
    wanted_draft,
)
from consumer.domain.ledger import DeleteInvoice, Invoice, InvoiceStatus, UpdateInvoice
from consumer.domain.mapping import Mapped
from consumer.domain.records import Document, Note
from consumer.domain.settings import ChangedSent
from consumer.domain.states import Ask, Reason, ReasonCode

CHANGE_PART = "!change-"  # the parts of credit notes for differences; no refund's id begins so by custom


def correct_draft(situation: Situation, live: Document, now: Invoice, contact_id: str) -> Decision:
    """Make the draft say what the order says now, unless a person has had a hand in it.

    Where the very same draft was answered with other figures there is nothing better to send: it is taken back.
    """
    wanted = wanted_draft(situation)
    if isinstance(wanted, Reason):
        return park(wanted)
    if wanted.expected.total == 0 and refunds_of(situation):
        return take_down(situation, live, "All of the order was given back.")
    if edited_by_hand(live, now) and situation.record.facts.asked is not Ask.UPDATE:
        fix = "Somebody edited it; overwrite that with `booked order update`, or correct"
        return park(needs_hand(ReasonCode.EDITED_BY_HAND, live, "changed", fix))
    same = draft_digest(wanted) == live.written_digest and contact_id == live.contact_id
    if same and not edited_by_hand(live, now):
        return _take_back(situation, live)
    return _update(situation, wanted, live, now, contact_id)


def correct_sent(situation: Situation, live: Document, now: Invoice, wanted: Mapped, contact_id: str) -> Decision:
    """Correct an invoice that was sent or paid, by the shop's setting; a person may ask for it to be updated."""
    how = ChangedSent.PARK if situation.shop is None else situation.shop.changed_sent
    if situation.record.facts.asked is Ask.UPDATE and how is ChangedSent.PARK:
        how = ChangedSent.UPDATE
    if now.status is InvoiceStatus.OTHER:
        how = ChangedSent.PARK
    match how:
        case ChangedSent.PARK:
            return park(needs_hand(ReasonCode.CHANGED_AFTER_BOOKING, live, "changed", "Correct"))
        case ChangedSent.UPDATE:
            return _update_sent(situation, live, now, wanted, contact_id)
    if not live.sums:
        return park(made_before_sums(live))
    if how is ChangedSent.CREDIT_ALL:
        return _credit_all(situation, live, now, wanted, contact_id)
    return _credit_difference(situation, live, now, wanted, contact_id)


def _credit_all(situation: Situation, live: Document, now: Invoice, wanted: Mapped, contact_id: str) -> Decision:
    if contact_id == live.contact_id and not _differences(situation, _less_changes(situation, live), wanted):
        return _text_only(situation, live)
    return credit_rest(situation, live, now, "The order has changed: credited in full, and invoiced anew.")


def edited_by_hand(live: Document, now: Invoice) -> bool:
    """Tell whether somebody changed the document after we last saw it.

    A sent invoice is changed by payments and credits too: there only its total tells of an edit. The ledger's moments
    are whole seconds: an edit within the second of our own write is told by the total, or not at all.
    """
    if now.total != live.total:
        return True
    if now.status is not InvoiceStatus.DRAFT or live.ledger_modified_at is None or now.modified_at is None:
        return False
    return now.modified_at != live.ledger_modified_at


def needs_hand(code: ReasonCode, live: Document, what: str, fix: str) -> Reason:
    """Say that a person has to act in the ledger."""
    return Reason(
        code=code,
        message=f"The order {what} after invoice {live.number} had been made ({live.status}).",
        fix=f"{fix} invoice {live.number} in the ledger: {live.url}".strip(),
    )


# ---- the document itself --------------------------------------------------------------------------------------------


def _take_back(situation: Situation, live: Document) -> Call:
    return Call(
        operation=DeleteInvoice(invoice_id=live.ledger_id),
        note=Note(decision="take_back", words=("The ledger's figures differ from the shop's.",)),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id},
    )


def _update_sent(situation: Situation, live: Document, now: Invoice, wanted: Mapped, contact_id: str) -> Decision:
    asked = situation.record.facts.asked is Ask.UPDATE
    if edited_by_hand(live, now) and not asked:
        fix = "Somebody edited it; overwrite that with `booked order update`, or correct"
        return park(needs_hand(ReasonCode.EDITED_BY_HAND, live, "changed", fix))
    same = draft_digest(wanted) == live.written_digest and contact_id == live.contact_id
    if same and not asked:
        return park(needs_hand(ReasonCode.DIFFERENCE, live, "came out with other figures", "Look at"))
    return _update(situation, wanted, live, now, contact_id)


def _update(situation: Situation, wanted: Mapped, live: Document, now: Invoice, contact_id: str) -> Call:
    # A list of changes tells no lines: then those of our own last write are there still, since nobody changed it.
    ids = live.line_ids if now.lines is None else tuple(line.line_id for line in now.lines)
    return Call(
        operation=update_of(wanted, live, ids[: len(wanted.draft.lines)], contact_id=contact_id),
        note=Note(decision="update", words=wanted.words, figures={"expected_total": str(wanted.expected.total)}),
        subject=order_subject(situation.record),
        sought={
            "invoice_id": live.ledger_id,
            "digest": draft_digest(wanted).hex(),
            "content_hash": (situation.record.content_hash or b"").hex(),
            "total": str(wanted.expected.total),
            "contact_id": contact_id,
            **meant(situation, wanted),
        },
        mapped=wanted,
        more=leaves_more(situation) or bool(pending_refunds(situation, replace(live, folded=wanted.folded))),
    )


def update_of(mapped: Mapped, live: Document, line_ids: tuple[str, ...] = (), *, contact_id: str = "") -> UpdateInvoice:
    """Give the change that makes the live invoice say what the order says; it keeps what it is found by.

    An empty ``contact_id``: it stays the contact's that it is.
    """
    contact_id = contact_id or live.contact_id
    draft = replace(mapped.draft, contact_id=contact_id, reference=live.reference, unique_key=live.unique_key)
    return UpdateInvoice(invoice_id=live.ledger_id, draft=draft, line_ids=line_ids)


# ---- the difference -------------------------------------------------------------------------------------------------


def _less_changes(situation: Situation, live: Document) -> tuple[TaxSum, ...]:
    """Give what the invoice comes to, less the differences that were credited: what it stands for by now."""
    notes = [d.sums for d in credit_notes(situation.record, live) if d.part.startswith(CHANGE_PART)]
    return rest_of(live.sums, notes)


def _differences(situation: Situation, stands: tuple[TaxSum, ...], wanted: Mapped) -> list[TaxSum]:
    """Give per tax by how much the invoice is above what it should be; below nought where it is too low."""
    should = sums_by_tax(wanted.draft, digits_of(situation), rounding_of(situation))
    over = rest_of(stands, [should])
    return [one for one in over if one.gross or one.tax]


def credited_change(situation: Situation, live: Document, wanted: Mapped) -> Restate | None:
    """Take the invoice for right where credit notes make up for the change already; None where they do not.

    Nothing is written for that, so nothing has to be read.
    """
    if not any(note.part.startswith(CHANGE_PART) for note in credit_notes(situation.record, live)):
        return None
    if _differences(situation, _less_changes(situation, live), wanted):
        return None
    words = f"Invoice {live.number}, less its credit notes, is what the order says."
    return Restate(
        document=_settled(situation, live),
        note=Note(decision="no_change", words=(words,)),
    )


def _settled(situation: Situation, live: Document) -> Document:
    """Once it was sent, agreeing means that the invoice, less its credits, stands for the order as it is now."""
    record = situation.record
    return replace(live, content_hash=record.content_hash, agreed=True, paid_moment=record.facts.paid_moment)


def difference_credited(situation: Situation, live: Document) -> Decision | None:
    """Go on where this very change was credited a moment ago; None where it was not. Nothing is read for it."""
    notes = (d for d in credit_notes(situation.record, live) if d.part.startswith(CHANGE_PART) and d.agreed)
    note = next((d for d in notes if d.content_hash == situation.record.content_hash), None)
    if note is None:
        return None
    words = f"Invoice {live.number} stands for the order as it is now, less credit note {note.number}."
    done = Restate(
        document=_settled(situation, live),
        note=Note(decision="credited", words=(words,)),
    )
    return use_credits(situation, live) or done


def _text_only(situation: Situation, live: Document) -> Restate:
    """Nothing of the money has changed: a sent invoice keeps its words."""
    words = f"The change touches no amount; invoice {live.number} was sent and keeps its text."
    return Restate(
        document=_settled(situation, live),
        note=Note(decision="no_change", words=(words,)),
    )


def _credit_difference(situation: Situation, live: Document, now: Invoice, wanted: Mapped, contact_id: str) -> Decision:
    over = _differences(situation, _less_changes(situation, live), wanted)
    if contact_id != live.contact_id:
        return park(needs_hand(ReasonCode.CHANGED_AFTER_BOOKING, live, "has another customer", "Correct"))
    if not over:
        return _text_only(situation, live)
    if any(one.gross < 0 or one.tax < 0 for one in over):
        reason = needs_hand(ReasonCode.CHANGED_AFTER_BOOKING, live, "became dearer", "A credit cannot add to")
        return park(reason)
    number = sum(d.part.startswith(CHANGE_PART) for d in situation.record.documents) + 1
    label = "Change of the order"
    given = [Given(name=label, key=key_of(one), gross=one.gross, tax=one.tax) for one in over]
    return give_back(
        situation,
        live,
        now,
        part=f"{CHANGE_PART}{number}",
        given=given,
        words="The order has changed after its invoice was sent: the difference is credited.",
    )
