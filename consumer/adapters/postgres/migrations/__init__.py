"""The schema, brought to its newest version by Alembic, whose configuration is made here in code.

Each version is a numbered SQL file with a Python file beside it that runs it. Everything happens in one transaction
under an advisory lock: two migrations at once do the work once, and one that is killed leaves nothing half done.
"""

import asyncpg

from consumer.adapters.postgres.errors import translated
from consumer.adapters.postgres.pool import Connection as PostgresConnection
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.roles import Roles, give_rights
from consumer.adapters.postgres.sql import load

HEAD = "0009"
DAYS_AHEAD = 7
# Tables whose rows are kept by day, and the column that tells the day.
TABLES_BY_DAY = ("events", "exchanges")
_CONNECT_TIMEOUT_SECONDS = 10.0


async def migrate(database_url: str, *, roles: Roles | None = None) -> list[str]:
    """Bring the database to HEAD, make the partitions of the days to come, and give the roles their rights.

    Harmless when there is nothing to do, also after a rollback, when the schema is a newer version's. Gives the names
    of the roles that the server does not have. Raises DatabaseUnavailableError where Postgres does not answer.
    """
    # Here and not above: every process of Booked asks this package which version it needs, and Alembic takes longer to
    # import than all of the services.
    from consumer.adapters.postgres.migrations.upgrading import upgrade  # noqa: PLC0415

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            database_url,
            timeout=_CONNECT_TIMEOUT_SECONDS,
            server_settings={"application_name": "booked migrate", "timezone": "UTC"},
        )

    # Where a newer version has been, the rights are that version's too: ours would take what its tables need.
    if not await upgrade(connect, tables_by_day=TABLES_BY_DAY, days_ahead=DAYS_AHEAD):
        return []
    with translated():
        rights = await connect()
        try:
            return await give_rights(rights, roles or Roles())
        finally:
            await rights.close(timeout=_CONNECT_TIMEOUT_SECONDS)


async def make_partitions(database: Database, days_ahead: int = DAYS_AHEAD) -> int:
    """Make the partitions of today and the days ahead that are not there yet; gives how many were made."""
    query = load("partitions").make_partitions

    async def make(connection: PostgresConnection) -> int:
        return sum([await connection.fetchval(query, table, days_ahead) for table in TABLES_BY_DAY])

    return await database.run(make)
