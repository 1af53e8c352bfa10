"""Every sink of messages keeps the port's promises: the broker in memory and a real one run the same suite."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import pytest

from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.memory.broker import MemoryBroker, MemorySink
from consumer.ports.events import TopicMissingError
from consumer.ports.messages import Message, MessageRefusedError, MessageSink
from sandbox.kafka import create_topics, delete_topics
from tests.kafka_tools import read_all

LIMIT_BYTES = 20_000
Found = list[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]]


class Broker(Protocol):
    """What the suite needs of a broker beside the port."""

    sink: MessageSink
    topic: str

    async def held(self, count: int) -> Found:
        """Read the topic, when it has so many messages."""
        ...


class InMemory:
    """The broker in memory."""

    def __init__(self) -> None:
        self.topic = "out"
        self._broker = MemoryBroker(message_bytes=LIMIT_BYTES)
        self._broker.create_topic(self.topic, 3)
        self.sink: MessageSink = MemorySink(broker=self._broker)

    async def held(self, count: int) -> Found:
        """See Broker."""
        found = [(one.key, one.value, tuple(one.headers)) for one in self._broker.records(self.topic)]
        assert len(found) >= count
        return found


class InKafka:
    """A real broker."""

    def __init__(self, servers: str) -> None:
        self.topic = f"out-{uuid.uuid4().hex}"
        self.servers = servers
        # Larger than what the topic takes, so that the refusal is the broker's own.
        self.sink: MessageSink = KafkaSink(settings=KafkaSettings(servers=servers), message_bytes=10 * LIMIT_BYTES)

    async def held(self, count: int) -> Found:
        """See Broker."""
        records = await read_all(self.servers, self.topic, count)
        return [(one.key, one.value, tuple(one.headers)) for one in records]


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.integration)])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    """Each broker in turn, with a started sink."""
    if request.param == "memory":
        yield InMemory()
        return
    made = InKafka(request.getfixturevalue("kafka_servers"))
    await create_topics(made.servers, {made.topic: 3}, configs={"max.message.bytes": str(LIMIT_BYTES)})
    yield made
    await made.sink.stop(5.0)
    await delete_topics(made.servers, [made.topic])


def messages(topic: str, keys: Sequence[str], size: int = 10) -> list[Message]:
    """Make a message for each key."""
    return [
        Message(topic=topic, key=key.encode(), value=key.encode().ljust(size, b"."), headers=(("h", b"1"),))
        for key in keys
    ]


async def test_what_is_acknowledged_is_there(broker: Broker) -> None:
    """All of it, with key, value and headers, one answer for each."""
    await broker.sink.start([broker.topic])
    keys = [f"nl/{number}" for number in range(300)]
    assert list(await broker.sink.send(messages(broker.topic, keys))) == [None] * 300
    found = await broker.held(300)
    assert {key for key, _, _ in found} == {key.encode() for key in keys}
    assert {headers for _, _, headers in found} == {(("h", b"1"),)}
    assert (b"nl/7", b"nl/7......", (("h", b"1"),)) in found


async def test_messages_of_one_key_keep_their_order(broker: Broker) -> None:
    """Sent one after the other, as the relay does."""
    await broker.sink.start([broker.topic])
    for number in range(20):
        message = Message(topic=broker.topic, key=b"nl/1", value=str(number).encode())
        assert list(await broker.sink.send([message])) == [None]
    assert [value for _, value, _ in await broker.held(20)] == [str(number).encode() for number in range(20)]


async def test_one_that_is_too_large_is_refused_alone(broker: Broker) -> None:
    """Between others it is the only one refused, and sending goes on after it."""
    await broker.sink.start([broker.topic])
    large = messages(broker.topic, ["large"], size=LIMIT_BYTES + 1000)
    small = messages(broker.topic, [f"nl/{number}" for number in range(30)])
    answers = await broker.sink.send([*small[:15], *large, *small[15:]])
    assert isinstance(answers[15], MessageRefusedError)
    assert [answer for index, answer in enumerate(answers) if index != 15] == [None] * 30
    assert list(await broker.sink.send(messages(broker.topic, ["after"]))) == [None]
    keys = {key for key, _, _ in await broker.held(31)}
    assert b"large" not in keys
    assert b"after" in keys


async def test_a_missing_topic_is_named(broker: Broker) -> None:
    """At the start, before anything is sent, and it is not made."""
    with pytest.raises(TopicMissingError) as raised:
        await broker.sink.start([broker.topic, "no-such-topic"])
    assert raised.value.topics == {"no-such-topic"}
    with pytest.raises(TopicMissingError):
        await broker.sink.start(["no-such-topic"])


async def test_nothing_to_send_is_no_answer(broker: Broker) -> None:
    """And stop may be called twice."""
    await broker.sink.start([broker.topic])
    assert list(await broker.sink.send([])) == []
    await broker.sink.stop(1.0)
    await broker.sink.stop(1.0)
