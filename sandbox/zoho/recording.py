"""The record of every request received: written with the request's own effect, before the answer leaves."""

import time
from collections.abc import Callable
from typing import Any

from sandbox.zoho.store import Store

KEEP_DEFAULT = 200_000
_BODY_CHARACTERS_MAX = 65_536
_CUT_EVERY = 1_000


class Recorder:
    """Writes and reads the record. `seconds` is a clock that does not stop, for durations."""

    def __init__(self, *, store: Store, seconds: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._seconds = seconds
        self.keep = KEEP_DEFAULT

    def begin(self, *, at: float, method: str, path: str, query: str, body: str, organization_id: str) -> int:
        """Write that a request has arrived, and give its number. Answer `none` stands there until one is sent."""
        cursor = self._store.execute(
            "INSERT INTO requests (time, method, path, template, query, body, organization_id, answer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'none')",
            (at, method, path, path, query, body[:_BODY_CHARACTERS_MAX], organization_id),
        )
        seq = int(cursor.lastrowid or 0)
        if seq % _CUT_EVERY == 0:
            self._store.execute("DELETE FROM requests WHERE seq <= ?", (seq - self.keep,))
        return seq

    def decided(self, seq: int, **columns: Any) -> None:
        """Write what was decided about a request: status, code, template, whether it had an effect."""
        self._update(seq, columns)

    def ended(self, seq: int, *, answer: str, began: float, held_seconds: float, faults: str) -> None:
        """Write how a request ended: its answer `sent`, `cut` by us, or `lost` because the caller was gone."""
        duration = self._seconds() - began
        self._update(
            seq, {"answer": answer, "duration_seconds": duration, "held_seconds": held_seconds, "faults": faults}
        )

    def _update(self, seq: int, columns: dict[str, Any]) -> None:
        assignments = ", ".join(f"{name} = :{name}" for name in columns)
        self._store.execute(f"UPDATE requests SET {assignments} WHERE seq = :seq", {**columns, "seq": seq})

    def since(self, seq: int, *, organization_id: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Give the requests after a number, oldest first."""
        condition, values = "seq > ?", [seq]
        rows = self._store.rows(
            f"SELECT * FROM requests WHERE {condition}"
            + (" AND organization_id = ?" if organization_id else "")
            + " ORDER BY seq LIMIT ?",
            [*values, *([organization_id] if organization_id else []), limit],
        )
        return [dict(row) for row in rows]

    def counts(self, *, since: int = 0, organization_id: str | None = None) -> list[dict[str, Any]]:
        """Count requests by method, address, status and code."""
        rows = self._store.rows(
            "SELECT method, template, status, code, count(*) AS requests, sum(committed) AS committed FROM requests"
            " WHERE seq > ?"
            + (" AND organization_id = ?" if organization_id else "")
            + " GROUP BY method, template, status, code ORDER BY method, template, status, code",
            [since, *([organization_id] if organization_id else [])],
        )
        return [dict(row) for row in rows]

    def newest(self) -> int:
        """Give the number of the newest request."""
        row = self._store.row("SELECT max(seq) AS seq FROM requests")
        return int(row["seq"] or 0) if row is not None else 0
