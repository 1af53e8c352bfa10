"""A member of a consumer group on aiokafka: the port ``EventSource``, with the client's traps stepped around."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import TopicPartition as KafkaPlace

from consumer.adapters.kafka.closing import close_consumer, look_away
from consumer.adapters.kafka.errors import bounded, unavailable
from consumer.adapters.kafka.settings import ISOLATION, KafkaSettings, SourceLimits
from consumer.adapters.kafka.topics import list_topics, verify_topics
from consumer.errors import BrokerUnavailableError
from consumer.ports.events import AssignmentListener, Bounds, OutOfRangeError, Record
from consumer.ports.intake import TopicPartition

_REBALANCE_SECONDS = 1.0  # how much longer than asked a fetch waits while partitions move
_CLOSE_SECONDS = 2.0


class KafkaSource:
    """See ports.events.EventSource."""

    def __init__(
        self, *, settings: KafkaSettings, topics: Collection[str], group: str, limits: SourceLimits | None = None
    ) -> None:
        self._settings = settings
        self._topics = frozenset(topics)
        self._group = group
        self._limits = limits or SourceLimits()
        self._consumer: AIOKafkaConsumer | None = None
        self._placed: set[TopicPartition] = set()
        self._read_to: dict[TopicPartition, int] = {}  # the offset behind the last record given, of placed ones
        self._committing: asyncio.Future[None] | None = None
        self._listener_error: BaseException | None = None

    async def existing(self, topics: Collection[str]) -> frozenset[str]:
        """Ask for all topics: asking for one by name may make it."""
        return (await list_topics(self._settings)).intersection(topics)

    async def start(self, listener: AssignmentListener, more: Collection[str] = ()) -> None:
        """Verify the topics, connect, then subscribe: a subscription to a missing topic would make it."""
        await verify_topics(self._settings, self._topics)
        consumer = self._make()
        try:
            async with bounded("connect", self._limits.start_seconds):
                await consumer.start()
        except BaseException:
            await close_consumer(consumer, _CLOSE_SECONDS)
            raise
        self._consumer = consumer
        self._listener_error = None
        consumer.subscribe(sorted(self._topics.union(more)), listener=_Listener(self, listener))

    def _make(self) -> AIOKafkaConsumer:
        limits = self._limits
        return AIOKafkaConsumer(
            **self._settings.client(),
            group_id=self._group,
            isolation_level=ISOLATION,
            enable_auto_commit=False,
            # The client's own reset is a silent jump: positions are ours, and what lies outside is an error.
            auto_offset_reset="none",
            fetch_max_bytes=limits.answer_bytes,
            max_partition_fetch_bytes=limits.partition_bytes,
            session_timeout_ms=round(limits.session_seconds * 1000),
            heartbeat_interval_ms=round(limits.heartbeat_seconds * 1000),
            rebalance_timeout_ms=round(limits.rebalance_seconds * 1000),
            max_poll_interval_ms=round(limits.poll_seconds * 1000),
            metadata_max_age_ms=30_000,
        )

    async def fetch(self, records_max: int, wait_seconds: float) -> Sequence[Record]:
        """Give what is there. While partitions move, the client waits without limit: then nothing is given."""
        consumer = self._running()
        if self._listener_error is not None:
            raise self._listener_error
        try:
            async with asyncio.timeout(wait_seconds + _REBALANCE_SECONDS):
                found = await consumer.getmany(timeout_ms=round(wait_seconds * 1000), max_records=records_max)
        except (TimeoutError, NoOffsetForPartitionError):
            # The latter is of a partition that has not been placed yet: its turn is about to come.
            return ()
        except OffsetOutOfRangeError as error:
            raise self._out_of_range(error) from error
        except KafkaError as error:
            raise unavailable("fetch", error) from error
        return [record for place, records in found.items() for record in self._records(place, records)]

    def _records(self, place: KafkaPlace, records: Sequence[object]) -> list[Record]:
        ours = TopicPartition(*place)
        if ours not in self._placed:
            # Fetched between the assignment and its news to us, from an offset that nobody chose.
            return []
        found = [record_of(ours, record) for record in records]
        if found:
            self._read_to[ours] = found[-1].offset + 1
        return found

    def _out_of_range(self, error: OffsetOutOfRangeError) -> OutOfRangeError:
        places = frozenset(TopicPartition(*place) for place in error.args[0])
        self._placed -= places
        return OutOfRangeError(places)

    def seek(self, place: TopicPartition, offset: int) -> bool:
        """Place a partition, and let it be read."""
        if self._consumer is None or place not in self.assignment():
            return False
        self._consumer.seek(KafkaPlace(*place), offset)
        self._consumer.resume(KafkaPlace(*place))
        self._placed.add(place)
        self._read_to[place] = offset
        return True

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """Ask for both ends, the beginning first: so the pair is never wider than the log was."""
        consumer, asked = self._running(), [KafkaPlace(*place) for place in places]
        async with bounded("ask for the bounds", self._settings.call_seconds):
            beginnings = await consumer.beginning_offsets(asked)
            ends = await consumer.end_offsets(asked)
        return {TopicPartition(*place): Bounds(beginnings[place], ends[place]) for place in asked}

    async def committed(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Ask the group's coordinator."""
        consumer, asked = self._running(), [KafkaPlace(*place) for place in places]
        async with bounded("ask for the committed offsets", self._settings.call_seconds):
            offsets = await asyncio.gather(*(consumer.committed(place) for place in asked))
        found = zip(asked, offsets, strict=True)
        return {TopicPartition(*place): offset for place, offset in found if offset is not None}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Commit what is ours, always by explicit offsets: without them the client commits what was fetched."""
        consumer, ours = self._running(), self.assignment()
        wanted = {KafkaPlace(*place): offset for place, offset in offsets.items() if place in ours}
        if not wanted:
            return False
        if self._committing is not None and not self._committing.done():
            # The client tries without end. Cancelled, it would leave a request behind whose error nobody takes note of.
            raise BrokerUnavailableError("Kafka: commit: the one before is still under way")
        commit = asyncio.ensure_future(consumer.commit(wanted))
        self._committing = commit
        await asyncio.wait({commit}, timeout=self._settings.call_seconds)
        return _outcome(commit, self._settings.call_seconds)

    def abandon_commit(self) -> None:
        """Drop a commit that is still under way.

        The client stamps a commit with the generation of the moment it is sent, not that of its records: one that
        outlives its assignment could set back a partition that another member has taken further.
        """
        if self._committing is not None:
            self._committing.cancel()

    def pause(self, places: Collection[TopicPartition]) -> None:
        """Pause what is ours."""
        if self._consumer is not None:
            self._consumer.pause(*(KafkaPlace(*place) for place in self.assignment().intersection(places)))

    def resume(self, places: Collection[TopicPartition]) -> None:
        """Resume what is ours and placed."""
        if self._consumer is not None:
            wanted = self.assignment() & self._placed & frozenset(places)
            self._consumer.resume(*(KafkaPlace(*place) for place in wanted))

    def assignment(self) -> frozenset[TopicPartition]:
        """Tell what is ours by the client's own account."""
        if self._consumer is None:
            return frozenset()
        return frozenset(TopicPartition(*place) for place in self._consumer.assignment())

    def end_seen(self, place: TopicPartition) -> int | None:
        """Tell the high watermark of the last answer, less the marks of transactions that nothing comes after.

        With an open transaction it lies beyond what can be read: that it keeps us waiting is to be seen as a lag.
        """
        if self._consumer is None or place not in self.assignment():
            return None
        asked = KafkaPlace(*place)
        end: int | None = self._consumer.highwater(asked)
        # There is no public way to ask without waiting.
        state = self._consumer._subscription.subscription.assignment.state_value(asked)  # noqa: SLF001 as said
        passed = end is not None and state.has_valid_position and state.position >= end
        return self._read_to.get(place, end) if passed else end

    async def stop(self, deadline_seconds: float) -> None:
        """Leave; what does not answer is abandoned."""
        consumer, self._consumer = self._consumer, None
        self.forget_places()
        if consumer is not None:
            self.abandon_commit()
            await close_consumer(consumer, deadline_seconds)

    def forget_places(self) -> None:
        """Take nothing as placed any more: the partitions are being dealt anew."""
        self._placed.clear()
        self._read_to.clear()

    def hold(self, places: frozenset[TopicPartition]) -> None:
        """Keep new partitions still until they are placed.

        They get a position, any, and are paused: one without a position would make the client ask for the committed
        offset again and again, and meanwhile fetch from no other partition of that broker.
        """
        if self._consumer is not None:
            for place in places:
                self._consumer.seek(KafkaPlace(*place), 0)
                self._consumer.pause(KafkaPlace(*place))

    def fail(self, error: BaseException) -> None:
        """Remember what a listener raised, for the next fetch: the client logs it and goes on."""
        self._listener_error = error

    def _running(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise BrokerUnavailableError("Kafka: not connected; start the source first")
        return self._consumer


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Passes the client's news on to ours."""

    def __init__(self, source: KafkaSource, ours: AssignmentListener) -> None:
        self._source = source
        self._ours = ours

    async def on_partitions_revoked(self, revoked: Collection[KafkaPlace]) -> None:
        """Let the listener commit, then drop what is still under way."""
        try:
            await self._ours.on_revoked(frozenset(TopicPartition(*place) for place in revoked))
        except Exception as error:  # noqa: BLE001 the client would log and forget it; the next fetch raises it
            self._source.fail(error)
        finally:
            self._source.abandon_commit()
            self._source.forget_places()

    async def on_partitions_assigned(self, assigned: Collection[KafkaPlace]) -> None:
        """Hold the new partitions still before anything awaits, then pass the news on."""
        places = frozenset(TopicPartition(*place) for place in assigned)
        self._source.forget_places()
        self._source.hold(places)
        try:
            await self._ours.on_assigned(places)
        except Exception as error:  # noqa: BLE001 the client would log and forget it; the next fetch raises it
            self._source.fail(error)


def _outcome(commit: asyncio.Future[None], seconds: float) -> bool:
    """Tell what came of a commit: False where a rebalance came between."""
    if not commit.done():
        commit.add_done_callback(look_away)
        raise BrokerUnavailableError(f"Kafka: commit: no answer within {seconds:g} s")
    if commit.cancelled():
        return False
    error = commit.exception()
    if isinstance(error, CommitFailedError | IllegalStateError):
        return False
    if error is not None:
        raise unavailable("commit", error) from error
    return True


def record_of(place: TopicPartition, record: object) -> Record:
    """Put a record of the client into our words."""
    offset, time_ms = record.offset, record.timestamp  # type: ignore[attr-defined]  # aiokafka ships no types
    key, value, headers = record.key, record.value, record.headers  # type: ignore[attr-defined]  # the same
    return Record(place, offset, time_ms, key, value, headers)
