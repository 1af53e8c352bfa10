"""A replay under test: records in a broker in memory, stores of either kind, and an intake that can be skipped."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.broker import MemoryBroker
from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.adapters.memory.replay import MemoryLogReader, MemoryReplayStore
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.replay import PostgresReplayStore
from consumer.domain.events import EventKind
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ConnectionSettings, LedgerLimits, OrderListSettings, ShopSettings
from consumer.ports.events import Record
from consumer.ports.intake import Lease, Taken, TopicPartition
from consumer.ports.lanes import LaneStore
from consumer.ports.replay import LogReader, ReplayStore
from consumer.ports.shop_lists import ListedOrder, ShopList
from consumer.ports.wakeups import Signals
from consumer.services.positions import checksum
from consumer.services.record_reading import kinds_of, reading_of
from consumer.services.replay import ReplayParts, replay
from consumer.services.replay_report import ReplayLimits, ReplayReport, ReplayRequest
from tests.conformance.intake.making import BEFORE
from tests.conformance.intake.memory_rig import MemoryRig
from tests.conformance.intake.rig import PostgresRig, Rig

TOPICS = ("order.paid", "order.updated", "order.cancelled")
PAID = TopicPartition("order.paid", 0)
LIMITS = ReplayLimits(overlap=timedelta(milliseconds=2), records_at_once=3)


def order(order_id: str, version: int = 1, shop_id: str = "north", **more: Any) -> dict[str, Any]:
    """Write a paid order of one mug."""
    return {
        "shop_id": shop_id,
        "order_id": order_id,
        "version": version,
        "paid_at": "2026-03-02T11:00:00Z",
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {"email": f"b{order_id}@shop.example", "name": "Buyer"},
        "billing_address": {"street": "Via Roma", "city": "Roma", "country": "IT"},
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "22"}]}],
        "totals": {"grand_total": "12.20"},
        **more,
    }


@dataclass
class FakeList:
    """A shop's list that gives what a test has put into it."""

    orders: list[ListedOrder]
    failure: Exception | None = None
    asked: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    closed: int = 0

    async def paid_since(self, since: datetime, until: datetime | None = None) -> AsyncIterator[ListedOrder]:
        """See ports.shop_lists."""
        self.asked.append((since, until))
        for one in self.orders:
            yield one
        if self.failure is not None:
            raise self.failure

    async def aclose(self) -> None:
        """See ports.shop_lists."""
        self.closed += 1


@dataclass
class Bench:
    """What a test drives."""

    rig: Rig
    broker: MemoryBroker
    log: MemoryLogReader
    store: ReplayStore
    lanes: LaneStore
    shops: list[ShopSettings]
    lists: dict[str, FakeList] = field(default_factory=dict)
    limits: ReplayLimits = LIMITS
    seconds: list[float] = field(default_factory=lambda: [0.0])
    reader: LogReader | None = None

    def publish(self, *orders: dict[str, Any], topic: str = "order.paid") -> None:
        """Publish orders, all to partition 0."""
        for one in orders:
            key = f"{one['shop_id']}/{one['order_id']}".encode()
            self.broker.publish(topic, key=key, value=json.dumps(one).encode(), partition=0)

    async def take(self, *offsets: int, place: TopicPartition = PAID, log: int = 1) -> None:
        """Let the intake take these records and no others; then let its position lie behind all of them."""
        bounds = self.broker.bounds_of(place)
        records = self.broker.read(place, bounds.beginning, bounds.end - bounds.beginning)
        batch = [self._taken(record, log) for record in records if record.offset in offsets]
        if batch:
            await self.rig.intake.record(batch)
        await self.rig.intake.set_position(place, bounds.end, "tester")

    def _taken(self, record: Record, log: int) -> Taken:
        outcome = reading_of(self.shops, shared_topics=TOPICS).read(
            record, log=log, kind=self.kinds[record.place.topic]
        )
        return Taken(
            place=record.place, offset=record.offset, checksum=checksum(record), outcome=outcome, value=record.value
        )

    @property
    def kinds(self) -> dict[str, EventKind]:
        """Tell what the topics carry."""
        return dict(kinds_of(TOPICS))

    def parts(self) -> ReplayParts:
        """Give what a replay works with."""
        return ReplayParts(
            store=self.store,
            intake=self.rig.intake,
            lanes=self.lanes,
            log=self.reader or self.log,
            reading=reading_of(self.shops, shared_topics=TOPICS),
            shops=self.shops,
            kinds=self.kinds,
            open_list=self._open,
            wakeups=Signals(),
            clock=lambda: self.seconds[0],
            limits=self.limits,
        )

    def _open(self, shop: ShopSettings) -> ShopList | None:
        return self.lists.get(shop.shop_id)

    async def replay(self, **request: Any) -> ReplayReport:
        """Run once."""
        return await replay(ReplayRequest(**request), self.parts())

    async def states(self, *order_ids: str, shop_id: str = "north") -> list[str | None]:
        """Tell where orders stand; None for those not recorded."""
        keys = [OrderKey(shop_id, order_id) for order_id in order_ids]
        found = await self.rig.reader.states(keys)
        return [found.get(key) for key in keys]

    async def lease(self, owner: str = "test") -> Lease:
        """Take the replay's lease."""
        lease = await self.store.lease(owner, 60.0)
        assert lease is not None
        return lease


def listed(one: dict[str, Any], **more: Any) -> ListedOrder:
    """Make an entry of a shop's own list."""
    return ListedOrder(
        order_id=one["order_id"],
        paid_at=datetime.fromisoformat(one["paid_at"]),
        currency="EUR",
        grand_total=Decimal(one["totals"]["grand_total"]),
        payload=json.dumps(one).encode(),
        kind=EventKind.PAID,
        **more,
    )


async def make_bench(rig: Rig, **shop: Any) -> Bench:
    """Make a bench with one connection and one shop."""
    broker = MemoryBroker()
    for topic in TOPICS:
        broker.create_topic(topic, 1)
    limits = LedgerLimits(calls_per_window=5)
    connection = ConnectionSettings(connection_id="books", data_center="eu", organization_id="60001", limits=limits)
    shops = [ShopSettings(shop_id="north", connection_id="books", automatic=True, book_from=BEFORE, **shop)]
    await rig.settings.apply([connection], shops, actor="test", dry_run=False)
    shops = [replace(one) for one in await rig.settings.shops()]
    store, lanes = _stores(rig)
    return Bench(rig=rig, broker=broker, log=MemoryLogReader(broker), store=store, lanes=lanes, shops=list(shops))


def _stores(rig: Rig) -> tuple[ReplayStore, LaneStore]:
    if isinstance(rig, MemoryRig):
        return MemoryReplayStore(rig.db), MemoryLaneStore(rig.db)
    assert isinstance(rig, PostgresRig)
    return PostgresReplayStore(rig.db), PostgresLaneStore(rig.db)


def lanes_of(rig: Rig) -> LaneStore:
    """Give the lanes of the same database."""
    return _stores(rig)[1]


def with_list(bench: Bench, *orders: dict[str, Any], shop_id: str = "north") -> FakeList:
    """Give a shop a list of its own."""
    bench.shops = [
        replace(one, order_list=OrderListSettings(url="https://shop.example", token_variable="T"))
        if one.shop_id == shop_id
        else one
        for one in bench.shops
    ]
    bench.lists[shop_id] = FakeList([listed(one) for one in orders])
    return bench.lists[shop_id]


def ids(report: ReplayReport) -> Sequence[str]:
    """Name the orders that were missing."""
    return [key.order_id for key in report.missing_orders]
