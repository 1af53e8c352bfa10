"""What a shop says in one world: orders with changes, drawn from a seed, and the producer's own log of what was sent.

The expectation is by construction: prices whose VAT of 22 % comes out in whole cents, added up here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any, Final, TypeVar

T = TypeVar("T")
SHOP: Final = "shop"
VAT: Final = Decimal("0.22")
FATES: Final = ("plain", "changed", "cancelled", "twice", "changed_first", "cancelled_first")
"""What happens to an order; ``…_first``: the newer event is sent before the older one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What has to stand in the books for an order once all is quiet. ``cancelled``: nothing live."""

    order_id: str
    version: int
    total: Decimal
    tax_total: Decimal
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One event to be sent. ``kind`` is paid, updated or cancelled; ``order`` None: bytes that are no event."""

    order_id: str
    kind: str
    version: int
    order: Mapping[str, Any] | None = None
    total: Decimal = Decimal(0)

    @property
    def key(self) -> bytes:
        """Give the record key."""
        return f"{SHOP}/{self.order_id}".encode()

    @property
    def value(self) -> bytes:
        """Give the record's value."""
        if self.order is None:
            return b'{"specversion": "1.0", "data": '
        return json.dumps(_event(self.kind, self.order)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the broker has put a record."""

    topic: str
    partition: int
    offset: int


@dataclass(slots=True)
class ProducerLog:
    """Every event that the broker has acknowledged, with its place, in the order of the acknowledgements."""

    sent: list[tuple[Saying, Place]] = field(default_factory=list)

    def wanted(self) -> dict[str, Wanted]:
        """Give what has to stand in the books, by order: the newest version that was sent of it."""
        newest: dict[str, Saying] = {}
        for saying, _ in self.sent:
            known = newest.get(saying.order_id)
            if saying.order is not None and (known is None or saying.version > known.version):
                newest[saying.order_id] = saying
        return {order_id: _wanted(saying) for order_id, saying in newest.items()}

    def totals(self) -> dict[str, set[Decimal]]:
        """Give the totals that an order ever had."""
        found: dict[str, set[Decimal]] = {}
        for saying, _ in self.sent:
            if saying.order is not None and saying.kind != "cancelled":
                found.setdefault(saying.order_id, set()).add(saying.total)
        return found


def _wanted(saying: Saying) -> Wanted:
    net = saying.total / (1 + VAT)
    return Wanted(
        order_id=saying.order_id,
        version=saying.version,
        total=saying.total,
        tax_total=saying.total - net,
        cancelled=saying.kind == "cancelled",
    )


class Shop:
    """Draws orders. Every order has a total of its own, so that a mix-up shows."""

    def __init__(self, lot: Random, *, prefix: str = "C") -> None:
        self._lot = lot
        self._prefix = prefix
        self._number = 0

    def orders(self, count: int, fates: Sequence[str] = FATES) -> list[list[Saying]]:
        """Draw orders; of each its sayings in the order in which they are sent."""
        return [self.order(fates[(self._number + 1) % len(fates)]) for _ in range(count)]

    def order(self, fate: str = "plain") -> list[Saying]:
        """Draw one order with this fate."""
        self._number += 1
        order_id = f"{self._prefix}-{self._number}"
        paid = self._saying(order_id, "paid", 1, self._price())
        if fate == "plain":
            return [paid]
        if fate == "twice":
            return [paid, paid]
        newer = (
            self._saying(order_id, "updated", 2, self._price())
            if fate.startswith("changed")
            else Saying(order_id=order_id, kind="cancelled", version=2, order=_cancellation(order_id, 2))
        )
        return [newer, paid] if fate.endswith("_first") else [paid, newer]

    def nonsense(self) -> Saying:
        """Give bytes that are no event; they have to be rejected, once."""
        self._number += 1
        return Saying(order_id=f"{self._prefix}-{self._number}", kind="paid", version=0)

    def _price(self) -> Decimal:
        # Multiples of 0.50, whose VAT of 22 % is in whole cents.
        return Decimal(20 + 40 * self._number + self._lot.randrange(0, 80) // 2) / 2

    def _saying(self, order_id: str, kind: str, version: int, price: Decimal) -> Saying:
        total = (price * (1 + VAT)).quantize(Decimal("0.01"))
        buyer = f"buyer-{self._number % 5}"
        order = _order(order_id, version, price, total, buyer)
        return Saying(order_id=order_id, kind=kind, version=version, order=order, total=total)


def interleaved(orders: Sequence[Sequence[Saying]], lot: Random) -> list[Saying]:
    """Shuffle the events of several orders into one sequence; each order's own sequence stays."""
    waiting = [list(order) for order in orders if order]
    mixed = []
    while waiting:
        chosen = lot.choice(waiting)
        mixed.append(chosen.pop(0))
        waiting = [order for order in waiting if order]
    return mixed


def slices(orders: Sequence[T], parts: int) -> Iterator[Sequence[T]]:
    """Cut into so many parts, none empty while there is enough."""
    size = -(-len(orders) // parts)
    for begin in range(0, len(orders), size):
        yield orders[begin : begin + size]


def _order(order_id: str, version: int, price: Decimal, total: Decimal, buyer: str) -> dict[str, Any]:
    return {
        "shop_id": SHOP,
        "order_id": order_id,
        "number": f"N-{order_id}",
        "version": version,
        "paid_at": datetime.now(UTC).isoformat(),
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {"email": f"{buyer}@shop.example", "name": f"Buyer {buyer}"},
        "billing_address": {"street": "Via Roma", "house_number": "1", "city": "Roma", "country": "IT"},
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": f"{price:.2f}", "taxes": [{"rate": "22"}]}],
        "totals": {"grand_total": str(total)},
    }


def _cancellation(order_id: str, version: int) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"shop_id": SHOP, "order_id": order_id, "version": version, "cancelled_at": at}


def _event(kind: str, order: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{order['order_id']}-{kind}-{order['version']}",
        "source": "/shops/chaos",
        "type": f"chaos.order.{kind}.v1",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": order,
    }
