"""Wake-ups: none is lost between a look and the wait, other processes hear of them, a lost connection comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import asyncpg
import pytest

from consumer.adapters.memory.wakeups import MemoryWakeups
from consumer.adapters.postgres.wakeups import CHANNEL, IDS_MAX, PostgresWakeups, connect_to
from consumer.ports.wakeups import WakeKind, Wakeups

LONG_SECONDS = 20.0
SHORT_SECONDS = 0.05

Make: TypeAlias = Callable[[], Awaitable[Wakeups]]
Start: TypeAlias = Callable[[], Awaitable[PostgresWakeups]]


@pytest.fixture
async def start(database_url: str) -> AsyncIterator[Start]:
    """A maker of wake-ups, each as in a process of its own, that are heard by the others when it returns."""
    async with AsyncExitStack() as stack:

        async def make() -> PostgresWakeups:
            wakeups = await stack.enter_async_context(PostgresWakeups(database_url))
            await asyncio.wait_for(wakeups.connected.wait(), LONG_SECONDS)
            # The start itself wakes everybody, because something may have been missed before it.
            for kind in WakeKind:
                await wakeups.wait(kind, SHORT_SECONDS)
            return wakeups

        yield make


@pytest.fixture(params=["memory", "postgres"])
def make(request: pytest.FixtureRequest) -> Make:
    """A maker of wake-ups of either kind, for tests within one process."""
    if request.param == "memory":
        return _in_memory
    start: Make = request.getfixturevalue("start")
    return start


async def _in_memory() -> Wakeups:
    return MemoryWakeups()


async def test_a_waiter_is_woken_at_once(make: Make) -> None:
    """Who waits for the kind, or for the id, is woken; who waits for another is not."""
    wakeups = await make()
    waiting = [
        asyncio.create_task(wakeups.wait(WakeKind.LANES, LONG_SECONDS)),
        asyncio.create_task(wakeups.wait(WakeKind.LANES, LONG_SECONDS, of="a")),
        asyncio.create_task(wakeups.wait(WakeKind.LANES, SHORT_SECONDS, of="b")),
        asyncio.create_task(wakeups.wait(WakeKind.OUTBOX, SHORT_SECONDS)),
    ]
    await asyncio.sleep(0)
    wakeups.wake(WakeKind.LANES, ["a"])
    assert await asyncio.gather(*waiting) == [True, True, False, False]


async def test_a_wake_up_before_the_wait_is_remembered_once(make: Make) -> None:
    """Between the look that found nothing and the wait there is no moment to fall through; then it is used up."""
    wakeups = await make()
    wakeups.wake(WakeKind.LANES, ["a"])
    wakeups.wake(WakeKind.LANES, ["a"])
    for of in ("a", None):
        assert await wakeups.wait(WakeKind.LANES, LONG_SECONDS, of=of)
        assert not await wakeups.wait(WakeKind.LANES, SHORT_SECONDS, of=of)


async def test_a_cancelled_wait_leaves_nothing_behind(make: Make) -> None:
    """After it the next wake-up is remembered for the next waiter."""
    wakeups = await make()
    waiting = asyncio.create_task(wakeups.wait(WakeKind.OUTBOX, LONG_SECONDS))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    wakeups.wake(WakeKind.OUTBOX)
    assert await wakeups.wait(WakeKind.OUTBOX, LONG_SECONDS)


async def test_another_process_is_woken(start: Start) -> None:
    """By kind and by id, and nobody hears his own wake-up twice."""
    one, two = await start(), await start()
    waiting = asyncio.create_task(two.wait(WakeKind.LANES, LONG_SECONDS, of="a"))
    one.wake(WakeKind.LANES, ["a"])
    assert await waiting
    assert await two.wait(WakeKind.LANES, LONG_SECONDS)
    assert await one.wait(WakeKind.LANES, LONG_SECONDS)
    one.wake(WakeKind.OUTBOX)
    assert await two.wait(WakeKind.OUTBOX, LONG_SECONDS)
    assert not await one.wait(WakeKind.LANES, SHORT_SECONDS)


async def test_more_ids_than_a_notification_holds_wake_everybody(
    start: Start,
) -> None:
    """A thousand lanes at once: no notification is too large, and each waiter is woken."""
    one, two = await start(), await start()
    waiting = asyncio.create_task(two.wait(WakeKind.LANES, LONG_SECONDS, of="x" * 64))
    await asyncio.sleep(0)
    one.wake(WakeKind.LANES, [f"{number:064}" for number in range(20 * IDS_MAX)])
    assert await waiting


async def test_many_wake_ups_are_few_notifications(start: Start, database_url: str) -> None:
    """A busy process does not flood the server: what comes within 20 ms goes out together."""
    one = await start()
    heard: list[str] = []
    connection = await asyncpg.connect(database_url)
    last = asyncio.Event()

    def hear(_connection: object, _process: int, _channel: str, payload: object) -> None:
        heard.append(str(payload))
        if "last" in str(payload):
            last.set()

    await connection.add_listener(CHANNEL, hear)
    for number in range(500):
        one.wake(WakeKind.LANES, [f"c{number % 7}"])
        await asyncio.sleep(0)
    one.wake(WakeKind.LANES, ["last"])
    await asyncio.wait_for(last.wait(), LONG_SECONDS)
    await connection.close()
    assert len(heard) < 50


async def test_a_lost_connection_comes_back(start: Start, database_url: str) -> None:
    """The server ends the listener's connection: it connects again by itself, everybody looks once, and it hears."""
    one, two = await start(), await start()
    waiting = asyncio.create_task(two.wait(WakeKind.LANES, LONG_SECONDS, of="a"))
    await asyncio.sleep(0)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'booked wake-ups' AND datname = current_database()"
    )
    await connection.close()
    assert await waiting, "what was missed meanwhile is looked for"
    for wakeups in (one, two):
        await asyncio.wait_for(wakeups.connected.wait(), LONG_SECONDS)
    while await two.wait(WakeKind.OUTBOX, SHORT_SECONDS):
        pass
    one.wake(WakeKind.OUTBOX)
    assert await two.wait(WakeKind.OUTBOX, LONG_SECONDS)


async def test_a_database_that_is_away_hinders_nobody(database_url: str) -> None:
    """Within the process wake-ups work without it; it is tried again until it answers, and stopping is quick."""
    tries: list[int] = []

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionRefusedError
        return await connect_to(database_url)

    wakeups = PostgresWakeups("postgresql://nowhere", connect=connect)
    await wakeups.stop()
    async with wakeups:
        wakeups.wake(WakeKind.LANES, ["a"])
        assert await wakeups.wait(WakeKind.LANES, LONG_SECONDS, of="a")
        await asyncio.wait_for(wakeups.connected.wait(), LONG_SECONDS)
    await wakeups.stop()
    assert len(tries) == 3


async def test_a_notification_of_another_make_is_passed_over(start: Start, database_url: str) -> None:
    """What cannot be read wakes nobody and breaks nothing."""
    one = await start()
    connection = await asyncpg.connect(database_url)
    for payload in ("", "nonsense", "[]", '{"from": "x", "kind": "other", "ids": []}', '{"kind": "lanes"}'):
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, '{"from": "x", "kind": "outbox", "ids": []}')
    await connection.close()
    assert await one.wait(WakeKind.OUTBOX, LONG_SECONDS)
    assert not await one.wait(WakeKind.LANES, SHORT_SECONDS)
