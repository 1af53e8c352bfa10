"""What a shop says of one order, from its first revision to its last, and what must stand in the books after it.

The expectation is by construction: prices whose VAT comes out in whole cents, added up here with plain arithmetic. A
history is a list of sayings, oldest first; the age of a saying is its place in that list, and the revision keys are
dealt along it, now and then with ties that the rules for equal keys have to settle.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

SHOP_BOOKS_FROM = datetime(2026, 1, 1, tzinfo=UTC)
PAID_AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
FIRST_SAID_AT = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
RATES = ("22", "10", "4")
TOPICS = {"paid": "order.paid", "updated": "order.updated", "cancelled": "order.cancelled"}
KEYS = ("version", "updated_at", "time")
UPDATES_MAX = 4  # with all else at most eight sayings: ten changes within an hour would park the order
_HUNDRED = Decimal(100)
CUSTOMER = ("remark",)
_RANKS = tuple(TOPICS)  # between equal keys the later kind wins


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line. ``net_price`` is a multiple of 0.50, so that every rate's VAT of it is in whole cents."""

    name: str
    quantity: int
    net_price: Decimal
    rate: str

    @property
    def net(self) -> Decimal:
        """Give the line's amount without tax."""
        return self.quantity * self.net_price

    @property
    def tax(self) -> Decimal:
        """Give the line's VAT."""
        return self.net * Decimal(self.rate) / _HUNDRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an order says that comes to stand on its invoice, and ``remark``, which does not."""

    items: tuple[Item, ...]
    email: str
    note: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One message before it is told of a certain order. ``content`` None: a bare cancellation."""

    kind: str
    content: Content | None
    paid_at: datetime | None = None
    cancelled: bool | None = None  # False: it says "cancelled_at": null; None: it says nothing
    version: int = 0
    updated_at: datetime = FIRST_SAID_AT
    time: datetime = FIRST_SAID_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What must stand in the books: the one live invoice, or nothing. Taxes by rate."""

    total: Decimal
    tax_by_rate: tuple[tuple[str, Decimal], ...]
    lines: tuple[tuple[str, int, Decimal, str], ...]  # name, quantity, net price, rate; sorted
    email: str
    note: str
    issued_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is said of an order, and by which key its revisions are told apart."""

    key: str
    sayings: tuple[Saying, ...]

    @property
    def wanted(self) -> Standing | None:
        """Tell what must stand at the end; None: no live invoice."""
        told = [saying.content for saying in self.sayings if saying.content is not None]
        said = [saying.cancelled for saying in self.sayings if saying.cancelled is not None]
        paid = any(saying.kind == "paid" or saying.paid_at for saying in self.sayings)
        if not paid or not told or (said and said[-1]):
            return None
        return standing(told[-1])


def standing(content: Content) -> Standing:
    """Add up what the invoice of a content comes to."""
    taxes: dict[str, Decimal] = {}
    for item in content.items:
        taxes[item.rate] = taxes.get(item.rate, Decimal(0)) + item.tax
    return Standing(
        total=sum((item.net for item in content.items), Decimal(0)) + sum(taxes.values()),
        tax_by_rate=tuple(sorted(taxes.items())),
        lines=tuple(sorted((item.name, item.quantity, item.net_price, item.rate) for item in content.items)),
        email=content.email,
        note=content.note,
        issued_on=PAID_AT.date(),
    )


def make_history(chance: Random, key: str, customers: Sequence[str]) -> History:
    """Make what is said of one order: paid nearly always, changed a few times, sometimes cancelled and taken back."""
    content = Content(items=_items(chance), email=chance.choice(customers), note=f"note {chance.randrange(3)}")
    sayings = list(_sayings(chance, content, customers))
    return History(key=key, sayings=tuple(_with_keys(chance, sayings, key)))


def _sayings(chance: Random, content: Content, customers: Sequence[str]) -> Iterator[Saying]:
    count = 1 + chance.randint(0, UPDATES_MAX)
    pays_at = min(chance.choice((0, 0, 0, 1, 2)), count - 1)
    pays = chance.random() < 0.95
    paid_at = None
    for number in range(count):
        if number == pays_at and pays:
            paid_at = PAID_AT
            yield Saying(kind="paid", content=content, paid_at=paid_at)
            continue
        content = _changed(chance, content, customers)
        yield Saying(kind="updated", content=content, paid_at=paid_at)
        if chance.random() < 0.25:
            yield from _cancelling(chance, content, paid_at)


def _cancelling(chance: Random, content: Content, paid_at: datetime | None) -> Iterator[Saying]:
    kind = chance.choice(("cancelled", "cancelled", "updated"))
    bare = kind == "cancelled" and chance.random() < 0.5
    yield Saying(kind=kind, content=None if bare else content, paid_at=None if bare else paid_at, cancelled=True)
    if chance.random() < 0.5:
        yield Saying(kind="updated", content=content, paid_at=paid_at, cancelled=False)


def _changed(chance: Random, content: Content, customers: Sequence[str]) -> Content:
    match chance.choice(("items", "items", "prices", *CUSTOMER, "note", "remark", "nothing")):
        case "items":
            return replace(content, items=_items(chance))
        case "prices":
            items = tuple(replace(item, net_price=item.net_price + chance.randint(1, 9)) for item in content.items)
            return replace(content, items=items)
        case "customer":
            return replace(content, email=chance.choice(customers))
        case "note":
            return replace(content, note=f"note {chance.randrange(3, 9)}")
        case "remark":
            return replace(content, remark=f"remark {chance.randrange(9)}")
        case _:
            return content


def _items(chance: Random) -> tuple[Item, ...]:
    return tuple(
        Item(
            name=f"article {number} {chance.choice('abc')}",
            quantity=chance.randint(1, 3),
            net_price=Decimal(chance.randint(1, 200)) / 2,
            rate=chance.choice(RATES),
        )
        for number in range(chance.randint(1, 3))
    )


def _with_keys(chance: Random, sayings: list[Saying], key: str) -> Iterator[Saying]:
    """Deal revision keys along the age; equal ones where the kind, or else the event's time, settles it."""
    version, updated_at, time = 1, FIRST_SAID_AT, FIRST_SAID_AT
    before: Saying | None = None
    for saying in sayings:
        step = before is not None and not _may_tie(chance, before, saying, key)
        if step:
            version += chance.randint(1, 3)
            updated_at += timedelta(minutes=chance.randint(1, 3))
        tied = before is not None and not step
        outranks = before is not None and _RANKS.index(saying.kind) > _RANKS.index(before.kind)
        if key != "time" or not tied:
            # Where the kind has settled it already, the time may say the opposite.
            time += timedelta(seconds=chance.randint(-30, -1) if tied and outranks else chance.randint(1, 60))
        before = replace(saying, version=version, updated_at=updated_at, time=time)
        yield before


def _may_tie(chance: Random, before: Saying, saying: Saying, key: str) -> bool:
    ranks = _RANKS.index(saying.kind) - _RANKS.index(before.kind)
    return chance.random() < 0.25 and (ranks > 0 or (ranks == 0 and key != "time"))


def message(history: History, saying: Saying, shop_id: str, order_id: str) -> bytes:
    """Write a saying as the structured CloudEvent of a certain order."""
    data: dict[str, Any] = {"shop_id": shop_id, "order_id": order_id, "number": order_id}
    if history.key == "version":
        data["version"] = saying.version
    if history.key == "updated_at":
        data["updated_at"] = saying.updated_at.isoformat()
    if saying.content is not None:
        data |= _content(saying.content)
    if saying.paid_at is not None:
        data["paid_at"] = saying.paid_at.isoformat()
    if saying.cancelled is not None:
        data["cancelled_at"] = saying.time.isoformat() if saying.cancelled else None
    event = {
        "specversion": "1.0",
        "id": f"{order_id}-{saying.version}-{saying.kind}",
        "source": f"/shops/{shop_id}",
        "type": f"shop.order.{saying.kind}.v1",
        "time": saying.time.isoformat(),
        "data": data,
    }
    return json.dumps(event).encode()


def _content(content: Content) -> dict[str, Any]:
    name = content.email.partition("@")[0].title()
    return {
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {"name": f"{name} Rossi", "email": content.email},
        "lines": [
            {
                "name": item.name,
                "quantity": str(item.quantity),
                "unit_price": str(item.net_price),
                "taxes": [{"rate": item.rate}],
            }
            for item in content.items
        ],
        "totals": {"grand_total": str(standing(content).total)},
        "note": content.note,
        "meta": {"remark": content.remark},
    }
