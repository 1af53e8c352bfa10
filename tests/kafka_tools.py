"""Small tools for tests against a real broker: publish one message, read messages back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.structs import RecordMetadata

MAX_REQUEST_BYTES = 12 * 1024 * 1024
POLL_MS = 200

Records = list[ConsumerRecord[bytes | None, bytes | None]]
Enough = Callable[[Records], bool]


async def publish(
    servers: str,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
    *,
    partition: int | None = None,
) -> RecordMetadata:
    """Publish one message and return, with its partition and offset, once the broker has acknowledged it."""
    async with producer(servers) as sender:
        return await sender.send_and_wait(topic, value, key=key, headers=list(headers), partition=partition)


@contextlib.asynccontextmanager
async def producer(servers: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer for more than one message; ``send_and_wait`` waits for the acknowledgement."""
    sender = AIOKafkaProducer(bootstrap_servers=servers, acks="all", max_request_size=MAX_REQUEST_BYTES)
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


async def read_all(servers: str, topic: str, until: Enough | int, timeout_seconds: float = 20) -> Records:
    """Read a topic from its beginning, all partitions and without a group, until there is enough.

    ``until`` is a number of messages or a function of all those read so far. Fails with what was read when the time
    runs out first.
    """
    enough = until if callable(until) else _at_least(until)
    records: Records = []
    # Without a group it reads every partition, and leaves no trace at the broker.
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=None,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=MAX_REQUEST_BYTES,
    )
    await consumer.start()
    try:
        async with asyncio.timeout(timeout_seconds):
            while not enough(records):
                batches = await consumer.getmany(timeout_ms=POLL_MS)
                records.extend(record for batch in batches.values() for record in batch)
    except TimeoutError:
        read = [(record.partition, record.offset, record.key) for record in records]
        raise AssertionError(f"{topic}: not enough after {timeout_seconds} seconds; read {read}") from None
    finally:
        await consumer.stop()
    return records


def _at_least(count: int) -> Enough:
    return lambda records: len(records) >= count
