"""The intake and the relay on a real broker and a real database: recorded once each, and sent on in order."""

import uuid
from datetime import UTC, datetime
from uuid import UUID

from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.outbox import PostgresOutboxStore
from consumer.adapters.postgres.pool import Connection, Database
from consumer.domain.events import Rejected
from consumer.services.relay import Relay
from tests.adapters.kafka.test_moving_logs import publish_orders, source_of
from tests.kafka_tools import publish, read_all
from tests.server_fixtures import MakeTopic
from tests.services.intake.world import StubbornStore, key, make_world


def render(rejected: Rejected, event_id: UUID, moment: datetime) -> bytes:
    """Stand in for the renderer of `order.rejected`."""
    assert moment.tzinfo is UTC or moment.utcoffset() is not None
    return f"{event_id} {rejected.reason}".encode()


async def test_orders_are_recorded_and_rejections_sent_on(
    kafka_servers: str, topics: MakeTopic, migrated_database_url: str
) -> None:
    """A second life takes nothing again; a record that cannot be an order arrives in the topic of rejections."""
    topic, rejections, group = await topics(3), await topics(1), uuid.uuid4().hex
    ids = [f"{number:03d}" for number in range(120)]
    await publish_orders(kafka_servers, topic, *ids[:60], partitions=3)
    await publish(kafka_servers, topic, key("bad"), b"{", partition=1)
    async with Database.open(migrated_database_url) as database:
        world = make_world(topic=topic)
        world.store = StubbornStore(PostgresIntakeStore(database, render_rejected=render))
        async with world.intake(source_of(kafka_servers, topic, group)):
            await world.report.until(lambda: taken(world.store) == 61)
        await publish_orders(kafka_servers, topic, *ids[60:], partitions=3)
        async with world.intake(source_of(kafka_servers, topic, group)):
            await world.report.until(lambda: taken(world.store) == 121)
        relay = Relay(
            store=PostgresOutboxStore(database),
            sink=KafkaSink(settings=KafkaSettings(servers=kafka_servers)),
            topics={"order.rejected": rejections},
            owner="test",
        )
        await relay.start()
        sent = await read_all(kafka_servers, rejections, 1)
        await relay.stop(5)
        async with database.connection() as connection:
            assert await counted(connection) == (120, 120, 121, 1)
    assert [(one.value or b"").split()[1] for one in sent] == [b"malformed_json"]


def taken(store: StubbornStore) -> int:
    """Count the records of the batches so far."""
    return sum(len(batch) for batch in store.batches)


async def counted(connection: Connection) -> tuple[int, int, int, int]:
    """Count orders and events, the sum of the positions, and the rejections."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM events),"
        " (SELECT sum(next_offset)::bigint FROM positions), (SELECT count(*) FROM rejected_events)"
    )
    assert row is not None
    return row[0], row[1], row[2], row[3]
