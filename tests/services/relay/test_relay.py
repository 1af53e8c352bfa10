"""The relay sends every row at least once, in the order of each key, through outages, one process at a time."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from consumer.adapters.memory.broker import MemoryBroker, MemorySink
from consumer.adapters.memory.database import MemoryDatabase, OutboxEntry
from consumer.adapters.memory.outbox import MemoryOutboxStore
from consumer.errors import DatabaseUnavailableError
from consumer.ports.intake import Lease, OutboxRow
from consumer.ports.messages import Answer, Message, MessageSink
from consumer.services.relay import Relay, RelayLimits
from consumer.services.relay_report import SilentRelayReport

TOPICS = {"invoice.synced": "invoices", "order.rejected": "rejected"}
FAST = RelayLimits(poll_seconds=0.05, renew_seconds=0.05, candidate_seconds=0.05, lease_seconds=30)
DEADLINE_SECONDS = 20.0


@dataclass
class Report(SilentRelayReport):
    """Keeps what the relay tells, and lets a test wait for it."""

    total: int = 0
    rounds: int = 0
    aside: list[int] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    leads: list[bool] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def sent(self, rows: int, seconds: float) -> None:
        """Count."""
        assert seconds >= 0
        self.total += rows
        self.rounds += 1
        self.changed.set()

    def set_aside(self, row: OutboxRow, why: str) -> None:
        """Keep the row."""
        assert why
        self.aside.append(row.id)
        self.changed.set()

    def leading(self, *, leads: bool) -> None:
        """Keep it."""
        self.leads.append(leads)
        self.changed.set()

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """Keep what was waited for."""
        assert str(error)
        assert attempt >= 0
        self.waits.append(what)
        self.changed.set()

    def going_on(self, what: str) -> None:
        """Keep what came back."""
        self.back.append(what)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; looked at after each sign of the relay's."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


class FragileStore(MemoryOutboxStore):
    """A store whose marking can be away."""

    def __init__(self, database: MemoryDatabase) -> None:
        super().__init__(database)
        self.away = False
        self.looks = 0

    async def waiting(self, lease: Lease, limit: int, exclude_keys: Sequence[str]) -> Sequence[OutboxRow]:
        """See OutboxStore."""
        self.looks += 1
        return await super().waiting(lease, limit, exclude_keys)

    async def mark_sent(self, ids: Sequence[int]) -> None:
        """See OutboxStore."""
        if self.away:
            raise DatabaseUnavailableError("away")
        await super().mark_sent(ids)


class WatchedSink(MemorySink):
    """Notes the keys of each round: no two of one key may ever be in flight."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker=broker)
        self.rounds: list[list[bytes]] = []

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """See MessageSink."""
        self.rounds.append([message.key for message in messages])
        return await super().send(messages)


@dataclass
class World:
    """An outbox, a broker, and what the relay says."""

    database: MemoryDatabase
    store: FragileStore
    broker: MemoryBroker
    report: Report

    def write(self, key: str, count: int = 1, *, size: int = 10, kind: str = "invoice.synced") -> list[uuid.UUID]:
        """Write rows of one key; their event ids."""
        ids = []
        for _ in range(count):
            number = len(self.database.outbox) + 1
            event_id = uuid.uuid4()
            self.database.outbox[number] = OutboxEntry(
                id=number,
                topic_kind=kind,
                record_key=key,
                event_id=event_id,
                sequence=number,
                payload=f"{number}".encode().ljust(size, b"."),
                created_at=datetime.now(UTC),
            )
            ids.append(event_id)
        return ids

    def states(self) -> set[str]:
        """Give the states that rows are in."""
        return {row.state for row in self.database.outbox.values()}

    def sent(self, topic: str = "invoices") -> list[tuple[bytes | None, int]]:
        """Give what the topic holds: key and number of the row, in order."""
        return [(one.key, int((one.value or b"").rstrip(b"."))) for one in self.broker.records(topic)]

    @asynccontextmanager
    async def relay(
        self, owner: str = "one", sink: MessageSink | None = None, report: Report | None = None
    ) -> AsyncIterator[Relay]:
        """Run a relay for the time of the block."""
        relay = Relay(
            store=self.store,
            sink=sink or MemorySink(broker=self.broker),
            topics=TOPICS,
            owner=owner,
            report=report or self.report,
            limits=FAST,
        )
        await relay.start()
        try:
            yield relay
        finally:
            await relay.stop(5)
        assert relay.failure is None


def make_world() -> World:
    """Make an empty outbox and a broker with both topics."""
    database = MemoryDatabase()
    broker = MemoryBroker()
    for topic in TOPICS.values():
        broker.create_topic(topic)
    return World(database=database, store=FragileStore(database), broker=broker, report=Report())


async def test_rows_leave_in_the_order_of_their_key_and_never_two_at_once() -> None:
    """Three orders with several rows each: all are sent, each order's in sequence, each with its content type."""
    world = make_world()
    for _ in range(4):
        for key in ("nl/1", "nl/2", "nl/3"):
            world.write(key)
    sink = WatchedSink(world.broker)
    async with world.relay(sink=sink):
        await world.report.until(lambda: world.report.total == 12)
    for sent_key in (b"nl/1", b"nl/2", b"nl/3"):
        numbers = [number for one, number in world.sent() if one == sent_key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 4
    assert all(len(keys) == len(set(keys)) for keys in sink.rounds)
    headers = {record.headers for record in world.broker.records("invoices")}
    assert headers == {(("content-type", b"application/cloudevents+json; charset=UTF-8"),)}
    assert world.states() == {"sent"}


async def test_each_kind_goes_to_its_topic() -> None:
    """Rejections to theirs, invoices to theirs."""
    world = make_world()
    world.write("nl/1")
    world.write("nl/2", kind="order.rejected")
    async with world.relay():
        await world.report.until(lambda: world.report.total == 2)
    assert (world.sent("invoices"), world.sent("rejected")) == ([(b"nl/1", 1)], [(b"nl/2", 2)])


async def test_a_wake_up_sends_at_once() -> None:
    """Without waiting for the poll, which is set to never here, and without looking when nothing was written."""
    world = make_world()
    slow = RelayLimits(poll_seconds=10_000)
    relay = Relay(
        store=world.store,
        sink=MemorySink(broker=world.broker),
        topics=TOPICS,
        owner="one",
        report=world.report,
        limits=slow,
    )
    await relay.start()
    await relay.started.wait()
    for number in range(3):
        world.write(f"nl/{number}")
        relay.wake.set()
        await world.report.until(lambda: world.report.total == len(world.database.outbox))
    for _ in range(50):
        await asyncio.sleep(0)
    # One look before the first row, then at most two for each wake-up: one that finds the row, one that finds no more.
    assert world.store.looks <= 7
    await relay.stop(5)
    assert len(world.sent()) == 3


async def test_a_row_refused_for_good_is_set_aside_and_stops_nothing() -> None:
    """Neither other orders nor the later rows of its own."""
    world = make_world()
    world.write("nl/1", size=2 * 1024 * 1024)
    world.write("nl/1")
    world.write("nl/2")
    async with world.relay():
        await world.report.until(lambda: world.report.total == 2)
    assert world.report.aside == [1]
    assert {row.id: row.state for row in world.database.outbox.values()} == {1: "set_aside", 2: "sent", 3: "sent"}


async def test_an_outage_of_the_broker_keeps_the_rows() -> None:
    """Never set aside, sent when it is back, and said."""
    world = make_world()
    async with world.relay() as relay:
        await relay.started.wait()
        world.broker.down = True
        world.write("nl/1", 2)
        await world.report.until(lambda: world.report.waits.count("broker") >= 3)
        assert world.states() == {"waiting"}
        world.broker.down = False
        await world.report.until(lambda: world.report.total == 2)
    assert [number for _, number in world.sent()] == [1, 2]
    assert world.report.aside == []


async def test_a_lost_acknowledgement_repeats_the_same_message() -> None:
    """At least once (C12): the copies are equal to the byte, so that whoever reads can tell."""
    world = make_world()
    world.write("nl/1")
    world.broker.acknowledge = False
    async with world.relay():
        await world.report.until(lambda: "broker" in world.report.waits)
        world.broker.acknowledge = True
        await world.report.until(lambda: world.report.total == 1)
    values = {record.value for record in world.broker.records("invoices")}
    assert len(world.sent()) >= 2
    assert len(values) == 1


async def test_a_database_that_is_away_after_the_sending_doubles_nothing() -> None:
    """The mark is tried until it holds; the rows are not sent again meanwhile (C13)."""
    world = make_world()
    world.write("nl/1", 2)
    world.store.away = True
    async with world.relay():
        await world.report.until(lambda: world.report.waits.count("database") >= 3)
        world.store.away = False
        await world.report.until(lambda: world.report.total == 2)
    assert [number for _, number in world.sent()] == [1, 2]


async def test_one_leads_and_the_other_takes_over() -> None:
    """Two relays: one sends; when it stops it gives the lease back, and the other goes on at once."""
    world = make_world()
    second = Report()
    async with world.relay("one") as first:
        await world.report.until(lambda: world.report.leads == [True])
        async with world.relay("two", report=second):
            world.write("nl/1")
            first.wake.set()
            await world.report.until(lambda: world.report.total == 1)
            assert second.leads == []
            await first.stop(5)
            await second.until(lambda: second.leads == [True])
            world.write("nl/2")
            await second.until(lambda: second.total == 1)
    assert len(world.sent()) == 2


async def test_a_lease_that_has_passed_on_is_noticed() -> None:
    """It stops sending, and takes the lease again when the other lets go."""
    world = make_world()
    async with world.relay():
        await world.report.until(lambda: world.report.leads == [True])
        now = world.database.clock()
        world.database.leases["relay"] = ("other", 99, now.replace(year=now.year + 1))
        await world.report.until(lambda: world.report.leads == [True, False])
        world.write("nl/1")
        world.database.leases["relay"] = ("other", 99, now)
        await world.report.until(lambda: world.report.total == 1)
    assert world.report.leads == [True, False, True]


async def test_a_missing_topic_is_waited_for() -> None:
    """Said, never made by sending."""
    world = make_world()
    await world.broker.delete_topic("rejected")
    world.write("nl/1")
    async with world.relay() as relay:
        await world.report.until(lambda: world.report.waits.count("broker") >= 2)
        assert not relay.started.is_set()
        assert world.broker.missing({"rejected"}) == {"rejected"}
        world.broker.create_topic("rejected")
        await world.report.until(lambda: world.report.total == 1)
