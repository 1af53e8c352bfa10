"""A broker of the test's own is killed, frozen and brought back: nothing is lost, nothing waits without end."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from consumer.adapters.kafka.settings import KafkaSettings, SourceLimits
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.source import KafkaSource
from consumer.errors import BrokerUnavailableError
from consumer.ports.intake import TopicPartition
from consumer.ports.messages import Message
from sandbox.kafka import Kafka, create_topics
from tests.kafka_tools import producer, read_all
from tests.services.intake.world import PAID, key, make_world, order

pytestmark = pytest.mark.integration
PLACE = TopicPartition(PAID, 0)
BACK_SECONDS = 60.0  # a broker needs some time to come back


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[Kafka]:
    """A broker for one test alone, with the topic that the intake reads."""
    async with Kafka(folder=tmp_path / "kafka") as broker:
        await create_topics(broker.servers, {PAID: 1})
        yield broker


def settings(broker: Kafka, call_seconds: float = 3.0) -> KafkaSettings:
    """Short deadlines: what takes longer is what the test is about."""
    return KafkaSettings(servers=broker.servers, request_seconds=3.0, call_seconds=call_seconds)


def source_of(broker: Kafka) -> KafkaSource:
    """A member of a group of its own."""
    limits = SourceLimits(session_seconds=6, heartbeat_seconds=0.5, rebalance_seconds=6)
    return KafkaSource(settings=settings(broker), topics=[PAID], group=uuid.uuid4().hex, limits=limits)


async def publish_orders(broker: Kafka, *ids: str) -> None:
    """Publish valid orders."""
    async with producer(broker.servers) as sender:
        for one in ids:
            await sender.send_and_wait(PAID, order(one), key=key(one))


@contextmanager
def frozen(broker: Kafka) -> Iterator[None]:
    """Stop the broker's process for the time of the block; its sockets stay open."""
    broker.process.pause()
    try:
        yield
    finally:
        broker.process.resume()


async def test_a_broker_killed_and_brought_back_is_no_loss(kafka: Kafka) -> None:
    """The intake goes on by itself where it stood, and raises no alarm."""
    world = make_world()
    await publish_orders(kafka, "1", "2")
    async with world.intake(source_of(kafka)):
        await world.taken("1", "2", seconds=BACK_SECONDS)
        await kafka.kill9()
        await kafka.start()
        await publish_orders(kafka, "3")
        await world.taken("1", "2", "3", seconds=BACK_SECONDS)
    assert len(world.database.events) == 3
    assert world.report.alarms == []


async def test_a_broker_that_is_not_there_at_the_start_is_waited_for(kafka: Kafka) -> None:
    """The intake says so and comes up when the broker does."""
    world = make_world()
    await publish_orders(kafka, "1")
    await kafka.kill9()
    async with world.intake(source_of(kafka)):
        await world.report.until(lambda: "broker" in world.report.waits)
        await kafka.start()
        await world.taken("1", seconds=BACK_SECONDS)


async def test_nothing_waits_without_end_for_a_frozen_broker(kafka: Kafka) -> None:
    """Bounds, committed offsets and a commit each raise within their deadline; all work again after the thaw.

    Then, frozen again, the intake stops within its deadline: the client's own stop waits 40 s by default.
    """
    world = make_world()
    await publish_orders(kafka, "1")
    source = source_of(kafka)
    async with world.intake(source) as intake:
        await world.taken("1", seconds=BACK_SECONDS)
        with frozen(kafka):
            for asked in (source.bounds([PLACE]), source.committed([PLACE]), source.commit({PLACE: 1})):
                await ends_unavailable(asked)
        await publish_orders(kafka, "2")
        await world.taken("1", "2", seconds=BACK_SECONDS)
        with frozen(kafka):
            began = monotonic()
            await intake.stop(5.0)
            assert monotonic() - began < 5.5
    assert tasks_of_the_client() == []


async def ends_unavailable(asked: Awaitable[object]) -> None:
    """Expect an end within the deadline of the settings, and some patience for a busy machine."""
    began = monotonic()
    with pytest.raises(BrokerUnavailableError):
        await asked
    assert monotonic() - began < 6.0


def tasks_of_the_client() -> list[str]:
    """Name the tasks that the client left behind."""
    running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    return [repr(task) for task in running if "aiokafka" in repr(task) and "cancelling" not in repr(task)]


async def test_a_sink_outlives_a_broker_frozen_or_killed(kafka: Kafka) -> None:
    """No acknowledgement is an outage, never a refusal; the next send has a new producer and passes."""
    sink = KafkaSink(settings=settings(kafka, call_seconds=2.0))
    message = Message(topic=PAID, key=b"nl/1", value=b"1")
    await sink.start([PAID])
    assert list(await sink.send([message])) == [None]
    with frozen(kafka):
        began = monotonic()
        for _ in range(2):
            assert [type(answer) for answer in await sink.send([message] * 2)] == [BrokerUnavailableError] * 2
        assert monotonic() - began < 15.0
    assert list(await sink.send([message])) == [None]
    await kafka.kill9()
    assert [type(answer) for answer in await sink.send([message])] == [BrokerUnavailableError]
    await kafka.start()
    assert list(await sink.send([message])) == [None]
    await sink.stop(2.0)
    assert len(await read_all(kafka.servers, PAID, 3)) >= 3
