"""Whether topics exist: asked by an admin call for all of them, since asking for one by name may make it."""

from collections.abc import Collection

from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.errors import bounded
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.ports.events import TopicMissingError


async def list_topics(settings: KafkaSettings) -> frozenset[str]:
    """List all topics. Raises BrokerUnavailableError."""
    admin = AIOKafkaAdminClient(**settings.client())
    try:
        async with bounded("list the topics", settings.call_seconds):
            await admin.start()
            return frozenset(await admin.list_topics())
    finally:
        async with bounded("close the admin client", settings.call_seconds):
            await admin.close()


async def verify_topics(settings: KafkaSettings, topics: Collection[str]) -> None:
    """Raise TopicMissingError unless all of them exist, or BrokerUnavailableError."""
    missing = frozenset(topics) - await list_topics(settings)
    if missing:
        raise TopicMissingError(missing)


async def partitions_of(settings: KafkaSettings, topics: Collection[str]) -> tuple[tuple[str, int], ...]:
    """List topic and partition of these topics, those that exist. Raises BrokerUnavailableError."""
    there = sorted(frozenset(topics) & await list_topics(settings))
    admin = AIOKafkaAdminClient(**settings.client())
    try:
        async with bounded("describe the topics", settings.call_seconds):
            await admin.start()
            described = await admin.describe_topics(there)
    finally:
        async with bounded("close the admin client", settings.call_seconds):
            await admin.close()
    return tuple((topic["topic"], part["partition"]) for topic in described for part in topic["partitions"])
