"""Which partitions are ours, and where each is read from: the protocol of the positions (design, section 3)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from consumer.errors import FencedError, UnavailableError
from consumer.ports.events import Bounds, EventSource
from consumer.ports.intake import Gap, IntakeStore, TopicPartition
from consumer.services.intake_batches import Reading
from consumer.services.intake_report import IntakeReport
from consumer.services.positions import Placement, placement


@dataclass(slots=True, eq=False)
class _Expected:
    """A partition that waits to be placed. Identity tells whether it was dealt anew meanwhile."""

    made_again: bool


class Places:
    """Partitions are expected when they come, placed when database and broker have answered, and forgotten.

    All changes of ``_readings`` and ``_expected`` are made without an await between look and change.
    """

    def __init__(
        self,
        *,
        source: EventSource,
        store: IntakeStore,
        settled: Callable[[], Awaitable[None]],
        report: IntakeReport,
    ) -> None:
        self._source = source
        self._store = store
        self._settled = settled
        self._report = report
        self._readings: dict[TopicPartition, Reading] = {}
        self._expected: dict[TopicPartition, _Expected] = {}
        self.wanted = asyncio.Event()
        self.paused = False

    def expect(self, places: Collection[TopicPartition], *, made_again: bool = False) -> None:
        """Place these anew; what was read of them and is not written yet is dropped."""
        for place in places:
            self._readings.pop(place, None)
            self._expected[place] = _Expected(made_again)
        self.wanted.set()

    def forget(self, places: Collection[TopicPartition]) -> None:
        """These are not ours any more; what was read of them and is not written yet is dropped."""
        for place in places:
            self._readings.pop(place, None)
            self._expected.pop(place, None)

    def known(self) -> frozenset[TopicPartition]:
        """Tell which are ours, placed or not."""
        return frozenset(self._readings) | frozenset(self._expected)

    def readings(self) -> dict[TopicPartition, Reading]:
        """Copy what is being read. Taken at once after a fetch: later, a partition may have been placed anew."""
        return dict(self._readings)

    def current(self, reading: Reading) -> bool:
        """Tell whether this is how its partition is read now."""
        return self._readings.get(reading.place) is reading

    def refute(self, reading: Reading) -> None:
        """The first record was not the last one taken: this is another log."""
        if self.current(reading):
            self.expect({reading.place}, made_again=True)

    def pause(self) -> None:
        """Give no records for now; also of partitions that are placed from now on."""
        self.paused = True
        self._source.pause(frozenset(self._readings))

    def resume(self) -> None:
        """Give records again."""
        self.paused = False
        self._source.resume(frozenset(self._readings))

    def lags(self, taken: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Count what the log holds beyond what was taken, as far as the last fetch showed it."""
        ends = {place: self._source.end_seen(place) for place in self._readings}
        return {place: max(end - taken[place], 0) for place, end in ends.items() if end is not None and place in taken}

    async def place_all(self) -> None:
        """Place all that are expected, topic by topic: one that is gone must not keep the others waiting.

        Raises UnavailableError, or FencedError when somebody else began a new log meanwhile, when some could not be
        placed; they are still expected then.
        """
        self.wanted.clear()
        topics: dict[str, dict[TopicPartition, _Expected]] = {}
        for place, expected in self._expected.items():
            topics.setdefault(place.topic, {})[place] = expected
        ends = await asyncio.gather(*(self._place(group) for group in topics.values()), return_exceptions=True)
        errors = [end for end in ends if end is not None]
        # What is not an outage is a fault of ours, and is raised rather than hidden behind one.
        for error in sorted(errors, key=lambda one: isinstance(one, UnavailableError | FencedError)):
            raise error

    async def _place(self, group: Mapping[TopicPartition, _Expected]) -> None:
        places = sorted(group)
        positions = await self._store.positions(places)
        committed = await self._source.committed(places)
        # The bounds last: a position that was read before them can only lie further back, never beyond the end.
        bounds = await self._source.bounds(places)
        found = {place: placement(place, positions.get(place), bounds[place], committed.get(place)) for place in places}
        await self._note_forgotten([one for one in found.values() if one.forgot])
        for place, expected in group.items():
            one = replace(found[place], made_again=found[place].made_again or expected.made_again)
            await self._place_one(one, bounds[place], expected)

    async def _note_forgotten(self, forgotten: Collection[Placement]) -> None:
        if not forgotten:
            return
        # Before the first record is read: a lane that looks only afterwards may have booked an order again.
        await self._store.note_committed_ahead([one.place for one in forgotten])
        for one in forgotten:
            text = f"the group has committed further than {one.next_offset}: the database has forgotten something"
            self._report.alarm("committed_ahead", one.place, text)

    async def _place_one(self, found: Placement, bounds: Bounds, expected: _Expected) -> None:
        if self._expected.get(found.place) is not expected:
            return
        if found.made_again:
            found = await self._begin_log(found, bounds)
        elif found.gap_from is not None:
            await self._record_gap(found, found.gap_from)
        if self._expected.get(found.place) is expected:
            self._begin(found)

    async def _begin_log(self, found: Placement, bounds: Bounds) -> Placement:
        # A batch of the old log that is still being written must not move the new log's position: it would skip what
        # lies before. Nothing new of this partition is written meanwhile, since it is not being read.
        await self._settled()
        position = await self._store.begin_log(found.place, bounds.beginning)
        text = f"the topic was made again or truncated; log {position.log} is read from {position.next_offset}"
        self._report.alarm("log_made_again", found.place, text)
        return Placement(place=found.place, next_offset=position.next_offset, log=position.log)

    async def _record_gap(self, found: Placement, gap_from: int) -> None:
        gap = Gap(
            place=found.place,
            log=found.log,
            from_offset=gap_from,
            to_offset=found.next_offset,
            cause="cut_by_retention",
        )
        await self._store.record_gap(gap)
        text = f"records {gap_from} to {found.next_offset - 1} were deleted before they were read"
        self._report.alarm("gap", found.place, text)

    def _begin(self, found: Placement) -> None:
        """Read the partition from now on; no await between the look at ``_expected`` and here."""
        del self._expected[found.place]
        if not self._source.seek(found.place, found.seek_to):
            return
        self._readings[found.place] = Reading(found.place, found.log, found.next_offset, found.proof)
        if self.paused:
            self._source.pause({found.place})
