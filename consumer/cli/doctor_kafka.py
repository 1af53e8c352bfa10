"""`booked doctor --create-topics` and `booked doctor --acls`: the topics, and the rights at a broker that asks."""

from collections.abc import Collection, Sequence

from consumer.adapters.kafka.making import TopicFound, TopicWanted, make_topics
from consumer.adapters.kafka.rights import Acl, rights_to_make, rights_to_run
from consumer.bootstrap.parts import kafka_settings, open_stores
from consumer.config import Settings
from consumer.errors import BookedError, DatabaseUnavailableError
from consumer.services.checkup import Finding, Grade

DAY_MS = 24 * 3600 * 1000
_SETTINGS = {
    "partitions": "BOOKED_TOPIC_PARTITIONS",
    "replicas": "BOOKED_TOPIC_REPLICAS",
    "retention.ms": "BOOKED_TOPIC_RETENTION_DAYS",
}
_REFUSALS = {
    "TopicAuthorizationFailedError": "Our user may not make topics: see `booked doctor --acls`.",
    "ClusterAuthorizationFailedError": "Our user may not make topics: see `booked doctor --acls`.",
    "InvalidReplicationFactorError": "There are fewer brokers than replicas: lower BOOKED_TOPIC_REPLICAS.",
    "PolicyViolationError": "The cluster's own rules for topics forbid it: make the topic as they ask for.",
}


def topics_wanted(settings: Settings, names: Collection[str]) -> list[TopicWanted]:
    """Give the topics as the settings have them.

    All but one replica have to have a message before it counts as written: one may be away, none is alone with it.
    """
    configs = {
        "cleanup.policy": "delete",
        "retention.ms": str(settings.topic_retention_days * DAY_MS),
        "min.insync.replicas": str(max(1, settings.topic_replicas - 1)),
    }
    return [
        TopicWanted(name=name, partitions=settings.topic_partitions, replicas=settings.topic_replicas, configs=configs)
        for name in sorted(names)
    ]


async def create_topics(settings: Settings, names: Collection[str]) -> list[Finding]:
    """Make what is missing, and tell how the others differ from the settings."""
    try:
        found = await make_topics(kafka_settings(settings, name="booked-doctor"), topics_wanted(settings, names))
    except BookedError as error:
        fix = "Check BOOKED_KAFKA_SERVERS and the other BOOKED_KAFKA_… settings."
        return [Finding(about="topics", grade=Grade.WRONG, text=str(error), fix=fix)]
    return [_finding(topic) for topic in found]


def _finding(topic: TopicFound) -> Finding:
    about = f"topic {topic.name}"
    if topic.refused:
        fix = _REFUSALS.get(topic.refused, "Look at the broker's log, or make the topic by Kafka's own tools.")
        return Finding(about=about, grade=Grade.WRONG, text=f"It was not made: {topic.refused}.", fix=fix)
    if topic.made:
        return Finding(about=about, grade=Grade.GOOD, text="it was made")
    if not topic.differs:
        return Finding(about=about, grade=Grade.GOOD, text="it is as the settings have it")
    words = ", ".join(f"{name} is {is_} and not {should}" for name, (is_, should) in sorted(topic.differs.items()))
    named = sorted({_SETTINGS[name] for name in topic.differs if name in _SETTINGS})
    fix = "Nothing was changed. Change the topic by Kafka's own tools" + (
        f", or make {', '.join(named)} say what you have." if named else "."
    )
    return Finding(about=about, grade=Grade.WARNING, text=f"It differs: {words}.", fix=fix)


async def rights(settings: Settings) -> tuple[Sequence[Acl], Sequence[Acl], str]:
    """Give the rights to run and those to make topics, and what could not be looked at."""
    own, missing = await shop_topics(settings)
    read = frozenset((*settings.topics_in, *own))
    written = frozenset((settings.topic_invoice_synced, settings.topic_order_rejected))
    run = rights_to_run(read=read, written=written, group=settings.consumer_group)
    return run, rights_to_make(read | written), missing


async def shop_topics(settings: Settings) -> tuple[frozenset[str], str]:
    """Give the topics that shops have for themselves; without the database none, and a sentence that says so."""
    try:
        async with open_stores(settings, name="booked-doctor") as stores:
            shops = await stores.settings.shops()
    except DatabaseUnavailableError as error:
        return frozenset(), f"Topics of single shops are not among them: {error}"
    return frozenset(topic for shop in shops if shop.active for topic in shop.topics), ""


def acl_lines(acls: Sequence[Acl], principal: str, settings: Settings) -> list[str]:
    """Write each right as a call of Kafka's own tool."""
    begin = f"kafka-acls.sh --bootstrap-server {settings.kafka_servers} --add --allow-principal {principal}"
    return [f"{begin} --{acl.resource.value} {acl.name} --operation {acl.right.value}" for acl in acls]
