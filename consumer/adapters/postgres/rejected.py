"""Rejected messages in Postgres, as people look at them."""

import base64
from collections.abc import Sequence
from typing import Any

import asyncpg

from consumer.adapters.postgres.intake_rows import storable
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.events import Origin, Rejected
from consumer.ports.rejected import RejectedFilter, RejectedRow, RejectedState


class PostgresRejectedStore:
    """See consumer.ports.rejected.RejectedStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("rejected")

    async def find(self, wanted: RejectedFilter, limit: int) -> Sequence[RejectedRow]:
        """See the port."""
        state = None if wanted.state is None else wanted.state.value
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.find, state, wanted.shop_id, wanted.reason, wanted.since, limit)
        return [_row(row) for row in found]

    async def read(self, row_id: int) -> RejectedRow | None:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.read_one, row_id)
        return None if row is None else _row(row)

    async def settle(self, row_id: int, state: RejectedState, *, actor: str, note: str = "") -> bool:
        """See the port."""

        async def settle(connection: Connection) -> bool:
            row = await connection.fetchrow(self._sql.settle, row_id, state.value)
            if row is None:
                return False
            details = {"id": row_id, **({"note": storable(note)} if note else {})}
            await self._audit(connection, actor, f"rejected {state.value}", row, details)
            return True

        return await self._database.run(settle)

    async def still_bad(self, row_id: int, reason: str, message: str, *, actor: str) -> None:
        """See the port."""

        async def note(connection: Connection) -> None:
            row = await connection.fetchrow(self._sql.still_bad, row_id, storable(reason), storable(message))
            if row is not None:
                details = {"id": row_id, "reason": storable(reason), "message": storable(message)}
                await self._audit(connection, actor, "rejected again", row, details)

        await self._database.run(note)

    async def _audit(
        self, connection: Connection, actor: str, action: str, row: asyncpg.Record, details: dict[str, Any]
    ) -> None:
        await connection.execute(self._sql.add_audit, storable(actor), action, row["shop_id"], row["order_id"], details)


def _row(row: asyncpg.Record) -> RejectedRow:
    origin = Origin(topic=row["topic"], log=row["log"], partition=row["partition"], offset=row["offset"])
    rejected = Rejected(
        origin=origin,
        reason=row["reason"],
        message=row["message"],
        value=row["value"],
        size=row["size"],
        digest=row["digest"],
        record_key=row["record_key"],
        headers=tuple((name, base64.b64decode(value)) for name, value in row["headers"]),
        shop_id=row["shop_id"],
        order_id=row["order_id"],
    )
    return RejectedRow(
        row_id=row["id"], rejected=rejected, state=RejectedState(row["state"]), received_at=row["received_at"]
    )
