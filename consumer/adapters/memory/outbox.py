"""The outbox in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from consumer.adapters.memory.database import MemoryDatabase, OutboxEntry
from consumer.errors import FencedError
from consumer.ports.intake import Lease, OutboxRow

LEASE_NAME = "relay"


class MemoryOutboxStore:
    """See consumer.ports.intake.OutboxStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def lease(self, owner: str, seconds: float) -> Lease | None:
        """See the port."""
        async with self._db.transaction() as now:
            holder, epoch, until = self._db.leases.get(LEASE_NAME, (owner, 0, now))
            if holder != owner and until > now:
                return None
            epoch += 0 if holder == owner and until > now else 1
            self._db.leases[LEASE_NAME] = (owner, epoch, now + timedelta(seconds=seconds))
            return Lease(name=LEASE_NAME, owner=owner, epoch=epoch)

    async def give_back(self, lease: Lease) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            if self._holds(lease, now):
                self._db.leases[lease.name] = (lease.owner, lease.epoch, now)

    async def waiting(self, lease: Lease, limit: int, exclude_keys: Sequence[str]) -> Sequence[OutboxRow]:
        """See the port. Of each key at most one row is given, so that two of one order are never in flight."""
        async with self._db.transaction() as now:
            if not self._holds(lease, now):
                raise FencedError(f"the lease {lease.name} (epoch {lease.epoch}) is not {lease.owner}'s any more")
            passed_over = set(exclude_keys)
            rows: list[OutboxEntry] = []
            for entry in sorted(self._db.outbox.values(), key=lambda row: row.id):
                if entry.state == "waiting" and entry.record_key not in passed_over and len(rows) < limit:
                    passed_over.add(entry.record_key)
                    rows.append(entry)
            return [
                OutboxRow(
                    id=entry.id,
                    topic_kind=entry.topic_kind,
                    record_key=entry.record_key,
                    event_id=entry.event_id,
                    sequence=entry.sequence,
                    payload=entry.payload,
                    created_at=entry.created_at,
                )
                for entry in rows
            ]

    def _holds(self, lease: Lease, now: datetime) -> bool:
        owner, epoch, until = self._db.leases.get(lease.name, ("", 0, now))
        return (owner, epoch) == (lease.owner, lease.epoch) and until > now

    async def mark_sent(self, ids: Sequence[int]) -> None:
        """See the port."""
        async with self._db.transaction():
            for row_id in ids:
                if row_id in self._db.outbox:
                    self._db.outbox[row_id].state = "sent"

    async def set_aside(self, row_id: int, error: str) -> None:
        """See the port."""
        async with self._db.transaction():
            entry = self._db.outbox.get(row_id)
            if entry is not None and entry.state == "waiting":
                entry.state, entry.error = "set_aside", error

    async def depth(self) -> int:
        """See the port."""
        async with self._db.transaction():
            return min(100_000, sum(entry.state == "waiting" for entry in self._db.outbox.values()))
