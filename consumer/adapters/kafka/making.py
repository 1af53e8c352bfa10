"""Topics as this installation wants them: made where they are missing, compared where they exist, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from consumer.adapters.kafka.diagnosis import explained
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.topics import admin_client

_PARTITIONS = "partitions"
_REPLICAS = "replicas"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicWanted:
    """One topic as it should be; ``configs`` by Kafka's own names."""

    name: str
    partitions: int
    replicas: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicFound:
    """What came of one topic. ``differs`` tells of each figure how it is and how it should be."""

    name: str
    made: bool = False
    differs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""  # why it could neither be made nor looked at


async def make_topics(settings: KafkaSettings, wanted: Sequence[TopicWanted]) -> list[TopicFound]:
    """Make the topics that are missing, and compare the others. Raises BrokerUnavailableError."""
    async with explained(settings):
        async with admin_client(settings, "list the topics") as admin:
            there = frozenset(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in there]
        made = await _make(settings, missing) if missing else {}
        # One that somebody else made meanwhile is compared like the others.
        look_at = [topic for topic in wanted if topic.name in there or made.get(topic.name) is TopicAlreadyExistsError]
        compared = await _compare(settings, look_at) if look_at else {}
    return [compared.get(topic.name) or _outcome(topic.name, made[topic.name]) for topic in wanted]


def _outcome(name: str, error: type[Exception] | None) -> TopicFound:
    return TopicFound(name=name, made=error is None, refused="" if error is None else error.__name__)


async def _make(settings: KafkaSettings, missing: Sequence[TopicWanted]) -> dict[str, type[Exception] | None]:
    new = [
        NewTopic(topic.name, topic.partitions, topic.replicas, topic_configs=dict(topic.configs)) for topic in missing
    ]
    async with admin_client(settings, "make the topics") as admin:
        answer = await admin.create_topics(new, timeout_ms=round(settings.call_seconds * 800))
    return {name: for_code(code) if code else None for name, code, *_ in answer.topic_errors}


async def _compare(settings: KafkaSettings, wanted: Sequence[TopicWanted]) -> dict[str, TopicFound]:
    names = [topic.name for topic in wanted]
    async with admin_client(settings, "describe the topics") as admin:
        described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics(names)}
        configs = await _configs(admin, names)
    return {
        topic.name: TopicFound(name=topic.name, differs=_differs(topic, described[topic.name], configs[topic.name]))
        for topic in wanted
        if topic.name in described
    }


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read the topics' settings; of one whose settings we may not see, none."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    for answer in await admin.describe_configs(resources):
        for code, _message, _kind, name, entries in answer.resources:
            if not code:
                found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _differs(topic: TopicWanted, partitions: Sequence[Any], configs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    fewest = min((len(part["replicas"]) for part in partitions), default=0)
    figures = {
        _PARTITIONS: (str(len(partitions)), str(topic.partitions)),
        _REPLICAS: (str(fewest), str(topic.replicas)),
        **{name: (configs[name], value) for name, value in topic.configs.items() if name in configs},
    }
    return {name: (is_, should) for name, (is_, should) in figures.items() if is_ != should}
