"""The schema, brought to its newest version by Alembic, whose configuration is made here in code.

Each version is a numbered SQL file with a Python file beside it that runs it. Everything happens in one transaction
under an advisory lock: two migrations at once do the work once, and one that is killed leaves nothing half done.
"""

import io
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from consumer.adapters.postgres.errors import translated
from consumer.adapters.postgres.pool import Connection as PostgresConnection
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.roles import Roles, give_rights
from consumer.adapters.postgres.sql import load
from consumer.failpoints import failpoint

HEAD = "0008"
DAYS_AHEAD = 7
# Tables whose rows are kept by day, and the column that tells the day.
TABLES_BY_DAY = ("events", "exchanges")
_CONNECT_TIMEOUT_SECONDS = 10.0


async def migrate(database_url: str, *, roles: Roles | None = None) -> list[str]:
    """Bring the database to HEAD, make the partitions of the days to come, and give the roles their rights.

    Harmless when there is nothing to do. Gives the names of the roles that the server does not have. Raises
    DatabaseUnavailableError where Postgres does not answer.
    """

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            database_url,
            timeout=_CONNECT_TIMEOUT_SECONDS,
            server_settings={"application_name": "booked migrate", "timezone": "UTC"},
        )

    # The engine takes its connections from asyncpg itself, so that the address means the same as everywhere else.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        with translated():
            async with engine.begin() as connection:
                # Taken before Alembic begins, because its context is global to the process: two at once in one process
                # must not both be inside it. Who comes second finds the work done.
                await connection.exec_driver_sql(load("partitions").lock_migrations)
                await connection.run_sync(_upgrade)
                failpoint("migration_before_commit")
            failpoint("migration_committed")
            async with engine.begin() as connection:
                await connection.run_sync(_make_partitions)
            rights = await connect()
            try:
                return await give_rights(rights, roles or Roles())
            finally:
                await rights.close(timeout=_CONNECT_TIMEOUT_SECONDS)
    except DBAPIError as error:
        # SQLAlchemy wraps what asyncpg has said, twice; what it was is told by asyncpg's own error.
        with translated():
            raise (error.orig.__cause__ if error.orig is not None else None) or error from error
    finally:
        await engine.dispose()


async def make_partitions(database: Database, days_ahead: int = DAYS_AHEAD) -> int:
    """Make the partitions of today and the days ahead that are not there yet; gives how many were made."""
    query = load("partitions").make_partitions

    async def make(connection: PostgresConnection) -> int:
        return sum([await connection.fetchval(query, table, days_ahead) for table in TABLES_BY_DAY])

    return await database.run(make)


def _upgrade(connection: Connection) -> None:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_partitions(connection: Connection) -> None:
    query = load("partitions").make_partitions
    for table in TABLES_BY_DAY:
        connection.exec_driver_sql(query, (table, DAYS_AHEAD))
