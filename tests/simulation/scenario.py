"""What a schedule is about: three shops on two connections, their orders, what is said of these, and special cases.

Most orders are those of the random interleavings, whose end is known by construction. Some are there for what these do
not have: a tax that the ledger lacks, a rounding to be found out, items by SKU, a guest without an address, a payment
that is taken back, bytes that are no order.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import Flag, auto
from random import Random
from typing import Any

from consumer.domain.ledger import TaxRounding
from consumer.domain.settings import (
    CancelledDraft,
    CancelledSent,
    ChangedSent,
    ClosedPeriod,
    ConnectionSettings,
    LedgerLimits,
    OrderListSettings,
    RevisionKey,
    ShopSettings,
)
from tests.interleaving.histories import FIRST_SAID_AT, KEYS, PAID_AT, TOPICS, History, Saying, make_history, message
from tests.interleaving.histories import Kind as HistoryKind

BOOKS = ("north", "south")
ORGANIZATIONS = {"north": "1", "south": "2"}
SHOPS = {"apples": "north", "books": "north", "candles": "south"}
OWN_TOPIC = "candles.orders"
SYNCED, REJECTED = "invoice.synced", "order.rejected"
PARTITIONS = 2
GROUP = "booked"
EVENTS_MIN, ORDERS_MIN = 8, 6
TELLING_SECONDS = 3.0
BOOKS_FROM = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE_SECONDS, SETTLE_SECONDS, SETTLE_UNIQUE_SECONDS = 2.0, 3.0, 1.0
WINDOW_SECONDS, CALLS_PER_WINDOW, CALLS_AT_ONCE = 2.0, 20, 4
# The ledger's own limit is one more than our setting: a call that was given up may still be on its way out there when
# the next one arrives, by as much as two roads differ.
LEDGER_CALLS_AT_ONCE = 5
LEASE_SECONDS = 2.0
CLOSED_UNTIL = date(2026, 3, 12)
GUEST_CONTACT = "Guests"
LACKING_RATE = "5"


class Feature(Flag):
    """Special cases of a schedule; most are there now and then, all where the place that is aimed at needs them."""

    NONE = 0
    LACKING_TAX = auto()
    ROUNDING = auto()
    GUEST = auto()
    SKU = auto()
    PAYMENT_BACK = auto()
    NO_ORDER = auto()
    SENT = auto()
    CLOSED = auto()
    LOOK_FIRST = auto()
    SAME_NAME = auto()
    DOUBLE = auto()
    GONE = auto()
    GAP = auto()
    TOPIC_AGAIN = auto()
    FAREWELL = auto()
    UNPUBLISHED = auto()
    LATE_TOPIC = auto()
    NEW_CONNECTION = auto()
    OLD = auto()
    BURST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message: when it is published, where, and which row of the table of events it is (None: none of them)."""

    at_seconds: float
    topic: str
    key: bytes
    value: bytes
    label: str | None


@dataclass(slots=True, kw_only=True)
class Told:
    """One order. ``history`` None: a special one, of which only what holds for all is checked."""

    shop_id: str
    order_id: str
    history: History | None
    tellings: list[Telling] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All that is given before a schedule begins."""

    features: Feature
    key: str
    unique: Mapping[str, bool]
    rounding: TaxRounding
    cancelled_draft: CancelledDraft
    orders: Sequence[Told]
    calls_per_window: int = CALLS_PER_WINDOW
    facts_fresh_seconds: float | None = None  # None: as the settings say

    @property
    def tellings(self) -> list[Telling]:
        """Give all messages in the order of publishing."""
        every = [telling for order in self.orders for telling in order.tellings]
        return sorted(every, key=lambda telling: telling.at_seconds)

    @property
    def mended(self) -> Told | None:
        """Give the order that a message which was no JSON should have been: the first with a history, if any."""
        return next((order for order in self.orders if order.history is not None), None)

    @property
    def labels(self) -> dict[bytes, str]:
        """Name the row of the table of each message that has one."""
        return {one.value: one.label for one in self.tellings if one.label is not None}


def make_scenario(chance: Random, features: Feature) -> Scenario:
    """Draw the orders and the settings."""
    key = chance.choice(KEYS)
    rounding = chance.choice((TaxRounding.PER_RATE, TaxRounding.PER_LINE))
    return Scenario(
        features=features,
        key=key,
        unique={name: chance.random() < 0.5 for name in BOOKS},
        rounding=rounding,
        cancelled_draft=chance.choice(tuple(CancelledDraft)),
        orders=_at_once(list(_orders(chance, key, features, rounding)), features),
    )


def _at_once(orders: list[Told], features: Feature) -> list[Told]:
    """Let all be told in one moment where the schedule asks for it."""
    if Feature.BURST in features:
        for order in orders:
            order.tellings = [replace(telling, at_seconds=2.0) for telling in order.tellings]
    return orders


def connections(scenario: Scenario) -> list[ConnectionSettings]:
    """Give the settings of both connections."""
    limits = LedgerLimits(
        calls_per_window=scenario.calls_per_window,
        window_seconds=WINDOW_SECONDS,
        burst_calls=max(1, scenario.calls_per_window // 2),
        calls_at_once=CALLS_AT_ONCE,
        daily_calls=1_000_000,
        call_deadline_seconds=DEADLINE_SECONDS,
        settle_seconds=SETTLE_SECONDS,
        settle_seconds_with_unique_field=SETTLE_UNIQUE_SECONDS,
        look_again_seconds=1.0,
        contacts_fresh_seconds=5.0,
    )
    if scenario.facts_fresh_seconds is not None:
        limits = replace(limits, facts_fresh_seconds=scenario.facts_fresh_seconds)
    return [
        ConnectionSettings(
            connection_id=name,
            data_center="eu",
            organization_id=ORGANIZATIONS[name],
            unique_field="cf_booked" if scenario.unique[name] else None,
            limits=limits,
        )
        for name in BOOKS
    ]


def shops(scenario: Scenario, guest_contact: str) -> list[ShopSettings]:
    """Give the settings of the three shops; candles has a topic of its own."""
    common = ShopSettings(
        shop_id="",
        automatic=True,
        book_from=BOOKS_FROM,
        revision=RevisionKey(scenario.key),
        notes="{{ note }}",
        cancelled_draft=scenario.cancelled_draft,
        cancelled_sent=CancelledSent.CREDIT_NOTE,
        changed_sent=ChangedSent.CREDIT_ALL,
        order_list=OrderListSettings(url="https://shop.invalid/orders", token_variable="NO_SUCH_VARIABLE"),
    )
    first_day = ClosedPeriod.FIRST_OPEN_DAY
    own: dict[str, dict[str, Any]] = {
        "apples": {"default_customer_id": guest_contact, "closed_period": first_day},
        "books": {"items_by_sku": Feature.SKU in scenario.features, "closed_period": first_day},
        "candles": {"topics": (OWN_TOPIC,)},
    }
    return [
        replace(common, shop_id=shop_id, connection_id=connection_id, **own[shop_id])
        for shop_id, connection_id in SHOPS.items()
    ]


# ---- the orders


def _orders(chance: Random, key: str, features: Feature, rounding: TaxRounding) -> Iterator[Told]:
    kind = HistoryKind.ANY_SENT if Feature.SENT in features else HistoryKind.ANY
    events = 0
    number = 0
    while events < EVENTS_MIN or number < ORDERS_MIN:
        shop_id = tuple(SHOPS)[number % len(SHOPS)]
        customers = [f"{name}@example.org" for name in ("anna", "bruno", "carla")]
        history = make_history(chance, key, customers, kind)
        order = Told(shop_id=shop_id, order_id=f"{shop_id}-{number}", history=history)
        order.tellings = list(_tell(chance, order, history, features))
        if Feature.PAYMENT_BACK in features and number % 2:
            _take_payment_back(chance, order, history)
        # The first order may be the one that its shop never publishes.
        events += len(order.tellings) if number or Feature.UNPUBLISHED not in features else 0
        number += 1
        yield order
    yield plain_order("candles", "plain", chance.uniform(0.0, TELLING_SECONDS))
    yield from _specials(chance, features, rounding)


def _tell(chance: Random, order: Told, history: History, features: Feature) -> Iterator[Telling]:
    begin, span = chance.uniform(0.0, TELLING_SECONDS), chance.choice((0.0, 0.3, 2.0, 5.0, 8.0))
    ranks = [chance.random() for _ in history.sayings]
    if chance.random() < 0.7:
        ranks.sort()
    before: Saying | None = None
    for rank, saying in zip(ranks, history.sayings, strict=True):
        value = message(history, saying, order.shop_id, order.order_id)
        if Feature.SKU in features:
            value = value.replace(b'"quantity":', b'"sku": "MUG", "quantity":')
        label = _label(before, saying)
        for again in range(chance.choice((1, 1, 1, 1, 2))):
            at = begin + span * (rank + again * chance.random())
            yield _telling(order, saying.kind, value, at, label)
        before = saying


def _telling(order: Told, kind: str, value: bytes, at: float, label: str | None) -> Telling:
    topic = OWN_TOPIC if order.shop_id == "candles" else TOPICS[kind]
    key = f"{order.shop_id}/{order.order_id}".encode()
    return Telling(at_seconds=at, topic=topic, key=key, value=value, label=label)


def _label(before: Saying | None, saying: Saying) -> str | None:
    """Name the row of the table of events by states that this message is."""
    if saying.kind != "updated":
        return f"order.{saying.kind}"
    if saying.cancelled is not None:
        return "order.updated, no longer cancelled" if saying.cancelled is False else None
    told = set() if before is None else {refund.id for refund in before.refunds}
    if {refund.id for refund in saying.refunds} - told:
        return "order.updated with a refund"
    then, now = None if before is None else before.content, saying.content
    if then is None or now is None or then.items != now.items:
        return "order.updated"
    same = (then.email, then.note) == (now.email, now.note)
    return "order.updated, nothing on the document" if same else None


def _take_payment_back(chance: Random, order: Told, history: History) -> None:
    """Let the newest revision of all say that the payment was taken back; what becomes of it a person decides."""
    last = history.sayings[-1]
    whole = next(saying for saying in reversed(history.sayings) if saying.content is not None)
    newest = replace(
        whole,
        kind="updated",
        paid_at=None,
        cancelled=None,
        version=last.version + 5,
        updated_at=last.updated_at.replace(year=2026, month=3, day=13),
        time=max(saying.time for saying in history.sayings).replace(day=13),
    )
    event = json.loads(message(history, newest, order.shop_id, order.order_id))
    event["data"]["payment_taken_back"] = True
    at = chance.uniform(0.5, 7.0)
    told = _telling(order, "updated", json.dumps(event).encode(), at, "order.updated, payment taken back")
    order.tellings.append(told)
    order.history = None


def _specials(chance: Random, features: Feature, rounding: TaxRounding) -> Iterator[Told]:
    if Feature.LACKING_TAX in features:
        yield _special(chance, "apples", "lacking", [_line("1", "10.00", LACKING_RATE)], "10.50")
    if Feature.ROUNDING in features:
        for name in ("round-1", "round-2"):
            yield _rounded(chance, chance.choice(("apples", "books")), name, rounding)
    if Feature.GUEST in features:
        guest = {"name": "Somebody"}
        yield _special(chance, "apples", "guest", [_line("1", "10.00", "22")], "12.20", customer=guest)
    if Feature.NO_ORDER in features:
        yield _no_order(chance)


def _rounded(chance: Random, shop_id: str, name: str, rounding: TaxRounding) -> Told:
    # Three lines of 0.33 at 22 %: once per rate 0.22 of VAT, on each line 0.07 three times.
    tax, total = {TaxRounding.PER_RATE: ("0.22", "1.21"), TaxRounding.PER_LINE: ("0.21", "1.20")}[rounding]
    lines = [_line(str(n), "0.33", "22") for n in range(3)]
    totals = {"grand_total": total, "tax": tax, "tax_by_rate": [{"rate": "22", "tax": tax}]}
    return _special(chance, shop_id, name, lines, total, totals=totals)


def extra_order(chance: Random, number: int, at_seconds: float, *, rounds: bool, rounding: TaxRounding) -> Told:
    """Give one order more, of apples; ``rounds``: one whose total tells how the ledger rounds."""
    if rounds:
        return _rounded(chance, "apples", f"round-more-{number}", rounding)
    return plain_order("apples", f"more-{number}", at_seconds)


def plain_order(shop_id: str, name: str, at_seconds: float) -> Told:
    """Give a paid order of one mug, told once."""
    order = Told(shop_id=shop_id, order_id=f"{shop_id}-{name}", history=None)
    data = _data(order, [_line("1", "10.00", "22")], "12.20") | {"version": 1}
    event = _event(order, "paid", data, FIRST_SAID_AT)
    order.tellings.append(_telling(order, "paid", event, at_seconds, "order.paid"))
    return order


def _line(id_: str, price: str, rate: str) -> dict[str, Any]:
    return {"id": id_, "name": "Mug", "quantity": "1", "unit_price": price, "taxes": [{"rate": rate}]}


def _special(chance: Random, shop_id: str, name: str, lines: list[dict[str, Any]], total: str, **more: Any) -> Told:
    order = Told(shop_id=shop_id, order_id=f"{shop_id}-{name}", history=None)
    data = _data(order, lines, total) | more
    for version in range(1, chance.randint(2, 4)):
        told = {**data, "version": version, "updated_at": FIRST_SAID_AT.replace(minute=version).isoformat()}
        kind = "paid" if version == 1 else "updated"
        event = _event(order, kind, told, FIRST_SAID_AT.replace(minute=version))
        label = "order.paid" if version == 1 else "order.updated, nothing on the document"
        order.tellings.append(_telling(order, kind, event, chance.uniform(0.0, 7.0), label))
    return order


def _data(order: Told, lines: list[dict[str, Any]], total: str) -> dict[str, Any]:
    return {
        "shop_id": order.shop_id,
        "order_id": order.order_id,
        "number": order.order_id,
        "updated_at": FIRST_SAID_AT.isoformat(),
        "placed_at": PAID_AT.isoformat(),
        "paid_at": PAID_AT.isoformat(),
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {"name": "Dora Rossi", "email": "dora@example.org"},
        "lines": lines,
        "totals": {"grand_total": total},
    }


def _event(order: Told, kind: str, data: Mapping[str, Any], time: datetime) -> bytes:
    event = {
        "specversion": "1.0",
        "id": f"{order.order_id}-{data['version']}-{kind}",
        "source": f"/shops/{order.shop_id}",
        "type": f"shop.order.{kind}.v1",
        "time": time.isoformat(),
        "data": data,
    }
    return json.dumps(event).encode()


def _no_order(chance: Random) -> Told:
    """Bytes that are no order: no JSON, JSON without what an order needs, and nothing at all."""
    order = Told(shop_id="apples", order_id="", history=None)
    for number, value in enumerate((b"{no json", b'{"specversion": "1.0", "data": {"shop_id": "apples"}}', b"[]")):
        at = chance.uniform(0.0, TELLING_SECONDS)
        order.tellings.append(
            Telling(at_seconds=at, topic="order.paid", key=b"apples/%d" % number, value=value, label=None)
        )
    return order
