"""Letting go of a client within a deadline: its own ``stop`` waits for the broker, 40 s when that is frozen."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

_ABANDON_SECONDS = 0.5  # for each part that is torn down by hand


async def close_consumer(consumer: AIOKafkaConsumer, deadline_seconds: float) -> None:
    """Leave the group and disconnect; after the deadline tear down what is left, so that no task of it lives on."""
    if await _done(consumer.stop(), max(deadline_seconds - 3 * _ABANDON_SECONDS, _ABANDON_SECONDS)):
        return
    coordinator, fetcher = consumer._coordinator, consumer._fetcher  # noqa: SLF001 there is no public way to abandon it
    if coordinator is not None:
        _cancel(coordinator, "_coordination_task", "_heartbeat_task", "_commit_refresh_task")
    if fetcher is not None:
        await _done(fetcher.close(), _ABANDON_SECONDS)
    await _close_client(consumer._client)  # noqa: SLF001 the same


async def close_producer(producer: AIOKafkaProducer, deadline_seconds: float) -> None:
    """Disconnect; what was not acknowledged by the deadline is dropped: whoever sent it has been told so."""
    if await _done(producer.stop(), max(deadline_seconds - 2 * _ABANDON_SECONDS, 0)):
        return
    _cancel(producer._sender, "_sender_task")  # noqa: SLF001 there is no public way to abandon it
    await _close_client(producer.client)


async def _close_client(client: Any) -> None:
    if not await _done(client.close(), _ABANDON_SECONDS):
        for connection in list(client._conns.values()):  # noqa: SLF001 the same
            connection.close()


def _cancel(owner: Any, *names: str) -> None:
    for name in names:
        task = getattr(owner, name, None)
        if task is not None:
            task.cancel()


async def _done(closing: Coroutine[Any, Any, object], seconds: float) -> bool:
    """Tell whether it ended well and in time; why it did not does not matter any more.

    In a task of its own: the client's fetcher awaits a task that it has just cancelled, and so may end with a
    CancelledError that nobody has asked for, which in our own task would pass for our cancellation.
    """
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()
        task.add_done_callback(look_away)
    return task.done() and not task.cancelled() and task.exception() is None


def look_away(task: asyncio.Future[Any]) -> None:
    """Take note of an outcome that nobody waits for, so that the loop does not complain of it."""
    if not task.cancelled():
        task.exception()
