"""The newest revision of an order and its facts: the same whatever the sequence and the repetition of the events."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import OrderHead, Revision, Verdict, default_key, fold, newer, refuse
from consumer.domain.settings import RevisionKey

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
KEY = OrderKey("north", "1001")
TOPICS = {EventKind.PAID: "order.paid", EventKind.UPDATED: "order.updated", EventKind.CANCELLED: "order.cancelled"}


def event(
    kind: EventKind = EventKind.UPDATED, *, version: int | None = 1, offset: int = 0, **fields: Any
) -> OrderEvent:
    """Make an event; ``text`` is its content, None a bare message."""
    text = fields.pop("text", f"content {version}")
    given_fields: dict[str, Any] = {
        "key": KEY,
        "kind": kind,
        "origin": Origin(topic=TOPICS[kind], log=1, partition=fields.pop("partition", 0), offset=offset),
        "event_id": f"{kind}-{offset}",
        "time": NOON,
        "version": version,
        "updated_at": NOON,
        "content": None if text is None else text.encode(),
        "content_hash": hashlib.sha256((text or "").encode()).digest(),
        "number": f"number {text}",
        "currency": "EUR",
        "grand_total": Decimal("12.20"),
        "paid_at": NOON if kind is EventKind.PAID else None,
        "cancelled_at": NOON if kind is EventKind.CANCELLED else None,
    }
    return OrderEvent(**{**given_fields, **fields})


def head_of(*events: OrderEvent, by: RevisionKey = RevisionKey.VERSION) -> OrderHead:
    """Fold events one after the other, as they come."""
    head: OrderHead | None = None
    for one in events:
        head = fold(head, [one], by).head
    assert head is not None
    return head


def facts_of(head: OrderHead, by: RevisionKey) -> tuple[Any, ...]:
    """Give all that a booking depends on; how many events were counted is no part of it."""
    return (
        head.revision,
        head.content,
        head.content_hash,
        head.number,
        head.paid,
        head.paid_moment,
        head.cancelled(by),
        head.refunds,
    )


MOMENTS = st.integers(0, 3).map(lambda minutes: NOON + timedelta(minutes=minutes))


@st.composite
def some_events(draw: st.DrawFn) -> list[OrderEvent]:
    """Make events of one order over three topics, with ties in every part of the key."""
    count = draw(st.integers(1, 6))
    made = []
    for offset in range(count):
        kind = draw(st.sampled_from(list(EventKind)))
        # One field holds the moment of the cancellation or null: no event says both.
        cancelled_at = draw(st.one_of(st.none(), st.none(), MOMENTS))
        taken_back = cancelled_at is None and kind is not EventKind.CANCELLED and draw(st.booleans())
        made.append(
            event(
                kind,
                version=draw(st.integers(1, 3)),
                offset=offset,
                partition=draw(st.integers(0, 1)),
                time=draw(MOMENTS),
                updated_at=draw(MOMENTS),
                text=draw(st.sampled_from(["one", "two", None] if kind is EventKind.CANCELLED else ["one", "two"])),
                paid_at=draw(st.one_of(st.none(), MOMENTS)),
                cancelled_at=cancelled_at,
                cancelled_null=taken_back,
                refunds=tuple(
                    draw(st.dictionaries(st.sampled_from("abc"), st.sampled_from([b"1", b"2"]), max_size=2)).items()
                ),
            )
        )
    return made


@settings(max_examples=300, deadline=None)
@given(events=some_events(), by=st.sampled_from(list(RevisionKey)), data=st.data())
def test_any_sequence_and_repetition_of_the_same_events_gives_the_same_head(
    events: list[OrderEvent], by: RevisionKey, data: st.DataObject
) -> None:
    """Over three topics events come late, twice and out of order; two processes must agree."""
    again = data.draw(st.lists(st.sampled_from(events), max_size=4))
    shuffled = data.draw(st.permutations([*events, *again]))
    assert facts_of(head_of(*shuffled, by=by), by) == facts_of(head_of(*events, by=by), by)


@settings(max_examples=200, deadline=None)
@given(events=some_events(), by=st.sampled_from(list(RevisionKey)), cut=st.integers(0, 6))
def test_folding_in_batches_is_folding_one_by_one(events: list[OrderEvent], by: RevisionKey, cut: int) -> None:
    """Where Kafka's batches end changes nothing; not even the counts."""
    first = fold(None, events[:cut], by).head if events[:cut] else None
    whole = fold(first, events[cut:], by).head if events[cut:] else first
    assert whole == head_of(*events, by=by)


@settings(max_examples=200, deadline=None)
@given(events=some_events(), by=st.sampled_from(list(RevisionKey)))
def test_revisions_are_in_one_total_order(events: list[OrderEvent], by: RevisionKey) -> None:
    """Of two different revisions exactly one is newer, and newer than what is newer is newer."""
    revisions = list(dict.fromkeys(Revision.of(one) for one in events))
    for first, second in permutations(revisions, 2):
        assert newer(first, second, by) != newer(second, first, by)
    for a, b, c in permutations(revisions, 3):
        if newer(a, b, by) and newer(b, c, by):
            assert newer(a, c, by)


def test_an_older_revision_changes_no_content_but_its_facts_count() -> None:
    """The payment of version 1 comes after version 2: the content is that of 2, and it is paid."""
    newest, late = event(version=2), event(EventKind.PAID, version=1, offset=1)
    step = fold(head_of(newest), [late], RevisionKey.VERSION)
    assert (step.head.content, step.head.paid, step.verdicts) == (b"content 2", True, (Verdict.OLDER,))
    assert step.matters, "a payment may make it due"


def test_paid_stays_paid_whatever_comes_after() -> None:
    """A newer revision that says nothing of a payment takes none back."""
    head = head_of(event(EventKind.PAID, version=1), event(version=2, offset=1), event(version=3, offset=2))
    assert (head.paid, head.paid_moment) == (True, NOON)


def test_cancelled_stays_cancelled_until_a_newer_revision_says_otherwise_in_so_many_words() -> None:
    """A missing field says nothing; ``"cancelled_at": null`` in a newer revision does, in an older one it does not."""
    cancelled = event(EventKind.CANCELLED, version=2, text=None)
    by = RevisionKey.VERSION
    assert head_of(cancelled, event(version=3, offset=1)).cancelled(by)
    assert not head_of(cancelled, event(version=3, offset=1, cancelled_null=True)).cancelled(by)
    assert head_of(cancelled, event(version=1, offset=1, cancelled_null=True)).cancelled(by)
    assert head_of(
        cancelled, event(version=3, offset=1, cancelled_null=True), event(EventKind.CANCELLED, version=4, offset=2)
    ).cancelled(by)


def test_between_equal_keys_the_kind_decides_then_time_then_offset_then_hash() -> None:
    """Each rule where all before it tie."""

    def wins(first: OrderEvent, second: OrderEvent) -> bool:
        return newer(Revision.of(first), Revision.of(second), RevisionKey.VERSION)

    later = NOON + timedelta(seconds=1)
    assert wins(event(EventKind.CANCELLED), event(EventKind.UPDATED, time=later, offset=9))
    assert wins(event(EventKind.UPDATED), event(EventKind.PAID, time=later, offset=9))
    assert wins(event(time=later), event(offset=9))
    assert wins(event(offset=2, text="a"), event(offset=1, text="b"))
    assert wins(event(partition=1, offset=1, text="a"), event(partition=0, offset=2, text="b"))
    one, two = sorted((event(text="a"), event(text="b")), key=lambda e: e.content_hash)
    assert wins(two, one)


def test_no_three_revisions_are_each_newer_than_the_next() -> None:
    """Two of one partition and one of another, of equal time and version: offset and hash made a circle of them."""
    at = [event(offset=0, text="one"), event(offset=1, text="two"), event(partition=1, offset=2, text="two")]
    first, second, third = map(Revision.of, at)
    by = RevisionKey.VERSION
    assert [newer(second, first, by), newer(third, second, by), newer(third, first, by)] == [True, True, True]


def test_a_revision_that_moves_on_with_the_same_content_matters_not() -> None:
    """An echo of our own answer, with a new version: nothing is due."""
    step = fold(head_of(event(version=1, text="same")), [event(version=2, offset=1, text="same")], RevisionKey.VERSION)
    assert (step.verdicts, step.matters) == ((Verdict.SAME_CONTENT,), False)
    assert step.head.revision.version == 2


def test_the_very_same_message_again_is_a_repetition() -> None:
    """Counted, and otherwise nothing."""
    step = fold(head_of(event()), [event()], RevisionKey.VERSION)
    assert (step.verdicts, step.matters, step.head.events) == ((Verdict.REPEATED,), False, 2)


def test_a_bare_cancellation_leaves_the_content() -> None:
    """It holds ids and a revision; lines and totals are those of before."""
    head = head_of(event(version=1), event(EventKind.CANCELLED, version=2, offset=1, text=None))
    assert (head.content, head.revision.version, head.number) == (b"content 1", 2, "number content 1")


@pytest.mark.parametrize(
    ("by", "fields", "verdict"),
    [
        (RevisionKey.VERSION, {"version": None}, Verdict.REVISION_MISSING),
        (RevisionKey.UPDATED_AT, {"updated_at": None}, Verdict.REVISION_MISSING),
        (RevisionKey.TIME, {"version": None, "updated_at": None}, None),
        (RevisionKey.UPDATED_AT, {"updated_at": NOON + timedelta(hours=1)}, None),
        (RevisionKey.UPDATED_AT, {"updated_at": NOON + timedelta(hours=1, seconds=1)}, Verdict.REVISION_IN_FUTURE),
        (RevisionKey.TIME, {"time": NOON + timedelta(hours=2)}, Verdict.REVISION_IN_FUTURE),
        (RevisionKey.VERSION, {"time": NOON + timedelta(hours=2)}, None),
    ],
)
def test_an_event_without_its_shops_key_or_from_the_future_is_refused(
    by: RevisionKey, fields: dict[str, Any], verdict: Verdict | None
) -> None:
    """It is never compared by another key, and a clock that is wrong must not win for ever."""
    assert refuse(event(**fields), by, NOON) is verdict


def test_the_first_event_of_a_shop_fixes_its_key() -> None:
    """The most telling one that it has."""
    assert default_key(event()) is RevisionKey.VERSION
    assert default_key(event(version=None)) is RevisionKey.UPDATED_AT
    assert default_key(event(version=None, updated_at=None)) is RevisionKey.TIME
