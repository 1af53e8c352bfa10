"""The source of the shop's events, in our words: partitions are assigned, placed, read in batches, and passed on."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from consumer.errors import BookedError, UnavailableError
from consumer.ports.intake import TopicPartition


class Record(NamedTuple):
    """One record as it came; a NamedTuple, because thousands are made a second. ``time_ms`` is the broker's, Unix."""

    place: TopicPartition
    offset: int
    time_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Bounds(NamedTuple):
    """What a partition still holds: from ``beginning`` up to, without, ``end``."""

    beginning: int
    end: int


class TopicMissingError(UnavailableError):
    """These topics do not exist. They are waited for, never made by us."""

    def __init__(self, topics: Collection[str]) -> None:
        super().__init__(
            f"topics are missing: {', '.join(sorted(topics))}; create them (booked doctor --create-topics) or "
            "let us read them (booked doctor --acls); they are waited for"
        )
        self.topics = frozenset(topics)


class OutOfRangeError(BookedError):
    """The log does not hold what was asked for (any more); the partitions named want to be placed anew."""

    def __init__(self, places: Collection[TopicPartition]) -> None:
        named = ", ".join(f"{place.topic}[{place.partition}]" for place in sorted(places))
        super().__init__(f"the position lies outside of the log of {named}")
        self.places = frozenset(places)


class AssignmentListener(Protocol):
    """Who is told of partitions that come and go. Called one at a time, never concurrently."""

    async def on_assigned(self, places: frozenset[TopicPartition]) -> None:
        """These are ours from now on; none gives a record before it was placed by ``seek``. Must return at once."""
        ...

    async def on_revoked(self, places: frozenset[TopicPartition]) -> None:
        """These are about to pass on; the last moment to commit. Must return within a few seconds."""
        ...


class EventSource(Protocol):
    """A member of a consumer group. Every await is bounded, and raises BrokerUnavailableError when it took too long."""

    async def start(self, listener: AssignmentListener, more: Collection[str] = ()) -> None:
        """Join the group, after a check that all topics exist. Raises TopicMissingError. Legal again after ``stop``.

        ``more`` are topics to read beside, of which the caller knows that they exist.
        """
        ...

    async def existing(self, topics: Collection[str]) -> frozenset[str]:
        """Ask which of these topics exist."""
        ...

    async def fetch(self, records_max: int, wait_seconds: float) -> Sequence[Record]:
        """Give records of placed, unpaused partitions, in order within each; none when there are none in that time.

        Must go on being called while everything is paused: it is the group's sign of life. Raises OutOfRangeError.
        """
        ...

    def seek(self, place: TopicPartition, offset: int) -> bool:
        """Place a partition: it is read from this offset, unpaused. False when it is not ours (any more)."""
        ...

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """Ask what these partitions hold."""
        ...

    async def committed(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Ask for the group's committed offsets; where there is none the partition is absent."""
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Tell the group how far we are, for those partitions that are ours. False when a rebalance came between."""
        ...

    def pause(self, places: Collection[TopicPartition]) -> None:
        """Give no records of these until they are resumed; of those that are ours."""
        ...

    def resume(self, places: Collection[TopicPartition]) -> None:
        """Give records again of those that are ours and placed."""
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """Tell which partitions are ours."""
        ...

    def end_seen(self, place: TopicPartition) -> int | None:
        """Tell the end of the partition as of the last fetch, without asking; None when it is not known."""
        ...

    async def stop(self, deadline_seconds: float) -> None:
        """Leave the group; within the deadline, whatever the broker does. Nothing is left running."""
        ...
