"""An invoice that is no longer wanted, step by step: what is called, what is said, and what is left to a person."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.deciding import decide
from consumer.domain.deciding.absence import absent, doubt
from consumer.domain.deciding.cancelling import asked_away, take_down
from consumer.domain.deciding.situation import (
    Adopt,
    Answer,
    Call,
    Decision,
    Forget,
    Gone,
    Observations,
    Rest,
    Situation,
)
from consumer.domain.ledger import DeleteInvoice, InvoiceStatus, ReadInvoice, VoidInvoice
from consumer.domain.records import Conclusion, Note, Resolution
from consumer.domain.settings import CancelledDraft, CancelledSent, ShopSettings
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode, Wish
from tests.domain.deciding.building import SHOP, document, intent, invoice, record, situation, with_documents

LIVE = document(url="https://ledger.example/1")
WHY = "The order was cancelled."
DRAFT, SENT, PAID = InvoiceStatus.DRAFT, InvoiceStatus.SENT, InvoiceStatus.PAID
VOIDS = replace(SHOP, cancelled_sent=CancelledSent.VOID)
PARKS = replace(SHOP, cancelled_sent=CancelledSent.PARK)


def seen(shop: ShopSettings | None = SHOP, asked: Ask | None = None, **now: Any) -> Situation:
    """Give the situation of an order whose invoice was just read."""
    known = Observations(invoices={"i1": invoice(**now)})
    return situation(with_documents(LIVE, asked=asked), shop=shop, known=known)


def parked(decision: Decision | None) -> Reason:
    """Give why an order is parked."""
    assert isinstance(decision, Rest), decision
    assert decision.conclusion.state is OrderState.PARKED
    assert decision.conclusion.reason is not None
    return decision.conclusion.reason


# ---- of a cancelled order --------------------------------------------------------------------------------------------

VOIDED = Call(
    operation=VoidInvoice(invoice_id="i1"),
    note=Note(decision="void", words=(WHY, "Invoice INV-1 is made void.")),
    subject="order:shop/1001",
    sought={"invoice_id": "i1"},
)
DELETED = Call(
    operation=DeleteInvoice(invoice_id="i1"),
    note=Note(decision="delete", words=(WHY, "The draft INV-1 is deleted.")),
    subject="order:shop/1001",
    sought={"invoice_id": "i1", "status": "deleted"},
)


@pytest.mark.parametrize(
    ("shop", "now", "expected"),
    [
        (SHOP, {"status": DRAFT}, VOIDED),
        (None, {"status": DRAFT}, VOIDED),
        (replace(SHOP, cancelled_draft=CancelledDraft.DELETE), {"status": DRAFT}, DELETED),
        (VOIDS, {"status": SENT}, VOIDED),
        (VOIDS, {"status": SENT, "balance": Decimal("12.20")}, VOIDED),
        (VOIDS, {"status": SENT, "total": Decimal(0), "balance": Decimal(0)}, VOIDED),
    ],
)
def test_a_draft_is_voided_or_deleted_and_a_sent_one_without_money_voided(
    shop: ShopSettings | None, now: dict[str, Any], expected: Call
) -> None:
    """By the shop's settings; a draft of a shop that is gone keeps its number."""
    assert take_down(seen(shop, **now), LIVE, WHY) == expected


@pytest.mark.parametrize(
    ("shop", "now"),
    [
        (PARKS, {"status": SENT}),
        (None, {"status": SENT}),
        (VOIDS, {"status": InvoiceStatus.OTHER}),
    ],
)
def test_a_sent_one_may_be_left_to_a_person(shop: ShopSettings | None, now: dict[str, Any]) -> None:
    """By the setting, without a shop, and in a state that is none that we know."""
    assert parked(take_down(seen(shop, **now), LIVE, WHY)) == Reason(
        code=ReasonCode.CANCELLED_AFTER_BOOKING,
        message=f"{WHY} Its invoice INV-1 is {now['status']}.",
        fix="Void or credit invoice INV-1 in the ledger: https://ledger.example/1",
    )


@pytest.mark.parametrize(
    "now",
    [
        {"status": PAID},
        {"status": SENT, "balance": Decimal("2.20")},
        {"status": SENT, "total": Decimal(1), "balance": Decimal("0.50")},
    ],
)
def test_one_with_money_on_it_is_never_made_void(now: dict[str, Any]) -> None:
    """Its money would hang in the air: it is credited, which an invoice without sums cannot be."""
    assert parked(take_down(seen(VOIDS, **now), LIVE, WHY)).code is ReasonCode.REFUND_UNCLEAR


def test_its_state_in_the_ledger_decides() -> None:
    """It is read first; what is gone is noted; what is void already is taken as it is."""
    unread = situation(with_documents(LIVE))
    assert take_down(unread, LIVE, WHY) == Call(operation=ReadInvoice(invoice_id="i1"))
    gone = situation(with_documents(LIVE), known=Observations(invoices={"i1": None}))
    assert take_down(gone, LIVE, WHY) == Gone(
        invoice_id="i1",
        status="deleted_by_hand",
        note=Note(decision="gone", words=("The invoice that is not wanted any more is gone from the ledger.",)),
    )
    void = invoice(status=InvoiceStatus.VOID)
    assert take_down(seen(status=InvoiceStatus.VOID), LIVE, WHY) == Adopt(
        invoice=void, note=Note(decision="seen", words=("It is void already.",))
    )


# ---- as a person asks ------------------------------------------------------------------------------------------------


def refusal(*words: str) -> Answer:
    """Give what is answered."""
    return Answer(note=Note(decision="delete_refused", words=words))


@pytest.mark.parametrize(
    ("shop", "asked", "now", "words"),
    [
        (
            SHOP,
            Ask.DELETE_SENT,
            {"status": SENT, "balance": Decimal("2.20")},
            "has payments or credits of 10 EUR: take them off in the ledger first, then ask again.",
        ),
        (
            SHOP,
            Ask.DELETE,
            {"status": PAID, "balance": None},
            "has payments or credits of 12.2 EUR: take them off in the ledger first, then ask again.",
        ),
        (
            PARKS,
            Ask.DELETE_SENT,
            {"status": SENT},
            "was sent (sent), and the shop's setting leaves it to a person: https://ledger.example/1",
        ),
        (
            None,
            Ask.DELETE_SENT,
            {"status": SENT},
            "was sent (sent), and the shop's setting leaves it to a person: https://ledger.example/1",
        ),
        (
            VOIDS,
            Ask.DELETE,
            {"status": SENT},
            "was sent (sent). Ask once more, for a sent invoice: it is then made void.",
        ),
        (
            SHOP,
            Ask.DELETE,
            {"status": SENT},
            "was sent (sent). Ask once more, for a sent invoice: it is then credited in full.",
        ),
    ],
)
def test_a_refusal_says_what_to_do_first(
    shop: ShopSettings | None, asked: Ask, now: dict[str, Any], words: str
) -> None:
    """Money is taken off, a sent invoice is asked for twice, and some are left to a person."""
    assert asked_away(seen(shop, asked, **now), LIVE) == refusal(f"Invoice INV-1 {words}")


@pytest.mark.parametrize(
    ("shop", "asked", "now", "expected"),
    [
        (SHOP, Ask.DELETE, {"status": DRAFT}, DELETED),
        (SHOP, Ask.DELETE, {"status": DRAFT, "balance": Decimal("12.20")}, DELETED),
        (VOIDS, Ask.DELETE_SENT, {"status": SENT}, VOIDED),
    ],
)
def test_what_is_asked_for_is_done(shop: ShopSettings, asked: Ask, now: dict[str, Any], expected: Call) -> None:
    """A draft is deleted whatever the setting of cancelled ones; a sent one goes as that of a cancelled order."""
    assert expected.note is not None
    note = replace(expected.note, words=("A person asked for it.", *expected.note.words[1:]))
    assert asked_away(seen(shop, asked, **now), LIVE) == replace(expected, note=note)


def test_nobody_asked_and_it_is_read_first() -> None:
    """An update is no deletion."""
    assert asked_away(seen(asked=Ask.UPDATE), LIVE) is None
    assert asked_away(seen(), LIVE) is None
    unread = situation(with_documents(LIVE, asked=Ask.DELETE))
    assert asked_away(unread, LIVE) == Call(operation=ReadInvoice(invoice_id="i1"))


# ---- when it may be taken as absent ----------------------------------------------------------------------------------


def test_a_doubt_waits_and_looks_then() -> None:
    """A twentieth of a second at least."""
    assert doubt(0.5, "It may come.", looked=True) == Rest(
        conclusion=Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=0.5),
        note=Note(decision="wait_for_certainty", words=("It may come.",)),
        looked=True,
    )
    assert doubt(-1.0, "x").conclusion.due_in_seconds == 0.05
    assert not doubt(-1.0, "x").looked


def test_only_two_looks_some_time_apart_make_an_absence() -> None:
    """As far apart as the connection's settings say; thirty seconds where there is none."""
    again = "It was not found; looked for once more in a while."
    of = situation()
    assert of.connection is not None
    slow = replace(of, connection=replace(of.connection, limits=replace(of.connection.limits, look_again_seconds=60.0)))
    assert absent(slow, intent()) == doubt(60.0, again, looked=True)
    assert absent(slow, intent(looked_seconds_ago=59.0)) == doubt(1.0, again)
    gone = Forget(
        resolve=Resolution.ABSENT, note=Note(decision="absent", words=("Two looks found nothing: made anew.",))
    )
    assert absent(slow, intent(looked_seconds_ago=60.0)) == gone
    alone = replace(of, connection=None)
    assert absent(alone, intent()) == doubt(30.0, again, looked=True)
    assert absent(alone, intent(looked_seconds_ago=30.0)) == gone


# ---- before anything else --------------------------------------------------------------------------------------------


def test_an_order_that_ended_the_process_three_times_is_left_alone() -> None:
    """With how often it did, and what to do."""
    assert isinstance(decide(situation(record(takes=3))), Call)
    assert parked(decide(situation(record(takes=4)))) == Reason(
        code=ReasonCode.STOPS_THE_PROCESS,
        message="The process ended 3 times while this order was in hand.",
        fix="Look for this order's last log lines; after a fix release it.",
    )


def test_an_order_that_is_not_due_rests_under_its_reason() -> None:
    """The story names it by its code."""
    decision = decide(situation(shop=replace(SHOP, automatic=False)))
    assert isinstance(decision, Rest)
    assert decision.conclusion.reason is not None
    assert decision == Rest(
        conclusion=Conclusion(state=OrderState.WAITING, reason=decision.conclusion.reason),
        note=Note(decision="automatic_off"),
    )


@pytest.mark.parametrize("asked", [Ask.DELETE, Ask.DELETE_SENT])
def test_what_was_deleted_as_asked_is_not_wanted_any_more(asked: Ask) -> None:
    """No event and no replay makes it again."""
    gone = with_documents(document(live=False, status="deleted"), asked=asked)
    assert decide(situation(gone)) == Rest(
        conclusion=Conclusion(
            state=OrderState.WITHDRAWN,
            reason=Reason(code=ReasonCode.NOT_WANTED, message="Its document was deleted on purpose; none is wanted."),
        ),
        note=Note(decision="not_wanted", words=("There is no document any more, and none is made again.",)),
        wish=Wish.NONE,
    )
