"""The session's servers answer, and every test has a corner of its own in them."""

import asyncpg
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from sandbox.kafka import admin_client
from tests.kafka_tools import publish, read_all
from tests.server_fixtures import MakeDatabase, MakeTopic


async def test_a_published_message_is_read_back(kafka_servers: str, topics: MakeTopic) -> None:
    """Key, value and headers of a message come back from a topic with several partitions."""
    topic = await topics(3, prefix="order.paid")

    await publish(kafka_servers, topic, b"order-1", b"paid", [("ce_type", b"order.paid")])
    records = await read_all(kafka_servers, topic, 1)

    assert [(record.key, record.value, record.headers) for record in records] == [
        (b"order-1", b"paid", (("ce_type", b"order.paid"),))
    ]


async def test_reading_ends_when_the_function_has_enough(kafka_servers: str, topics: MakeTopic) -> None:
    """`read_all` can be told by a function what to wait for, and says what it read when that does not come."""
    topic = await topics(2)
    for number in range(3):
        await publish(kafka_servers, topic, str(number).encode(), b"", partition=number % 2)

    records = await read_all(kafka_servers, topic, lambda read: any(record.key == b"2" for record in read))

    assert b"2" in {record.key for record in records}
    with pytest.raises(AssertionError, match=r"not enough after 0\.3 seconds"):
        await read_all(kafka_servers, topic, 4, timeout_seconds=0.3)


async def test_a_message_beyond_bookeds_limit_can_be_published(kafka_servers: str, topics: MakeTopic) -> None:
    """The broker takes messages of 10 MB, so that Booked's own limit can be tried."""
    topic = await topics()

    await publish(kafka_servers, topic, b"order-1", b"x" * 10_000_000)

    assert [len(record.value) for record in await read_all(kafka_servers, topic, 1)] == [10_000_000]


async def test_topics_are_not_made_by_asking_for_them(kafka_servers: str) -> None:
    """The broker makes no topic by itself when a client asks for one that is not there."""
    async with admin_client(kafka_servers) as client:
        (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    ((_, _, _, _, entries),) = answer.resources

    assert {entry[0]: entry[1] for entry in entries}["auto.create.topics.enable"] == "false"


async def test_topics_have_names_and_partitions_of_their_own(kafka_servers: str, topics: MakeTopic) -> None:
    """Two topics with one prefix are two topics, each with the partitions asked for."""
    names = [await topics(1, prefix="same"), await topics(4, prefix="same")]

    async with admin_client(kafka_servers) as client:
        described = {topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics(names)}

    assert described == {names[0]: 1, names[1]: 4}


async def test_databases_are_empty_and_apart(make_database: MakeDatabase) -> None:
    """A table made in one database of a test is not in another, and a copy of a template has what the template has."""
    first, second = await make_database(), await make_database()
    connection = await asyncpg.connect(first)
    await connection.execute("CREATE TABLE here (id int)")
    await connection.close()

    copy = await make_database(first.rsplit("/", 1)[1])

    assert [await _has_table(url) for url in (first, second, copy)] == [True, False, True]


async def _has_table(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT to_regclass('here')") is not None
    finally:
        await connection.close()


async def test_commits_are_durable(database_url: str) -> None:
    """The server writes every commit to the disk before it answers, as in production."""
    connection = await asyncpg.connect(database_url)
    settings = {name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")}
    await connection.close()

    assert settings == {"fsync": "on", "synchronous_commit": "on"}


async def test_a_migrated_database_has_the_schema(migrated_database_url: str) -> None:
    """The fixture gives a database in which the first migration has run."""
    connection = await asyncpg.connect(migrated_database_url)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%'")
    await connection.close()

    assert tables > 20
