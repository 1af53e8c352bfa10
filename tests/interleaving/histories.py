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
from enum import Enum, auto
from random import Random
from typing import Any

SHOP_BOOKS_FROM = datetime(2026, 1, 1, tzinfo=UTC)
PLACED_AT = datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
PAID_AT = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
FIRST_SAID_AT = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
RATES = ("22", "10", "4")
TOPICS = {"paid": "order.paid", "updated": "order.updated", "cancelled": "order.cancelled"}
KEYS = ("version", "updated_at", "time")
UPDATES_MAX = 4
SAYINGS_MAX = 9  # more than ten changes within an hour would park the order
_HUNDRED = Decimal(100)
_RANKS = tuple(TOPICS)  # between equal keys the later kind wins


class Kind(Enum):
    """Which changes a history may have, so that it has one end whatever was sent in between.

    What was sent is corrected and not undone: a refund of what the next revision no longer sells, or of another amount
    than it was credited with, is no matter of the order of messages.
    """

    ANY = auto()  # nothing is ever sent
    ANY_SENT = auto()  # no other amounts beside refunds, and no refund is amended
    CHEAPER = auto()  # the same, and no change to a higher amount, which no credit can follow


_WORDS = ("note", "remark", "nothing")
_CHANGES = {
    Kind.ANY: ("items", "items", "prices", "customer", *_WORDS),
    Kind.CHEAPER: ("cheaper", "cheaper", *_WORDS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line. ``net_price`` is a multiple of 0.50, so that every rate's VAT of it is in whole cents."""

    name: str
    quantity: int
    net_price: Decimal
    rate: str

    def net(self, quantity: int) -> Decimal:
        """Give the amount of so many without tax."""
        return quantity * self.net_price

    def tax(self, quantity: int) -> Decimal:
        """Give the VAT of so many."""
        return self.net(quantity) * Decimal(self.rate) / _HUNDRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back for some pieces: place of the line, what it sells, and how many came back.

    ``whole``: all of the order, told as a sum without lines.
    """

    id: str
    pieces: tuple[tuple[int, Item, int], ...]
    whole: bool = False


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
    refunds: tuple[Refund, ...] = ()
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
        # Of a refund that was told twice the newer one holds.
        refunds = {refund.id: refund for saying in self.sayings for refund in saying.refunds}
        stated = any(saying.paid_at for saying in self.sayings)
        found = standing(told[-1], tuple(refunds.values()), (PAID_AT if stated else PLACED_AT).date())
        return found if found.total else None


def standing(content: Content, refunds: Sequence[Refund] = (), issued_on: date | None = None) -> Standing:
    """Add up what the invoice of a content comes to, less what was given back."""
    nets = dict.fromkeys((item.rate for item in content.items), Decimal(0))
    for place, item in enumerate(content.items):
        back = sum(quantity for refund in refunds for at, _, quantity in refund.pieces if at == place)
        nets[item.rate] += (item.quantity - back) * item.net_price
    taxes = {rate: net * Decimal(rate) / _HUNDRED for rate, net in nets.items() if net}
    return Standing(
        total=sum(nets.values(), Decimal(0)) + sum(taxes.values()),
        tax_by_rate=tuple(sorted(taxes.items())),
        lines=tuple(sorted((item.name, item.quantity, item.net_price, item.rate) for item in content.items)),
        email=content.email,
        note=content.note,
        issued_on=issued_on or PAID_AT.date(),
    )


def make_history(chance: Random, key: str, customers: Sequence[str], kind: Kind = Kind.ANY) -> History:
    """Make what is said of one order: paid nearly always, changed a few times, sometimes cancelled and taken back."""
    content = Content(items=_items(chance), email=chance.choice(customers), note=f"note {chance.randrange(3)}")
    refunded = chance.random() < 0.35
    changes = _CHANGES[Kind.CHEAPER if kind is Kind.CHEAPER else Kind.ANY]
    if refunded and kind is not Kind.ANY:
        changes = tuple(change for change in changes if change in _WORDS)
    sayings = list(_sayings(chance, content, customers, changes))[:SAYINGS_MAX]
    if refunded:
        sayings = _with_refunds(chance, sayings, amends=kind is Kind.ANY)
    return History(key=key, sayings=tuple(_with_keys(chance, sayings, key)))


def _sayings(chance: Random, content: Content, customers: Sequence[str], changes: Sequence[str]) -> Iterator[Saying]:
    count = 1 + chance.randint(0, UPDATES_MAX)
    pays_at = min(chance.choice((0, 0, 0, 1, 2)), count - 1)
    pays = chance.random() < 0.95
    paid_at = None
    for number in range(count):
        if number == pays_at and pays:
            paid_at = PAID_AT
            # Told without its moment the payment counts from the placing, until a revision states it.
            yield Saying(kind="paid", content=content, paid_at=paid_at if chance.random() < 0.7 else None)
            continue
        content = _changed(chance, content, customers, chance.choice(changes))
        yield Saying(kind="updated", content=content, paid_at=paid_at)
        if chance.random() < 0.25:
            yield from _cancelling(chance, content, paid_at)


def _cancelling(chance: Random, content: Content, paid_at: datetime | None) -> Iterator[Saying]:
    kind = chance.choice(("cancelled", "cancelled", "updated"))
    bare = kind == "cancelled" and chance.random() < 0.5
    yield Saying(kind=kind, content=None if bare else content, paid_at=None if bare else paid_at, cancelled=True)
    if chance.random() < 0.5:
        yield Saying(kind="updated", content=content, paid_at=paid_at, cancelled=False)


def _with_refunds(chance: Random, sayings: list[Saying], *, amends: bool) -> list[Saying]:
    """Let some sayings tell of refunds: of the last content's pieces, each first told somewhere, and perhaps again."""
    places = [place for place, saying in enumerate(sayings) if saying.content is not None]
    last = sayings[places[-1]].content
    if last is None:
        return sayings
    told: dict[int, list[Refund]] = {}
    for refund in _refunds(chance, last):
        first, *later = places[chance.randrange(len(places)) :]
        amended = amends and bool(later) and not refund.whole and chance.random() < 0.2
        before = replace(refund, pieces=refund.pieces[:1]) if amended else refund
        told.setdefault(first, []).append(before)
        for place in later:
            if amended or chance.random() < 0.5:
                told.setdefault(place, []).append(refund)
    return [replace(saying, refunds=tuple(told.get(place, ()))) for place, saying in enumerate(sayings)]


def _refunds(chance: Random, content: Content) -> Iterator[Refund]:
    left = {place: item.quantity for place, item in enumerate(content.items)}
    if chance.random() < 0.2:
        pieces = tuple((place, content.items[place], quantity) for place, quantity in left.items())
        yield Refund(id="r0", pieces=pieces, whole=chance.random() < 0.5)
        return
    for number in range(chance.randint(1, 3)):
        chosen = chance.sample(sorted(left), chance.randint(1, len(left)))
        pieces = tuple((place, content.items[place], chance.randint(1, left[place])) for place in chosen if left[place])
        for place, _, quantity in pieces:
            left[place] -= quantity
        if pieces:
            yield Refund(id=f"r{number}", pieces=pieces)


def _changed(chance: Random, content: Content, customers: Sequence[str], change: str) -> Content:
    match change:
        case "items" | "prices" | "cheaper":
            return replace(content, items=_changed_items(chance, content.items, change))
        case "customer":
            return replace(content, email=chance.choice(customers))
        case "note":
            return replace(content, note=f"note {chance.randrange(3, 9)}")
        case "remark":
            return replace(content, remark=f"remark {chance.randrange(9)}")
        case _:
            return content


def _changed_items(chance: Random, items: tuple[Item, ...], change: str) -> tuple[Item, ...]:
    if change == "items":
        return _items(chance)
    if change == "prices":
        return tuple(replace(item, net_price=item.net_price + chance.randint(1, 9)) for item in items)
    # Cheaper: each by a part of its price, a multiple of 0.50 again.
    return tuple(replace(item, net_price=Decimal(chance.randint(1, int(item.net_price * 2))) / 2) for item in items)


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
        if saying.refunds:
            data["refunds"] = [_refund(refund) for refund in saying.refunds]
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
        "placed_at": PLACED_AT.isoformat(),
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {"name": f"{name} Rossi", "email": content.email},
        "lines": [
            {
                "id": f"line-{place}",
                "name": item.name,
                "quantity": str(item.quantity),
                "unit_price": str(item.net_price),
                "taxes": [{"rate": item.rate}],
            }
            for place, item in enumerate(content.items)
        ],
        "totals": {"grand_total": str(standing(content).total)},
        "note": content.note,
        "meta": {"remark": content.remark},
    }


def _refund(refund: Refund) -> dict[str, Any]:
    lines = [
        {
            "id": f"line-{place}",
            "quantity": str(quantity),
            "amount": str(item.net(quantity) + item.tax(quantity)),
            "taxes": [{"rate": item.rate, "amount": str(item.tax(quantity))}],
        }
        for place, item, quantity in refund.pieces
    ]
    amount = sum((item.net(quantity) + item.tax(quantity) for _, item, quantity in refund.pieces), Decimal(0))
    return {"id": refund.id, "amount": str(amount), **({} if refund.whole else {"lines": lines})}
