"""Figures for the metrics, from Postgres."""

from datetime import datetime, timedelta
from decimal import Decimal

from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.ports.figures import (
    JUDGED_AT_ONCE,
    PROMISED,
    WORST,
    Budget,
    Compared,
    ConnectionFigures,
    Judgement,
    Made,
    Parked,
    ShopFigures,
    of_worst_shops,
)
from consumer.ports.settings import CleaningFigures, Figures, ReplayFigures

# Behind the promised time, so that a commit that began in time has ended, and its row is to be seen.
_JUDGED_AFTER = PROMISED + timedelta(seconds=5)


class PostgresFiguresStore:
    """See consumer.ports.settings.FiguresStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("figures")

    async def figures(self, judged_until: datetime | None = None) -> Figures:
        """See the port."""

        async def read(connection: Connection) -> Figures:
            return await self._read(connection, judged_until)

        return await self._database.read(read)

    async def _read(self, connection: Connection, judged_until: datetime | None) -> Figures:
        states = await connection.fetch(self._sql.orders_by_state)
        counts = await connection.fetchrow(self._sql.counts)
        replay = await connection.fetchrow(self._sql.replay)
        return Figures(
            orders_by_state={row["state"]: row["count"] for row in states},
            oldest_unbooked_seconds=await connection.fetchval(self._sql.oldest_unbooked_seconds),
            oldest_with_budget_seconds=await connection.fetchval(self._sql.oldest_with_budget_seconds),
            connections=await self._connections(connection),
            shops=await self._shops(connection),
            judgement=await self._judgement(connection, judged_until),
            replay=ReplayFigures(**dict(replay or {})),
            cleaning=await self._cleaning(connection),
            **dict(counts or {}),
        )

    async def _connections(self, connection: Connection) -> ConnectionFigures:
        sums = await connection.fetchrow(self._sql.connections)
        budgets = [dict(row) for row in await connection.fetch(self._sql.budgets, WORST)]
        waiting = max((row.pop("waiting_in_all") for row in budgets), default=0)
        tokens = await connection.fetch(self._sql.tokens, WORST)
        overdue = await connection.fetch(self._sql.tokens_not_renewed, WORST)
        stopped = await connection.fetch(self._sql.stopped, WORST)
        return ConnectionFigures(
            budgets=tuple(Budget(**row) for row in budgets),
            token_age_seconds={row["connection_id"]: row["token_age_seconds"] for row in tokens},
            stopped={row["connection_id"]: row["stopped_cause"] for row in stopped},
            tokens_not_renewed={row["connection_id"]: row["token_age_seconds"] for row in overdue},
            waiting=waiting,
            **dict(sums or {}),
        )

    async def _shops(self, connection: Connection) -> ShopFigures:
        parked = [dict(row) for row in await connection.fetch(self._sql.parked)]
        totals: dict[str, Decimal] = {row["currency"]: row.pop("total_in_all") for row in parked}
        oldest = await connection.fetch(self._sql.oldest_by_shop, WORST)
        compared = await connection.fetch(self._sql.compared, WORST)
        unexplained = await connection.fetch(self._sql.unexplained)
        return ShopFigures(
            parked=of_worst_shops([Parked(**row) for row in parked]),
            parked_totals=totals,
            oldest_unbooked_seconds={row["shop_id"]: row["age_seconds"] for row in oldest},
            compared=tuple(Compared(**dict(row)) for row in compared),
            unexplained={row["currency"]: row["unexplained"] for row in unexplained},
            doubles=await connection.fetchval(self._sql.doubles),
        )

    async def _judgement(self, connection: Connection, judged_until: datetime | None) -> Judgement:
        span = await connection.fetchrow(self._sql.judged_span, judged_until, _JUDGED_AFTER, JUDGED_AT_ONCE)
        if span is None or span["until"] <= span["since"]:
            return Judgement(until=judged_until if span is None else span["since"])
        counts = await connection.fetchrow(self._sql.judged, span["since"], span["until"], PROMISED)
        made = await connection.fetch(self._sql.made, span["since"], span["until"])
        return Judgement(until=span["until"], made=tuple(Made(**dict(row)) for row in made), **dict(counts or {}))

    async def _cleaning(self, connection: Connection) -> CleaningFigures:
        dead = await connection.fetch(self._sql.dead_rows)
        rest = await connection.fetchrow(self._sql.cleaning)
        return CleaningFigures(dead_rows={row["table"]: row["rows"] for row in dead}, **dict(rest or {}))
