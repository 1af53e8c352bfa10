"""Erasure and export in Postgres: many short statements, each of which may be repeated."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg

from consumer.adapters.postgres.intake_rows import storable
from consumer.adapters.postgres.lane_rows import storable_json
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.privacy_orders import blank, key_of, last_of, settled
from consumer.adapters.postgres.sql import load
from consumer.domain.erasing import customer_needles, customer_of, is_of
from consumer.domain.orders import OrderKey
from consumer.ports.privacy import (
    Customer,
    Erased,
    ExportedRow,
    FoundOrder,
    FoundPage,
    LedgerDocument,
    Wanted,
)

OPEN_REJECTED_MAX = 1000
BLOCKS_AT_ONCE = 512  # 4 MiB of a day's table in one statement, and what lies compressed beside it
_FIRST = OrderKey("", "")
_ORDER_PARTS = ("events", "exchanges", "intents", "rejected")
_TABLES = {"rejected": "rejected_events", "links": "contact_links"}


class PostgresPrivacyStore:
    """See consumer.ports.privacy.PrivacyStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("privacy")

    async def find_orders(self, who: Customer, *, after: OrderKey | None, limit: int) -> FoundPage:
        """See the port."""
        wanted = list(customer_needles(who.email, who.customer_id))
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                self._sql.candidates, *(after or _FIRST), limit, wanted, who.shop_id if who.customer_id else ""
            )
            held = {key_of(row): row["content"] for row in rows if not row["is_last"]}
            if not held:
                return FoundPage(orders=(), last=last_of(rows))
            standing = await connection.fetch(self._sql.standing_of, *pairs(held))
            documents = await connection.fetch(self._sql.documents_of, *pairs(held))
        found = (_found(row, held[key_of(row)], who, documents) for row in standing)
        return FoundPage(orders=tuple(one for one in found if one is not None), last=last_of(rows))

    async def open_rejected(self, wanted: Wanted) -> Sequence[int]:
        """See the port."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._sql.open_rejected, list(wanted.needles), OPEN_REJECTED_MAX)
        return [row["id"] for row in rows]

    async def erase_around(self, wanted: Wanted) -> Erased:
        """See the port. The links go last: by them a repeated run finds the contacts."""
        emails, keys, needles = list(wanted.email_keys), list(wanted.customer_keys), list(wanted.needles)
        subjects = [f"contact:{key}" for key in keys]
        steps: tuple[tuple[str, tuple[Any, ...]], ...] = (
            ("contacts", (emails, needles, keys)),
            ("intents", (subjects, needles)),
            ("rejected", (needles,)),
            ("outbox", (needles,)),
            ("links", (keys,)),
        )
        counts: Counter[str] = Counter()
        for name, arguments in steps:
            async with self._database.connection() as connection:
                counts[_TABLES.get(name, name)] += _count(
                    await connection.execute(self._sql[f"erase_{name}"], *arguments)
                )
        async for table, window in self._windows():
            async with self._database.connection() as connection:
                counts[table] += await connection.fetchval(self._sql.erase_days, *window, needles)
        return Erased(counts=dict(counts))

    async def _windows(self) -> AsyncIterator[tuple[str, tuple[str, int, int]]]:
        """Go through the blocks of events and exchanges; a day that is dropped meanwhile is passed over."""
        async with self._database.connection() as connection:
            days = await connection.fetch(self._sql.days)
        for row in days:
            table = row["child"].split("_")[0]
            for first in range(0, row["blocks"], BLOCKS_AT_ONCE):
                yield table, (row["child"], first, first + BLOCKS_AT_ONCE)

    async def erase_orders(self, keys: Sequence[OrderKey], *, actor: str) -> Erased:
        """See the port. The orders' rows are locked first, in the order of their keys, as everywhere."""

        async def erase(connection: Connection) -> Erased:
            locked = await connection.fetch(self._sql.lock_to_erase, *pairs(sorted(keys)))
            open_rows = await connection.fetch(self._sql.open_intents, *pairs(sorted(keys)))
            doubts = {key_of(row) for row in open_rows}
            free = [row for row in locked if settled(row, open_intent=key_of(row) in doubts)]
            names = pairs([key_of(row) for row in free])
            counts = {"orders": await blank(connection, free)}
            for part in _ORDER_PARTS:
                counts[_TABLES.get(part, part)] = _count(
                    await connection.execute(self._sql[f"erase_order_{part}"], *names)
                )
            await connection.execute(self._sql.audit_erased, storable(actor), *names)
            refused = {key_of(row) for row in locked} - {key_of(row) for row in free}
            return Erased(counts=counts, refused=tuple(sorted(refused)))

        return await self._database.run(erase)

    async def around(self, wanted: Wanted) -> Sequence[ExportedRow]:
        """See the port."""
        emails, keys, needles = list(wanted.email_keys), list(wanted.customer_keys), list(wanted.needles)
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._sql.around, emails, needles, keys)
        found = [ExportedRow(table=row["source"], row=row["found"]) for row in rows]
        async for table, window in self._windows():
            async with self._database.connection() as connection:
                rows = await connection.fetch(self._sql.about_days, *window, needles)
            found += [ExportedRow(table=table, row=row["found"]) for row in rows]
        return found

    async def about_orders(self, keys: Sequence[OrderKey]) -> Sequence[ExportedRow]:
        """See the port."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._sql.about_orders, *pairs(keys))
        return [ExportedRow(table=row["source"], row=row["found"]) for row in rows]

    async def note_access(
        self, *, actor: str, action: str, shop_id: str = "", order_id: str = "", details: Mapping[str, Any]
    ) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(
                self._sql.note_access,
                storable(actor),
                action,
                storable(shop_id),
                storable(order_id),
                storable_json(details),
            )


def _found(
    row: asyncpg.Record, content: bytes, who: Customer, documents: Sequence[asyncpg.Record]
) -> FoundOrder | None:
    """Give a candidate as found; None where the texts stood there by chance: a customer's id among other numbers."""
    key = key_of(row)
    own = is_of(content, email=who.email, customer_id=who.customer_id)
    if not own and not who.email:
        return None
    email, customer_id = customer_of(content)
    return FoundOrder(
        key=key,
        state=row["state"],
        settled=settled(row, open_intent=row["open_intent"]),
        mentioned=not own,
        email=email,
        customer_id=customer_id,
        documents=tuple(_document(one) for one in documents if key_of(one) == key),
    )


def _document(row: asyncpg.Record) -> LedgerDocument:
    return LedgerDocument(
        connection_id=row["connection_id"],
        kind=row["kind"],
        number=row["number"],
        ledger_id=row["ledger_id"],
        contact_id=row["contact_id"],
        url=row["url"],
    )


def _count(tag: str) -> int:
    """Read the number of rows from what a command says it did: ``UPDATE 12``."""
    return int(tag.rsplit(" ", 1)[-1])
