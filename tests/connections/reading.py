"""A member of a group at work for a test: what it reads from a topic's beginning, and what it commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.source import KafkaSource
from consumer.ports.intake import TopicPartition


class Assigned:
    """Notes what is dealt to it."""

    def __init__(self) -> None:
        self.places: frozenset[TopicPartition] = frozenset()
        self.dealt = asyncio.Event()

    async def on_assigned(self, places: frozenset[TopicPartition]) -> None:
        """Note them."""
        self.places = places
        self.dealt.set()

    async def on_revoked(self, places: frozenset[TopicPartition]) -> None:
        """Forget them."""
        self.places -= places


@asynccontextmanager
async def placed(settings: KafkaSettings, topic: str, group: str, seconds: float = 30.0) -> AsyncIterator[KafkaSource]:
    """Join the group, and place the one partition of the topic at its beginning."""
    source = KafkaSource(settings=settings, topics=[topic], group=group)
    listener = Assigned()
    try:
        await source.start(listener)
        async with asyncio.timeout(seconds):
            while not listener.dealt.is_set():
                await source.fetch(1, 0.1)
        source.seek(TopicPartition(topic, 0), 0)
        yield source
    finally:
        await source.stop(5.0)


async def values(source: KafkaSource, until: int, seconds: float = 30.0) -> list[bytes | None]:
    """Read until there are so many."""
    found: list[bytes | None] = []
    async with asyncio.timeout(seconds):
        while len(found) < until:
            found += [record.value for record in await source.fetch(100, 0.2)]
    return found
