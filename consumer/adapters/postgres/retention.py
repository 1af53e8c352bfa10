"""The retention in Postgres: old days dropped, old rows removed in batches, the content of settled orders taken."""

from collections.abc import Sequence

import asyncpg

from consumer.adapters.postgres.migrations import make_partitions
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.privacy_orders import blank, key_of, last_of, settled
from consumer.adapters.postgres.sql import load
from consumer.domain.orders import OrderKey
from consumer.ports.privacy import DayTable, OldDay, OrdersPage, Thinned

ORDERS_AT_ONCE = 100  # of one transaction: an order's content may be as long as 1 MiB
_FIRST = OrderKey("", "")


class PostgresRetentionStore:
    """See consumer.ports.privacy.RetentionStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("privacy")

    async def make_days(self, days_ahead: int) -> int:
        """See the port."""
        return await make_partitions(self._database, days_ahead)

    async def old_days(self, table: DayTable, keep_days: int) -> Sequence[OldDay]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.old_days, table.value, keep_days)
        return [OldDay(name=row["child"], size=row["bytes"]) for row in found]

    async def drop_day(self, table: DayTable, name: str, keep_days: int) -> bool:
        """See the port. Whoever asks for the events meanwhile waits for two seconds at most."""
        async with self._database.connection() as connection:
            try:
                return bool(await connection.fetchval(self._sql.drop_day, table.value, name, keep_days))
            except asyncpg.LockNotAvailableError:
                return False

    async def thin(self, what: Thinned, keep_days: int, limit: int) -> int:
        """See the port."""
        query = self._sql[f"thin_{what.value}"]
        async with self._database.connection() as connection:
            if what is Thinned.AUDIT:
                return int(await connection.fetchval(query, keep_days, limit))
            return _count(await connection.execute(query, keep_days, limit))

    async def count(self, what: Thinned, keep_days: int) -> int:
        """See the port."""
        async with self._database.connection() as connection:
            return int(await connection.fetchval(self._sql[f"count_{what.value}"], keep_days))

    async def blank_orders(
        self, *, keep_days: int, legal_days: int, after: OrderKey | None, limit: int, dry_run: bool
    ) -> OrdersPage:
        """See the port. Locks a hundred orders at once; those that somebody has in hand wait for the next run."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                self._sql.page_of_orders, *(after or _FIRST), limit, keep_days, max(legal_days, keep_days)
            )
        old, over = [key_of(row) for row in rows if row["old"]], [key_of(row) for row in rows if row["over"]]
        blanked = unsettled = 0
        for start in range(0, len(old), ORDERS_AT_ONCE):
            part = await self._blank(old[start : start + ORDERS_AT_ONCE], keep_days, dry_run=dry_run)
            blanked, unsettled = blanked + part[0], unsettled + part[1]
        if over and not dry_run:
            async with self._database.connection() as connection:
                await connection.execute(self._sql.drop_layouts, *pairs(over))
        return OrdersPage(blanked=blanked, layouts=len(over), unsettled=unsettled, last=last_of(rows))

    async def _blank(self, keys: Sequence[OrderKey], keep_days: int, *, dry_run: bool) -> tuple[int, int]:
        async def work(connection: Connection) -> tuple[int, int]:
            locked = await connection.fetch(self._sql.lock_to_blank, *pairs(keys), keep_days)
            free = [row for row in locked if settled(row, open_intent=row["open_intent"])]
            if not dry_run:
                await blank(connection, free)
            return len(free), len(locked) - len(free)

        return await self._database.run(work)


def _count(tag: str) -> int:
    """Read the number of rows from what a command says it did: ``DELETE 12``."""
    return int(tag.rsplit(" ", 1)[-1])
