"""Of a shop that writes by transactions only what it has committed is read, and nothing before it is."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka.log import KafkaLogReader
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.ports.intake import TopicPartition
from tests.connections.reading import placed, values
from tests.server_fixtures import MakeTopic

pytestmark = pytest.mark.integration


@asynccontextmanager
async def shop(servers: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that writes by transactions."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"shop-{uuid.uuid4().hex}")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: AIOKafkaProducer, topic: str, value: bytes) -> None:
    """Write within the transaction that is open."""
    await producer.send_and_wait(topic, value, key=b"k")


async def test_an_aborted_transaction_is_never_read(kafka_servers: str, topics: MakeTopic) -> None:
    """Neither by the intake nor by the replay, which both pass over its records and its marks."""
    topic = await topics()
    async with shop(kafka_servers) as producer:
        for value, committed in ((b"first", True), (b"taken back", False), (b"second", True)):
            await producer.begin_transaction()
            await write(producer, topic, value)
            await (producer.commit_transaction() if committed else producer.abort_transaction())
    settings, place = KafkaSettings(servers=kafka_servers), TopicPartition(topic, 0)
    async with placed(settings, topic, f"group-{uuid.uuid4().hex}") as source:
        assert await values(source, 2) == [b"first", b"second"]
        assert await source.fetch(10, 0.5) == []
        # Behind the last record stands a mark: nothing is left to be read, so nothing lags.
        assert source.end_seen(place) == 5
    async with KafkaLogReader.open(settings) as reader:
        bounds = (await reader.bounds([place]))[place]
        # Three records and three marks.
        assert bounds == (0, 6)
        found = [record.value async for batch in reader.read(place, 0, bounds.end, 100) for record in batch]
    assert found == [b"first", b"second"]


async def test_an_open_transaction_ends_the_log(kafka_servers: str, topics: MakeTopic) -> None:
    """What lies in it, or behind it, is not there yet: it is neither read nor waited for; then all of it is."""
    topic = await topics()
    place = TopicPartition(topic, 0)
    settings = KafkaSettings(servers=kafka_servers)
    async with shop(kafka_servers) as one, shop(kafka_servers) as other:
        await one.begin_transaction()
        await write(one, topic, b"committed")
        await one.commit_transaction()
        await one.begin_transaction()
        await write(one, topic, b"open")
        await other.begin_transaction()
        await write(other, topic, b"behind it")
        await other.commit_transaction()
        async with placed(settings, topic, f"group-{uuid.uuid4().hex}") as source:
            assert await values(source, 1) == [b"committed"]
            assert await source.bounds([place]) == {place: (0, 2)}
            assert await source.fetch(10, 0.5) == []
            # What keeps us waiting is seen: a lag of what was taken to the end of all that was written.
            assert source.end_seen(place) == 5
            async with KafkaLogReader.open(settings) as reader:
                bounds = (await reader.bounds([place]))[place]
                found = [record.value async for batch in reader.read(place, 0, bounds.end, 100) for record in batch]
            assert found == [b"committed"]
            await one.commit_transaction()
            assert await values(source, 2) == [b"open", b"behind it"]
            assert await source.fetch(10, 0.5) == []
            assert source.end_seen(place) == 4
