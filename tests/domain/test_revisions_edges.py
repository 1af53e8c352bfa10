"""The edges of an order's head: what the first event fixes, what later ones add, and what is due because of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from consumer.domain.events import EventKind
from consumer.domain.revisions import OrderHead, RefundTold, Revision, Verdict, fold, newer, tells_more
from consumer.domain.settings import RevisionKey
from tests.domain.test_revisions import KEY, NOON, event, head_of

VERSION, UPDATED_AT, TIME = RevisionKey.VERSION, RevisionKey.UPDATED_AT, RevisionKey.TIME
MINUTE = timedelta(minutes=1)


def test_the_first_event_makes_the_head() -> None:
    """All that it tells: content, facts, refunds; one event, none lost."""
    first = event(EventKind.PAID, refunds=(("r1", b"1"),), placed_at=NOON - MINUTE)
    revision = Revision.of(first)
    assert fold(None, [first], VERSION).head == OrderHead(
        key=KEY,
        revision=revision,
        content=b"content 1",
        content_hash=first.content_hash,
        content_revision=revision,
        number="number content 1",
        currency="EUR",
        grand_total=Decimal("12.20"),
        placed_at=NOON - MINUTE,
        paid=True,
        paid_at=NOON,
        paid_told_at=NOON,
        refunds={"r1": RefundTold(revision=revision, data=b"1")},
        events=1,
    )


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (EventKind.UPDATED, {}, (False, None, None, False)),
        (EventKind.PAID, {"paid_at": None}, (True, None, NOON, False)),
        (EventKind.UPDATED, {"paid_at": NOON - MINUTE}, (True, NOON - MINUTE, NOON, False)),
        (EventKind.CANCELLED, {"cancelled_at": None}, (False, None, None, True)),
        (EventKind.UPDATED, {"cancelled_at": NOON}, (False, None, None, True)),
        (EventKind.UPDATED, {"cancelled_null": True}, (False, None, None, False)),
    ],
)
def test_a_payment_and_a_cancellation_are_told_by_kind_or_by_moment(
    kind: EventKind, fields: dict[str, object], expected: tuple[object, ...]
) -> None:
    """As the first event and as a later one."""
    told = event(kind, **fields)  # type: ignore[arg-type] # fields by name
    later = event(kind, version=2, offset=1, **fields)
    for head in (head_of(told), head_of(event(), later)):
        assert (head.paid, head.paid_at, head.paid_told_at, head.cancelled(VERSION)) == expected


def test_a_cancellation_has_its_own_moment_else_the_events() -> None:
    """First or later; taken back it is remembered by its revision."""
    early = NOON - MINUTE
    for told, moment in ((event(cancelled_at=early), early), (event(EventKind.CANCELLED, cancelled_at=None), NOON)):
        assert head_of(told).cancelled_at == moment
        later = replace(told, version=2)
        assert head_of(event(), later).cancelled_at == moment
        assert head_of(event(), later).cancelled_by == Revision.of(later)
        assert head_of(event(), later).paid is False
    both = event(paid_at=early, cancelled_at=NOON)
    for head in (head_of(both), head_of(event(), replace(both, version=2))):
        assert (head.paid, head.paid_at, head.paid_told_at, head.cancelled_at) == (True, early, NOON, NOON)
    assert head_of(event(), event(version=2, offset=1)).uncancelled_by is None
    back = event(cancelled_null=True)
    assert head_of(back).uncancelled_by == Revision.of(back)
    assert head_of(event()).uncancelled_by is None


def test_a_bare_message_first_leaves_the_content_to_come() -> None:
    """And its facts stay."""
    bare = event(EventKind.CANCELLED, text=None, refunds=(("r1", b"1"),))
    head = head_of(bare)
    assert (head.content, head.number, head.content_revision, head.events) == (None, "", None, 1)
    whole = head_of(bare, event(version=0, offset=1))
    assert (whole.content, whole.number, whole.losing_events) == (b"content 0", "number content 0", 1)
    assert whole.cancelled(VERSION)


def test_each_event_is_counted_and_each_that_lost() -> None:
    """A repetition has not lost."""
    newest, late = event(version=3), event(version=1, offset=1)
    step = fold(head_of(newest), [late, late, newest, event(version=2, offset=2)], VERSION)
    assert step.verdicts == (Verdict.OLDER, Verdict.OLDER, Verdict.REPEATED, Verdict.OLDER)
    assert (step.head.events, step.head.losing_events, step.head.revision.version) == (5, 3, 3)
    other = fold(head_of(event(text="a")), [event(version=2, offset=1, text="b")], VERSION)
    same = fold(head_of(event(text="a")), [event(version=2, offset=1, text="a")], VERSION)
    assert (other.verdicts, other.matters) == ((Verdict.NEWEST,), True)
    assert (same.verdicts, same.matters) == ((Verdict.SAME_CONTENT,), False)


def test_a_first_event_matters_and_so_does_each_fact() -> None:
    """A payment, a cancellation, a refund that the content does not tell of."""
    assert fold(None, [event()], VERSION).matters
    head = head_of(event(version=3))
    for late in (
        event(EventKind.PAID, version=1, offset=1),
        event(EventKind.CANCELLED, version=1, offset=1, text=None),
        event(version=1, offset=1, refunds=(("r1", b"1"),)),
    ):
        assert fold(head, [late], VERSION).matters
    assert not fold(head, [event(version=1, offset=1)], VERSION).matters
    with pytest.raises(ValueError, match="nothing to fold"):
        fold(None, [], VERSION)


def test_of_a_refund_the_newer_word_holds() -> None:
    """Whichever came first; the earliest moment of a payment stays."""
    old, new = event(version=1, refunds=(("r1", b"old"),)), event(version=2, offset=1, refunds=(("r1", b"new"),))
    for head in (head_of(old, new), head_of(new, old)):
        assert head.refunds["r1"].data == b"new"
        assert head.told_refunds == (b"new",)
    early, late = event(paid_at=NOON - MINUTE), event(version=2, offset=1, paid_at=NOON, time=NOON + MINUTE)
    for head in (head_of(early, late), head_of(late, early)):
        assert (head.paid_at, head.paid_told_at) == (NOON - MINUTE, NOON)


def test_refunds_that_the_newest_content_does_not_tell_of_are_kept() -> None:
    """By their ids; those of the content itself are not."""
    first = event(refunds=(("r2", b"2"), ("r1", b"1")))
    second = event(version=2, offset=1, refunds=(("r3", b"3"),))
    assert head_of(first).kept_refunds == ()
    assert head_of(first, second).kept_refunds == (b"1", b"2")
    assert head_of(first, second).told_refunds == (b"1", b"2", b"3")


def test_the_moment_of_payment_is_the_stated_one_else_of_placing_else_of_the_event() -> None:
    """None while it is not paid."""
    placed = NOON - 2 * MINUTE
    assert head_of(event(EventKind.PAID, paid_at=NOON - MINUTE, placed_at=placed)).paid_moment == NOON - MINUTE
    assert head_of(event(EventKind.PAID, paid_at=None, placed_at=placed)).paid_moment == placed
    assert head_of(event(EventKind.PAID, paid_at=None)).paid_moment == NOON
    assert head_of(event(placed_at=placed)).paid_moment is None


def test_revisions_go_by_the_shops_key_first() -> None:
    """Nothing is older than something; of equal ones neither is newer, nor tells more."""
    low, high = Revision.of(event(version=0)), Revision.of(event(version=1))
    none = Revision.of(event(version=None))
    assert newer(high, low, VERSION)
    assert newer(low, none, VERSION)
    assert not newer(low, low, VERSION)
    assert (tells_more(high, low, VERSION), tells_more(low, high, VERSION), tells_more(low, low, VERSION)) == (
        True,
        False,
        False,
    )
    later = replace(low, updated_at=NOON + MINUTE)
    unknown = replace(low, updated_at=None)
    assert [newer(later, high, UPDATED_AT), newer(later, high, VERSION)] == [True, False]
    assert newer(low, unknown, UPDATED_AT)
    assert tells_more(later, low, UPDATED_AT)
    assert not tells_more(replace(low, offset=9), low, UPDATED_AT)
    moved = replace(low, time=NOON + MINUTE)
    assert (tells_more(moved, high, TIME), tells_more(moved, high, UPDATED_AT)) == (True, False)


def test_a_cancellation_holds_until_a_newer_word() -> None:
    """Not an older one."""
    cancelled = event(EventKind.CANCELLED, version=2, text=None)
    assert head_of(cancelled).cancelled(VERSION)
    assert not head_of(event()).cancelled(VERSION)
    assert not head_of(cancelled, event(version=3, offset=1, cancelled_null=True)).cancelled(VERSION)
    assert head_of(cancelled, event(version=1, offset=1, cancelled_null=True)).cancelled(VERSION)


def test_the_trace_is_that_of_the_newest_revision() -> None:
    """What is done for the order belongs to the event that it is done for."""
    first, second = event(traceparent="00-a"), event(version=2, offset=1, traceparent="00-b")
    assert head_of(first).traceparent == "00-a"
    assert head_of(first, second).traceparent == "00-b"
    assert head_of(second, first).traceparent == "00-b"
