"""Completeness: what shops say was paid, held against what is recorded, per shop, source, day and currency. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

from consumer.domain.orders import OrderKey

_ZERO = Decimal(0)
_MARK_BITS = 27  # 128 Mi bits
_BYTE_MASK = (1 << (_MARK_BITS - 3)) - 1


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


class _Marks:
    """Tells repeats apart in 16 MiB, however many orders there are: four bits for each.

    Of a million orders less than one is taken for a repeat that is none (a chance of some 1 in 10 million each); it is
    left out of both sides of the sums then, so that the difference stays what it is.
    """

    def __init__(self) -> None:
        self._bits = bytearray(1 << (_MARK_BITS - 3))

    def add(self, order: OrderKey, source: Source) -> bool:
        """Mark an order; False where it was marked before."""
        digest = blake2b(f"{order.shop_id}\x00{order.order_id}\x00{source}".encode(errors="replace"), digest_size=16)
        number, new = int.from_bytes(digest.digest(), "big"), False
        for _ in range(4):
            byte, bit = (number >> 3) & _BYTE_MASK, 1 << (number & 7)
            new = new or not self._bits[byte] & bit
            self._bits[byte] |= bit
            number >>= 32
        return new


class Tallying:
    """Adds paid orders up; each counts once per run, however often its event was published."""

    def __init__(self) -> None:
        self._marks = _Marks()
        self._named: set[tuple[OrderKey, Source]] = set()
        self._sums: dict[Window, Sums] = {}
        self._unrecorded: list[PaidOrder] = []

    def add(self, order: PaidOrder, *, recorded: bool, recorded_amount: Decimal | None = None) -> None:
        """Count one paid order; ``recorded_amount`` where what is recorded of this very revision has another total."""
        source = order.window.source
        new = self._marks.add(order.key, source)
        if not recorded:
            # Those are few, and none of them may be left out.
            new = (order.key, source) not in self._named
            self._named.add((order.key, source))
        if not new:
            return
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
