"""Two processes that migrate one database at once do the work once, one after the other, and both succeed."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg

from consumer.adapters.postgres.migrations import DAYS_AHEAD, HEAD, TABLES_BY_DAY
from consumer.adapters.postgres.sql import load

DEADLINE_SECONDS = 120
ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = (
    "import asyncio, sys; from consumer.adapters.postgres.migrations import migrate; asyncio.run(migrate(sys.argv[1]))"
)
_WAITING = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():
            pass


@contextlib.asynccontextmanager
async def _migrating(url: str) -> AsyncIterator["asyncio.subprocess.Process"]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, url, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_two_processes_that_migrate_at_once_do_it_once(database_url: str) -> None:
    """Both stand before the lock when it is opened: one does all of it, the other finds it done."""
    async with contextlib.AsyncExitStack() as stack:
        holder = await asyncpg.connect(database_url)
        stack.push_async_callback(holder.close)
        observer = await asyncpg.connect(database_url)
        stack.push_async_callback(observer.close)
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(load("partitions").lock_migrations)
        processes = [await stack.enter_async_context(_migrating(database_url)) for _ in range(2)]

        async def both_wait() -> bool:
            return int(await observer.fetchval(_WAITING)) == len(processes)

        await _until(both_wait)
        assert await observer.fetchval("SELECT to_regclass('orders')") is None
        await transaction.rollback()
        ends = await asyncio.wait_for(asyncio.gather(*(one.communicate() for one in processes)), DEADLINE_SECONDS)
        assert [one.returncode for one in processes] == [0, 0], ends
        assert await observer.fetchval("SELECT string_agg(version_num, ' ') FROM alembic_version") == HEAD
        for table in TABLES_BY_DAY:
            days = await observer.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = $1::regclass", table)
            # Today, the days ahead, and the rest.
            assert days == DAYS_AHEAD + 2
