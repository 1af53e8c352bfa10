"""The edges of the replay: what an order lacks of a record or of its shop's list, and what a backfill may put in."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.events import EventKind, OrderEvent
from consumer.domain.replay import (
    Allowances,
    HeldOrder,
    allowance,
    from_budgets,
    key_of,
    lacks,
    list_lacks,
    tells_payment,
)
from consumer.domain.revisions import Revision
from consumer.domain.settings import RevisionKey
from tests.domain.test_revisions import NOON, event

MINUTE = timedelta(minutes=1)
VERSION, UPDATED_AT, TIME = RevisionKey.VERSION, RevisionKey.UPDATED_AT, RevisionKey.TIME


def held(**more: Any) -> HeldOrder:
    """Give a paid order at version 5, updated at noon; ``paid`` and ``cancelled_by``, else parts of its revision."""
    paid, cancelled_by = more.pop("paid", True), more.pop("cancelled_by", None)
    revision = replace(Revision.of(event(version=5, offset=7)), **more)
    return HeldOrder(revision=revision, paid=paid, cancelled_by=cancelled_by)


def of_version(version: int | None, **more: Any) -> OrderEvent:
    """Give an update that tells of a payment."""
    return event(version=version, paid_at=NOON, **more)


@pytest.mark.parametrize(
    ("of", "by", "told", "expected"),
    [
        (None, VERSION, of_version(1), True),
        (held(paid=False), VERSION, of_version(1), True),
        (held(), VERSION, of_version(6), True),
        (held(), VERSION, of_version(5), False),
        (held(), VERSION, of_version(4), False),
        (held(), None, of_version(4), False),
        (held(), None, of_version(6), True),
        (held(version=0), VERSION, of_version(None), False),
        (held(version=0), VERSION, of_version(0), False),
        (held(version=0), VERSION, of_version(1), True),
        (held(version=None), VERSION, of_version(None), False),
        (held(), VERSION, of_version(None), False),
        (held(), UPDATED_AT, of_version(6), False),
        (held(), UPDATED_AT, of_version(4, updated_at=NOON + MINUTE), True),
        (held(), UPDATED_AT, of_version(4, updated_at=None), False),
        (held(updated_at=None), UPDATED_AT, of_version(4), True),
        (held(updated_at=None), UPDATED_AT, of_version(4, updated_at=None), False),
        (held(version=None), None, of_version(1, updated_at=NOON + MINUTE), True),
        (held(version=None), None, of_version(1), False),
        (held(), TIME, of_version(9, time=NOON + MINUTE, updated_at=NOON + MINUTE), False),
        (held(version=None, updated_at=None), None, of_version(9, time=NOON + MINUTE), False),
    ],
)
def test_a_shops_list_is_another_voice_for_the_same_revisions(
    of: HeldOrder | None,
    by: RevisionKey | None,
    told: OrderEvent,
    expected: bool,  # noqa: FBT001 a parameter
) -> None:
    """Only a higher version or a later time is newer; the list's own moment tells nothing."""
    assert list_lacks(of, told, by) is expected


@pytest.mark.parametrize(
    ("of", "by", "told", "expected"),
    [
        (None, VERSION, event(), True),
        (held(paid=False), VERSION, event(EventKind.PAID, version=1), True),
        (held(paid=False), VERSION, of_version(1), True),
        (held(paid=False), VERSION, event(version=1), False),
        (held(), VERSION, event(version=6), True),
        (held(), VERSION, event(version=4), False),
        (held(), None, event(version=4, time=NOON + MINUTE, updated_at=NOON + MINUTE), False),
        (held(), TIME, event(version=4, time=NOON + MINUTE), True),
        (held(version=None), None, event(version=9, updated_at=NOON - MINUTE), False),
        (held(version=None), None, event(version=9, updated_at=NOON + MINUTE), True),
        (held(), VERSION, event(EventKind.CANCELLED, version=3), True),
    ],
)
def test_an_order_lacks_what_is_newer_and_every_fact_that_it_has_not(
    of: HeldOrder | None,
    by: RevisionKey | None,
    told: OrderEvent,
    expected: bool,  # noqa: FBT001 a parameter
) -> None:
    """By the shop's key; without one by what its newest revision has."""
    assert lacks(of, told, by) is expected


def test_a_cancellation_is_held_where_a_newer_one_is() -> None:
    """Of version 3: an older one was held or is replaced by it."""
    third = Revision.of(event(EventKind.CANCELLED, version=3))
    assert not lacks(held(cancelled_by=third), event(EventKind.CANCELLED, version=2), VERSION)
    assert lacks(held(cancelled_by=third), event(EventKind.CANCELLED, version=4), VERSION)


def test_a_payment_is_told_by_its_own_message_or_by_its_moment() -> None:
    """Either is enough."""
    assert tells_payment(event(EventKind.PAID, paid_at=None))
    assert tells_payment(event(paid_at=NOON))
    assert not tells_payment(event())


def test_an_order_of_an_unknown_shop_goes_by_what_it_has() -> None:
    """A version, an update's moment, the event's."""
    assert key_of(held()) is VERSION
    assert key_of(held(version=None)) is UPDATED_AT
    assert key_of(held(version=None, updated_at=None)) is TIME


@pytest.mark.parametrize(
    ("left", "waiting", "share", "orders"),
    [(1000, 0, "0.5", 125), (1000, 25, "0.5", 100), (1000, 200, "0.5", 0), (7, 0, "0.5", 0), (8, 0, "0.5", 1)],
)
def test_a_backfill_takes_its_share_of_the_days_calls(left: int, waiting: int, share: str, orders: int) -> None:
    """Four calls for each order, less what waits already."""
    assert allowance(left, waiting, Decimal(share)) == orders


def test_what_is_not_named_is_not_bounded() -> None:
    """Two orders for one connection, none for another; without a connection nobody pays."""
    found = from_budgets({"books": (16, 0), "spent": (16, 2)}, Decimal("0.5"))
    assert found == Allowances({"books": 2, "spent": 0})
    assert [found.take("books") for _ in range(3)] == [True, True, False]
    assert (found.take("spent"), found.take("other"), found.take(None)) == (False, True, True)
    assert found.left == {"books": 0, "spent": 0}
