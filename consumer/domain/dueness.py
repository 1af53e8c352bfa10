"""When a lane has work: from the orders that are due first, by priority, and what the day's budget lets be taken."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consumer.domain.budget import Budget, blocked_until
from consumer.domain.orders import OrderKey
from consumer.domain.settings import LedgerLimits
from consumer.domain.states import Priority

PASSED_OVER_SECONDS = 0.02  # an order that is due but locked by another transaction can be had in about this


@dataclass(frozen=True, slots=True, kw_only=True)
class DueOrder:
    """One order that is or falls due."""

    key: OrderKey
    priority: Priority
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An order that may be taken in hand; ``takes`` counts those before, of which nothing was heard."""

    key: OrderKey
    takes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Which orders to take now, and whether others are due behind them."""

    keys: tuple[OrderKey, ...]
    more: bool


def allowed(budget: Budget, limits: LedgerLimits, now: datetime) -> list[Priority]:
    """Give the priorities for which the day's budget lets orders be taken."""
    return [priority for priority in Priority if blocked_until(budget, limits, priority, now) is None]


def choose(candidates: Sequence[Candidate], limit: int, exclude: Collection[OrderKey]) -> Taking:
    """Choose the first ones. An order that may have killed a process is taken alone: it takes nobody else with it."""
    free = [candidate for candidate in candidates if candidate.key not in exclude]
    suspect = next((place for place, candidate in enumerate(free[:limit]) if candidate.takes > 0), None)
    count = limit if suspect is None else max(1, suspect)
    chosen = free[:count]
    return Taking(keys=tuple(candidate.key for candidate in chosen), more=len(free) > len(chosen))


def _ready_at(order: DueOrder, budget: Budget, limits: LedgerLimits, now: datetime) -> datetime:
    until = blocked_until(budget, limits, order.priority, now)
    return order.due_at if until is None else max(order.due_at, until)


def next_due(orders: Iterable[DueOrder], budget: Budget, limits: LedgerLimits, now: datetime) -> datetime | None:
    """Tell when the first of these orders can be taken; None where there are none."""
    return min((_ready_at(order, budget, limits, now) for order in orders), default=None)


def next_due_seconds(
    orders: Iterable[DueOrder],
    budget: Budget,
    limits: LedgerLimits,
    *,
    exclude: Collection[OrderKey],
    now: datetime,
) -> float | None:
    """Tell in how many seconds the first of those that are not in hand can be taken."""
    moment = next_due((order for order in orders if order.key not in exclude), budget, limits, now)
    return None if moment is None else max(PASSED_OVER_SECONDS, (moment - now).total_seconds())


def quota_wait_seconds(
    orders: Iterable[DueOrder],
    budget: Budget,
    limits: LedgerLimits,
    *,
    exclude: Collection[OrderKey],
    now: datetime,
) -> float | None:
    """Tell how long the day's budget keeps what is due from being taken; None where it keeps nothing."""
    waits = [
        (until - now).total_seconds()
        for order in orders
        if order.key not in exclude and order.due_at <= now
        if (until := blocked_until(budget, limits, order.priority, now)) is not None
    ]
    return min(waits, default=None)
