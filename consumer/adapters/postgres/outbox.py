"""The outbox in Postgres."""

from collections.abc import Sequence

from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.errors import FencedError
from consumer.failpoints import failpoint
from consumer.ports.intake import Lease, OutboxRow

LEASE_NAME = "relay"
_ERROR_CHARACTERS = 2000


class PostgresOutboxStore:
    """See consumer.ports.intake.OutboxStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("outbox")

    async def lease(self, owner: str, seconds: float) -> Lease | None:
        """See the port."""
        async with self._database.connection() as connection:
            epoch = await connection.fetchval(self._sql.take_lease, LEASE_NAME, owner, seconds)
        return None if epoch is None else Lease(name=LEASE_NAME, owner=owner, epoch=epoch)

    async def give_back(self, lease: Lease) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.give_back, lease.name, lease.owner, lease.epoch)

    async def waiting(self, lease: Lease, limit: int, exclude_keys: Sequence[str]) -> Sequence[OutboxRow]:
        """See the port. Of each key at most one row is given, so that two of one order are never in flight."""

        async def read(connection: Connection) -> Sequence[OutboxRow]:
            if await connection.fetchval(self._sql.check_lease, lease.name, lease.owner, lease.epoch) is None:
                raise FencedError(f"the lease {lease.name} (epoch {lease.epoch}) is not {lease.owner}'s any more")
            await connection.execute(self._sql.walk_by_index)
            found = await connection.fetch(self._sql.waiting, limit, list(exclude_keys))
            return [OutboxRow(**row) for row in found]

        return await self._database.run(read)

    async def mark_sent(self, ids: Sequence[int]) -> None:
        """See the port."""

        async def mark(connection: Connection) -> None:
            await connection.execute(self._sql.mark_sent, list(ids))
            failpoint("messages_before_commit")

        await self._database.run(mark)

    async def set_aside(self, row_id: int, error: str) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.set_aside, row_id, error[:_ERROR_CHARACTERS])

    async def depth(self) -> int:
        """See the port."""
        async with self._database.connection() as connection:
            count: int = await connection.fetchval(self._sql.depth)
        return count
