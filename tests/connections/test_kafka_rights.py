"""The rights that `booked doctor --acls` lists are enough, and none of them is too much."""

import uuid
from collections.abc import Sequence

import pytest
from aiokafka.protocol.admin import CreateAclsRequest

from consumer.adapters.kafka.health import KafkaHealth
from consumer.adapters.kafka.log import KafkaLogReader
from consumer.adapters.kafka.making import TopicWanted, make_topics
from consumer.adapters.kafka.rights import Acl, Resource, Right, rights_to_make, rights_to_run
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.sink import KafkaSink
from consumer.ports.intake import TopicPartition
from consumer.ports.messages import Message
from sandbox.kafka import admin_client, create_topics
from tests.connections.conftest import Secured
from tests.connections.reading import placed, values
from tests.connections.secured_kafka import LIMITED
from tests.connections.test_kafka_access import sasl, settings
from tests.kafka_tools import publish

pytestmark = pytest.mark.integration
# Kafka's numbers of what its tool calls by name.
RESOURCES = {Resource.TOPIC: 2, Resource.GROUP: 3}
RIGHTS = {Right.READ: 3, Right.WRITE: 4, Right.CREATE: 5, Right.DESCRIBE_CONFIGS: 10}
LITERAL, ALLOW = 3, 3


async def grant(secured: Secured, acls: Sequence[Acl]) -> None:
    """Give these rights to the limited user."""
    async with admin_client(secured.kafka.servers) as admin:
        for acl in acls:
            request = CreateAclsRequest(
                RESOURCES[acl.resource], acl.name, LITERAL, f"User:{LIMITED}", "*", RIGHTS[acl.right], ALLOW
            )
            answer = await admin._send_to_controller(request)
            assert [code for code, _ in answer.creation_responses] == [0]


def limited(secured: Secured) -> KafkaSettings:
    """Come in as the limited user."""
    server = secured.kafka.listeners.server("sasl_plain")
    return settings(server, **sasl("SCRAM-SHA-512", USERNAME=LIMITED))


async def all_that_the_program_does(access: KafkaSettings, read: str, written: str, group: str) -> None:
    """Read as a member of the group, commit, look at the log as the replay does, and answer."""
    await KafkaHealth(access).ping()
    async with placed(access, read, group, seconds=8) as source:
        assert await values(source, 1, seconds=8) == [b"an order"]
        assert await source.commit({TopicPartition(read, 0): 1})
        assert await source.committed([TopicPartition(read, 0)]) == {TopicPartition(read, 0): 1}
    async with KafkaLogReader.open(access) as reader:
        bounds = await reader.bounds([TopicPartition(read, 0)])
        assert bounds[TopicPartition(read, 0)] == (0, 1)
    sink = KafkaSink(settings=access)
    try:
        await sink.start([written])
        assert await sink.send([Message(topic=written, key=b"k", value=b"v")]) == [None]
    finally:
        await sink.stop(2.0)


@pytest.mark.parametrize("without", [None, 0, 1, 2], ids=["all", "no reading", "no writing", "no group"])
async def test_the_listed_rights_are_enough_and_needed(secured: Secured, without: int | None) -> None:
    """With all of them the whole of the program's work is done; without any one of them it is not."""
    name = uuid.uuid4().hex
    read, written, group = f"read-{name}", f"written-{name}", f"group-{name}"
    await create_topics(secured.kafka.servers, {read: 1, written: 1})
    await publish(secured.kafka.servers, read, b"k", b"an order")
    acls = list(rights_to_run(read=[read], written=[written], group=group))
    assert len(acls) == 3
    if without is None:
        await grant(secured, acls)
        await all_that_the_program_does(limited(secured), read, written, group)
        return
    del acls[without]
    await grant(secured, acls)
    with pytest.raises(Exception):  # noqa: B017, PT011 what it is differs; that nothing of it is enough is the claim
        await all_that_the_program_does(limited(secured), read, written, group)


async def test_making_topics_needs_the_rights_that_are_listed_for_it(secured: Secured) -> None:
    """Without them the broker refuses, and it is said of the very topic; with them it is made, and then compared."""
    topic = TopicWanted(name=f"made-{uuid.uuid4().hex}", partitions=2, replicas=1, configs={"retention.ms": "1000"})
    found = await make_topics(limited(secured), [topic])
    assert [one.refused for one in found] == ["TopicAuthorizationFailedError"]
    await grant(secured, rights_to_make([topic.name]))
    await grant(secured, rights_to_run(read=[topic.name], written=[], group="any"))
    assert [one.made for one in await make_topics(limited(secured), [topic])] == [True]
    again = await make_topics(limited(secured), [topic])
    assert [(one.made, one.refused, dict(one.differs)) for one in again] == [(False, "", {})]
