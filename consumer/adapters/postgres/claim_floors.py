"""From where on a claim reads the index of due orders, so that it stays flat behind a snapshot that somebody pins.

Every order that was taken leaves a dead entry at the head of that index. While an old snapshot is open (a backup, a
forgotten session), nothing can remove them, and each claim would walk over all that were taken. So a process
remembers where it last found its first order, and begins there.

The floor is a shortcut and never decides that there is no work: it is trusted only while more orders are found behind
it than were asked for, for one priority, never that of people, and for FULL_LOOK_SECONDS at most. An order that comes
to lie before it (committed late, given back, moved to another priority) so waits that long at most, and only behind
others.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from consumer.domain.states import Priority
from consumer.ports.lanes import LaneLease

FULL_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Of one priority the moment before which nothing was due at the last full look, which ended at ``looked_at``."""

    epoch: int
    rank: int
    moment: datetime
    looked_at: float  # by the process' steady clock


class ClaimFloors:
    """The floors of the lanes that a process has leased."""

    def __init__(self, steady_clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = steady_clock
        self._floors: dict[str, Floor] = {}

    def of(self, lease: LaneLease, ranks: Collection[int]) -> Floor | None:
        """Give the floor of a lane, while it may be trusted."""
        floor = self._floors.get(lease.connection_id)
        if floor is None or floor.epoch != lease.epoch or floor.rank not in ranks:
            return None
        return floor if self._clock() - floor.looked_at < FULL_LOOK_SECONDS else None

    def moved(self, lease: LaneLease, floor: Floor, found: Sequence[asyncpg.Record], wanted: int) -> bool:
        """Take in what was found from a floor on; False where it is too little to be trusted."""
        own = [row["due_at"] for row in found if row["priority"] == floor.rank]
        if len(own) < wanted:
            return False
        self._floors[lease.connection_id] = replace(floor, moment=own[0])
        return True

    def learn(self, lease: LaneLease, found: Sequence[asyncpg.Record], wanted: int) -> None:
        """Take in what a full look has found: a floor for the first priority that has enough, but for people's."""
        self._floors.pop(lease.connection_id, None)
        for rank in (Priority.LIVE.rank, Priority.BACKFILL.rank):
            own = [row["due_at"] for row in found if row["priority"] == rank]
            if len(own) >= wanted:
                self._floors[lease.connection_id] = Floor(
                    epoch=lease.epoch, rank=rank, moment=own[0], looked_at=self._clock()
                )
                return

    def forget(self, connection_id: str) -> None:
        """Forget a lane that was given back."""
        self._floors.pop(connection_id, None)
