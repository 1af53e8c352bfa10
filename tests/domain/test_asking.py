"""What a person's words to one order do to it: its place in the line, what is wanted of it, and what is answered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.asking import Mark, Reception, Scene, Spoken, audit_details, speak, unknown_words
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, Ties
from consumer.domain.releasing import Held
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode, Wish

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
SHOP = ShopSettings(shop_id="north", connection_id="books", automatic=True)
CONNECTION = ConnectionSettings(connection_id="books", data_center="eu", organization_id="1")
WHY = Reason(code=ReasonCode.DIFFERENCE, message="It differs.")
TAKEN, NOTHING, REFUSED = Reception.TAKEN, Reception.NOTHING, Reception.REFUSED
# Tried three times, failed twice, changed seven times within the hour; of a connection that its shop has left since.
PARKED = Place(
    connection_id="old",
    state=OrderState.PARKED,
    reason=WHY,
    change=4,
    priority=1,
    takes=3,
    attempts=2,
    changes_in_hour=7,
    changes_since=NOW - timedelta(minutes=9),
)
FIRST = Place(connection_id="books", state=OrderState.DUE, due_at=NOW, change=5, priority=0)
OPEN = Ties(open_intent=True)


def scene(state: OrderState = OrderState.PARKED, **more: Any) -> Scene:
    """Give an order in this state; ``ties``, ``announced``, ``shop``, ``connection`` and ``due_at``, else its facts."""
    place = replace(PARKED, state=state, due_at=more.pop("due_at", None))
    ties, announced = more.pop("ties", Ties()), more.pop("announced", False)
    shop, connection = more.pop("shop", SHOP), more.pop("connection", CONNECTION)
    facts = Facts(**{"paid": True, "paid_moment": NOW, "cancelled": False, **more})
    held = Held(place=place, facts=facts, ties=ties, announced=announced)
    return Scene(held=held, shop=shop, connection=connection, now=NOW)


def answer(what: Ask | Mark, of: Scene) -> tuple[Reception, str]:
    """Give how the words were received, and what is answered; what is not taken changes nothing."""
    spoken = speak(of, what)
    if spoken.reception is not TAKEN:
        facts = of.held.facts
        assert spoken.place == of.held.place
        assert (spoken.wish, spoken.released, spoken.asked) == (facts.wish, facts.released, facts.asked)
    return spoken.reception, spoken.words


def wanted(what: Ask | Mark, of: Scene) -> tuple[Wish, bool, Ask | None]:
    """Give what is wanted of the order afterwards."""
    spoken = speak(of, what)
    assert spoken.reception is TAKEN, spoken
    return spoken.wish, spoken.released, spoken.asked


# ---- what is answered ------------------------------------------------------------------------------------------------

D, W, B, P, N = OrderState.DUE, OrderState.WAITING, OrderState.BOOKED, OrderState.PARKED, OrderState.WITHDRAWN


@pytest.mark.parametrize(
    ("what", "of", "expected"),
    [
        (Ask.GENERATE, scene(), (TAKEN, "Its document is made now.")),
        (Ask.GENERATE, scene(B, has_document=True), (NOTHING, "It is booked already; this is its document.")),
        (Ask.GENERATE, scene(D, has_document=True), (TAKEN, "Its document is made now.")),
        (Ask.GENERATE, scene(B), (TAKEN, "Its document is made now.")),
        (
            Ask.GENERATE,
            scene(cancelled=True),
            (REFUSED, "The order is cancelled: no document is made for it."),
        ),
        (Ask.GENERATE, scene(wish=Wish.HOLD), (TAKEN, "Its document is made now.")),
        (Ask.GENERATE, scene(paid=False, paid_moment=None), (TAKEN, "Its document is made now.")),
        (Ask.GENERATE, scene(ties=OPEN, shop=None), (TAKEN, "Its document is made now.")),
        (
            Ask.GENERATE,
            scene(shop=None),
            (
                REFUSED,
                "No shop of this id is set up. Add the shop to shops.yaml and run: booked apply shops.yaml",
            ),
        ),
        (Ask.UPDATE, scene(has_document=True), (TAKEN, "Its document is brought up to date now.")),
        (Ask.UPDATE, scene(ties=OPEN), (TAKEN, "Its document is brought up to date now.")),
        (Ask.UPDATE, scene(OrderState.UNCERTAIN), (TAKEN, "Its document is brought up to date now.")),
        (
            Ask.UPDATE,
            scene(),
            (REFUSED, "The order has no document that could be updated: generate makes one."),
        ),
        (Ask.DELETE, scene(has_document=True), (TAKEN, "Its document is taken down now.")),
        (Ask.DELETE_SENT, scene(ties=OPEN), (TAKEN, "Its document is taken down now.")),
        (
            Ask.DELETE,
            scene(),
            (NOTHING, "There is no document to delete. To keep the order from being booked, ignore it."),
        ),
        (
            Ask.DELETE,
            scene(has_document=True, wish=Wish.HOLD),
            (REFUSED, "It is held: release it first, then delete its document."),
        ),
        (Mark.HOLD, scene(wish=Wish.HOLD), (NOTHING, "It is held already.")),
        (Mark.HOLD, scene(), (TAKEN, "It is held.")),
        (
            Mark.HOLD,
            scene(ties=OPEN),
            (TAKEN, "A write is under way: when it is known what came of it, nothing more is written."),
        ),
        (Mark.RELEASE, scene(), (TAKEN, "It goes on.")),
        (Mark.RELEASE, scene(W), (TAKEN, "It goes on.")),
        (Mark.RELEASE, scene(B), (NOTHING, "It is booked; there is nothing to release.")),
        (Mark.RELEASE, scene(B, wish=Wish.IGNORE, has_document=True), (TAKEN, "It goes on.")),
        (Mark.RELEASE, scene(N, wish=Wish.NONE), (TAKEN, "It goes on.")),
        (
            Mark.RELEASE,
            scene(N, cancelled=True, wish=Wish.IGNORE),
            (NOTHING, "The order is cancelled; there is nothing to release."),
        ),
        (Mark.RELEASE, scene(cancelled=True, has_document=True), (TAKEN, "It goes on.")),
        (
            Mark.RELEASE,
            scene(connection=None),
            (TAKEN, "The shop has no active ledger connection (books)."),
        ),
        (Mark.RETRY, scene(), (TAKEN, "It is tried again now.")),
        (Mark.RETRY, scene(W), (NOTHING, "It is not parked but waiting; release lets it go on.")),
        (Mark.RETRY, scene(B), (NOTHING, "It is not parked but booked; there is nothing to retry.")),
        (Mark.RETRY, scene(connection=None, ties=OPEN), (TAKEN, "It is tried again now.")),
        (Mark.IGNORE, scene(wish=Wish.IGNORE), (NOTHING, "It is ignored already.")),
        (Mark.IGNORE, scene(), (TAKEN, "It is not booked any more, whatever comes.")),
        (
            Mark.IGNORE,
            scene(has_document=True),
            (TAKEN, "Nothing more is written for it; its document stays as it is."),
        ),
    ],
)
def test_words_to_an_order_are_answered(what: Ask | Mark, of: Scene, expected: tuple[Reception, str]) -> None:
    """What is done, what needs no doing, and what has to be done first."""
    assert answer(what, of) == expected


# ---- what is wanted afterwards ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "of", "expected"),
    [
        (Ask.GENERATE, scene(wish=Wish.IGNORE), (Wish.AUTO, True, Ask.GENERATE)),
        (Ask.UPDATE, scene(has_document=True, wish=Wish.IGNORE), (Wish.AUTO, True, Ask.UPDATE)),
        (Ask.DELETE, scene(has_document=True, wish=Wish.IGNORE), (Wish.IGNORE, False, Ask.DELETE)),
        (Ask.DELETE_SENT, scene(has_document=True, released=True), (Wish.AUTO, True, Ask.DELETE_SENT)),
        (Mark.HOLD, scene(released=True, asked=Ask.UPDATE), (Wish.HOLD, False, None)),
        (Mark.RELEASE, scene(W, wish=Wish.HOLD), (Wish.AUTO, True, None)),
        (Mark.RETRY, scene(asked=Ask.UPDATE), (Wish.AUTO, True, Ask.UPDATE)),
        (Mark.IGNORE, scene(released=True, asked=Ask.UPDATE), (Wish.IGNORE, False, None)),
    ],
)
def test_what_is_wanted_of_the_order(what: Ask | Mark, of: Scene, expected: tuple[Wish, bool, Ask | None]) -> None:
    """A deletion releases nothing and leaves the wish to the lane; hold and ignore end what was asked before."""
    assert wanted(what, of) == expected


# ---- where it stands -------------------------------------------------------------------------------------------------


def placed(what: Ask | Mark, of: Scene) -> Place:
    """Give where the order stands after words that were taken."""
    spoken = speak(of, what)
    assert spoken.reception is TAKEN, spoken
    return spoken.place


def test_a_parked_order_that_a_person_waits_for_begins_anew_before_all_others() -> None:
    """Its counts are forgotten, its connection is its shop's, and whoever decides for it now decides anew."""
    assert placed(Ask.GENERATE, scene()) == FIRST
    assert placed(Mark.RETRY, scene()) == FIRST
    assert placed(Mark.RELEASE, scene()) == FIRST


def test_one_in_a_lanes_hands_keeps_its_take() -> None:
    """It may be the one that kills the process."""
    assert placed(Ask.GENERATE, scene(D, due_at=LATER)) == replace(FIRST, takes=3)


@pytest.mark.parametrize(("due_at", "expected"), [(LATER, LATER), (None, NOW)])
def test_a_doubt_keeps_its_time_and_its_connection(due_at: datetime | None, expected: datetime) -> None:
    """The ledger is not asked before the write has settled."""
    doubtful = scene(OrderState.UNCERTAIN, due_at=due_at)
    assert placed(Ask.UPDATE, doubtful) == replace(
        FIRST, connection_id="old", state=OrderState.UNCERTAIN, due_at=expected, takes=3
    )


def resting(state: OrderState, code: ReasonCode, of: Place) -> None:
    """See that an order rests in this state for this reason, with no attempt counted; its hour of changes goes on."""
    assert of.reason is not None
    assert of.reason.code is code
    assert of == replace(PARKED, connection_id="books", state=state, reason=of.reason, change=5, takes=0, attempts=0)


def test_a_held_order_rests_though_it_was_due() -> None:
    """Announced or not: it will be told of when it goes on."""
    resting(W, ReasonCode.HELD, placed(Mark.HOLD, scene(D, due_at=NOW)))
    resting(W, ReasonCode.HELD, placed(Mark.HOLD, scene(D, due_at=NOW, announced=True)))


def test_an_ignored_order_is_withdrawn_and_who_was_told_of_it_is_told_by_the_lane() -> None:
    """Of one that was announced as parked the end has to be announced: so it is due, at the front."""
    resting(N, ReasonCode.IGNORED, placed(Mark.IGNORE, scene()))
    assert placed(Mark.IGNORE, scene(announced=True)) == FIRST
    resting(W, ReasonCode.IGNORED, placed(Mark.IGNORE, scene(announced=True, has_document=True)))


def test_a_write_under_way_keeps_the_order_with_the_lane() -> None:
    """Nobody would ask what came of it otherwise."""
    in_flight = replace(FIRST, connection_id="old")
    assert placed(Mark.HOLD, scene(ties=OPEN)) == in_flight
    assert placed(Mark.IGNORE, scene(ties=OPEN)) == in_flight
    assert placed(Mark.RETRY, scene(ties=OPEN, connection=None)) == in_flight


def test_a_released_order_waits_where_the_settings_lack_something() -> None:
    """No word of a person makes up for a connection; announced or not."""
    resting(W, ReasonCode.NO_CONNECTION, placed(Mark.RETRY, scene(connection=None)))
    resting(W, ReasonCode.NO_CONNECTION, placed(Mark.RETRY, scene(connection=None, announced=True)))


def test_a_cancelled_order_that_is_released_is_withdrawn_and_who_was_told_of_it_is_told_by_the_lane() -> None:
    """It was parked before it was cancelled."""
    spoken = speak(scene(cancelled=True), Mark.RETRY)
    assert spoken.words == "The order was cancelled before it was booked."
    resting(N, ReasonCode.CANCELLED, spoken.place)
    told = speak(scene(cancelled=True, announced=True), Mark.RETRY)
    assert (told.place, told.words) == (FIRST, "It is tried again now.")


def test_a_release_goes_past_automatic_sending_that_is_off() -> None:
    """That is what it is for; the take of an order that waits is no attempt."""
    waiting = scene(W, shop=replace(SHOP, automatic=False))
    assert (placed(Mark.RELEASE, waiting).state, wanted(Mark.RELEASE, waiting)) == (D, (Wish.AUTO, True, None))


def test_of_an_order_that_is_not_known_the_words_say_what_to_send() -> None:
    """Of which shop and which order."""
    assert unknown_words(OrderKey("north", "1001")) == (
        "Nothing is known of order 1001 of shop north; send the order itself with the call."
    )


# ---- the audit log ---------------------------------------------------------------------------------------------------


def test_the_audit_log_keeps_from_where_to_where_and_why() -> None:
    """The reason of before; the words where it was refused; the person's note where there is one."""
    taken = scene()
    assert audit_details(taken, speak(taken, Ask.GENERATE), "") == {
        "reception": "taken",
        "from": "parked",
        "to": "due",
        "reason": "difference",
    }
    refused = scene(cancelled=True)
    assert audit_details(refused, speak(refused, Ask.GENERATE), "please") == {
        "reception": "refused",
        "from": "parked",
        "to": "parked",
        "reason": "difference",
        "words": "The order is cancelled: no document is made for it.",
        "note": "please",
    }
    place = replace(PARKED, reason=None)
    quiet = replace(taken, held=replace(taken.held, place=place))
    spoken = Spoken(reception=NOTHING, words="x", place=place, wish=Wish.AUTO, released=False, asked=None)
    assert audit_details(quiet, spoken, "") == {"reception": "nothing", "from": "parked", "to": "parked"}
