"""Every source of events keeps the port's promises: the broker in memory and a real one run the same suite."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest

from consumer.ports.events import Bounds, EventSource, OutOfRangeError, Record, TopicMissingError
from consumer.ports.intake import TopicPartition
from tests.conformance.events.harness import Broker, InKafka, InMemory

Places = frozenset[TopicPartition]
DEADLINE_SECONDS = 30.0


class Listener:
    """Keeps what it is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.assigned: list[Places] = []
        self.revoked: list[Places] = []
        self.on_revoke: Callable[[Places], Awaitable[object]] | None = None
        self._told = asyncio.Event()

    async def on_assigned(self, places: Places) -> None:
        """See AssignmentListener."""
        self.assigned.append(places)
        self._told.set()

    async def on_revoked(self, places: Places) -> None:
        """See AssignmentListener."""
        self.revoked.append(places)
        if self.on_revoke is not None:
            await self.on_revoke(places)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for news until something holds."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds():
                self._told.clear()
                await self._told.wait()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """Each broker in turn."""
    made: Broker = InMemory() if request.param == "memory" else InKafka(request.getfixturevalue("kafka_servers"))
    yield made
    await made.close()


@pytest.fixture
def group() -> str:
    """A group of this test's own."""
    return f"group-{uuid.uuid4().hex}"


@asynccontextmanager
async def member(source: EventSource) -> AsyncIterator[Listener]:
    """A source that has joined and was given partitions."""
    listener = Listener()
    await source.start(listener)
    try:
        await listener.until(lambda: bool(listener.assigned))
        yield listener
    finally:
        await source.stop(5.0)


async def read(source: EventSource, count: int, most: int = 100) -> list[Record]:
    """Read until there are so many."""
    records: list[Record] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(records) < count:
            records += await source.fetch(most, 0.2)
    return records


async def test_a_placed_partition_is_read_from_there_in_order(broker: Broker, group: str) -> None:
    """With key, value, time and headers as they came, never more at once than asked for."""
    topic = await broker.make_topic()
    for number in range(5):
        await broker.publish(topic, str(number).encode(), key=None if number == 3 else b"k")
    await broker.publish(topic, None)
    source, place = broker.source([topic], group), TopicPartition(topic, 0)
    async with member(source):
        assert source.seek(place, 2)
        first = await read(source, 1, most=2)
        assert len(first) <= 2
        records = [*first, *await read(source, 4 - len(first))]
        assert [(one.offset, one.value) for one in records] == [(2, b"2"), (3, b"3"), (4, b"4"), (5, None)]
        assert [one.key for one in records] == [b"k", None, b"k", b"k"]
        assert {one.place for one in records} == {place}
        assert {tuple(one.headers) for one in records} == {(("h", b"1"),)}
        assert all(one.time_ms > 1_600_000_000_000 for one in records)
        assert source.end_seen(place) == 6
        await broker.publish(topic, b"6")
        assert [one.value for one in await read(source, 1)] == [b"6"]


async def test_a_partition_gives_nothing_before_it_is_placed(broker: Broker, group: str) -> None:
    """Also where the group has committed an offset; another partition is read meanwhile."""
    topic = await broker.make_topic(2)
    quiet, read_one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    for partition in (0, 1):
        await broker.publish(topic, b"x", partition=partition)
        await broker.publish(topic, b"y", partition=partition)
    async with member(before := broker.source([topic], group)):
        assert await before.commit({quiet: 1, read_one: 1})
    async with member(source := broker.source([topic], group)):
        assert source.assignment() == {quiet, read_one}
        assert source.seek(read_one, 1)
        assert [one.place for one in await read(source, 1)] == [read_one]
        assert list(await source.fetch(10, 0.5)) == []
        assert source.seek(quiet, 0)
        assert [one.value for one in await read(source, 2)] == [b"x", b"y"]


async def test_a_paused_partition_gives_nothing_and_loses_nothing(broker: Broker, group: str) -> None:
    """Paused with records already fetched, resumed later: they come in order, each once."""
    topic = await broker.make_topic()
    for number in range(4):
        await broker.publish(topic, str(number).encode())
    place = TopicPartition(topic, 0)
    async with member(source := broker.source([topic], group)):
        source.seek(place, 0)
        first = await read(source, 1, most=1)
        source.pause([place, TopicPartition("another", 0)])
        assert list(await source.fetch(10, 0.3)) == []
        source.resume([place])
        assert [one.value for one in [*first, *await read(source, 3)]] == [b"0", b"1", b"2", b"3"]


async def test_bounds_and_committed_offsets_are_told(broker: Broker, group: str) -> None:
    """Of an empty partition, of one with records, and of one whose oldest were cut; no commit is no offset."""
    topic = await broker.make_topic(3)
    places = [TopicPartition(topic, number) for number in range(3)]
    for _ in range(3):
        await broker.publish(topic, b"x", partition=1)
        await broker.publish(topic, b"x", partition=2)
    await broker.cut(places[2], 2)
    async with member(source := broker.source([topic], group)):
        bounds = await source.bounds(places)
        assert bounds == {places[0]: Bounds(0, 0), places[1]: Bounds(0, 3), places[2]: Bounds(2, 3)}
        assert await source.committed(places) == {}
        assert await source.commit({places[1]: 2})
        assert await source.committed(places) == {places[1]: 2}


async def test_a_commit_for_partitions_of_others_is_none(broker: Broker, group: str) -> None:
    """False, and nothing is committed."""
    topic, other = await broker.make_topic(), await broker.make_topic()
    async with member(source := broker.source([topic], group)):
        assert not await source.commit({TopicPartition(other, 0): 1})
        assert not await source.commit({})
        assert not source.seek(TopicPartition(other, 0), 1)


@pytest.mark.parametrize("offset", [1, 9])
async def test_outside_of_the_log_is_an_error_and_no_jump(broker: Broker, group: str, offset: int) -> None:
    """Before what is still there, and beyond the end; the partition can be placed anew afterwards."""
    topic = await broker.make_topic()
    place = TopicPartition(topic, 0)
    for number in range(4):
        await broker.publish(topic, str(number).encode())
    await broker.cut(place, 3)
    async with member(source := broker.source([topic], group)):
        source.seek(place, offset)
        with pytest.raises(OutOfRangeError) as raised:
            await read(source, 1)
        assert raised.value.places == {place}
        source.seek(place, 3)
        assert [one.value for one in await read(source, 1)] == [b"3"]


async def test_a_missing_topic_is_named_and_not_made(broker: Broker, group: str) -> None:
    """Neither by the check nor by what comes after; once it is there the same source starts."""
    topic, gone = await broker.make_topic(), await broker.make_topic()
    await broker.delete_topic(gone)
    source = broker.source([topic, gone], group)
    for _ in range(2):
        with pytest.raises(TopicMissingError) as raised:
            await source.start(Listener())
        assert raised.value.topics == {gone}
    await source.stop(1.0)


async def test_more_topics_are_read_from_one_start_to_the_next(broker: Broker, group: str) -> None:
    """Which topics exist can be asked without making them; those given to a start are read until the next one."""
    topic, more, gone = await broker.make_topic(), await broker.make_topic(), await broker.make_topic()
    await broker.delete_topic(gone)
    source = broker.source([topic], group)
    for _ in range(2):
        assert await source.existing([more, gone]) == {more}
    listener = Listener()
    for given in ([more], []):
        await source.start(listener, given)
        await listener.until(partial(_reads, listener, {topic, *given}))
        await source.stop(5.0)


def _reads(listener: Listener, topics: set[str]) -> bool:
    return bool(listener.assigned) and {place.topic for place in listener.assigned[-1]} == topics


async def test_members_share_the_partitions_and_each_is_told(broker: Broker, group: str) -> None:
    """One joins: all are revoked with time to commit, and dealt anew. One leaves: the other gets them all."""
    topic = await broker.make_topic(4)
    places = frozenset(TopicPartition(topic, number) for number in range(4))
    async with AsyncExitStack() as stack:
        first = broker.source([topic], group)
        told = await stack.enter_async_context(member(first))
        assert told.assigned == [places]
        told.on_revoke = lambda _: first.commit({TopicPartition(topic, 0): 0})
        polling = asyncio.create_task(_poll(first))
        async with member(second := broker.source([topic], group)) as told_second:
            await told.until(lambda: len(told.assigned[-1]) == 2)
            assert places in told.revoked
            assert first.assignment() | second.assignment() == places
            assert first.assignment().isdisjoint(second.assignment())
            assert told_second.assigned[-1] == second.assignment()
            mine = min(second.assignment())
            assert not first.seek(mine, 0)
            assert second.seek(mine, 0)
        await told.until(lambda: told.assigned[-1] == places)
        polling.cancel()
        await asyncio.wait({polling})


async def _poll(source: EventSource) -> None:
    while True:
        await source.fetch(10, 0.1)


async def test_after_a_rebalance_every_partition_wants_to_be_placed_anew(broker: Broker, group: str) -> None:
    """Also one that stays where it was: another member may have taken it further meanwhile."""
    topic = await broker.make_topic(2)
    await broker.publish(topic, b"x", partition=0)
    await broker.publish(topic, b"x", partition=1)
    async with member(source := broker.source([topic], group)) as told:
        for place in source.assignment():
            source.seek(place, 0)
        await read(source, 2)
        polled: list[Sequence[Record]] = []
        polling = asyncio.create_task(_gather(source, polled))
        async with member(broker.source([topic], group)):
            await told.until(lambda: len(told.assigned[-1]) == 1)
            await broker.publish(topic, b"y", partition=0)
            await broker.publish(topic, b"y", partition=1)
        await told.until(lambda: len(told.assigned[-1]) == 2)
        polling.cancel()
        await asyncio.wait({polling})
        assert [record for records in polled for record in records] == []
        place = TopicPartition(topic, 0)
        source.seek(place, 1)
        assert [one.value for one in await read(source, 1)] == [b"y"]


async def _gather(source: EventSource, into: list[Sequence[Record]]) -> None:
    while True:
        into.append(await source.fetch(10, 0.1))


async def test_stop_may_be_called_at_any_time_and_start_after_it(broker: Broker, group: str) -> None:
    """Before a start, twice, and the same source joins again."""
    topic = await broker.make_topic()
    source = broker.source([topic], group)
    await source.stop(1.0)
    for _ in range(2):
        async with member(source) as told:
            assert told.assigned == [frozenset({TopicPartition(topic, 0)})]
        await source.stop(1.0)
        assert source.assignment() == frozenset()
