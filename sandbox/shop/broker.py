"""The shop at Kafka: it publishes its orders and listens to what came of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from sandbox.shop.events import CONTENT_TYPE, OrderList, Topics, paid_event, raw_payload
from sandbox.shop.expectations import ShopOrder

REQUEST_BYTES_MAX = 2 * 1024 * 1024
SEND_TIMEOUT_SECONDS = 30.0
POLL_MILLISECONDS = 200


@contextlib.asynccontextmanager
async def producer(kafka_servers: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that loses nothing and doubles nothing by itself: acknowledged by all, idempotent."""
    sender = AIOKafkaProducer(
        bootstrap_servers=kafka_servers, acks="all", enable_idempotence=True, max_request_size=REQUEST_BYTES_MAX
    )
    # Within the try: a client that could not start has to be stopped as well.
    try:
        await sender.start()
        yield sender
    finally:
        await sender.stop()


async def publish(kafka_servers: str, topics: Topics, orders: Iterable[ShopOrder]) -> int:
    """Publish orders, some of them twice as they ask, and return how many messages the broker has acknowledged."""
    async with producer(kafka_servers) as sender, asyncio.timeout(SEND_TIMEOUT_SECONDS):
        waits = []
        for order in orders:
            for _ in range(order.copies):
                topic, key, value, content_type = _message(order, topics)
                waits.append(await sender.send(topic, value, key=key, headers=[content_type]))
        await asyncio.gather(*waits)
    return len(waits)


def _message(order: ShopOrder, topics: Topics) -> tuple[str, bytes, bytes, tuple[str, bytes]]:
    """Give topic, key, value and content type; a platform's order goes out as it came, to the shop's own topic."""
    if order.raw is not None:
        key, value = raw_payload(order.key[1], order.raw)
        return topics.platform, key, value, ("content-type", b"application/json")
    key, value = paid_event(order.data, datetime.now(UTC).isoformat())
    return topics.paid, key, value, CONTENT_TYPE


@contextlib.asynccontextmanager
async def listening(kafka_servers: str, topics: Topics, order_list: OrderList) -> AsyncIterator[asyncio.Event]:
    """Keep the order list up to date while the block lasts, from the topics' beginning.

    Gives an event that is set whenever the list has changed; whoever waits on it clears it first.
    """
    # Without a group: every shop process keeps a list of its own, and reads all partitions from the start.
    consumer = AIOKafkaConsumer(
        topics.synced,
        topics.rejected,
        bootstrap_servers=kafka_servers,
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    changed = asyncio.Event()
    # Within the try: a client that could not start has to be stopped as well.
    try:
        await consumer.start()
        reading = asyncio.create_task(_read(consumer, topics, order_list, changed))
        try:
            yield changed
        finally:
            reading.cancel()
            # A message that could not be read has ended the reading, and is raised here.
            with contextlib.suppress(asyncio.CancelledError):
                await reading
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, topics: Topics, order_list: OrderList, changed: asyncio.Event) -> None:
    while True:
        batches: dict[TopicPartition, list[object]] = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
        for partition, records in batches.items():
            take = order_list.read_synced if partition.topic == topics.synced else order_list.read_rejected
            for record in records:
                take(getattr(record, "value", b"") or b"")
        if batches:
            changed.set()
