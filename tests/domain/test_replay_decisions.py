"""What the replay takes for held: only what is held for certain may be left unread."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consumer.domain.events import EventKind
from consumer.domain.orders import OrderKey
from consumer.domain.replay import Glimpse, HeldOrder, holds_for_sure
from consumer.domain.revisions import Revision
from consumer.domain.settings import RevisionKey

NEWEST = Revision(
    version=5,
    updated_at=None,
    time=datetime(2026, 3, 14, tzinfo=UTC),
    kind=EventKind.UPDATED,
    topic="order.updated",
    log=1,
    partition=0,
    offset=7,
    content_hash=b"x",
)
PLACE = ("order.updated", 1, 0, 7)
ELSEWHERE = ("order.paid", 1, 0, 3)
UNPAID = HeldOrder(revision=NEWEST, paid=False)
PAID = HeldOrder(revision=NEWEST, paid=True)
CANCELLED = HeldOrder(revision=NEWEST, paid=True, cancelled_by=NEWEST)


def holds(
    held: HeldOrder | None,
    version: int | None,
    place: tuple[str, int, int, int] = ELSEWHERE,
    kind: EventKind = EventKind.PAID,
    by: RevisionKey | None = RevisionKey.VERSION,
) -> bool:
    """Ask about a record of this version at this place."""
    return holds_for_sure(held, Glimpse(key=OrderKey("nl", "1"), version=version), place, kind, by)


def test_a_payment_that_nobody_has_taken_in_is_never_held() -> None:
    """The order is known by a newer update, which told no payment: the older `order.paid` was missed, and is read."""
    assert not holds(UNPAID, 2)
    assert not holds(UNPAID, 5, PLACE)
    assert holds(PAID, 2)


def test_a_cancellation_that_nobody_has_taken_in_is_never_held() -> None:
    """A newer revision without it proves nothing: facts only add up."""
    assert not holds(PAID, 2, kind=EventKind.CANCELLED)
    assert holds(CANCELLED, 2, kind=EventKind.CANCELLED)


@pytest.mark.parametrize(("version", "expected"), [(4, True), (5, False), (6, False), (None, False)])
def test_only_a_higher_version_is_newer_for_sure(version: int | None, *, expected: bool) -> None:
    """An equal one is left to the whole comparison, and so is a record without a version."""
    assert holds(PAID, version) is expected


def test_the_very_record_of_the_newest_revision_is_held() -> None:
    """By its place, whatever its version; another topic, log, partition or offset is another record."""
    assert holds(PAID, None, PLACE)
    for other in (("order.paid", 1, 0, 7), ("order.updated", 2, 0, 7), ("order.updated", 1, 1, 7), ELSEWHERE):
        assert not holds(PAID, None, other)


def test_without_versions_nothing_but_the_place_is_sure() -> None:
    """A shop that goes by times, or whose key is not known yet and whose newest revision has no version."""
    assert not holds(PAID, 2, by=RevisionKey.UPDATED_AT)
    assert holds(PAID, 2, by=None)
    assert not holds(HeldOrder(revision=replace(NEWEST, version=None), paid=True), 2, by=None)
    assert not holds(None, 2)
