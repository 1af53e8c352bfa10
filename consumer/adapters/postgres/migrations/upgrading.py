"""Alembic at work: apart from the package, because only `booked migrate` needs it and its import takes long."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from consumer.adapters.postgres.errors import translated
from consumer.adapters.postgres.sql import load
from consumer.failpoints import failpoint

LOCK_TRIES: Final = 100  # with the pause and the wait of queries/partitions.sql some ten minutes
PAUSE_SECONDS: Final = 3.0
Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]


class _NewerSchemaError(Exception):
    """The schema is of a version that this Booked does not know."""


async def upgrade(connect: Connect, *, tables_by_day: Sequence[str], days_ahead: int) -> bool:
    """Bring the schema to its newest version in one transaction, then make the partitions of the days to come.

    Gives False, and does nothing, where a newer version of Booked has been here: this one was rolled back to.
    Raises DatabaseUnavailableError where Postgres does not answer.
    """
    # The engine takes its connections from asyncpg itself, so that the address means the same as everywhere else.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        with translated():
            await _patiently(lambda: _bring_up(engine))
            failpoint("migration_committed")
            await _patiently(lambda: _make_days(engine, tables_by_day, days_ahead))
    except _NewerSchemaError:
        return False
    except DBAPIError as error:
        # SQLAlchemy wraps what asyncpg has said, twice; what it was is told by asyncpg's own error.
        with translated():
            raise (error.orig.__cause__ if error.orig is not None else None) or error from error
    finally:
        await engine.dispose()
    return True


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do a transaction that takes strong locks, and again where it did not have one in time.

    A change of a table waits for everybody who looks at it (a backup reads for minutes), and everybody else then waits
    behind the change: services at work would stand still. So it gives way after a moment, lets them through, and comes
    again.
    """
    for _ in range(LOCK_TRIES):
        try:
            return await work()
        except Exception as error:
            if not _is_locked(error):
                raise
        await asyncio.sleep(PAUSE_SECONDS)
    return await work()


def _is_locked(error: BaseException | None) -> bool:
    """Tell whether a lock was not had in time; for SQLAlchemy's errors, and ours, asyncpg's own is a cause."""
    while error is not None:
        if isinstance(error, asyncpg.LockNotAvailableError):
            return True
        error = error.__cause__
    return False


async def _bring_up(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        # Taken before Alembic begins, because its context is global to the process: two at once in one process must not
        # both be inside it. Who comes second finds the work done; for this one lock it waits as long as it takes.
        await connection.exec_driver_sql(load("partitions").lock_migrations)
        await connection.exec_driver_sql(load("partitions").give_way)
        await connection.run_sync(_upgrade)
        failpoint("migration_before_commit")


async def _make_days(engine: AsyncEngine, tables_by_day: Sequence[str], days_ahead: int) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql(load("partitions").give_way)
        for table in tables_by_day:
            await connection.exec_driver_sql(load("partitions").make_partitions, (table, days_ahead))


def _upgrade(connection: Connection) -> None:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    stands = MigrationContext.configure(connection).get_current_revision()
    ours = {version.revision for version in ScriptDirectory.from_config(config).walk_revisions()}
    if stands is not None and stands not in ours:
        raise _NewerSchemaError
    command.upgrade(config, "head")
