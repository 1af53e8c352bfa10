"""Where an order stands after an event or another setting: what is kept of its place, and who it waits behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.events import EventKind
from consumer.domain.placing import (
    KnownOrder,
    Place,
    Ties,
    connection_of,
    key_of,
    place_anew,
    place_changed,
    place_new,
    served_at,
)
from consumer.domain.revisions import OrderHead
from consumer.domain.settings import RevisionKey
from consumer.domain.standing import Facts
from consumer.domain.states import Ask, OrderState, Priority, Reason, ReasonCode, Wish
from tests.domain.test_asking import CONNECTION, SHOP
from tests.domain.test_revisions import NOON, event, head_of

VERSION = RevisionKey.VERSION
HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 14, 13, 0, tzinfo=UTC)
WHY = Reason(code=ReasonCode.DIFFERENCE, message="It differs.")
W, D, U, B, P, N = OrderState
PAID = head_of(event(EventKind.PAID))
UNPAID = head_of(event())
CANCELLED = head_of(event(EventKind.PAID), event(EventKind.CANCELLED, version=2, offset=1))
FREE, OPEN, DOCUMENTS = Ties(), Ties(open_intent=True), Ties(documents=True, live_invoice=True)


def place(state: OrderState = B, **more: Any) -> Place:
    """Give a place: tried three times, at the third change, the second within the hour."""
    given: dict[str, Any] = {
        "connection_id": "old",
        "state": state,
        "reason": WHY,
        "change": 3,
        "priority": 2,
        "takes": 3,
        "attempts": 2,
        "changes_in_hour": 2,
        "changes_since": NOW - timedelta(minutes=30),
        **more,
    }
    return Place(**given)


COUNTED: dict[str, Any] = {"connection_id": "books", "change": 4, "attempts": 0, "changes_in_hour": 3}


def changed(of: Place, head: OrderHead = PAID, ties: Ties = FREE, **known: Any) -> Place:
    """Give where an order stands after a change."""
    shop, connection = known.pop("shop", SHOP), known.pop("connection", CONNECTION)
    before = KnownOrder(head=head, place=of, **known)
    return place_changed(before, head, VERSION, ties, shop, connection, NOW)


def test_a_new_order_is_due_at_the_live_orders_priority_or_waits() -> None:
    """On its shop's connection; of an unknown shop on none."""
    assert place_new(PAID, VERSION, SHOP, CONNECTION, NOW) == Place(connection_id="books", state=D, due_at=NOW)
    waiting = place_new(UNPAID, VERSION, SHOP, CONNECTION, NOW)
    assert (waiting.state, waiting.due_at, waiting.priority) == (W, None, 1)
    assert place_new(PAID, VERSION, None, None, NOW).connection_id is None


def test_a_change_makes_an_order_due_with_its_take_and_its_count() -> None:
    """Its reason is gone; parked it begins anew; one that was due already is not served later than before."""
    assert changed(place()) == place(D, **COUNTED, reason=None, due_at=NOW, priority=1)
    assert changed(place(P)) == place(D, **COUNTED, reason=None, due_at=NOW, priority=1, takes=0)
    due = changed(place(D, due_at=NOON, priority=0))
    assert due == place(D, **COUNTED, reason=None, due_at=NOW, priority=0)
    assert changed(place(D, due_at=NOON, priority=2)).priority == 1
    assert changed(place(B, priority=0)).priority == 1


@pytest.mark.parametrize(
    ("since", "count", "expected"),
    [
        (NOW - HOUR, 2, (NOW - HOUR, 3)),
        (NOW - HOUR - timedelta(seconds=1), 2, (NOW, 1)),
        (None, 0, (NOW, 1)),
    ],
)
def test_an_hour_begins_with_its_first_change(
    since: datetime | None, count: int, expected: tuple[datetime, int]
) -> None:
    """And a change at its very end is in it."""
    found = changed(place(changes_since=since, changes_in_hour=count))
    assert (found.changes_since, found.changes_in_hour) == expected


def test_more_than_ten_changes_within_an_hour_park_an_order() -> None:
    """The eleventh does; a write under way is asked about first."""
    assert changed(place(changes_in_hour=9)).state is D
    found = changed(place(changes_in_hour=10))
    assert found.reason is not None
    assert (found.state, found.reason.code, found.due_at) == (P, ReasonCode.CHANGES_IN_A_LOOP, None)
    assert changed(place(changes_in_hour=10), ties=OPEN).state is D


def test_a_doubt_keeps_its_time_its_connection_and_its_reason() -> None:
    """It has to be asked about first."""
    kept = {**COUNTED, "connection_id": "old"}
    assert changed(place(U, due_at=NOON)) == place(U, **kept, due_at=NOON)
    assert changed(place(U)) == place(U, **kept, due_at=NOW)


def test_what_a_person_let_through_or_asked_for_stays_so() -> None:
    """Released, asked for, held, ignored."""
    off = replace(SHOP, automatic=False)
    assert changed(place(), shop=off).state is W
    assert changed(place(), shop=off, released=True).state is D
    assert changed(place(), shop=off, asked=Ask.UPDATE).state is D
    assert changed(place(), wish=Wish.HOLD).state is W
    assert changed(place(), UNPAID).state is W
    assert changed(place(), wish=Wish.IGNORE).state is N
    assert changed(place(), wish=Wish.IGNORE, announced=True).state is D
    assert changed(place(), wish=Wish.HOLD, announced=True).state is W
    assert changed(place(), CANCELLED).state is N
    assert changed(place(), CANCELLED, DOCUMENTS).state is D


@pytest.mark.parametrize(
    ("ties", "state", "expected"),
    [(FREE, B, "books"), (OPEN, B, "old"), (Ties(documents=True), B, "old"), (FREE, U, "old")],
)
def test_a_document_or_a_write_fixes_the_connection(ties: Ties, state: OrderState, expected: str) -> None:
    """Else it is the shop's; of a shop that is gone it stays."""
    assert connection_of(place(state), ties, SHOP) == expected
    assert connection_of(place(state), FREE, None) == "old"


@pytest.mark.parametrize(
    ("of", "before", "priority", "expected"),
    [
        (place(D, due_at=NOW), None, None, 2),
        (place(W), None, Priority.PERSON, 2),
        (place(D, due_at=NOW), None, Priority.BACKFILL, 2),
        (place(D, due_at=NOW, priority=1), place(D, due_at=NOW, priority=0), Priority.BACKFILL, 0),
        (place(D, due_at=NOW, priority=1), place(D, due_at=NOW, priority=2), Priority.LIVE, 1),
        (place(D, due_at=NOW, priority=1), place(W, priority=0), Priority.BACKFILL, 2),
    ],
)
def test_what_made_an_order_due_serves_it_unless_it_was_served_earlier(
    of: Place, before: Place | None, priority: Priority | None, expected: int
) -> None:
    """One that waited already is not put back."""
    assert served_at(of, before, priority).priority == expected


def test_the_key_of_a_revision_is_its_shops_else_that_of_its_own_first_event() -> None:
    """Of an order that is known, of its newest revision."""
    named = replace(SHOP, revision=RevisionKey.TIME)
    assert key_of(event(), named, PAID) is RevisionKey.TIME
    assert key_of(event(), SHOP, None) is VERSION
    assert key_of(event(version=None), SHOP, PAID) is VERSION
    assert key_of(event(), None, head_of(event(version=None))) is RevisionKey.UPDATED_AT
    assert key_of(event(), None, head_of(event(version=None, updated_at=None))) is RevisionKey.TIME


# ---- after other settings --------------------------------------------------------------------------------------------

FACTS = Facts(paid=True, paid_moment=NOON, cancelled=False)


def anew(of: Place, facts: Facts = FACTS, **more: Any) -> Place:
    """Give where an order stands after its settings have changed."""
    return place_anew(
        of,
        facts,
        more.get("announced", False),
        more.get("ties", FREE),
        more.get("shop", SHOP),
        more.get("connection", CONNECTION),
        NOW,
    )


def test_what_other_settings_make_due_goes_behind_the_live_orders() -> None:
    """It begins anew; its hour of changes goes on."""
    fresh = place(D, connection_id="books", change=4, reason=None, due_at=NOW, priority=2, takes=0, attempts=0)
    assert anew(place(W)) == fresh
    assert anew(place(P)) == fresh
    assert anew(place(P), replace(FACTS, cancelled=True), announced=True) == fresh


@pytest.mark.parametrize(
    ("of", "more"),
    [
        (place(B), {}),
        (place(U), {}),
        (place(N), {}),
        (place(W), {"ties": OPEN}),
        (place(P, reason=replace(WHY, code=ReasonCode.ALREADY_IN_LEDGER)), {}),
        (place(D, connection_id="books", reason=None), {}),
    ],
)
def test_what_no_setting_concerns_stays_the_same(of: Place, more: dict[str, Any]) -> None:
    """Booked, in doubt, withdrawn, with a write under way, parked for a person, due as before."""
    assert anew(of, **more) is of


def test_one_that_was_due_stays_due_on_its_shops_connection() -> None:
    """At its own time and priority; whoever decides for it now decides anew."""
    due = place(D, due_at=NOON, reason=None)
    assert anew(due) == replace(due, connection_id="books", change=4)


def test_one_that_settings_hold_back_rests() -> None:
    """Waiting or withdrawn; of another reason alone nobody has to decide anew."""
    off = replace(SHOP, automatic=False)
    due = place(D, due_at=NOON, reason=None, connection_id="books")
    rested = anew(due, shop=off)
    assert rested.reason is not None
    assert rested == replace(due, state=W, reason=rested.reason, due_at=None, change=4)
    again = anew(replace(rested, reason=WHY), shop=off)
    assert again == replace(rested, change=4)
    assert anew(rested, shop=off) is rested
    withdrawn = anew(place(W, connection_id="books"), replace(FACTS, cancelled=True))
    assert (withdrawn.state, withdrawn.due_at) == (N, None)
    assert anew(place(W), shop=off, announced=True).state is W
