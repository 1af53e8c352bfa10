"""The brokers that the port's suite runs on: each makes topics and sources, and publishes."""

import uuid
from collections.abc import Sequence
from typing import Protocol

from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition as KafkaPlace

from consumer.adapters.kafka.settings import KafkaSettings, SourceLimits
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.memory.broker import MemoryBroker, MemorySource
from consumer.ports.events import EventSource
from consumer.ports.intake import TopicPartition
from sandbox.kafka import admin_client, create_topics, delete_topics
from tests.kafka_tools import publish


class Broker(Protocol):
    """What the suite needs of a broker beside the port."""

    async def make_topic(self, partitions: int = 1) -> str:
        """Make a topic."""
        ...

    async def delete_topic(self, topic: str) -> None:
        """Delete one."""
        ...

    def source(self, topics: Sequence[str], group: str) -> EventSource:
        """Make a member of a group, not started."""
        ...

    async def publish(self, topic: str, value: bytes | None, key: bytes | None = b"k", partition: int = 0) -> int:
        """Publish a record; its offset."""
        ...

    async def cut(self, place: TopicPartition, beginning: int) -> None:
        """Delete the oldest records."""
        ...

    async def close(self) -> None:
        """Delete what was made."""
        ...


class InMemory:
    """The broker in memory."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()

    async def make_topic(self, partitions: int = 1) -> str:
        """See Broker."""
        name = f"topic-{uuid.uuid4().hex}"
        self.broker.create_topic(name, partitions)
        return name

    async def delete_topic(self, topic: str) -> None:
        """See Broker."""
        await self.broker.delete_topic(topic)

    def source(self, topics: Sequence[str], group: str) -> EventSource:
        """See Broker."""
        return MemorySource(broker=self.broker, topics=topics, group=group)

    async def publish(self, topic: str, value: bytes | None, key: bytes | None = b"k", partition: int = 0) -> int:
        """See Broker."""
        return self.broker.publish(topic, key=key, value=value, headers=[("h", b"1")], partition=partition)[1]

    async def cut(self, place: TopicPartition, beginning: int) -> None:
        """See Broker."""
        self.broker.cut(place, beginning)

    async def close(self) -> None:
        """See Broker."""


class InKafka:
    """A real broker."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self._topics: list[str] = []

    async def make_topic(self, partitions: int = 1) -> str:
        """See Broker."""
        name = f"topic-{uuid.uuid4().hex}"
        await create_topics(self.servers, {name: partitions})
        self._topics.append(name)
        return name

    async def delete_topic(self, topic: str) -> None:
        """See Broker."""
        self._topics.remove(topic)
        await delete_topics(self.servers, [topic])

    def source(self, topics: Sequence[str], group: str) -> EventSource:
        """See Broker."""
        limits = SourceLimits(session_seconds=6, heartbeat_seconds=0.3, rebalance_seconds=6)
        return KafkaSource(settings=KafkaSettings(servers=self.servers), topics=topics, group=group, limits=limits)

    async def publish(self, topic: str, value: bytes | None, key: bytes | None = b"k", partition: int = 0) -> int:
        """See Broker."""
        sent = await publish(self.servers, topic, key, value, [("h", b"1")], partition=partition)
        return int(sent.offset)

    async def cut(self, place: TopicPartition, beginning: int) -> None:
        """See Broker."""
        async with admin_client(self.servers) as admin:
            await admin.delete_records({KafkaPlace(*place): RecordsToDelete(before_offset=beginning)})

    async def close(self) -> None:
        """See Broker."""
        if self._topics:
            await delete_topics(self.servers, self._topics)
