"""Figures for the metrics, from Postgres."""

from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.ports.settings import CleaningFigures, Compared, Figures, ReplayFigures


class PostgresFiguresStore:
    """See consumer.ports.settings.FiguresStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("figures")

    async def figures(self) -> Figures:
        """See the port."""
        return await self._database.read(self._read)

    async def _read(self, connection: Connection) -> Figures:
        states = await connection.fetch(self._sql.orders_by_state)
        connections = await connection.fetch(self._sql.connections)
        counts = await connection.fetchrow(self._sql.counts)
        replay = await connection.fetchrow(self._sql.replay)
        compared = await connection.fetch(self._sql.compared)
        return Figures(
            orders_by_state={row["state"]: row["count"] for row in states},
            oldest_unbooked_seconds=await connection.fetchval(self._sql.oldest_unbooked_seconds),
            token_age_seconds={
                row["connection_id"]: row["token_age_seconds"]
                for row in connections
                if row["token_age_seconds"] is not None
            },
            daily_left={
                row["connection_id"]: row["daily_left"] for row in connections if row["daily_left"] is not None
            },
            connections_stopped={
                row["connection_id"]: row["stopped_cause"] for row in connections if row["stopped_cause"]
            },
            replay=ReplayFigures(**dict(replay or {})),
            compared=tuple(Compared(**dict(row)) for row in compared),
            cleaning=await self._cleaning(connection),
            **dict(counts or {}),
        )

    async def _cleaning(self, connection: Connection) -> CleaningFigures:
        dead = await connection.fetch(self._sql.dead_rows)
        rest = await connection.fetchrow(self._sql.cleaning)
        return CleaningFigures(dead_rows={row["table"]: row["rows"] for row in dead}, **dict(rest or {}))
