"""The intake: takes batches from the broker, reads them, and writes each in one transaction; then commits the offsets.

Five loops. The reader fetches and reads, the writer records, the placer puts new partitions to their positions, the
committer tells the group how far we are, the follower looks whether shops have got topics of their own. It never calls
a ledger, so a slow ledger never grows the lag.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, tzinfo
from time import perf_counter

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.errors import FencedError, UnavailableError
from consumer.failpoints import failpoint
from consumer.lifecycle import Service
from consumer.ports.events import EventSource, OutOfRangeError, Record
from consumer.ports.intake import IntakeStore, Recorded, Taken, TopicPartition
from consumer.ports.tracing import NO_TRACING, Tracing
from consumer.services.backoff import Backoff
from consumer.services.intake_batches import Batch, Entry, Handover, Reading, cut
from consumer.services.intake_places import Places
from consumer.services.intake_report import IntakeReport, SilentReport
from consumer.services.intake_topics import ShopTopics, no_topics
from consumer.services.positions import checksum, proves
from consumer.services.tracing import end_taking, take_event

# Records read before other tasks get their turn: about a millisecond. Every answer of the database waits for one slice,
# and a batch is a dozen answers: with long slices the reading of a batch did not overlap with the writing of another.
_SLICE = 16
_FAILURES_MAX = 10  # of a row; then the source is started anew
_TICK_SECONDS = 1.0  # at least as often does an idle loop come round
ReadRecord = Callable[..., OrderEvent | Rejected | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """How much at once, and how long."""

    records_max: int = 1000
    bytes_max: int = 4 * 1024 * 1024
    wait_seconds: float = 0.5  # for records
    hold_seconds: float = 2.0  # for the writer, before the partitions are paused
    commit_every_seconds: float = 0.5
    revoke_seconds: float = 5.0  # for what is in hand, when partitions pass on
    source_stop_seconds: float = 3.0
    topics_every_seconds: float = 5.0  # between looks for topics of shops


def _utc(_shop_id: str) -> tzinfo:
    return UTC


def _nothing(_recorded: Recorded) -> None:
    pass


class Intake(Service):
    """The service. ``kinds`` says what each topic carries, None for all kinds.

    ``read`` is sources.reading.ShopReader.read. ``on_recorded`` is called after each commit, to wake lanes and relay:
    it must neither block nor raise. ``shop_topics`` names the topics that shops have for themselves, which carry all
    kinds. Nothing is taken in before ``after`` is set: by then the shops' settings are known.
    """

    def __init__(
        self,
        *,
        source: EventSource,
        store: IntakeStore,
        kinds: Mapping[str, EventKind | None],
        read: ReadRecord,
        zone_of: Callable[[str], tzinfo] = _utc,
        on_recorded: Callable[[Recorded], None] = _nothing,
        report: IntakeReport | None = None,
        limits: IntakeLimits | None = None,
        shop_topics: Callable[[], Collection[str]] = no_topics,
        after: asyncio.Event | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        super().__init__("intake")
        self._source = source
        self._store = store
        self._kinds = kinds
        self._read = read
        self._zone_of = zone_of
        self._on_recorded = on_recorded
        self._report = report or SilentReport()
        self._limits = limits or IntakeLimits()
        self._handover = Handover()
        self._places = Places(source=source, store=store, settled=self._handover.settled, report=self._report)
        self._topics = ShopTopics(source=source, wanted=shop_topics, report=self._report)
        self._after = after
        self._tracing = tracing
        self._begin_anew = False
        self._taken: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._to_commit = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    async def on_assigned(self, places: frozenset[TopicPartition]) -> None:
        """New partitions: the placer puts them to their positions, which may have to wait for the database."""
        self._places.expect(places)
        self.started.set()

    async def on_revoked(self, places: frozenset[TopicPartition]) -> None:
        """Finish what is in hand within the deadline and commit it; what is not done by then is dropped.

        Nothing is lost or doubled by dropping, nor by a write that ends late: the next owner reads from Postgres's
        position, and whichever transaction comes second drops what the first has taken.
        """
        try:
            await self._settle(self._limits.revoke_seconds)
        finally:
            self._places.forget(places)
            for place in places:
                self._taken.pop(place, None)
                self._committed.pop(place, None)

    async def _begin(self) -> None:
        self._reader = self.spawn("reader", self._reading())
        self.spawn("writer", self._writing())
        self.spawn("placer", self._placing())
        self.spawn("committer", self._committing())
        self.spawn("follower", self._following())

    async def _finish(self, deadline_seconds: float) -> None:
        """Fetch no more, write what was read, commit, and leave; half of the deadline is for the writing."""
        if self._reader is not None and not self._reader.done():
            self._reader.cancel()
            await asyncio.wait({self._reader})
        await self._settle(deadline_seconds / 2)
        await self._source.stop(min(self._limits.source_stop_seconds, deadline_seconds / 4))
        await self._cancel()

    async def _release(self) -> None:
        # For when the deadline has cut `_finish` short; otherwise there is nothing left to stop.
        await self._source.stop(1.5)

    async def _settle(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._handover.settled()
                await self._commit()
        except (TimeoutError, UnavailableError) as error:
            self._report.waiting("commit", error, 0)

    async def _reading(self) -> None:
        """Stay connected; what the client does not heal from by itself, a new one does."""
        backoff = Backoff()
        beat = self.heartbeat("reader")
        while self._after is not None and not await _set_within(self._after, _TICK_SECONDS):
            beat.beat()
        while not self.stopping.is_set():
            beat.beat()
            try:
                await self._source.stop(self._limits.source_stop_seconds)
                self._places.forget(self._places.known())
                self._begin_anew = False
                await self._source.start(self, await self._topics.begin())
                if backoff.attempts:
                    self._report.going_on("broker")
                backoff.reset()
                await self._fetching(beat.beat)
            except UnavailableError as error:
                self._report.waiting("broker", error, backoff.attempts)
                await self.nap(backoff.next_seconds())

    async def _fetching(self, beat: Callable[[], None]) -> None:
        """Fetch until stopped, or until other topics have to be read. Raises UnavailableError after some failures."""
        failures = Backoff()
        while not self.stopping.is_set():
            beat()
            if self._begin_anew:
                # Not lost without it, since positions decide; but what is in hand would be read a second time.
                await self._settle(self._limits.revoke_seconds)
                return
            try:
                await self._fetch()
            except OutOfRangeError as error:
                self._places.expect(error.places)
            except UnavailableError:
                if failures.attempts >= _FAILURES_MAX:
                    raise
                await self.nap(failures.next_seconds())
            else:
                failures.reset()

    async def _fetch(self) -> None:
        """Hand one fetch on to the writer; without room there, go on showing the group that we live."""
        if not await self._handover.room(self._limits.hold_seconds):
            # Paused, and fetched all the same: a member that does not fetch is taken for dead after five minutes.
            self._places.pause()
        elif self._places.paused:
            self._places.resume()
        records = await self._source.fetch(self._limits.records_max, self._limits.wait_seconds)
        if records:
            failpoint("records_fetched")
        readings = self._places.readings()
        entries: list[Entry] = []
        for number, record in enumerate(records, 1):
            entry = self._entry(record, readings)
            if entry is not None:
                entries.append(entry)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        for batch in cut(entries, records_max=self._limits.records_max, bytes_max=self._limits.bytes_max):
            await self._handover.give(batch)

    def _entry(self, record: Record, readings: dict[TopicPartition, Reading]) -> Entry | None:
        """Read one record; None for one that was taken before, or whose partition has passed on."""
        reading = readings.get(record.place)
        if reading is None:
            return None
        if reading.proof is not None:
            if record.offset < reading.proof.offset:
                # Delivered again from before where we asked to begin: it proves nothing either way.
                return None
            if not proves(reading.proof, record):
                del readings[record.place]
                self._places.refute(reading)
                return None
            reading.proof = None
        if record.offset < reading.next_offset:
            return None
        reading.next_offset = record.offset + 1
        topic = record.place.topic
        outcome = self._read(record, log=reading.log, kind=self._kinds.get(topic), zone_of=self._zone_of)
        self._report.read(topic, outcome)
        outcome, span = take_event(self._tracing, outcome)
        # Of a message refused for its size no more than the first part stays in memory.
        value = outcome.value if isinstance(outcome, Rejected) else record.value
        return Entry(
            reading,
            Taken(
                place=record.place,
                offset=record.offset,
                checksum=checksum(record),
                outcome=outcome,
                value=value,
                record_key=record.key,
                headers=record.headers,
            ),
            span,
        )

    async def _writing(self) -> None:
        beat = self.heartbeat("writer")
        while True:
            beat.beat()
            batch = await self._handover.take(_TICK_SECONDS)
            if batch is None:
                continue
            try:
                await self._write(batch, beat.beat)
            finally:
                end_taking(batch)
                await self._handover.done()

    async def _write(self, batch: Batch, beat: Callable[[], None]) -> None:
        """Write what is still ours of a batch, without end while the database does not answer."""
        backoff = Backoff()
        while taken := [entry.taken for entry in batch if self._places.current(entry.reading)]:
            beat()
            began = perf_counter()
            try:
                recorded = await self._store.record(taken)
                failpoint("batch_committed")
            except UnavailableError as error:
                self._report.waiting("database", error, backoff.attempts)
                # Not a nap, which ends with the service: until the deadline it is tried again.
                await asyncio.sleep(backoff.next_seconds())
                continue
            except FencedError as error:
                # Somebody has begun a new log of one of these partitions, so what was read of it is void.
                self._report.waiting("positions", error, 0)
                self._places.expect({one.place for one in taken})
                return
            if backoff.attempts:
                self._report.going_on("database")
            self._note(recorded, len(taken), perf_counter() - began)
            return

    def _note(self, recorded: Recorded, records: int, seconds: float) -> None:
        ours = self._places.known()
        # A partition that passed on during the write is the next owner's to commit.
        self._taken.update({place: offset for place, offset in recorded.positions.items() if place in ours})
        self._to_commit.set()
        self._report.recorded(recorded, records, seconds)
        self._on_recorded(recorded)

    async def _placing(self) -> None:
        beat = self.heartbeat("placer")
        backoff = Backoff()
        while True:
            beat.beat()
            if not await _set_within(self._places.wanted, _TICK_SECONDS):
                continue
            try:
                await self._places.place_all()
                backoff.reset()
            except (UnavailableError, FencedError) as error:
                self._report.waiting("positions", error, backoff.attempts)
                await self.nap(backoff.next_seconds())
                self._places.wanted.set()

    async def _committing(self) -> None:
        """Tell the group how far we are, for the tools that show lag; nothing depends on it or waits for it."""
        beat = self.heartbeat("committer")
        backoff = Backoff()
        while not self.stopping.is_set():
            beat.beat()
            await _set_within(self._to_commit, _TICK_SECONDS)
            self._report.lag(self._places.lags(self._taken))
            try:
                await self._commit()
                backoff.reset()
            except UnavailableError as error:
                self._report.waiting("commit", error, backoff.attempts)
                await self.nap(backoff.next_seconds())
            await self.nap(self._limits.commit_every_seconds)

    async def _following(self) -> None:
        """Let the source begin anew when a shop has got a topic, or lost one: a rebalance, a second or two."""
        beat = self.heartbeat("follower")
        while not self.stopping.is_set():
            beat.beat()
            await self.nap(self._limits.topics_every_seconds)
            # Before the first start there is nothing to compare with.
            if not self.started.is_set():
                continue
            try:
                self._begin_anew = await self._topics.outdated()
            except UnavailableError as error:
                self._report.waiting("shop topics", error, 0)

    async def _commit(self) -> None:
        self._to_commit.clear()
        offsets = {place: offset for place, offset in self._taken.items() if self._committed.get(place) != offset}
        if offsets and await self._source.commit(offsets):
            failpoint("offsets_committed")
            self._committed.update({place: offset for place, offset in offsets.items() if place in self._taken})


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
