"""What the replay reads and keeps: ranges of partitions without a group, orders to compare with, progress, figures."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from consumer.domain.completeness import Sums, Tally, Window
from consumer.domain.events import Origin
from consumer.domain.orders import OrderKey
from consumer.domain.replay import HeldOrder
from consumer.ports.events import Bounds, Record
from consumer.ports.intake import Gap, Lease, TopicPartition

KEPT_RUN_DAYS = 30
KEPT_COMPLETENESS_DAYS = 400
LIST_PREFIX = "list:"  # of the place under which records of a shop's own list are kept; no topic may be called so


class LogReader(Protocol):
    """Reads partitions from and to where it is told, as no member of a group. Raises BrokerUnavailableError."""

    async def partitions(self, topics: Collection[str]) -> Sequence[TopicPartition]:
        """List the partitions of these topics; a topic that does not exist has none."""
        ...

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """Ask what these partitions hold."""
        ...

    async def offset_at(self, place: TopicPartition, moment: datetime) -> int | None:
        """Ask for the first record that is not older than this moment; None where there is none."""
        ...

    def read(self, place: TopicPartition, from_offset: int, to_offset: int, most: int) -> AsyncIterator[list[Record]]:
        """Give the records from an offset up to, without, another, at most so many at once, in order.

        Offsets may have holes. Raises OutOfRangeError where retention has cut the beginning meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the replay has compared a partition: up to, without, ``next_offset``; ``reached`` is its last record's.

    Of a shop's list ``reached`` is the end of the last window asked for, and ``next_offset`` is 0.
    """

    log: int
    next_offset: int
    reached: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGap:
    """A recorded gap that nothing has closed yet."""

    row_id: int
    gap: Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """What was stuck and goes on now, counted."""

    leases: int = 0  # of lanes whose owner is dead
    intents: int = 0  # without outcome beyond their settle time, and nobody was about to ask
    outbox_rows: int = 0  # unsent for long

    @property
    def total(self) -> int:
        """Sum them up."""
        return self.leases + self.intents + self.outbox_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBudget:
    """Of one connection: the calls that the day still leaves, and the orders of backfills that wait."""

    calls_left: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """What one run came to; kept, and shown as metrics."""

    whole: bool  # it came to its end, and nothing is left
    records: int
    missing: int
    lag: int
    unverified: int  # ranges of offsets that nobody can verify any more
    woken: int
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSums:
    """One row of the table of completeness."""

    window: Window
    sums: Sums


class ReplayStore(Protocol):
    """Each method is one transaction. Raises DatabaseUnavailableError; FencedError where the lease has passed on."""

    async def lease(self, owner: str, seconds: float) -> Lease | None:
        """Take or renew the right to replay; None while another holds it."""
        ...

    async def give_back(self, lease: Lease) -> None:
        """Give the right back at once, if it is still ours."""
        ...

    async def now(self) -> datetime:
        """Read the database's clock."""
        ...

    async def held(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, HeldOrder]:
        """Look orders up, set-based; an unknown one is absent."""
        ...

    async def rejected_before(self, origins: Sequence[Origin]) -> frozenset[Origin]:
        """Tell which of these records are kept as rejected: people decide about them."""
        ...

    async def progress(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Progress]:
        """Read how far these were compared; one never compared is absent."""
        ...

    async def advance(self, lease: Lease, place: TopicPartition, progress: Progress, tally: Tally) -> None:
        """Note progress and what was summed on the way in one transaction, so that nothing is summed twice."""
        ...

    async def settle_unrecorded(self, lease: Lease) -> int:
        """Look again for paid orders that were not recorded; those that are now count as recorded. How many."""
        ...

    async def completeness(self, since_day: str, shop_id: str | None = None) -> Sequence[WindowSums]:
        """Read the table from a day on, by shop, source, day and currency; at most 10,000 rows."""
        ...

    async def unrecorded(self, limit: int, shop_id: str | None = None) -> Sequence[OrderKey]:
        """Name paid orders that are not recorded: the difference by order id."""
        ...

    async def open_gaps(self, limit: int) -> Sequence[OpenGap]:
        """Read the recorded gaps that are open, the oldest first."""
        ...

    async def close_gaps(self, lease: Lease, row_ids: Sequence[int]) -> int:
        """Note that what lay in these gaps has been compared after all."""
        ...

    async def wake_stuck(self, idle_seconds: float) -> Woken:
        """End the leases of the dead, make orders of forgotten intents due, count rows unsent for so long."""
        ...

    async def day_budgets(self) -> Mapping[str, DayBudget]:
        """Read what the day still leaves to each active connection."""
        ...

    async def save_run(self, lease: Lease, began: datetime, figures: RunFigures) -> None:
        """Keep a run's figures, and drop what is older than it is to be kept."""
        ...


def list_place(shop_id: str) -> TopicPartition:
    """Name the place under which the records of a shop's own list are kept."""
    return TopicPartition(f"{LIST_PREFIX}{shop_id}", 0)


def share_of(text: str) -> Decimal:
    """Read a share, from 0 to 1. Raises ValueError."""
    share = Decimal(text)
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    return share
