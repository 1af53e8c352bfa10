"""F8 and F9: a Postgres that ends, stands still, is locked or full, and one whose answer to a COMMIT is lost."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import asyncpg

from sandbox.folders import sandbox_folder
from sandbox.postgres import admin_connection
from sandbox.processes import Process
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import (
    Goals,
    health,
    judged,
    pair,
    pass_time,
    port_of,
    proxied_servers,
    seconds_until,
    through,
    until_not_ready,
    until_ready,
)
from tests.chaos.proxy import Proxy
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig, Via, World

ROUNDS: Final = 4
RESUME_SECONDS: Final = 15.0
LOCK_SECONDS: Final = 4.0
FROZEN_SECONDS: Final = 12.0
COMMITS_LOST: Final = 12


@fault("F8", "every backend of the database terminated, again and again, under load", worst=True)
async def backends_terminated(rig: Rig, seed: int) -> Trial:
    """No offset without a row, no order lost or doubled; booking goes on within 15 s of the last time."""
    goals = Goals()
    async with rig.world("F8", seed=seed) as world, pair(world) as processes:
        await world.tell(world.shop.orders(6))
        for _ in range(ROUNDS):
            await _after_some_calls(world, world.lot.randint(1, 4))
            await _terminate_all(rig, world)
            await world.tell(world.shop.orders(2))
        await world.tell(world.shop.orders(1, ("plain",)))
        goals.at_most("quiet_after_seconds", await seconds_until(_is_quiet(world), what="all is quiet"), 60)
        goals.holds("a process ended", all(process.running for process in processes))
        return await judged(world, goals)


def _is_quiet(world: World) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return not await world.unrest()

    return ask


async def _after_some_calls(world: World, calls: int) -> None:
    """Wait for so many calls more, but not where there is nothing left to do."""
    before = len(await world.ledger.requests(organization_id=world.organization_id, limit=100_000))

    async def moved() -> bool:
        now = len(await world.ledger.requests(organization_id=world.organization_id, limit=100_000))
        return now >= before + calls or not await world.unrest()

    await until(moved, bool, what=f"{calls} calls more")


async def _terminate_all(rig: Rig, world: World) -> None:
    name = world.installation.database_url.rpartition("/")[2]
    async with admin_connection(rig.postgres_admin_url) as admin:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)


@fault("F8 locks", "tables locked for seconds, a deadlock with us, and no connection to be had")
async def locked(rig: Rig, seed: int) -> Trial:
    """Whoever waits goes on; nobody holds up a vacuum or a deploy for ever; booking resumes within 15 s."""
    goals = Goals()
    async with rig.world("F8 locks", seed=seed) as world, pair(world) as processes:
        await world.tell(world.shop.orders(4))
        for tables in (("orders",), ("lanes", "slots"), ("positions", "events")):
            await _hold_locks(world, tables)
            await world.tell(world.shop.orders(2))
        await _deadlock(world)
        await _no_connections(rig, world)
        await world.tell(world.shop.orders(2))
        goals.at_most("resumed_after_seconds", await _booked_again(world), RESUME_SECONDS)
        await world.quiet()
        goals.holds("a process ended", all(process.running for process in processes))
        return await judged(world, goals)


async def _hold_locks(world: World, tables: Sequence[str]) -> None:
    async with world.sql() as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        await pass_time(LOCK_SECONDS)


async def _deadlock(world: World) -> None:
    """Take rows against the sequence that Booked keeps to, the lane's row first; whoever is chosen gives way."""
    async with world.sql() as connection:
        for _ in range(5):
            try:
                async with connection.transaction():
                    await connection.execute("SELECT FROM lanes FOR UPDATE")
                    await connection.execute("SELECT FROM orders ORDER BY order_id DESC FOR UPDATE")
            except asyncpg.DeadlockDetectedError:
                continue


async def _no_connections(rig: Rig, world: World) -> None:
    name = world.installation.database_url.rpartition("/")[2]
    async with admin_connection(rig.postgres_admin_url) as admin:
        await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        await pass_time(LOCK_SECONDS)
        await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')


async def _booked_again(world: World) -> float:
    since = await world.ledger.newest_request()

    async def called() -> bool:
        return bool(await world.ledger.requests(since=since, organization_id=world.organization_id, limit=1))

    return await seconds_until(called, what="the ledger is called again")


@fault("F8 server", "Postgres frozen, then killed and started again")
async def server(rig: Rig, seed: int) -> Trial:  # noqa: ARG001 - servers of its own, which it may kill
    """Not ready within 15 s, alive all the time, ready again within 15 s, and nothing lost."""
    goals = Goals()
    with sandbox_folder() as folder:
        async with (
            proxied_servers(folder, python=sys.executable) as servers,
            servers.rig.world("F8 server", seed=seed) as world,
            world.process("one") as one,
        ):
            await until_ready(one)
            await world.tell(world.shop.orders(6))
            servers.postgres.process.pause()
            goals.at_most("not_ready_after_seconds", await until_not_ready(one), 15)
            await _stays_alive(one, goals, FROZEN_SECONDS)
            servers.postgres.process.resume()
            goals.at_most("ready_after_the_thaw_seconds", await until_ready(one), RESUME_SECONDS)
            await world.tell(world.shop.orders(4))
            await servers.postgres.kill9()
            await servers.postgres.start()
            goals.at_most("ready_after_the_restart_seconds", await until_ready(one), RESUME_SECONDS)
            await world.tell(world.shop.orders(2))
            await world.quiet()
            return await judged(world, goals)


async def _stays_alive(process: Process, goals: Goals, seconds: float) -> None:
    """Ask /livez while time passes: a server that stands still must not have us restarted."""
    async with asyncio.timeout(seconds + 30):
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while loop.time() < ends:
            status, text = await health(process, "/livez")
            goals.holds(f"/livez answered {status}: {text}", status == 200)
            await pass_time(1.0)


@fault("F9", "COMMIT sent, connection cut before the reply", worst=True)
async def commits_without_an_answer(rig: Rig, seed: int) -> Trial:
    """A dozen commits that took place and were never confirmed: each is read again, nothing is lost or done twice."""
    goals = Goals()
    async with Proxy(port_of(rig.postgres_admin_url.partition("@")[2])) as proxy:
        via = Via(database_url=through(proxy))
        async with rig.world("F9", seed=seed, via=via) as world, pair(world):
            trap = proxy.trap(b"COMMIT;", times=COMMITS_LOST, chance=lambda: world.lot.random() < 0.15)
            while not trap.done.is_set():
                await world.tell(world.shop.orders(3))
                await until(_sprung_or_quiet(world, trap.done), bool, what="commits are lost")
            await world.tell(world.shop.orders(2))
            await world.quiet()
            goals.at_least("commits_lost", trap.sprung, COMMITS_LOST)
            return await judged(world, goals)


def _sprung_or_quiet(world: World, done: asyncio.Event) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return done.is_set() or not await world.unrest()

    return ask
