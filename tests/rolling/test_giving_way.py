"""A migration that has to wait for somebody's long look at a table does not let everybody else wait behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from sandbox.processes import Process
from tests.acceptance.waiting import until
from tests.chaos.rig import Rig, World
from tests.rolling.release import COLUMN, Release, next_release

pytestmark = pytest.mark.acceptance
# The migration gives way after three seconds; a machine with other work is given some more.
OTHERS_WAIT_SECONDS = 15.0
LOOKS = 3
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'booked migrate' AND wait_event_type = 'Lock'"


@asynccontextmanager
async def _a_long_look(world: World) -> AsyncIterator[None]:
    """Read a table in a transaction that stays open, as a backup does."""
    async with world.sql() as connection, connection.transaction():
        await connection.fetchval("SELECT count(*) FROM orders")
        yield


def _migration(world: World, release: Release) -> Process:
    return Process(
        name="booked migrate",
        command=[*release.program, "migrate"],
        log_file=world.installation.folder / "migrate.log",
        environment=release.environment(world.installation.environment),
    )


async def test_others_go_on_while_a_migration_waits_for_a_backup(rig: Rig, tmp_path: Path) -> None:
    """As long as the look lasts others are let through again and again; when it ends the migration has its lock."""
    new = next_release(tmp_path / "next")
    async with rig.world("giving-way", seed=3, prepared=False) as world, world.sql() as other, AsyncExitStack() as look:
        await look.enter_async_context(_a_long_look(world))
        async with _migration(world, new) as migration:
            for _ in range(LOOKS):
                await _waits(other)
                # Behind the migration's wish for the whole table: until it gives way.
                await asyncio.wait_for(other.fetchval("SELECT count(*) FROM orders"), OTHERS_WAIT_SECONDS)
            assert migration.running, migration.log_tail()
            await look.aclose()
            async with asyncio.timeout(60):
                assert await migration.wait() == 0, migration.log_tail()
        assert await other.fetchval(f"SELECT count({COLUMN}) FROM orders") == 0


async def _waits(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await until(
        lambda: connection.fetchval(WAITING), lambda waiting: waiting > 0, what="the migration waits for the table"
    )
