"""Sealed secrets in memory, by key."""

from collections import Counter
from collections.abc import Sequence

from consumer.adapters.memory.database import MemoryDatabase, TokenRow
from consumer.errors import SecretError
from consumer.ports.keys import SEALED_COLUMNS, SealAgain, SealedBatch, SealedCount


class MemorySealedStore:
    """See consumer.ports.keys.SealedStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def counts(self) -> Sequence[SealedCount]:
        """See the port."""
        async with self._db.transaction():
            found = Counter(
                (column, _key_id(value))
                for row in self._db.tokens.values()
                for column in SEALED_COLUMNS["tokens"]
                if (value := getattr(row, column)) is not None
            )
        return [
            SealedCount(table="tokens", column=column, key_id=key_id, count=count)
            for (column, key_id), count in sorted(found.items())
        ]

    async def seal_again(self, *, prefix: bytes, after: str, limit: int, seal_again: SealAgain) -> SealedBatch:
        """See the port."""
        async with self._db.transaction():
            old = sorted(n for n, row in self._db.tokens.items() if n > after and _is_old(row, prefix))[:limit]
            failed: list[str] = []
            count = 0
            for connection_id in old:
                row = self._db.tokens[connection_id]
                for column in SEALED_COLUMNS["tokens"]:
                    value = getattr(row, column)
                    if value is None or value.startswith(prefix):
                        continue
                    try:
                        setattr(row, column, seal_again(value, f"{connection_id}/{column}"))
                        count += 1
                    except SecretError as error:
                        failed.append(str(error))
        return SealedBatch(last=old[-1] if old else None, sealed_again=count, failed=tuple(failed))


def _is_old(row: TokenRow, prefix: bytes) -> bool:
    values = [getattr(row, column) for column in SEALED_COLUMNS["tokens"]]
    return any(value is not None and not value.startswith(prefix) for value in values)


def _key_id(sealed: bytes) -> str:
    """Read a key's id as the database does; empty for what is no sealed secret."""
    if len(sealed) <= 2 or sealed[0] != 1 or len(sealed) <= 2 + sealed[1]:  # noqa: PLR2004 version and length
        return ""
    return sealed[2 : 2 + sealed[1]].decode("ascii", "backslashreplace")
