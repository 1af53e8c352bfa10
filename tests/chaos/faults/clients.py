"""F27: our clients of Postgres and of the ledger under callers that give up at any moment."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

import asyncpg
import httpx

from consumer.adapters.postgres.pool import Database, PoolLimits
from consumer.adapters.zoho.calls import Calls, NoAnswerError, make_transport
from consumer.adapters.zoho.departure import Departure
from consumer.adapters.zoho.requests import Request
from consumer.errors import DatabaseUnavailableError
from tests.chaos.faults.stage import Goals, pass_time
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig

JOBS: Final = 600
AT_ONCE: Final = 30
CALLS_AT_ONCE: Final = 5  # as many as a lane makes: the slots bound them
CONNECTIONS: Final = 5
GIVE_UP_SECONDS: Final = 0.02


@fault("F27", "callers of the database and of the ledger that give up at random moments")
async def cancel_storms(rig: Rig, seed: int) -> Trial:
    """At rest every connection is free again, and a healthy server keeps nobody waiting for one."""
    goals = Goals()
    lot = Random(seed)  # noqa: S311 - draws for a test, no secret
    await _database(rig, lot, goals)
    await _ledger(rig, lot, goals)
    return Trial(name="F27", seed=seed, missed=tuple(goals.missed), figures=goals.figures)


async def _database(rig: Rig, lot: Random, goals: Goals) -> None:
    limits = PoolLimits(max_size=CONNECTIONS)
    async with Database.open(rig.postgres_admin_url, application_name="storm", limits=limits) as database:

        async def job() -> None:
            async with database.transaction() as connection:
                await connection.execute("SELECT pg_sleep($1)", lot.uniform(0, GIVE_UP_SECONDS))
                await connection.execute("SELECT pg_sleep(0.001)")

        gave_up, failed = await _storm(job, lot, DatabaseUnavailableError, at_once=AT_ONCE)
        goals.at_least("database_given_up", gave_up, JOBS / 10)
        goals.note("database_failed", len(failed))
        # Each takes a connection, and all are held at the same time: they have to be there, whole.
        held = asyncio.Barrier(CONNECTIONS)

        async def hold() -> int:
            async with database.transaction() as connection:
                await asyncio.wait_for(held.wait(), 10)
                return int(await connection.fetchval("SELECT 1"))

        async with asyncio.timeout(20):
            whole = await asyncio.gather(*(hold() for _ in range(CONNECTIONS)))
        goals.at_least("database_connections_free", sum(whole), CONNECTIONS)
        async with database.connection() as connection:
            stuck = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'storm' AND state LIKE 'idle in%'"
            )
        goals.at_most("sessions_idle_in_a_transaction", int(stuck), 0)


async def _ledger(rig: Rig, lot: Random, goals: Goals) -> None:
    tls = httpx.create_ssl_context(verify=False)
    calls = Calls(rig.ledger_url, transport=lambda: make_transport(deadline_seconds=5.0, tls=tls))
    request = Request(method="GET", path="/control/health", query={}, body="", content_type="")
    try:

        async def job() -> None:
            await calls.call(request, auth=None, departure=Departure(within_seconds=5.0), deadline=5.0)

        gave_up, failed = await _storm(job, lot, NoAnswerError, at_once=CALLS_AT_ONCE)
        goals.note("ledger_given_up", gave_up)
        goals.holds(f"calls to a healthy ledger failed: {sorted(set(failed))}", not failed)
        await pass_time(0.5)
        goals.at_most("ledger_calls_left_in_flight", calls.in_flight, 0)
        async with asyncio.timeout(20):
            await asyncio.gather(*(job() for _ in range(8)))
    finally:
        await calls.aclose()


async def _storm(
    job: Callable[[], Awaitable[None]], lot: Random, failure: type[Exception], *, at_once: int
) -> tuple[int, list[str]]:
    """Run the jobs, some at a time, and give up half of them; gives how many were given up, and why others failed."""
    gave_up, failed = 0, []
    room = asyncio.Semaphore(at_once)

    async def one(patience: float | None) -> None:
        nonlocal gave_up
        async with room:
            try:
                async with asyncio.timeout(patience):
                    await job()
            except TimeoutError:
                gave_up += 1
            except failure as error:
                failed.append(str(error))

    patiences = [lot.uniform(0, GIVE_UP_SECONDS) if lot.random() < 0.5 else None for _ in range(JOBS)]
    with suppress(asyncpg.InterfaceError):
        await asyncio.gather(*(one(patience) for patience in patiences))
    return gave_up, failed
