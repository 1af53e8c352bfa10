"""Whether Postgres can be worked with."""

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
