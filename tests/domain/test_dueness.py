"""When a lane has work: which orders are taken, when the first falls due, and how long the day's budget holds it."""

from datetime import UTC, datetime, timedelta

import pytest

from consumer.domain.budget import Budget
from consumer.domain.dueness import (
    Candidate,
    DueOrder,
    Taking,
    allowed,
    choose,
    next_due,
    next_due_seconds,
    quota_wait_seconds,
)
from consumer.domain.orders import OrderKey
from consumer.domain.settings import LedgerLimits
from consumer.domain.states import Priority

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
LIMITS = LedgerLimits(daily_calls=1000)
FREE = Budget()
RESETS = NOW + timedelta(hours=2)
# Of 1,000 calls 100 are left: enough for live orders, not for a backfill.
LOW = Budget(daily_left=100, daily_resets_at=RESETS)
SPENT = Budget(daily_left=0, daily_resets_at=RESETS)


def key(number: int) -> OrderKey:
    """Give an order's key."""
    return OrderKey("north", str(number))


def due(number: int, seconds: float, priority: Priority = Priority.LIVE) -> DueOrder:
    """Give an order that falls due so many seconds from now."""
    return DueOrder(key=key(number), priority=priority, due_at=NOW + timedelta(seconds=seconds))


def test_the_days_budget_tells_who_may_be_taken() -> None:
    """People always."""
    assert allowed(FREE, LIMITS, NOW) == [Priority.PERSON, Priority.LIVE, Priority.BACKFILL]
    assert allowed(LOW, LIMITS, NOW) == [Priority.PERSON, Priority.LIVE]
    assert allowed(SPENT, LIMITS, NOW) == [Priority.PERSON]


@pytest.mark.parametrize(
    ("takes", "limit", "exclude", "taken", "more"),
    [
        ((0, 0, 0), 2, (), (0, 1), True),
        ((0, 0, 0), 3, (), (0, 1, 2), False),
        ((0, 0, 0), 2, (1,), (0, 2), False),
        ((1, 0, 0), 2, (), (0,), True),
        ((0, 0, 1), 3, (), (0, 1), True),
        ((0, 0, 1), 2, (), (0, 1), True),
        ((0, 1, 0), 3, (1,), (0, 2), False),
        ((), 3, (), (), False),
    ],
)
def test_an_order_that_may_have_killed_a_process_is_taken_alone(
    takes: tuple[int, ...],
    limit: int,
    exclude: tuple[int, ...],
    taken: tuple[int, ...],
    more: bool,  # noqa: FBT001 a parameter
) -> None:
    """Those before it are taken first; what is in hand is left out."""
    candidates = [Candidate(key=key(at), takes=count) for at, count in enumerate(takes)]
    found = choose(candidates, limit, {key(at) for at in exclude})
    assert found == Taking(keys=tuple(map(key, taken)), more=more)


def test_the_first_that_can_be_taken_tells_when() -> None:
    """One that the budget holds back can be taken when the day ends, or later where it is due later."""
    backfill = due(2, -5, Priority.BACKFILL)
    assert next_due([], FREE, LIMITS, NOW) is None
    assert next_due([due(1, 30), backfill], FREE, LIMITS, NOW) == NOW - timedelta(seconds=5)
    assert next_due([due(1, 30), backfill], LOW, LIMITS, NOW) == NOW + timedelta(seconds=30)
    assert next_due([backfill], LOW, LIMITS, NOW) == RESETS
    assert next_due([due(2, 9000, Priority.BACKFILL)], LOW, LIMITS, NOW) == NOW + timedelta(seconds=9000)


def test_what_is_in_hand_is_left_out() -> None:
    """A fiftieth of a second at least: it is locked by another transaction."""
    orders = [due(1, -5), due(2, 30)]
    assert next_due_seconds(orders, FREE, LIMITS, exclude=(), now=NOW) == 0.02
    assert next_due_seconds(orders, FREE, LIMITS, exclude={key(1)}, now=NOW) == 30.0
    assert next_due_seconds(orders, FREE, LIMITS, exclude={key(1), key(2)}, now=NOW) is None


def test_the_budget_keeps_waiting_what_is_due_and_not_in_hand() -> None:
    """The least of it; without anything that waits for it nothing."""
    late = Budget(daily_left=0)  # nobody has told when the day ends: an hour
    held = [due(1, -5, Priority.BACKFILL), due(2, 0, Priority.BACKFILL), due(3, 5, Priority.BACKFILL)]
    assert quota_wait_seconds(held, LOW, LIMITS, exclude=(), now=NOW) == 7200.0
    assert quota_wait_seconds(held[1:], LOW, LIMITS, exclude=(), now=NOW) == 7200.0
    assert quota_wait_seconds(held[2:], LOW, LIMITS, exclude=(), now=NOW) is None
    assert quota_wait_seconds(held, LOW, LIMITS, exclude={key(1), key(2)}, now=NOW) is None
    assert quota_wait_seconds([due(1, -5)], LOW, LIMITS, exclude=(), now=NOW) is None
    assert quota_wait_seconds([due(1, -5)], late, LIMITS, exclude=(), now=NOW) == 3600.0
