"""The reader of ranges gives exactly the records of a range, from a broker in memory and from a real one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from consumer.adapters.kafka.log import KafkaLogReader
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.memory.broker import MemoryBroker
from consumer.adapters.memory.replay import MemoryLogReader
from consumer.ports.events import Bounds, OutOfRangeError
from consumer.ports.intake import TopicPartition
from consumer.ports.replay import LogReader
from tests.kafka_tools import producer
from tests.server_fixtures import MakeTopic

FIRST_MS = 1_700_000_000_001


@pytest.fixture
async def in_memory() -> tuple[LogReader, str]:
    """Ten records in the second partition of a topic in memory."""
    broker = MemoryBroker()
    broker.create_topic("paid", 2)
    for number in range(10):
        broker.publish("paid", key=b"k", value=str(number).encode(), partition=1)
    return MemoryLogReader(broker), "paid"


@pytest.fixture
async def in_kafka(kafka_servers: str, topics: MakeTopic) -> AsyncIterator[tuple[LogReader, str]]:
    """The same in a real one."""
    topic = await topics(2)
    async with producer(kafka_servers) as sender:
        for number in range(10):
            value, time_ms = str(number).encode(), FIRST_MS + number
            await sender.send_and_wait(topic, value, key=b"k", partition=1, timestamp_ms=time_ms)
    async with KafkaLogReader.open(KafkaSettings(servers=kafka_servers)) as reader:
        yield reader, topic


@pytest.fixture(params=["in_memory", "in_kafka"])
def filled(request: pytest.FixtureRequest) -> tuple[LogReader, str]:
    """Either."""
    found: tuple[LogReader, str] = request.getfixturevalue(request.param)
    return found


async def _read(reader: LogReader, place: TopicPartition, start: int, end: int) -> list[tuple[int, bytes | None]]:
    return [(one.offset, one.value) async for batch in reader.read(place, start, end, 3) for one in batch]


async def test_a_range_is_read_and_nothing_beyond(filled: tuple[LogReader, str]) -> None:
    """From 4 up to, without, 8; and twice in a row, since runs overlap."""
    reader, topic = filled
    for _ in range(2):
        found = await _read(reader, TopicPartition(topic, 1), 4, 8)
        assert found == [(4, b"4"), (5, b"5"), (6, b"6"), (7, b"7")]


async def test_partitions_and_bounds_are_told(filled: tuple[LogReader, str]) -> None:
    """Both partitions, one of them empty; a topic that does not exist has none, and is not made by asking."""
    reader, topic = filled
    places = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
    assert await reader.partitions([topic, "no-such-topic"]) == places
    assert await reader.bounds(places) == {places[0]: Bounds(0, 0), places[1]: Bounds(0, 10)}
    assert await reader.partitions(["no-such-topic"]) == []


async def test_a_time_is_found_as_an_offset(filled: tuple[LogReader, str]) -> None:
    """The first record that is not older; None behind the last one."""
    reader, topic = filled
    place = TopicPartition(topic, 1)
    assert await reader.offset_at(place, datetime.fromtimestamp((FIRST_MS + 6) / 1000, UTC)) == 6
    assert await reader.offset_at(place, datetime.fromtimestamp((FIRST_MS + 60) / 1000, UTC)) is None


async def test_what_the_log_does_not_hold_is_out_of_range(filled: tuple[LogReader, str]) -> None:
    """A beginning beyond the end is no silence: it is told."""
    reader, topic = filled
    with pytest.raises(OutOfRangeError):
        await _read(reader, TopicPartition(topic, 1), 20, 30)
