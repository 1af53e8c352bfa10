"""What the intake's tests stand on: a broker and a store in memory, a service between them, and orders to publish."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from consumer.adapters.memory.broker import MemoryBroker, MemorySource
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.intake import MemoryIntakeStore
from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.states import Priority
from consumer.errors import DatabaseUnavailableError
from consumer.ports.events import EventSource
from consumer.ports.intake import Gap, IntakeStore, Position, Recorded, Taken, TopicPartition
from consumer.services.intake import Intake, IntakeLimits
from consumer.services.intake_report import SilentReport
from consumer.sources.own import read_record

PAID = "order.paid"
GROUP = "booked"
DEADLINE_SECONDS = 20.0
FAST = IntakeLimits(
    wait_seconds=0.05, hold_seconds=0.1, commit_every_seconds=0.01, revoke_seconds=2.0, source_stop_seconds=1.0
)


def order(order_id: str, version: int = 1, shop_id: str = "nl", total: str = "12.10") -> bytes:
    """Write a small valid order."""
    return json.dumps(
        {
            "shop_id": shop_id,
            "order_id": order_id,
            "version": version,
            "currency": "EUR",
            "lines": [{"name": "Mug", "quantity": "1", "unit_price": total}],
            "totals": {"grand_total": total},
        }
    ).encode()


def key(order_id: str, shop_id: str = "nl") -> bytes:
    """Write the record key of an order."""
    return f"{shop_id}/{order_id}".encode()


def render(_rejected: Rejected, event_id: UUID, _moment: datetime) -> bytes:
    """Stand in for the renderer of `order.rejected`."""
    return event_id.bytes


@dataclass
class Report(SilentReport):
    """Keeps what the intake tells, and lets a test wait for it."""

    alarms: list[tuple[str, TopicPartition | None]] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    outcomes: list[OrderEvent | Rejected | None] = field(default_factory=list)
    lags: dict[TopicPartition, int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self, topic: str, outcome: OrderEvent | Rejected | None) -> None:
        """Keep the outcome."""
        assert topic
        self.outcomes.append(outcome)

    def recorded(self, recorded: Recorded, records: int, seconds: float) -> None:
        """Wake the test."""
        assert records
        assert seconds >= 0
        assert recorded.positions
        self.changed.set()

    def lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """Keep the figures."""
        self.lags.update(lags)
        self.changed.set()

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """Keep what was waited for."""
        assert str(error) or isinstance(error, TimeoutError)
        assert attempt >= 0
        self.waits.append(what)
        self.changed.set()

    def going_on(self, what: str) -> None:
        """Keep what came back."""
        self.back.append(what)
        self.changed.set()

    def alarm(self, name: str, place: TopicPartition | None, text: str) -> None:
        """Keep the alarm."""
        assert text
        self.alarms.append((name, place))
        self.changed.set()

    async def until(self, holds: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until something holds; looked at after each sign of the intake's."""
        async with asyncio.timeout(seconds):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


class StubbornStore:
    """A store that can be away, or stand still in the middle of a batch."""

    def __init__(self, inner: IntakeStore) -> None:
        self._inner = inner
        self.away = False
        self.refusals = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.standing = asyncio.Event()
        self.batches: list[Sequence[Taken]] = []

    def _check(self) -> None:
        if self.away:
            self.refusals += 1
            raise DatabaseUnavailableError("away")

    async def positions(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """See IntakeStore."""
        self._check()
        return await self._inner.positions(places)

    async def record(self, batch: Sequence[Taken]) -> Recorded:
        """See IntakeStore."""
        self._check()
        if not self.gate.is_set():
            self.standing.set()
            await self.gate.wait()
        self.batches.append(batch)
        return await self._inner.record(batch)

    async def put_in(self, batch: Sequence[Taken], *, priority: Priority) -> Recorded:
        """See IntakeStore."""
        self._check()
        return await self._inner.put_in(batch, priority=priority)

    async def begin_log(self, place: TopicPartition, first_offset: int) -> Position:
        """See IntakeStore."""
        self._check()
        return await self._inner.begin_log(place, first_offset)

    async def record_gap(self, gap: Gap) -> None:
        """See IntakeStore."""
        self._check()
        await self._inner.record_gap(gap)

    async def set_position(self, place: TopicPartition, next_offset: int, actor: str) -> Position:
        """See IntakeStore."""
        return await self._inner.set_position(place, next_offset, actor)

    async def note_committed_ahead(self, places: Sequence[TopicPartition]) -> None:
        """See IntakeStore."""
        self._check()
        await self._inner.note_committed_ahead(places)


@dataclass
class World:
    """A broker with one topic, a database, and what the services say. ``topic`` may be one of a real broker."""

    topic: str
    broker: MemoryBroker
    database: MemoryDatabase
    store: StubbornStore
    report: Report

    def source(self) -> MemorySource:
        """Make a member of the group."""
        return MemorySource(broker=self.broker, topics=[self.topic], group=GROUP)

    @asynccontextmanager
    async def intake(self, source: EventSource | None = None, limits: IntakeLimits = FAST) -> AsyncIterator[Intake]:
        """Run an intake for the time of the block."""
        service = Intake(
            source=source or self.source(),
            store=self.store,
            kinds={self.topic: EventKind.PAID},
            read=read_record,
            report=self.report,
            limits=limits,
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop(5.0)
        assert service.failure is None

    def publish(self, *order_ids: str, partition: int = 0) -> None:
        """Publish an order under each of these ids."""
        for order_id in order_ids:
            self.broker.publish(self.topic, key=key(order_id), value=order(order_id), partition=partition)

    async def taken(self, *order_ids: str, seconds: float = DEADLINE_SECONDS) -> None:
        """Wait until these orders, and no others, are recorded."""
        await self.report.until(lambda: self.orders() >= set(order_ids), seconds)
        assert self.orders() == set(order_ids)

    def orders(self) -> set[str]:
        """Give the ids of the orders recorded."""
        return {one.order_id for one in self.database.orders}

    def position(self, partition: int = 0) -> Position:
        """Give the stored position."""
        return self.database.positions[TopicPartition(self.topic, partition)]


def make_world(partitions: int = 1, topic: str = PAID) -> World:
    """Make a broker with the topic, and an empty database."""
    broker = MemoryBroker()
    broker.create_topic(topic, partitions)
    database = MemoryDatabase()
    store = StubbornStore(MemoryIntakeStore(database, render_rejected=render))
    return World(topic=topic, broker=broker, database=database, store=store, report=Report())
