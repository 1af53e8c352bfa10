"""Whether Postgres can be worked with."""

import asyncpg

from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.sql import load


class PostgresHealthStore:
    """See consumer.ports.settings.HealthStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("figures")

    async def ping(self) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.ping)

    async def schema_version(self) -> str | None:
        """See the port."""
        async with self._database.connection() as connection:
            if not await connection.fetchval(self._sql.has_version):
                return None
            version: str | None = await connection.fetchval(self._sql.version)
        return version

    async def end_stalled_sessions(self, still_seconds: float) -> int:
        """See the port."""
        async with self._database.connection() as connection:
            try:
                return int(await connection.fetchval(self._sql.end_stalled_sessions, still_seconds))
            except asyncpg.InsufficientPrivilegeError:
                # A server on which roles may not end even their own sessions: all else goes on as well without it.
                return 0
