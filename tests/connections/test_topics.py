"""`booked doctor --create-topics` makes what is missing, and tells how the rest differs without touching it."""

import uuid

import pytest

from consumer.adapters.kafka.making import TopicWanted, make_topics
from consumer.adapters.kafka.rights import rights_to_run
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.cli.doctor_kafka import acl_lines, create_topics, topics_wanted
from consumer.config import Settings, read_settings
from consumer.services.checkup import Grade
from sandbox import kafka
from tests.server_fixtures import MakeTopic

NEEDED = {"BOOKED_DATABASE_URL": "postgresql:///booked", "BOOKED_SECRET_KEYS": "one:key"}


def settings(servers: str, **variables: str) -> Settings:
    """Read settings with these topics."""
    return read_settings({**NEEDED, "BOOKED_KAFKA_SERVERS": servers, **variables})


async def test_a_missing_topic_is_made_as_the_settings_have_it(kafka_servers: str) -> None:
    """With its partitions, its replicas and its retention; and the second time there is nothing to do."""
    name = f"made-{uuid.uuid4().hex}"
    wanted = settings(
        kafka_servers,
        BOOKED_TOPIC_PARTITIONS="3",
        BOOKED_TOPIC_REPLICAS="1",
        BOOKED_TOPIC_RETENTION_DAYS="2",
    )
    try:
        assert [finding.text for finding in await create_topics(wanted, [name])] == ["it was made"]
        again = await create_topics(wanted, [name])
        assert [(one.grade, one.text) for one in again] == [(Grade.GOOD, "it is as the settings have it")]
        # Asked otherwise, so that it is seen what was made and not only what was asked for.
        other = TopicWanted(
            name=name,
            partitions=1,
            replicas=2,
            configs={"retention.ms": "1", "cleanup.policy": "compact", "min.insync.replicas": "2"},
        )
        (found,) = await make_topics(KafkaSettings(servers=kafka_servers), [other])
        assert dict(found.differs) == {
            "partitions": ("3", "1"),
            "replicas": ("1", "2"),
            "retention.ms": ("172800000", "1"),
            "cleanup.policy": ("delete", "compact"),
            "min.insync.replicas": ("1", "2"),
        }
    finally:
        await kafka.delete_topics(kafka_servers, [name])


async def test_a_topic_that_differs_stays_as_it_is(kafka_servers: str, topics: MakeTopic) -> None:
    """It is told what differs and which settings would agree; another look finds the same."""
    name = await topics(2, configs={"cleanup.policy": "compact"})
    wanted = settings(kafka_servers, BOOKED_TOPIC_PARTITIONS="4", BOOKED_TOPIC_REPLICAS="1")
    for _ in range(2):
        (finding,) = await create_topics(wanted, [name])
        assert finding.grade is Grade.WARNING
        assert "partitions is 2 and not 4" in finding.text
        assert "cleanup.policy is compact and not delete" in finding.text
        assert "BOOKED_TOPIC_PARTITIONS" in finding.fix
        assert "BOOKED_TOPIC_REPLICAS" not in finding.fix


async def test_more_replicas_than_brokers_are_told(kafka_servers: str) -> None:
    """The broker refuses, and the setting is named; nothing is made."""
    name = f"refused-{uuid.uuid4().hex}"
    (finding,) = await create_topics(settings(kafka_servers), [name])
    assert finding.grade is Grade.WRONG
    assert "BOOKED_TOPIC_REPLICAS" in finding.fix
    (again,) = await create_topics(settings(kafka_servers), [name])
    assert again.grade is Grade.WRONG


async def test_no_broker_is_told_once(free_port: int) -> None:
    """One finding, and no trace of an error."""
    (finding,) = await create_topics(settings(f"127.0.0.1:{free_port}"), ["any"])
    assert (finding.grade, finding.about) == (Grade.WRONG, "topics")


@pytest.mark.parametrize(("replicas", "together"), [("1", "1"), ("2", "1"), ("3", "2")])
def test_one_replica_may_be_away(replicas: str, together: str) -> None:
    """Of three two have to have a message; of one, that one."""
    (wanted,) = topics_wanted(settings("127.0.0.1:1", BOOKED_TOPIC_REPLICAS=replicas), ["a"])
    assert wanted.configs["min.insync.replicas"] == together


def test_rights_are_calls_of_kafkas_own_tool() -> None:
    """One line each, ready to be run."""
    acls = rights_to_run(read=["order.paid"], written=["invoice.synced"], group="booked")
    begin = "kafka-acls.sh --bootstrap-server 127.0.0.1:1 --add --allow-principal User:x"
    assert acl_lines(acls, "User:x", settings("127.0.0.1:1")) == [
        f"{begin} --topic order.paid --operation Read",
        f"{begin} --topic invoice.synced --operation Write",
        f"{begin} --group booked --operation Read",
    ]
