"""Rejected messages in memory, as people look at them. Their ids are their places in the table, from 1."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from consumer.adapters.memory.database import MemoryDatabase
from consumer.domain.orders import OrderKey
from consumer.ports.rejected import RejectedFilter, RejectedRow, RejectedState


class MemoryRejectedStore:
    """See consumer.ports.rejected.RejectedStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def find(self, wanted: RejectedFilter, limit: int) -> Sequence[RejectedRow]:
        """See the port."""
        async with self._db.transaction():
            found = [row for row in self._rows() if _fits(row, wanted)]
            newest = sorted(found, key=lambda row: row.row_id, reverse=True)[:limit]
            return [replace(row, rejected=replace(row.rejected, value=None)) for row in newest]

    async def read(self, row_id: int) -> RejectedRow | None:
        """See the port."""
        async with self._db.transaction():
            return next((row for row in self._rows() if row.row_id == row_id), None)

    async def settle(self, row_id: int, state: RejectedState, *, actor: str, note: str = "") -> bool:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._open(row_id)
            if row is None:
                return False
            row["state"] = state.value
            details = {"id": row_id, **({"note": note} if note else {})}
            self._audit(row, actor, f"rejected {state.value}", details, now)
            return True

    async def still_bad(self, row_id: int, reason: str, message: str, *, actor: str) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._open(row_id)
            if row is not None:
                row["rejected"] = replace(row["rejected"], reason=reason, message=message)
                details = {"id": row_id, "reason": reason, "message": message}
                self._audit(row, actor, "rejected again", details, now)

    def _rows(self) -> Iterator[RejectedRow]:
        for row_id, row in enumerate(self._db.rejected, 1):
            yield RejectedRow(
                row_id=row_id,
                rejected=row["rejected"],
                state=RejectedState(row["state"]),
                received_at=row["received_at"],
            )

    def _open(self, row_id: int) -> dict[str, Any] | None:
        known = 0 < row_id <= len(self._db.rejected)
        row = self._db.rejected[row_id - 1] if known else None
        return row if row is not None and row["state"] == RejectedState.OPEN.value else None

    def _audit(self, row: dict[str, Any], actor: str, action: str, details: dict[str, Any], now: Any) -> None:
        key = OrderKey(row["rejected"].shop_id, row["rejected"].order_id)
        self._db.audit.append({"at": now, "actor": actor, "action": action, "key": key, "details": details})


def _fits(row: RejectedRow, wanted: RejectedFilter) -> bool:
    return (
        wanted.state in (None, row.state)
        and wanted.shop_id in (None, row.rejected.shop_id)
        and wanted.reason in (None, row.rejected.reason)
        and (wanted.since is None or row.received_at >= wanted.since)
    )
