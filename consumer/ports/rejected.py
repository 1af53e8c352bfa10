"""Messages that could not be orders, as they are kept: to be looked at, put in again after a fix, or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from consumer.domain.events import Rejected


class RejectedState(StrEnum):
    """What became of a rejected message; the same words stand in SQL."""

    OPEN = "open"  # nobody has done anything about it
    RETRIED = "retried"  # it was put in after a fix
    DROPPED = "dropped"  # a person chose that it is not needed


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """One message as it is kept. In a list its ``value`` is left out (None); ``size`` is that of all that came."""

    row_id: int
    rejected: Rejected
    state: RejectedState
    received_at: datetime

    @property
    def is_whole(self) -> bool:
        """Tell whether all that came is kept: of a message that was too large there is the first MiB only."""
        return len(self.rejected.value or b"") == self.rejected.size


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedFilter:
    """Which messages; None leaves a condition out. ``since`` is the moment of their coming."""

    state: RejectedState | None = RejectedState.OPEN
    shop_id: str | None = None
    reason: str | None = None
    since: datetime | None = None


class RejectedStore(Protocol):
    """Each method is one transaction. Raises DatabaseUnavailableError."""

    async def find(self, wanted: RejectedFilter, limit: int) -> Sequence[RejectedRow]:
        """List messages, the newest first, without their values."""
        ...

    async def read(self, row_id: int) -> RejectedRow | None:
        """Read one with its value; None where there is none of this id."""
        ...

    async def settle(self, row_id: int, state: RejectedState, *, actor: str, note: str = "") -> bool:
        """Note that an open one was retried or dropped, with who and why in the audit log; False where none is open."""
        ...

    async def still_bad(self, row_id: int, reason: str, message: str, *, actor: str) -> None:
        """Note that one was tried again and still cannot be an order; it stays open, and says why by today's rules."""
        ...
