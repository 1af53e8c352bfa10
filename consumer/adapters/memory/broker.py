"""A broker in memory: topics, partitions, groups with rebalances, and what can go wrong with them, on demand.

It implements EventSource and MessageSink for tests and the simulator. Nothing here waits for a real clock but
``fetch``, which uses the loop's own, so that a loop with virtual time drives it as well.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from zlib import crc32

from consumer.errors import BrokerUnavailableError
from consumer.ports.events import AssignmentListener, Bounds, OutOfRangeError, Record, TopicMissingError
from consumer.ports.intake import TopicPartition
from consumer.ports.messages import Answer, Message, MessageRefusedError


@dataclass(slots=True)
class _Log:
    """One partition's records; ``beginning`` grows when the oldest are cut."""

    records: list[Record] = field(default_factory=list)
    beginning: int = 0

    @property
    def end(self) -> int:
        return self.beginning + len(self.records)

    def read(self, offset: int, most: int) -> list[Record]:
        start = offset - self.beginning
        return self.records[start : start + most]


@dataclass(slots=True)
class _Group:
    """One consumer group: its members in the order of joining, and what they committed."""

    members: list["MemorySource"] = field(default_factory=list)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    dealing: asyncio.Lock = field(default_factory=asyncio.Lock)


class MemoryBroker:
    """All topics and groups. ``down`` makes every call fail, as an unreachable broker does."""

    def __init__(self, *, message_bytes: int = 1024 * 1024, time_ms: int = 1_700_000_000_000) -> None:
        self.down = False
        self.message_bytes = message_bytes
        self.acknowledge = True  # False: takes messages, and its acknowledgements are lost
        self._time_ms = time_ms
        self._topics: dict[str, list[_Log]] = {}
        self._groups: dict[str, _Group] = {}
        self._arrival = asyncio.Event()

    def create_topic(self, topic: str, partitions: int = 1) -> None:
        """Make a topic with empty partitions."""
        self._topics[topic] = [_Log() for _ in range(partitions)]

    async def delete_topic(self, topic: str) -> None:
        """Delete a topic with all it holds, and what groups committed of it; members lose its partitions."""
        del self._topics[topic]
        for group in self._groups.values():
            group.committed = {place: offset for place, offset in group.committed.items() if place.topic != topic}
        await self.rebalance_all()

    async def make_again(self, topic: str) -> None:
        """Delete a topic and make it again, so quickly that no member notices."""
        self.create_topic(topic, len(self._topics[topic]))

    def cut(self, place: TopicPartition, beginning: int) -> None:
        """Delete the oldest records, up to, without, this offset, as retention does."""
        log = self._log(place)
        log.records = log.records[max(beginning - log.beginning, 0) :]
        log.beginning = max(beginning, log.beginning)

    def truncate(self, place: TopicPartition, end: int) -> None:
        """Delete the newest records, from this offset on, as an unclean election of a leader does."""
        log = self._log(place)
        log.records = log.records[: max(end - log.beginning, 0)]

    def publish(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> tuple[TopicPartition, int]:
        """Append a record; tell where it stands. Records of one key stand in one partition."""
        logs = self._topics[topic]
        number = crc32(key or b"") % len(logs) if partition is None else partition
        place, log = TopicPartition(topic, number), logs[number]
        self._time_ms += 1
        offset = log.end
        log.records.append(Record(place, offset, self._time_ms, key, value, tuple(headers)))
        self._arrival.set()
        return place, offset

    def records(self, topic: str) -> list[Record]:
        """Give all that a topic holds, partition by partition."""
        return [record for log in self._topics[topic] for record in log.records]

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """Give what a group has committed."""
        return dict(self._group(group).committed)

    def commit_for(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Set a group's committed offsets, as a tool, or an earlier life of the group, did."""
        self._group(group).committed.update(offsets)

    async def rebalance(self, group: str) -> None:
        """Deal the partitions of a group anew: all are revoked, then dealt round robin, as eager members do."""
        one = self._group(group)
        async with one.dealing:
            for member in list(one.members):
                await member.lose()
            places = sorted(self.places(topic for member in one.members for topic in member.topics))
            members = [member for member in one.members if member.joined]
            for index, member in enumerate(members):
                await member.gain(frozenset(places[index :: len(members)]))

    async def rebalance_all(self) -> None:
        """Deal the partitions of all groups anew."""
        for group in list(self._groups):
            await self.rebalance(group)

    async def expel(self, source: "MemorySource") -> None:
        """Take a member for dead: others get its partitions, and it is not told."""
        source.joined = False
        self._group(source.group).members.remove(source)
        await self.rebalance(source.group)

    def check(self) -> None:
        """Raise BrokerUnavailableError while the broker is down."""
        if self.down:
            raise BrokerUnavailableError("the broker in memory is down")

    def missing(self, topics: Collection[str]) -> frozenset[str]:
        """Tell which of these topics do not exist."""
        return frozenset(topics) - frozenset(self._topics)

    def bounds_of(self, place: TopicPartition) -> Bounds:
        """Tell what a partition holds. Raises BrokerUnavailableError where it does not exist, as a real one does."""
        log = self._log(place)
        return Bounds(log.beginning, log.end)

    def read(self, place: TopicPartition, offset: int, most: int) -> list[Record]:
        """Read from an offset. Raises OutOfRangeError."""
        log = self._log(place)
        if not log.beginning <= offset <= log.end:
            raise OutOfRangeError({place})
        return log.read(offset, most)

    async def arrival(self, seconds: float) -> None:
        """Wait until something was published, or partitions were dealt, or the time is over."""
        self._arrival.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrival.wait()

    def stir(self) -> None:
        """Wake all that wait for records: what they may read has changed."""
        self._arrival.set()

    async def join(self, source: "MemorySource") -> None:
        """Take in a member and deal anew."""
        self._group(source.group).members.append(source)
        await self.rebalance(source.group)

    async def leave(self, source: "MemorySource") -> None:
        """Let a member go and deal anew."""
        group = self._group(source.group)
        if source in group.members:
            group.members.remove(source)
            await self.rebalance(source.group)

    def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Take note of a member's offsets."""
        self._group(group).committed.update(offsets)

    def _group(self, group: str) -> _Group:
        return self._groups.setdefault(group, _Group())

    def places(self, topics: Iterable[str]) -> set[TopicPartition]:
        """List the partitions of these topics, of those that exist."""
        wanted = set(topics) & set(self._topics)
        return {TopicPartition(topic, number) for topic in wanted for number in range(len(self._topics[topic]))}

    def _log(self, place: TopicPartition) -> _Log:
        logs = self._topics.get(place.topic, [])
        if place.partition >= len(logs):
            raise BrokerUnavailableError(f"there is no partition {place.topic}[{place.partition}]")
        return logs[place.partition]


class MemorySource:
    """A member of a group; see ports.events.EventSource."""

    def __init__(self, *, broker: MemoryBroker, topics: Collection[str], group: str) -> None:
        self.topics = frozenset(topics)
        self._needed = self.topics
        self.group = group
        self.joined = False
        self._broker = broker
        self._listener: AssignmentListener | None = None
        self._ours: frozenset[TopicPartition] = frozenset()
        self._next: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._ends: dict[TopicPartition, int] = {}

    async def existing(self, topics: Collection[str]) -> frozenset[str]:
        """Tell which of these exist."""
        await asyncio.sleep(0)
        self._broker.check()
        return frozenset(topics) - self._broker.missing(topics)

    async def start(self, listener: AssignmentListener, more: Collection[str] = ()) -> None:
        """Join the group."""
        self._broker.check()
        missing = self._broker.missing(self._needed)
        if missing:
            raise TopicMissingError(missing)
        self.topics = self._needed.union(more)
        self._listener = listener
        self.joined = True
        await self._broker.join(self)

    async def fetch(self, records_max: int, wait_seconds: float) -> Sequence[Record]:
        """Give what is there, else wait for it once."""
        found = self._take(records_max)
        if not found:
            await self._broker.arrival(wait_seconds)
            found = self._take(records_max)
        # As with a real broker, a fetch gives other tasks their turn even when all is there already.
        await asyncio.sleep(0)
        return found if self.joined else ()

    def _take(self, most: int) -> list[Record]:
        self._broker.check()
        found: list[Record] = []
        for place in sorted(self._next):
            if place in self._paused or len(found) >= most:
                continue
            try:
                records = self._broker.read(place, self._next[place], most - len(found))
            except OutOfRangeError:
                if found:
                    break  # what was found first; the error comes again
                del self._next[place]
                raise
            self._ends[place] = self._broker.bounds_of(place).end
            self._next[place] += len(records)
            found += records
        return found

    def seek(self, place: TopicPartition, offset: int) -> bool:
        """Place a partition."""
        if place not in self._ours:
            return False
        self._next[place] = offset
        self._paused.discard(place)
        self._broker.stir()
        return True

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """Ask for both ends."""
        await asyncio.sleep(0)
        self._broker.check()
        return {place: self._broker.bounds_of(place) for place in places}

    async def committed(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Ask for what the group has committed."""
        await asyncio.sleep(0)
        self._broker.check()
        offsets = self._broker.committed(self.group)
        return {place: offsets[place] for place in places if place in offsets}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Commit what is ours."""
        await asyncio.sleep(0)
        self._broker.check()
        wanted = {place: offset for place, offset in offsets.items() if place in self._ours and self.joined}
        self._broker.commit(self.group, wanted)
        return bool(wanted)

    def pause(self, places: Collection[TopicPartition]) -> None:
        """Pause what is ours."""
        self._paused |= self._ours & frozenset(places)

    def resume(self, places: Collection[TopicPartition]) -> None:
        """Resume what is ours."""
        self._paused -= frozenset(places)
        self._broker.stir()

    def assignment(self) -> frozenset[TopicPartition]:
        """Tell what is ours, as far as we know."""
        return self._ours

    def end_seen(self, place: TopicPartition) -> int | None:
        """Tell the end as of the last fetch."""
        return self._ends.get(place)

    async def stop(self, deadline_seconds: float) -> None:
        """Leave the group, without being told of it."""
        self._listener = None
        was_in, self.joined = self.joined, False
        self._drop()
        if was_in:
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline_seconds):
                    await self._broker.leave(self)

    async def lose(self) -> None:
        """All our partitions are about to pass on."""
        if self._listener is not None:
            await self._listener.on_revoked(self._ours)
        self._drop()

    async def gain(self, places: frozenset[TopicPartition]) -> None:
        """These are ours from now on."""
        self._ours = places
        if self._listener is not None:
            await self._listener.on_assigned(places)
        self._broker.stir()

    def _drop(self) -> None:
        self._ours = frozenset()
        self._next.clear()
        self._paused.clear()
        self._ends.clear()


class MemorySink:
    """Sends into a broker in memory; see ports.messages.MessageSink."""

    def __init__(self, *, broker: MemoryBroker) -> None:
        self._broker = broker

    async def start(self, topics: Sequence[str]) -> None:
        """Check the topics."""
        self._broker.check()
        missing = self._broker.missing(topics)
        if missing:
            raise TopicMissingError(missing)

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Append all; each gets its own answer."""
        await asyncio.sleep(0)
        return [self._send(message) for message in messages]

    def _send(self, message: Message) -> Answer:
        if self._broker.down or self._broker.missing({message.topic}):
            return BrokerUnavailableError("the broker in memory is down, or the topic is gone")
        if len(message.key) + len(message.value) > self._broker.message_bytes:
            return MessageRefusedError(f"larger than {self._broker.message_bytes} bytes")
        self._broker.publish(message.topic, key=message.key, value=message.value, headers=message.headers)
        return None if self._broker.acknowledge else BrokerUnavailableError("the acknowledgement was lost")

    async def stop(self, deadline_seconds: float) -> None:
        """Nothing is held."""
