"""An invoice that is no longer wanted: void it, delete it, credit it, or say what stands in the way."""

from consumer.domain.deciding.refunding import credit_rest, made_before_sums
from consumer.domain.deciding.situation import (
    DELETED_BY_HAND,
    DELETED_ON_PURPOSE,
    Adopt,
    Answer,
    Call,
    Decision,
    Gone,
    Situation,
    order_subject,
    park,
)
from consumer.domain.ledger import DeleteInvoice, Invoice, InvoiceStatus, ReadInvoice, VoidInvoice
from consumer.domain.records import Document, Note
from consumer.domain.settings import CancelledDraft, CancelledSent
from consumer.domain.states import Ask, Reason, ReasonCode
from consumer.domain.texts import plain

_PAID = frozenset({InvoiceStatus.PAID, InvoiceStatus.PARTIALLY_PAID})


def take_down(situation: Situation, live: Document, why: str) -> Decision:
    """Decide about the invoice of an order that is none any more; ``why`` is one sentence.

    A paid invoice is never made void: its money would hang in the air.
    """
    now = _seen(situation, live)
    if not isinstance(now, Invoice):
        return now
    shop = situation.shop
    if now.status is InvoiceStatus.DRAFT:
        deletes = shop is not None and shop.cancelled_draft is CancelledDraft.DELETE
        return _delete(situation, live, why) if deletes else _void(situation, live, why)
    how = CancelledSent.PARK if shop is None else shop.cancelled_sent
    if now.status is InvoiceStatus.OTHER or how is CancelledSent.PARK:
        return park(_needs_hand(live, now, why))
    if how is CancelledSent.VOID and now.status not in _PAID and not _has_money(now):
        return _void(situation, live, why)
    if not live.sums:
        return park(made_before_sums(live))
    return credit_rest(situation, live, now, why)


def asked_away(situation: Situation, live: Document) -> Decision | None:
    """Decide where a person wants the document gone; None where nobody does."""
    asked = situation.record.facts.asked
    if asked not in (Ask.DELETE, Ask.DELETE_SENT):
        return None
    now = _seen(situation, live)
    if not isinstance(now, Invoice):
        return now
    refused = _why_not(situation, live, now, asked)
    if refused:
        return _refuse(live, refused)
    why = "A person asked for it."
    return _delete(situation, live, why) if now.status is InvoiceStatus.DRAFT else take_down(situation, live, why)


def _why_not(situation: Situation, live: Document, now: Invoice, asked: Ask) -> str:
    """Say why what a person asked is not done, empty where it is; an invoice that was sent is asked for twice."""
    if _has_money(now):
        money = plain(now.total - (now.balance or 0))
        return f"has payments or credits of {money} {now.currency}: take them off in the ledger first, then ask again."
    if now.status is InvoiceStatus.DRAFT:
        return ""
    how = CancelledSent.PARK if situation.shop is None else situation.shop.cancelled_sent
    if how is CancelledSent.PARK or now.status is InvoiceStatus.OTHER:
        return f"was sent ({now.status}), and the shop's setting leaves it to a person: {live.url}"
    if asked is Ask.DELETE_SENT:
        return ""
    does = "made void" if how is CancelledSent.VOID else "credited in full"
    return f"was sent ({now.status}). Ask once more, for a sent invoice: it is then {does}."


def _refuse(live: Document, words: str) -> Answer:
    return Answer(note=Note(decision="delete_refused", words=(f"Invoice {live.number} {words}",)))


def _has_money(now: Invoice) -> bool:
    return now.status in _PAID or (now.balance is not None and now.total not in (now.balance, 0))


def _seen(situation: Situation, live: Document) -> Invoice | Decision:
    """Give the invoice as the ledger has it, or what is to be done before or instead."""
    if live.ledger_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=live.ledger_id))
    now = situation.known.invoices[live.ledger_id]
    if now is None:
        note = Note(decision="gone", words=("The invoice that is not wanted any more is gone from the ledger.",))
        return Gone(invoice_id=live.ledger_id, status=DELETED_BY_HAND, note=note)
    if now.status is InvoiceStatus.VOID:
        return Adopt(invoice=now, note=Note(decision="seen", words=("It is void already.",)))
    return now


def _void(situation: Situation, live: Document, why: str) -> Call:
    return Call(
        operation=VoidInvoice(invoice_id=live.ledger_id),
        note=Note(decision="void", words=(why, f"Invoice {live.number} is made void.")),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id},
    )


def _delete(situation: Situation, live: Document, why: str) -> Call:
    return Call(
        operation=DeleteInvoice(invoice_id=live.ledger_id),
        note=Note(decision="delete", words=(why, f"The draft {live.number} is deleted.")),
        subject=order_subject(situation.record),
        sought={"invoice_id": live.ledger_id, "status": DELETED_ON_PURPOSE},
    )


def _needs_hand(live: Document, now: Invoice, why: str) -> Reason:
    return Reason(
        code=ReasonCode.CANCELLED_AFTER_BOOKING,
        message=f"{why} Its invoice {live.number} is {now.status}.",
        fix=f"Void or credit invoice {live.number} in the ledger: {live.url}".strip(),
    )
