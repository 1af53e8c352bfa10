"""Completeness: what shops say was paid, held against what is recorded, per shop, source, day and currency. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from consumer.domain.orders import OrderKey

_ZERO = Decimal(0)


class Source(StrEnum):
    """Who says that an order was paid."""

    TOPIC = "topic"  # the events that the shop has published
    LIST = "list"  # the shop's own list of orders


class Window(NamedTuple):
    """What is summed: the paid orders of a shop, told by one source, of one day and currency.

    ``day`` is that of the payment as the shop writes it (YYYY-MM-DD), of the record's coming where it tells none.
    """

    shop_id: str
    source: Source
    day: str
    currency: str


@dataclass(slots=True)
class Sums:
    """Counts and sums of one window. A difference of nothing is the proof."""

    told_count: int = 0
    told_sum: Decimal = _ZERO
    recorded_count: int = 0
    recorded_sum: Decimal = _ZERO


class PaidOrder(NamedTuple):
    """One paid order as its source tells it."""

    key: OrderKey
    window: Window
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a stretch of a source came to: sums, and by id the paid orders that are not recorded."""

    sums: dict[Window, Sums]
    unrecorded: list[PaidOrder]


class Tallying:
    """Adds paid orders up; each counts once per run, however often its event was published.

    To tell repeats apart it remembers a number per order, up to ``remembered_max`` of them, then begins anew: a repeat
    beyond that counts once more on both sides, so that the difference stays what it is.
    """

    def __init__(self, remembered_max: int = 1_000_000) -> None:
        self._remembered_max = remembered_max
        self._seen: set[int] = set()
        self._sums: dict[Window, Sums] = {}
        self._unrecorded: list[PaidOrder] = []

    def add(self, order: PaidOrder, *, recorded: bool, recorded_amount: Decimal | None = None) -> None:
        """Count one paid order; ``recorded_amount`` where what is recorded of this very revision has another total."""
        mark = hash((order.key, order.window.source))
        if mark in self._seen:
            return
        if len(self._seen) >= self._remembered_max:
            self._seen.clear()
        self._seen.add(mark)
        sums = self._sums.setdefault(order.window, Sums())
        sums.told_count += 1
        sums.told_sum += order.amount
        if recorded:
            sums.recorded_count += 1
            sums.recorded_sum += order.amount if recorded_amount is None else recorded_amount
        else:
            self._unrecorded.append(order)

    def take(self) -> Tally:
        """Give what was added since the last time."""
        tally = Tally(sums=self._sums, unrecorded=self._unrecorded)
        self._sums, self._unrecorded = {}, []
        return tally


def difference(sums: Iterable[Sums]) -> int:
    """Count the paid orders that are told of and not recorded."""
    return sum(one.told_count - one.recorded_count for one in sums)
