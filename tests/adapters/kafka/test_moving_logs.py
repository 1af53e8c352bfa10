"""The intake on a real broker while topics are made again, records are cut, and members come, go and die."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition as KafkaPlace

from consumer.adapters.kafka.settings import KafkaSettings, SourceLimits
from consumer.adapters.kafka.source import KafkaSource
from consumer.ports.intake import TopicPartition
from sandbox.kafka import admin_client, create_topics, delete_topics
from tests.kafka_tools import producer, publish
from tests.server_fixtures import MakeTopic
from tests.services.intake.world import World, key, make_world, order

BACK_SECONDS = 60.0


def source_of(servers: str, topic: str, group: str = "") -> KafkaSource:
    """A member of the group; one of its own where none is named."""
    limits = SourceLimits(session_seconds=6, heartbeat_seconds=0.3, rebalance_seconds=6)
    settings = KafkaSettings(servers=servers, call_seconds=5.0)
    return KafkaSource(settings=settings, topics=[topic], group=group or uuid.uuid4().hex, limits=limits)


async def publish_orders(servers: str, topic: str, *ids: str, partitions: int = 1) -> None:
    """Publish valid orders, dealt over the partitions."""
    async with producer(servers) as sender:
        for number, one in enumerate(ids):
            await sender.send_and_wait(topic, order(one), key=key(one), partition=number % partitions)


async def cut(servers: str, topic: str, beginning: int) -> None:
    """Delete the oldest records, as retention does."""
    async with admin_client(servers) as admin:
        await admin.delete_records({KafkaPlace(topic, 0): RecordsToDelete(before_offset=beginning)})


async def make_again(servers: str, topic: str, partitions: int = 1) -> None:
    """Delete a topic and make it again at once; the broker may still be busy deleting it."""
    await delete_topics(servers, [topic])
    async with asyncio.timeout(20):
        while True:
            try:
                await create_topics(servers, {topic: partitions})
            except TimeoutError:
                continue
            else:
                return


async def test_a_topic_made_again_while_it_is_read_is_a_new_log(kafka_servers: str, topics: MakeTopic) -> None:
    """Shorter than before: alarmed within seconds, a new log number, and every order of the new log is taken."""
    topic = await topics()
    world = make_world(topic=topic)
    await publish_orders(kafka_servers, topic, "1", "2", "3")
    async with world.intake(source_of(kafka_servers, topic)):
        await world.taken("1", "2", "3")
        await make_again(kafka_servers, topic)
        await publish_orders(kafka_servers, topic, "4")
        await world.taken("1", "2", "3", "4", seconds=BACK_SECONDS)
    assert world.report.alarms == [("log_made_again", TopicPartition(topic, 0))]
    assert (world.position().log, world.position().next_offset) == (2, 1)


async def test_a_topic_made_again_between_two_lives_is_a_new_log(kafka_servers: str, topics: MakeTopic) -> None:
    """Longer than before, so that no offset lies beyond its end: the checksum of the last record tells."""
    topic = await topics()
    world, group = make_world(topic=topic), uuid.uuid4().hex
    await publish_orders(kafka_servers, topic, "1", "2")
    async with world.intake(source_of(kafka_servers, topic, group)):
        await world.taken("1", "2")
    await make_again(kafka_servers, topic)
    await publish_orders(kafka_servers, topic, "1", "2", "3", "4")
    async with world.intake(source_of(kafka_servers, topic, group)):
        await world.taken("1", "2", "3", "4")
    assert world.report.alarms == [("log_made_again", TopicPartition(topic, 0))]


async def test_records_cut_before_they_were_read_are_a_gap(kafka_servers: str, topics: MakeTopic) -> None:
    """Recorded with its range; reading goes on behind it."""
    topic = await topics()
    world, group = make_world(topic=topic), uuid.uuid4().hex
    await publish_orders(kafka_servers, topic, "1")
    async with world.intake(source_of(kafka_servers, topic, group)):
        await world.taken("1")
    await publish_orders(kafka_servers, topic, "2", "3", "4")
    await cut(kafka_servers, topic, 3)
    async with world.intake(source_of(kafka_servers, topic, group)):
        await world.taken("1", "4")
    assert [(gap.from_offset, gap.to_offset) for gap in world.database.gaps] == [(1, 3)]
    assert world.report.alarms == [("gap", TopicPartition(topic, 0))]


async def test_members_that_join_leave_and_die_lose_nothing(kafka_servers: str, topics: MakeTopic) -> None:
    """While orders come, a member joins and leaves, another joins and dies without a word; each order is taken once."""
    topic, group = await topics(4), uuid.uuid4().hex
    world = make_world(topic=topic)
    ids = [str(number) for number in range(400)]
    publishing = asyncio.create_task(publish_orders(kafka_servers, topic, *ids, partitions=4))
    async with world.intake(source_of(kafka_servers, topic, group)):
        async with world.intake(source_of(kafka_servers, topic, group)) as second:
            await second.started.wait()
            await world.report.until(lambda: len(world.orders()) >= 50)
        async with dying(world, source_of(kafka_servers, topic, group)):
            await world.report.until(lambda: len(world.orders()) >= 100)
        await publishing
        await world.taken(*ids, seconds=BACK_SECONDS)
    assert len(world.database.events) == 400
    assert world.report.alarms == []


@asynccontextmanager
async def dying(world: World, source: KafkaSource) -> AsyncIterator[None]:
    """A member whose process ends without leaving the group: its tasks and connections are gone, nothing is said."""
    async with world.intake(source) as intake:
        await intake.started.wait()
        yield
        consumer = source._running()
        consumer._coordinator._coordination_task.cancel()
        consumer._coordinator._heartbeat_task.cancel()
        consumer._coordinator.generation = -1  # what leaving looks at: the group is not told
        await consumer._fetcher.close()


async def test_a_record_of_ten_megabytes_comes_through_the_bounded_fetch(kafka_servers: str, topics: MakeTopic) -> None:
    """Larger than any fetch asks for, it comes whole, is rejected, and the next order is taken."""
    topic = await topics()
    world = make_world(topic=topic)
    await publish(kafka_servers, topic, key("big"), b"x" * (10 * 1024 * 1024))
    await publish_orders(kafka_servers, topic, "1")
    async with world.intake(source_of(kafka_servers, topic)):
        await world.taken("1")
    rejected = [one for batch in world.store.batches for one in batch if one.offset == 0]
    assert [len(one.value or b"") for one in rejected] == [1024 * 1024]
    assert world.position().next_offset == 2
