"""Sealed secrets in Postgres, by key."""

from collections.abc import Sequence

import asyncpg

from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.errors import SecretError
from consumer.ports.keys import SEALED_COLUMNS, SealAgain, SealedBatch, SealedCount


class PostgresSealedStore:
    """See consumer.ports.keys.SealedStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("keys")

    async def counts(self) -> Sequence[SealedCount]:
        """See the port."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._sql.counts)
        return [
            SealedCount(table=row["table_name"], column=row["column_name"], key_id=row["key_id"], count=row["count"])
            for row in rows
        ]

    async def seal_again(self, *, prefix: bytes, after: str, limit: int, seal_again: SealAgain) -> SealedBatch:
        """See the port."""

        async def work(connection: Connection) -> SealedBatch:
            rows = await connection.fetch(self._sql.lock_old, prefix, after, limit)
            failed: list[str] = []
            count = 0
            for row in rows:
                sealed, faults = sealed_anew(row, prefix, seal_again)
                failed += faults
                changed = [column for column, value in sealed.items() if value != row[column]]
                count += len(changed)
                if changed:
                    await connection.execute(self._sql.put_sealed, row["connection_id"], *sealed.values())
            last = rows[-1]["connection_id"] if rows else None
            return SealedBatch(last=last, sealed_again=count, failed=tuple(failed))

        return await self._database.run(work)


def sealed_anew(row: asyncpg.Record, prefix: bytes, seal_again: SealAgain) -> tuple[dict[str, bytes | None], list[str]]:
    """Give a row's secrets under the new key, those that do not open as they were, and what is wrong with these."""
    sealed: dict[str, bytes | None] = {}
    failed: list[str] = []
    for column in SEALED_COLUMNS["tokens"]:
        value: bytes | None = row[column]
        sealed[column] = value
        if value is None or value.startswith(prefix):
            continue
        try:
            sealed[column] = seal_again(value, f"{row['connection_id']}/{column}")
        except SecretError as error:
            failed.append(str(error))
    return sealed, failed
