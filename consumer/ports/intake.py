"""The store behind the intake and the relay: events in, messages out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from consumer.domain.erasing import forgotten
from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import OrderHead, Revision
from consumer.domain.settings import RevisionKey
from consumer.domain.states import Priority


class TopicPartition(NamedTuple):
    """One partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a partition was taken. ``last_*`` are of the last record taken, None before the first."""

    log: int
    next_offset: int
    last_offset: int | None = None
    last_checksum: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One record as the intake read it: an event, a rejection, or None for a tombstone. ``value`` is what came.

    ``record_key`` and ``headers`` came with it: they are kept of an event that the store itself has to reject.
    """

    place: TopicPartition
    offset: int
    checksum: bytes
    outcome: OrderEvent | Rejected | None
    value: bytes | None
    record_key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def as_recorded(
    events: Sequence[tuple[Taken, OrderEvent]],
    marks: Mapping[OrderKey, Revision],
    heads: Mapping[OrderKey, OrderHead],
    key_of: Callable[[OrderEvent], RevisionKey],
) -> list[tuple[Taken, OrderEvent]]:
    """Leave out of events what they say of a person, where their order's customer was erased and they tell no more.

    Whatever way they come: every store of the intake asks here, for live events and for those put in again.
    """
    found = []
    for taken, event in events:
        mark = marks.get(event.key)
        left = event if mark is None else forgotten(event, mark, key_of(event), heads[event.key].refunds)
        found.append((taken, event) if left is event else (replace(taken, outcome=left, value=None, headers=()), left))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one batch came to."""

    positions: Mapping[TopicPartition, int]  # the next offset of each partition, as committed
    verdicts: Mapping[str, int]  # Verdict, 'rejected', 'tombstone', 'repeated_delivery' -> count
    woken: frozenset[str]  # connections whose lanes have work now
    outbox_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Records of a partition that we shall never read; ``to_offset`` is exclusive."""

    place: TopicPartition
    log: int
    from_offset: int
    to_offset: int | None
    cause: str  # cut_by_retention | made_again | moved_by_hand
    found_at: datetime | None = None


class IntakeStore(Protocol):
    """Each method is one transaction. Raises DatabaseUnavailableError; never loses part of a batch."""

    async def positions(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """Read how far these partitions were taken; a partition never taken is absent."""
        ...

    async def record(self, batch: Sequence[Taken]) -> Recorded:
        """Take a batch: lock its positions, drop what lies below them, store events, fold orders, move the positions.

        Records of one partition stand in the order of their offsets, without need of being contiguous. Orders are
        folded by domain.revisions and placed by domain.standing, with the shops' settings read in this transaction
        and locked against `apply`. Rejections go to rejected_events and, without payload, to the outbox. An event
        that lacks the shop's revision key, or lies in the future, is rejected here. A record that the database
        refuses for its data (SQLSTATE class 22 or 23) is found by halving and rejected (`refused_by_database`).
        """
        ...

    async def put_in(self, batch: Sequence[Taken], *, priority: Priority) -> Recorded:
        """Take records that come past the order of a partition: a replay, a shop's own list, a rejection tried again.

        As ``record``, but positions are neither asked nor moved. A record that stands among its order's events
        already is passed over. What becomes due by it is served at ``priority``, never later than it was before.
        """
        ...

    async def begin_log(self, place: TopicPartition, first_offset: int) -> Position:
        """The topic was made again or truncated: a new log number, from its beginning; the gap is recorded."""
        ...

    async def record_gap(self, gap: Gap) -> None:
        """Record that these offsets are gone, and move the position to their end."""
        ...

    async def set_position(self, place: TopicPartition, next_offset: int, actor: str) -> Position:
        """Move a position on purpose (`booked positions set`); audited, and a gap where it moved forward."""
        ...

    async def note_committed_ahead(self, places: Sequence[TopicPartition]) -> None:
        """Kafka's committed offset is ahead of ours: Postgres forgot something. All lanes must look first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One message to be sent; rows of one ``record_key`` leave in the order of their ids."""

    id: int
    topic_kind: str  # invoice.synced | order.rejected
    record_key: str
    event_id: UUID
    sequence: int
    payload: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of one process to do something for all, until ``lease_until`` unless renewed."""

    name: str
    owner: str
    epoch: int


class OutboxStore(Protocol):
    """What the relay sends. Each method is one transaction."""

    async def lease(self, owner: str, seconds: float) -> Lease | None:
        """Take or renew the relay's lease; None while another holds it."""
        ...

    async def give_back(self, lease: Lease) -> None:
        """Give the lease back at once, if it is still ours."""
        ...

    async def waiting(self, lease: Lease, limit: int, exclude_keys: Sequence[str]) -> Sequence[OutboxRow]:
        """Read the oldest rows that wait, by id, none of a key that is in flight. Raises FencedError."""
        ...

    async def mark_sent(self, ids: Sequence[int]) -> None:
        """Note that Kafka has acknowledged these rows (also after the lease has passed: they were sent)."""
        ...

    async def set_aside(self, row_id: int, error: str) -> None:
        """Note that Kafka refuses this row for good; it stops nothing and is alarmed."""
        ...

    async def depth(self) -> int:
        """Count the rows that wait, up to 100,000."""
        ...


class OrderReader(Protocol):
    """Reads for tests, the replay and the demo."""

    async def states(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, str]:
        """Read the states of these orders; an unknown order is absent."""
        ...
