"""F1 to F3 and F6: workers killed, stopped in turn, frozen past their lease, and a group that never rests."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from time import monotonic
from typing import Final

import psutil
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from tests.acceptance.installation import metric
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import Goals, acquaint, calls_of, judged, pair, pass_time, until_ready
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import KINDS, Rig, World, ask_to_stop, ended

WORKERS: Final = 3
SPAN_SECONDS: Final = 15.0
KILL_EVERY_SECONDS: Final = 5.0
MOVE_EVERY_SECONDS: Final = 1.0
STOP_SECONDS: Final = 25.0
BATCH_RECORDS: Final = 1000


@fault("F1", "kill -9 of one of three workers every five seconds")
async def workers_killed(rig: Rig, seed: int) -> Trial:
    """Throughput stays at 70 % of that without kills."""
    goals = Goals()
    async with rig.world("F1", seed=seed) as world, AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(world.process(f"worker-{n}")) for n in range(WORKERS)]
        await acquaint(world)
        await world.tell(world.shop.orders(260, ("plain",)))
        calm = await _calls_within(world, SPAN_SECONDS)

        async def kill_now_and_then() -> None:
            while True:
                victim = world.lot.choice(workers)
                await victim.kill9()
                await victim.start()
                await pass_time(KILL_EVERY_SECONDS)

        killing = asyncio.create_task(kill_now_and_then())
        try:
            rough = await _calls_within(world, SPAN_SECONDS)
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
        for worker in workers:
            if not worker.running:
                await worker.start()
        goals.note("calls_per_second_without_kills", calm / SPAN_SECONDS)
        goals.at_least("throughput_share", rough / calm, 0.7)
        await world.quiet(180)
        return await judged(world, goals)


async def _calls_within(world: World, seconds: float) -> int:
    since = await world.ledger.newest_request()
    await pass_time(seconds)
    return len(await calls_of(world, since=since))


@fault("F2", "SIGTERM to one process after the other, under load")
async def rolling_restart(rig: Rig, seed: int) -> Trial:
    """Each ends with 0 within 25 s, and what is delivered again is at most one batch of each partition."""
    goals = Goals()
    async with rig.world("F2", seed=seed) as world, pair(world) as processes:
        await world.tell(world.shop.orders(20))
        longest, again = 0.0, 0.0
        for process in processes:
            await until_ready(process)
            ask_to_stop(process)
            began = monotonic()
            code = await ended(process)
            longest = max(longest, monotonic() - began)
            goals.holds(f"a process that was told to stop ended with {code}", code == 0)
            await process.start()
            await world.tell(world.shop.orders(6))
        await world.quiet()
        for process in processes:
            again += await metric(process, "booked_event_verdicts_total", verdict="repeated_delivery")
        goals.at_most("longest_stop_seconds", longest, STOP_SECONDS)
        goals.at_most("delivered_again", again, BATCH_RECORDS * len(KINDS))
        return await judged(world, goals)


@fault("F3", "a worker frozen past its lease with calls under way, then let go on", worst=True)
async def frozen_worker(rig: Rig, seed: int) -> Trial:
    """Another takes the lane over; what the frozen one wakes up with writes nothing a second time."""
    goals = Goals()
    async with rig.world("F3", seed=seed) as world, pair(world) as processes:
        await world.tell(world.shop.orders(10))
        for _ in range(2):
            owner = await _owner_pid(world)
            epoch = await _epoch(world)
            frozen = psutil.Process(owner)
            frozen.send_signal(signal.SIGSTOP)
            try:
                await until(_later_than(world, epoch), bool, what="another takes the lane over")
                await world.tell(world.shop.orders(2))
                await pass_time(world.lot.uniform(0.0, 1.5))
            finally:
                frozen.send_signal(signal.SIGCONT)
        await world.tell(world.shop.orders(2))
        await world.quiet()
        goals.holds("a process ended", all(process.running for process in processes))
        goals.note("epochs", await _epoch(world))
        return await judged(world, goals)


async def _owner_pid(world: World) -> int:
    """Give the process that holds the lane: the owner's name is host, process id and chance."""

    async def owner() -> str | None:
        async with world.sql() as connection:
            found: str | None = await connection.fetchval(
                "SELECT owner FROM lanes WHERE owner IS NOT NULL AND lease_until > clock_timestamp()"
            )
        if found is None and not await world.unrest():
            await world.tell(world.shop.orders(1))
        return found

    held = await until(owner, bool, what="somebody holds the lane")
    return int(str(held).split(":")[-2])


def _later_than(world: World, epoch: int) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return await _epoch(world) > epoch

    return ask


async def _epoch(world: World) -> int:
    async with world.sql() as connection:
        return int(await connection.fetchval("SELECT max(epoch) FROM lanes"))


@fault("F6", "a second member joins and leaves the group all the time", worst=True)
async def restless_group(rig: Rig, seed: int) -> Trial:
    """What is taken in stays at 40 % of a calm group's, no process ends, and redelivery is absorbed."""
    goals = Goals()
    async with rig.world("F6", seed=seed) as world, world.process("one") as one:
        await until_ready(one)
        await acquaint(world)
        calm = await _seconds_to_take(world, 60)
        restless = asyncio.create_task(_join_and_leave(world))
        try:
            rough = await _seconds_to_take(world, 60)
        finally:
            restless.cancel()
            await asyncio.gather(restless, return_exceptions=True)
        await world.quiet()
        goals.note("taken_in_calm_seconds", calm)
        goals.note("taken_restless_seconds", rough)
        # Of an hour's ingest the joins would be a share; of sixty orders they are all: each costs its own wait.
        goals.at_most("taken_restless_beyond_calm_seconds", rough - calm, 30)
        goals.holds("the process ended", one.running)
        return await judged(world, goals)


async def _seconds_to_take(world: World, orders: int) -> float:
    began = monotonic()
    for _ in range(orders // 20):
        await world.tell(world.shop.orders(20, ("changed",)))
    expected = len(world.log.sent)

    async def taken() -> bool:
        async with world.sql() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM events")) >= expected

    await until(taken, bool, what="all events are taken", timeout_seconds=120)
    return monotonic() - began


async def _join_and_leave(world: World) -> None:
    """Join with a member that takes partitions and reads nothing of them, and leave again."""
    topics = [world.installation.topics[kind] for kind in KINDS[:3]]
    while True:
        member = AIOKafkaConsumer(
            *topics,
            bootstrap_servers=world.installation.kafka_servers,
            group_id=world.installation.topics["order.paid"],
            enable_auto_commit=False,
            session_timeout_ms=3000,
            heartbeat_interval_ms=500,
        )
        try:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(5):
                    await member.start()
            await pass_time(MOVE_EVERY_SECONDS)
        finally:
            await member.stop()
        await pass_time(MOVE_EVERY_SECONDS)
