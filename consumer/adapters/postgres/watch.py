"""The watch's memory in Postgres: how far it has looked, what it has noticed, and what it has yet to judge."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import asyncpg

from consumer.adapters.postgres import lane_rows as rows
from consumer.adapters.postgres.codec import dump
from consumer.adapters.postgres.codec import load as load_value
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.ledger import Invoice
from consumer.domain.orders import OrderKey
from consumer.domain.records import Announcement, Note
from consumer.domain.states import OrderState
from consumer.domain.watching import Creation, Known, Suspicion
from consumer.ports.lanes import LaneLease
from consumer.ports.watch import Notice, WatchState


class PostgresWatchStore:
    """See consumer.ports.watch.WatchStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("watch")

    async def _execute(self, query: str, *arguments: object) -> None:
        """Run one statement; a lost race for its rows is tried again."""

        async def execute(connection: Connection) -> None:
            await connection.execute(query, *arguments)

        await self._database.run(execute)

    # ---- how far ----

    async def state(self, connection_id: str) -> WatchState:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.read_state, connection_id)
        if row is None:
            raise LookupError(f"there is no lane of connection {connection_id}; run: booked apply")
        told = row["daily_limit"]
        return WatchState(
            now=row["now"],
            cursor=row["watch_cursor"],
            covered_since=row["watch_covered_since"],
            due_in_seconds=row["due_in_seconds"],
            daily_calls=rows.limits_of(row).daily_calls if told is None else told,
            sweep_page=row["sweep_page"],
        )

    async def first_cursor(self, connection_id: str, documents_max: int) -> datetime | None:
        """See the port."""
        async with self._database.connection() as connection:
            moment: datetime | None = await connection.fetchval(self._sql.first_cursor, connection_id, documents_max)
        return moment

    async def save_look(self, connection_id: str, *, cursor: datetime, covered_since: datetime) -> None:
        """See the port."""
        await self._execute(self._sql.save_look, connection_id, cursor, covered_since)

    async def plan(self, lease: LaneLease, seconds: float) -> None:
        """See the port."""
        await self._execute(self._sql.plan, lease.connection_id, lease.owner, lease.epoch, seconds)

    # ---- our invoices ----

    async def known(self, connection_id: str, ledger_ids: Sequence[str]) -> Sequence[Known]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.known, connection_id, list(ledger_ids))
        return [_known(row) for row in found]

    async def by_reference(self, connection_id: str, references: Sequence[str]) -> Sequence[Known]:
        """See the port."""
        wanted = [rows.storable_json(reference) for reference in references]
        return await self._known_of(self._sql.by_reference, connection_id, wanted)

    async def missing(self, connection_id: str, limit: int) -> Sequence[Known]:
        """See the port."""
        return await self._known_of(self._sql.missing, connection_id, limit)

    async def _known_of(self, query: str, connection_id: str, argument: object) -> Sequence[Known]:
        async def read(connection: Connection) -> list[asyncpg.Record]:
            found = [row["ledger_id"] for row in await connection.fetch(query, connection_id, argument)]
            return await connection.fetch(self._sql.known, connection_id, found) if found else []

        return [_known(row) for row in await self._database.read(read)]

    async def suspicion(self, key: OrderKey, ledger_id: str) -> Suspicion:
        """See the port."""

        async def read(connection: Connection) -> Suspicion:
            made = await connection.fetch(self._sql.creations, *key)
            told = await connection.fetchval(self._sql.told_of_double, *key, ledger_id)
            creations = [Creation(sought=r["sought"], begun_at=r["begun_at"], resolution=r["resolution"]) for r in made]
            return Suspicion(creations=tuple(creations), told=told)

        return await self._database.read(read)

    # ---- what was found ----

    async def notice(self, notice: Notice) -> bool:
        """See the port."""
        return await self._database.run(lambda connection: self._notice(connection, notice))

    async def _notice(self, connection: Connection, notice: Notice) -> bool:
        order = await connection.fetchrow(self._sql.lock_order, *notice.key)
        if order is None or order["due"] or order["change"] != notice.change:
            return False
        document = notice.verdict.document
        # A statement of its own after the lock: bookings write documents and intents under the same lock.
        found = await connection.fetch(self._sql.known, notice.connection_id, [document.ledger_id])
        known = next((_known(row) for row in found), None)
        if known is None or known.busy or known.judged_until != notice.judged_until:
            return False
        await connection.execute(load("bookings").put_document, *rows.document_columns(notice.key, document))
        place = (notice.connection_id, document.ledger_id)
        if notice.verdict.noticed_at is not None:
            await connection.execute(self._sql.set_noticed, *place, notice.verdict.noticed_at)
        if notice.verdict.note is not None:
            await self._tell(connection, notice.key, notice.change, notice.verdict.note)
        if notice.contact_moved_from:
            links = (notice.connection_id, notice.contact_moved_from, document.contact_id)
            await connection.execute(self._sql.move_links, *links)
        await self._go_on(connection, notice, order)
        return True

    async def _go_on(self, connection: Connection, notice: Notice, order: asyncpg.Record) -> None:
        """Let the order be decided anew where its document is gone; else the shop may have to be told."""
        if notice.verdict.gone or notice.due:
            await connection.execute(self._sql.make_due, *notice.key)
            if order["connection_id"] is not None:
                # The lane's row last.
                await connection.execute(load("lanes").wake_now, order["connection_id"])
        elif notice.announcement is not None and notice.announcement.digest != order["announced"]:
            await self._announce(connection, notice.key, notice.announcement, order)

    async def _announce(
        self, connection: Connection, key: OrderKey, announcement: Announcement, order: asyncpg.Record
    ) -> None:
        sequence, event_id = order["sequence"] + 1, uuid4()
        payload = announcement.render(sequence, event_id, order["now"])
        row = (*key, sequence, announcement.digest, str(key), event_id, payload)
        await connection.execute(load("bookings").announce, *row)

    async def tell(self, key: OrderKey, change: int, note: Note) -> None:
        """See the port."""
        await self._database.run(lambda connection: self._tell(connection, key, change, note))

    async def _tell(self, connection: Connection, key: OrderKey, change: int, note: Note) -> None:
        await connection.execute(load("bookings").insert_decision, *rows.note_columns(key, change, note))

    # ---- what has to wait ----

    async def put_off(self, connection_id: str, invoices: Sequence[Invoice]) -> None:
        """See the port."""
        # One row per invoice, sorted: two lists are not to wait for each other.
        found = {invoice.invoice_id: invoice for invoice in invoices}
        ids = sorted(found)
        await self._execute(
            self._sql.put_off,
            connection_id,
            ids,
            [found[one].modified_at for one in ids],
            [rows.storable_json(dump(found[one])) for one in ids],
        )

    async def put_off_rows(self, connection_id: str, limit: int) -> Sequence[Invoice]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.put_off_rows, connection_id, limit)
        return [load_value(Invoice, row["invoice"]) for row in found]

    async def settle(self, connection_id: str, ledger_ids: Sequence[str]) -> None:
        """See the port."""
        await self._execute(self._sql.settle, connection_id, list(ledger_ids))

    # ---- the sweep ----

    async def seen(self, connection_id: str, ledger_ids: Sequence[str]) -> None:
        """See the port."""
        await self._execute(self._sql.seen, connection_id, list(ledger_ids))

    async def begin_sweep(self, connection_id: str) -> None:
        """See the port."""
        await self._execute(self._sql.begin_sweep, connection_id)

    async def save_sweep(self, connection_id: str, page: int) -> None:
        """See the port."""
        await self._execute(self._sql.save_sweep, connection_id, page)


def _known(row: asyncpg.Record) -> Known:
    return Known(
        key=rows.key_of(row),
        change=row["change"],
        state=OrderState(row["state"]),
        busy=row["busy"],
        document=rows.read_document(row),
        noticed_at=row["noticed_at"],
        put_off=row["put_off"],
    )
