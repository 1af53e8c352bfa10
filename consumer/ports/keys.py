"""Sealed secrets at rest, as the change of keys sees them: which key each is under, and sealing them again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

SEALED_COLUMNS: Mapping[str, tuple[str, ...]] = {"tokens": ("client_secret", "refresh_token", "access_token")}
"""Every column that holds sealed secrets, by table; each value is bound to ``<connection>/<column>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCount:
    """How many secrets of one column are under one key; ``key_id`` is empty for what is no sealed secret."""

    table: str
    column: str
    key_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBatch:
    """What one batch came to. ``last`` is the row to go on behind; None where no row is left.

    ``sealed_again`` counts secrets, ``failed`` says of the others which they are and why they do not open.
    """

    last: str | None
    sealed_again: int = 0
    failed: tuple[str, ...] = ()


SealAgain = Callable[[bytes, str], bytes]
"""Opens a sealed secret of a place and seals it with the key that writes now. Raises SecretError."""


class KeyRing(Protocol):
    """The keys of this process; consumer.secrets.Keyring is one."""

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Give the ids of all keys, the writing one first."""
        ...

    @property
    def prefix(self) -> bytes:
        """Give what every secret begins with that is sealed with the writing key."""
        ...

    def seal_again(self, sealed: bytes, bound_to: str) -> bytes:
        """See SealAgain."""
        ...


class SealedStore(Protocol):
    """All sealed secrets of the database. Raises DatabaseUnavailableError."""

    async def counts(self) -> Sequence[SealedCount]:
        """Count the secrets by column and key: of all tables that hold any, in one snapshot."""
        ...

    async def seal_again(self, *, prefix: bytes, after: str, limit: int, seal_again: SealAgain) -> SealedBatch:
        """Seal the next rows again whose secrets do not all begin with ``prefix``: at most ``limit``, behind ``after``.

        One transaction that locks these rows only. What was stored meanwhile by a renewal or a new authorisation is
        what gets sealed; a renewal under way goes on and is not lost.
        """
        ...
