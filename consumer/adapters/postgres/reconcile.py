"""What a comparison of orders with the ledger's documents keeps, in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from consumer.adapters.postgres import lane_rows as rows
from consumer.adapters.postgres.codec import dump
from consumer.adapters.postgres.codec import load as load_value
from consumer.adapters.postgres.intake_rows import storable
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.books import Listed, as_invoice
from consumer.domain.reconciling.findings import Period
from consumer.domain.records import DocumentKind, OrderRecord
from consumer.ports.reconcile import Budget, Match, Outcome, ReplacedError, Run, Slip, after_page

RUNS_KEPT = 100  # of a connection


class PostgresReconcileStore:
    """See consumer.ports.reconcile.ReconcileStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("reconcile")

    # ---- runs ----

    async def begin(self, connection_id: str, period: Period, *, resume: bool) -> Run:
        """See the port."""
        return await self._database.run(lambda connection: self._begin(connection, connection_id, period, resume))

    async def _begin(self, connection: Connection, connection_id: str, period: Period, resume: bool) -> Run:  # noqa: FBT001 the port's own keyword, passed on
        await connection.execute(self._sql.lock_begin, connection_id)
        place = (connection_id, period.from_day, period.to_day)
        found = await connection.fetchrow(self._sql.open_run, *place) if resume else None
        if found is not None:
            await connection.execute(self._sql.unclaim, found["run_id"])
            stage, page = found["stage"], found["page"]
            return Run(
                run_id=found["run_id"],
                connection_id=connection_id,
                period=period,
                stage=stage,
                page=page,
                resumed=True,
            )
        await connection.execute(self._sql.replace_open, connection_id)
        await connection.execute(self._sql.drop_listed, connection_id)
        await connection.execute(self._sql.drop_old_runs, connection_id, RUNS_KEPT)
        try:
            run_id = await connection.fetchval(self._sql.begin, *place)
        except asyncpg.ForeignKeyViolationError as error:
            raise LookupError(f"there is no connection {connection_id}; run: booked apply") from error
        return Run(run_id=run_id, connection_id=connection_id, period=period)

    async def budget(self, connection_id: str) -> Budget:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.budget, connection_id)
        if row is None:
            raise LookupError(f"there is no connection {connection_id}; run: booked apply")
        told = row["daily_limit"]
        return Budget(made=row["calls"], daily_calls=rows.limits_of(row).daily_calls if told is None else told)

    # ---- the ledger's documents ----

    async def save_page(self, run: Run, listed: Sequence[Listed], *, page: int, more: bool) -> Run:
        """See the port."""
        after = after_page(run, page=page, more=more)

        async def save(connection: Connection) -> None:
            await self._save(connection, run, listed)
            if await connection.fetchval(self._sql.save_place, run.run_id, after.stage, after.page) is None:
                raise ReplacedError(run)

        await self._database.run(save)
        return after

    async def save_read(self, run: Run, row: Listed) -> None:
        """See the port."""
        await self._database.run(lambda connection: self._save(connection, run, [row]))

    async def _save(self, connection: Connection, run: Run, listed: Sequence[Listed]) -> None:
        # One row per document, sorted: a page may name one twice.
        found = {(one.kind.value, one.ledger_id): one for one in listed}
        places = sorted(found)
        await connection.execute(
            self._sql.save_listed,
            run.run_id,
            [kind for kind, _ in places],
            [ledger_id for _, ledger_id in places],
            [storable(found[place].order_reference) for place in places],
            [rows.storable_json(dump(found[place])) for place in places],
        )
        await connection.execute(self._sql.count_call, run.connection_id)

    async def listed(self, run: Run, ledger_ids: Sequence[str], references: Sequence[str]) -> Sequence[Match]:
        """See the port."""
        wanted = [storable(reference) for reference in references if reference]
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.listed, run.run_id, run.connection_id, list(ledger_ids), wanted)
        return [Match(listed=_read(row), owner=None if row["shop_id"] is None else rows.key_of(row)) for row in found]

    async def claim(self, run: Run, places: Sequence[tuple[DocumentKind, str]]) -> None:
        """See the port."""
        if not places:
            return
        kinds, ids = [kind.value for kind, _ in places], [ledger_id for _, ledger_id in places]
        async with self._database.connection() as connection:
            await connection.execute(self._sql.claim, run.run_id, kinds, ids)

    async def unclaimed(self, run: Run, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """See the port."""
        place = (run.run_id, run.connection_id, *(after or ("", "")))
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.unclaimed, *place, limit)
        return [_read(row) for row in found]

    # ---- orders ----

    async def orders(self, run: Run, shop_id: str, after: str, limit: int) -> Sequence[Slip]:
        """See the port."""
        place = (run.connection_id, shop_id, after, limit, run.period.from_day, run.period.to_day)

        async def read(connection: Connection) -> Any:
            found = await connection.fetch(self._sql.slips, *place)
            concerned = [row["order_id"] for row in found if row["concerns"]]
            return found, *(await self._whole(connection, run.connection_id, shop_id, concerned))

        # By one snapshot: an order from before a booking beside its documents from after it would look wrong.
        found, whole, noticed = await self._database.read(read)
        return [
            Slip(
                key=(key := OrderKey(shop_id, row["order_id"])),
                number=row["number"],
                reference=row["reference"],
                record=whole.get(key),
                noticed=noticed.get(key, {}),
            )
            for row in found
        ]

    async def records(self, run: Run, shop_id: str, order_ids: Sequence[str]) -> Sequence[Slip]:
        """See the port."""
        whole, noticed = await self._database.read(
            lambda connection: self._whole(connection, run.connection_id, shop_id, order_ids)
        )
        return [
            Slip(key=key, number=one.number, reference=one.reference, record=one, noticed=noticed.get(key, {}))
            for key, one in sorted(whole.items())
            if one.connection_id == run.connection_id
        ]

    async def _whole(
        self, connection: Connection, connection_id: str, shop_id: str, order_ids: Sequence[str]
    ) -> tuple[Mapping[OrderKey, OrderRecord], Mapping[OrderKey, Mapping[str, datetime]]]:
        if not order_ids:
            return {}, {}
        orders = await connection.fetch(self._sql.whole, shop_id, order_ids)
        shops = [shop_id] * len(order_ids)
        made = await connection.fetch(load("bookings").read_documents, shops, order_ids)
        # A shop that has moved may have documents elsewhere: those are compared there.
        here = [row for row in made if row["connection_id"] == connection_id]
        noticed: dict[OrderKey, dict[str, datetime]] = {}
        for row in here:
            if row["noticed_at"] is not None:
                noticed.setdefault(rows.key_of(row), {})[row["ledger_id"]] = row["noticed_at"]
        return rows.read_orders(orders, here, ()), noticed

    # ---- adopting ----

    async def hand_over(
        self, run: Run, found: Mapping[OrderKey, Sequence[Listed]], *, actor: str
    ) -> Sequence[OrderKey]:
        """See the port."""
        return await self._database.run(lambda connection: self._hand_over(connection, run, found, actor))

    async def _hand_over(
        self, connection: Connection, run: Run, found: Mapping[OrderKey, Sequence[Listed]], actor: str
    ) -> Sequence[OrderKey]:
        keys = sorted(found)
        invoices = [any(one.kind is DocumentKind.INVOICE for one in found[key]) for key in keys]
        columns = ([key.shop_id for key in keys], [key.order_id for key in keys], invoices)
        taken = [
            rows.key_of(row) for row in await connection.fetch(self._sql.lock_to_hand_over, run.connection_id, *columns)
        ]
        if not taken:
            return []
        await self._remember(connection, run, [one for key in taken for one in found[key]])
        places = ([key.shop_id for key in taken], [key.order_id for key in taken])
        await connection.execute(self._sql.make_due, *places)
        await connection.execute(self._sql.add_audit, actor, *places, run.run_id)
        if any(one.kind is DocumentKind.CREDIT_NOTE for key in taken for one in found[key]):
            await connection.execute(self._sql.let_look_first, run.connection_id)
        # The lane's row last.
        await connection.execute(load("lanes").wake_now, run.connection_id)
        return taken

    async def _remember(self, connection: Connection, run: Run, listed: Sequence[Listed]) -> None:
        """Keep the invoices as a look first does: the lane reads what is kept under its order's reference."""
        seen = {(one.reference, one.ledger_id): one for one in listed if one.kind is DocumentKind.INVOICE}
        places = sorted(seen)
        await connection.execute(
            load("lanes").save_seen,
            run.connection_id,
            [storable(reference) for reference, _ in places],
            [ledger_id for _, ledger_id in places],
            [rows.storable_json(dump(as_invoice(seen[place]))) for place in places],
        )

    # ---- the end ----

    async def finish(self, run: Run, outcome: Outcome) -> None:
        """See the port."""

        async def finish(connection: Connection) -> None:
            if await connection.fetchval(self._sql.end_run, run.run_id, outcome.findings, outcome.doubles) is None:
                raise ReplacedError(run)
            await connection.execute(self._sql.drop_run_listed, run.run_id)
            places = sorted(outcome.unexplained)
            await connection.execute(self._sql.drop_money, run.connection_id, [shop_id for shop_id, _ in places])
            money: list[Decimal] = [outcome.unexplained[place] for place in places]
            columns = ([shop_id for shop_id, _ in places], [currency for _, currency in places], money)
            await connection.execute(self._sql.save_money, run.connection_id, *columns)

        await self._database.run(finish)


def _read(row: asyncpg.Record) -> Listed:
    listed: Listed = load_value(Listed, row["document"])
    return listed
