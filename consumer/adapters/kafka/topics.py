"""Whether topics exist: asked by an admin call for all of them, since asking for one by name may make it."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.diagnosis import explained
from consumer.adapters.kafka.errors import bounded
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.ports.events import TopicMissingError


@asynccontextmanager
async def admin_client(settings: KafkaSettings, what: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give a client for admin calls, for so long as one call may take. Raises BrokerUnavailableError."""
    admin = AIOKafkaAdminClient(**settings.client())
    try:
        async with bounded(what, settings.call_seconds):
            await admin.start()
            yield admin
    finally:
        async with bounded("close the admin client", settings.call_seconds):
            await admin.close()


async def list_topics(settings: KafkaSettings) -> frozenset[str]:
    """List all topics. Raises BrokerUnavailableError."""
    async with explained(settings), admin_client(settings, "list the topics") as admin:
        return frozenset(await admin.list_topics())


async def verify_topics(settings: KafkaSettings, topics: Collection[str]) -> None:
    """Raise TopicMissingError unless all of them exist, or BrokerUnavailableError."""
    missing = frozenset(topics) - await list_topics(settings)
    if missing:
        raise TopicMissingError(missing)


async def partitions_of(settings: KafkaSettings, topics: Collection[str]) -> tuple[tuple[str, int], ...]:
    """List topic and partition of these topics, those that exist. Raises BrokerUnavailableError."""
    there = sorted(frozenset(topics) & await list_topics(settings))
    async with admin_client(settings, "describe the topics") as admin:
        described = await admin.describe_topics(there)
    return tuple((topic["topic"], part["partition"]) for topic in described for part in topic["partitions"])
