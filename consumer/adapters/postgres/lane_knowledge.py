"""What a lane knows of its connection and ledger, in Postgres: settings, facts, health, and what a look first found."""

from collections.abc import Sequence
from datetime import datetime

from consumer.adapters.postgres.codec import dump, load_connection, load_shop
from consumer.adapters.postgres.codec import load as load_value
from consumer.adapters.postgres.lane_rows import budget_of, storable_json
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.budget import rests_until
from consumer.domain.facts_change import helped_by
from consumer.domain.ledger import Invoice, LedgerFacts
from consumer.domain.releasing import FEW
from consumer.errors import StopCause
from consumer.ports.lanes import CURED_BY_GRANT, LaneView


class PostgresLaneKnowledge:
    """The half of consumer.ports.lanes.LaneStore that is about what a lane knows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("lanes")

    async def view(self, connection_id: str) -> LaneView:
        """See the port. Raises LookupError for a connection that there is not."""
        return await self._database.read(lambda connection: self._view(connection, connection_id))

    async def _view(self, connection: Connection, connection_id: str) -> LaneView:
        row = await connection.fetchrow(self._sql.read_connection, connection_id)
        if row is None:
            raise LookupError(f"there is no connection {connection_id}; run: booked apply")
        shops = [load_shop(shop) for shop in await connection.fetch(self._sql.read_shops, connection_id)]
        since: datetime | None = None
        if row["look_first"]:
            since = await connection.fetchval(self._sql.look_first_since, connection_id)
        facts = row["ledger_facts"]
        settings = load_connection(row)
        return LaneView(
            connection=settings,
            rests_until=rests_until(budget_of(row), settings.limits, row["now"]),
            shops={shop.shop_id: shop for shop in shops},
            facts=None if facts is None else load_value(LedgerFacts, facts),
            facts_age_seconds=row["facts_age_seconds"],
            stopped=None if row["stopped_cause"] is None else StopCause(row["stopped_cause"]),
            look_first=bool(row["look_first"]),
            look_first_since=since,
            installation=row["installation"],
            looked_first=bool(row["looked_first"]),
        )

    async def save_facts(self, connection_id: str, facts: LedgerFacts) -> int:
        """See the port."""

        async def save(connection: Connection) -> int:
            stored = await connection.fetchval(self._sql.lock_facts, connection_id)
            before = None if stored is None else load_value(LedgerFacts, stored)
            await connection.execute(self._sql.save_facts, connection_id, storable_json(dump(facts)))
            codes = [code.value for code in helped_by(before, facts)]
            if not codes:
                return 0
            answer = await connection.execute(self._sql.unpark, connection_id, codes, FEW)
            helped = int(answer.split()[-1])
            if helped:
                await connection.execute(self._sql.wake_now, connection_id)
            return helped

        return await self._database.run(save)

    async def stop_connection(
        self, connection_id: str, cause: StopCause, message: str, *, evidence_seconds: float = 0.0
    ) -> None:
        """See the port. What it was stopped for first stays."""
        since_seconds = evidence_seconds if cause in CURED_BY_GRANT else None

        async def stop(connection: Connection) -> None:
            words = storable_json(message)
            await connection.execute(self._sql.lock_connection, connection_id)
            stopped = await connection.fetchval(
                self._sql.stop_connection, connection_id, cause.value, words, since_seconds
            )
            if stopped is not None:
                details = {"connection": connection_id, "cause": cause.value, "message": words}
                await connection.execute(self._sql.add_audit, "lanes", "connection stopped", details)

        await self._database.run(stop)

    async def resume_connection(self, connection_id: str) -> None:
        """See the port."""

        async def resume(connection: Connection) -> None:
            await connection.execute(self._sql.resume_connection, connection_id, None)
            await connection.execute(self._sql.wake_now, connection_id)

        await self._database.run(resume)

    async def finish_look_first(self, connection_id: str) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.finish_look_first, connection_id)

    async def save_seen(self, connection_id: str, invoices: Sequence[Invoice]) -> None:
        """See the port."""
        # One row per invoice, sorted: a page may name one twice, and two pages are not to wait for each other.
        found = {(i.reference, i.invoice_id): i for i in invoices if i.reference}
        if not found:
            return
        keys = sorted(found)
        async with self._database.connection() as connection:
            await connection.execute(
                self._sql.save_seen,
                connection_id,
                [storable_json(reference) for reference, _ in keys],
                [invoice_id for _, invoice_id in keys],
                [storable_json(dump(found[key])) for key in keys],
            )

    async def seen(self, connection_id: str, reference: str) -> Sequence[Invoice]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.read_seen, connection_id, storable_json(reference))
        return [load_value(Invoice, row["invoice"]) for row in found]
