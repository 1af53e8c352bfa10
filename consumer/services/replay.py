"""The replay: finds what was missed and puts it in. Run every ten minutes, and by people for backfills.

It compares what the topics still hold, up to the intake's position as it stood when the run began, with the orders that
are recorded; asks shops for their own lists; proves completeness; and wakes what is stuck. It never calls a ledger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from consumer.domain.completeness import Source, Tally, Tallying
from consumer.domain.events import EventKind
from consumer.domain.replay import from_budgets
from consumer.domain.settings import ShopSettings
from consumer.errors import FencedError
from consumer.ports.events import Bounds, OutOfRangeError, Record
from consumer.ports.intake import Gap, IntakeStore, Lease, Position, TopicPartition
from consumer.ports.lanes import LaneStore
from consumer.ports.replay import LogReader, OpenGap, Progress, ReplayStore, list_place
from consumer.ports.wakeups import WakeKind, Wakeups
from consumer.services.record_reading import RecordReading
from consumer.services.replay_compare import Comparison, Stretch
from consumer.services.replay_lists import NEVER, AskedWindow, ListAsking, OpenList, gap_window
from consumer.services.replay_report import ReplayLimits, ReplayReport, ReplayRequest, Unverified

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayParts:
    """What a replay works with. ``kinds`` says what the installation's topics carry, a shop's own carries all."""

    store: ReplayStore
    intake: IntakeStore
    lanes: LaneStore
    log: LogReader
    reading: RecordReading
    shops: Sequence[ShopSettings]
    kinds: Mapping[str, EventKind]
    open_list: OpenList
    wakeups: Wakeups
    clock: Callable[[], float]
    limits: ReplayLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """What of a partition is compared. ``known_below``: an earlier run has compared and summed up to there."""

    place: TopicPartition
    log: int
    from_offset: int
    to_offset: int
    known_below: int | None
    reached: datetime | None


async def replay(request: ReplayRequest, parts: ReplayParts) -> ReplayReport:
    """Run once. Raises UnavailableError where Kafka or Postgres does not answer; what was done by then stays done.

    Another run at the same time finds the lease taken, does nothing, and says so.
    """
    began = parts.clock()
    report = ReplayReport(dry_run=request.dry_run)
    lease = await parts.store.lease(f"replay-{uuid4().hex[:12]}", parts.limits.lease_seconds)
    if lease is None:
        report.busy = True
        return report
    try:
        await _Run(request, parts, report, lease, began).run()
    except FencedError as error:
        # Whoever has taken the lease over does the same work: nothing is lost but time.
        report.left.append(f"another replay took over: {error}")
    finally:
        report.seconds = parts.clock() - began
        await parts.store.give_back(lease)
    return report


class _Run:
    """One run, from its lease to its figures."""

    def __init__(
        self, request: ReplayRequest, parts: ReplayParts, report: ReplayReport, lease: Lease, began: float
    ) -> None:
        self._request = request
        self._parts = parts
        self._report = report
        self._lease = lease
        self._ends = began + parts.limits.deadline_seconds
        self._renewed = began
        shops = [shop for shop in parts.shops if shop.active and request.shop_id in (None, shop.shop_id)]
        self._listing = [shop for shop in shops if shop.order_list is not None]
        report.not_verifiable = [shop.shop_id for shop in shops if shop.order_list is None]

    async def run(self) -> None:
        """Do all parts, the cheap ones that others wait for first."""
        parts, request = self._parts, self._request
        now = await parts.store.now()
        places = await parts.log.partitions(self._topics())
        positions = await parts.intake.positions(places)
        bounds = await parts.log.bounds(places)
        self._measure_lag(places, positions, bounds)
        if not request.dry_run:
            await self._wake()
        comparison = await self._comparison()
        asking = ListAsking(
            store=parts.store,
            comparison=comparison,
            report=self._report,
            limits=parts.limits,
            open_list=parts.open_list,
            time_left=self._time_left,
        )
        await self._ask_for_gaps(asking, now)
        await self._compare_all(comparison, positions, bounds)
        await asking.ask_all(self._listing, request, self._lease, now)
        await self._conclude(now, bounds)

    def _topics(self) -> frozenset[str]:
        return frozenset(self._parts.kinds) | self._parts.reading.directory.topics

    def _time_left(self) -> float:
        return self._ends - self._parts.clock()

    def _measure_lag(
        self,
        places: Sequence[TopicPartition],
        positions: Mapping[TopicPartition, Position],
        bounds: Mapping[TopicPartition, Bounds],
    ) -> None:
        """Sum what lies beyond the positions: not lost, only not taken yet."""
        for place in places:
            position, held = positions.get(place), bounds[place]
            taken = held.beginning if position is None else position.next_offset
            self._report.lag += max(0, held.end - taken)

    async def _wake(self) -> None:
        parts = self._parts
        self._report.woken = await parts.store.wake_stuck(parts.limits.idle_seconds)
        self._report.lanes_corrected = await parts.lanes.sweep()
        if self._report.woken.outbox_rows:
            parts.wakeups.wake(WakeKind.OUTBOX)
        if self._report.woken.intents or self._report.lanes_corrected:
            parts.wakeups.wake(WakeKind.LANES)
        self._report.settled = await parts.store.settle_unrecorded(self._lease)

    async def _comparison(self) -> Comparison:
        """Make the comparison; what a backfill may put in is bounded by what the day still leaves."""
        parts, allowances = self._parts, None
        if self._request.since is not None:
            budgets = await parts.store.day_budgets()
            table = {name: (budget.calls_left, budget.waiting) for name, budget in budgets.items()}
            allowances = from_budgets(table, parts.limits.share)
        return Comparison(
            store=parts.store,
            intake=parts.intake,
            reading=parts.reading,
            report=self._report,
            tallying=Tallying(),
            put_in_at_once=parts.limits.put_in_at_once,
            shop_id=self._request.shop_id,
            dry_run=self._request.dry_run,
            allowances=allowances,
        )

    # ---- the topics --------------------------------------------------------------------------------------------

    async def _compare_all(
        self,
        comparison: Comparison,
        positions: Mapping[TopicPartition, Position],
        bounds: Mapping[TopicPartition, Bounds],
    ) -> None:
        progress = await self._parts.store.progress(sorted(positions))
        for place in sorted(positions):
            chosen = await self._range(place, positions[place], bounds[place], progress.get(place))
            if chosen is None:
                continue
            try:
                await self._compare_range(comparison, chosen)
            except OutOfRangeError:
                text = f"{place.topic}[{place.partition}]: retention cut its beginning meanwhile; the next run goes on"
                self._report.left.append(text)

    async def _range(
        self, place: TopicPartition, position: Position, held: Bounds, progress: Progress | None
    ) -> _Range | None:
        """Choose what to read: from the last run's end less the overlap, or the request's time, to the position."""
        if position.next_offset > held.end:
            text = f"{place.topic}[{place.partition}] was made again; the intake has to begin its new log first"
            self._report.left.append(text)
            return None
        if progress is not None and progress.log != position.log:
            # Compared of a log that is gone; what the intake had not taken of it is a recorded gap.
            progress = None
        request = self._request
        if request.since is not None or request.until is not None:
            return await self._range_of_time(place, position, held)
        start = held.beginning
        if progress is not None:
            self._note_cut(place, progress, held)
            start = max(start, await self._overlap_start(place, progress))
        if start >= position.next_offset:
            return None
        return _Range(
            place=place,
            log=position.log,
            from_offset=start,
            to_offset=position.next_offset,
            known_below=None if progress is None else progress.next_offset,
            reached=None if progress is None else progress.reached,
        )

    def _note_cut(self, place: TopicPartition, progress: Progress, held: Bounds) -> None:
        if progress.next_offset < held.beginning:
            gone = Unverified(
                topic=place.topic,
                partition=place.partition,
                log=progress.log,
                from_offset=progress.next_offset,
                to_offset=held.beginning,
            )
            self._report.unverified.append(gone)

    async def _overlap_start(self, place: TopicPartition, progress: Progress) -> int:
        if progress.reached is None:
            return progress.next_offset
        found = await self._parts.log.offset_at(place, progress.reached - self._parts.limits.overlap)
        return progress.next_offset if found is None else min(found, progress.next_offset)

    async def _range_of_time(self, place: TopicPartition, position: Position, held: Bounds) -> _Range | None:
        request, start, end = self._request, held.beginning, position.next_offset
        if request.since is not None:
            found = await self._parts.log.offset_at(place, request.since)
            start = position.next_offset if found is None else max(start, found)
        if request.until is not None:
            found = await self._parts.log.offset_at(place, request.until)
            end = end if found is None else min(end, found)
        if start >= end:
            return None
        return _Range(place=place, log=position.log, from_offset=start, to_offset=end, known_below=None, reached=None)

    async def _compare_range(self, comparison: Comparison, chosen: _Range) -> None:
        """Read and compare a range; progress is kept with every batch, so that a run that ends early goes on there."""
        parts, request, place = self._parts, self._request, chosen.place
        keeps = request.keeps_progress
        stretch = Stretch(
            source=Source.TOPIC,
            log=chosen.log,
            kind=parts.kinds.get(place.topic),
            counted_from=(chosen.known_below or 0) if keeps else None,
        )
        at, reached = chosen.from_offset, chosen.reached
        records_at_once = parts.limits.records_at_once
        async for records in parts.log.read(place, chosen.from_offset, chosen.to_offset, records_at_once):
            await self._renew()
            await comparison.compare(records, stretch)
            at, reached = records[-1].offset + 1, _latest(reached, records)
            if keeps and at > (chosen.known_below or 0):
                done = Progress(log=chosen.log, next_offset=at, reached=reached)
                await parts.store.advance(self._lease, place, done, comparison.tallying.take())
            if self._time_left() <= 0:
                where = f"{place.topic}[{place.partition}]"
                self._report.left.append(f"{where}: {chosen.to_offset - at} offsets from {at} on: the time is over")
                return
        if keeps and at < chosen.to_offset:
            # The last offsets held no record (transactions, compaction).
            done = Progress(log=chosen.log, next_offset=chosen.to_offset, reached=reached)
            await parts.store.advance(self._lease, place, done, comparison.tallying.take())

    async def _renew(self) -> None:
        """Prolong the lease in time. Raises FencedError where another has it."""
        now, limits = self._parts.clock(), self._parts.limits
        if now - self._renewed < limits.lease_seconds / 4:
            return
        lease = await self._parts.store.lease(self._lease.owner, limits.lease_seconds)
        if lease is None or lease.epoch != self._lease.epoch:
            raise FencedError(f"the lease {self._lease.name} has passed on")
        self._renewed = now

    # ---- gaps, and the end -------------------------------------------------------------------------------------

    async def _ask_for_gaps(self, asking: ListAsking, now: datetime) -> None:
        """Ask the shops for what recorded gaps have swallowed, before anything else is asked of them."""
        parts, request = self._parts, self._request
        gaps = await parts.store.open_gaps(parts.limits.gaps_at_once)
        if not request.keeps_progress or not gaps:
            return
        progress = await parts.store.progress(sorted({one.gap.place for one in gaps}))
        for found in gaps:
            if found.gap.cause == "moved_by_hand":
                continue  # the log still holds these records: they are compared below
            known = progress.get(found.gap.place)
            window = gap_window(found, None if known is None else known.reached, parts.limits, now)
            asked = [await self._ask_once(asking, shop, found, window) for shop in self._listing]
            if asked and all(asked) and not self._report.not_verifiable:
                self._report.gaps_closed += await parts.store.close_gaps(self._lease, [found.row_id])
            else:
                self._report.unverified.append(_unverified(found.gap))

    async def _ask_once(self, asking: ListAsking, shop: ShopSettings, found: OpenGap, window: AskedWindow) -> bool:
        """Ask a shop for a gap unless it was asked before: a gap that others keep open is not asked for for ever."""
        place = TopicPartition(list_place(shop.shop_id).topic, found.row_id + 1)
        if await self._parts.store.progress([place]):
            return True
        if self._time_left() <= 0 or not await asking.ask(shop, window, NEVER):
            return False
        done = Progress(log=found.gap.log, next_offset=0, reached=window.until)
        await self._parts.store.advance(self._lease, place, done, Tally(sums={}, unrecorded=[]))
        return True

    async def _close_compared_gaps(self, bounds: Mapping[TopicPartition, Bounds]) -> None:
        """Close the gaps made by hand whose records have been compared since."""
        parts = self._parts
        gaps = [one for one in await parts.store.open_gaps(parts.limits.gaps_at_once) if one.gap.to_offset is not None]
        progress = await parts.store.progress(sorted({one.gap.place for one in gaps}))
        closed = [
            one.row_id for one in gaps if _is_compared(one.gap, progress.get(one.gap.place), bounds.get(one.gap.place))
        ]
        if closed:
            self._report.gaps_closed += await parts.store.close_gaps(self._lease, closed)

    async def _conclude(self, began: datetime, bounds: Mapping[TopicPartition, Bounds]) -> None:
        parts, report, request = self._parts, self._report, self._request
        if request.keeps_progress:
            await self._close_compared_gaps(bounds)
        if report.over_share:
            report.left.append(f"{report.over_share} records: the day's share of calls is spent; run it again tomorrow")
        report.gaps_open = len(await parts.store.open_gaps(parts.limits.gaps_at_once))
        report.unrecorded = list(await parts.store.unrecorded(1000, request.shop_id))
        report.difference = len(report.unrecorded)
        if report.put_in:
            parts.wakeups.wake(WakeKind.LANES)
        if not request.dry_run:
            await parts.store.save_run(self._lease, began, report.figures())
        log.info("replay_ended", whole=report.whole, records=report.records, missing=report.missing, left=report.left)


def _latest(reached: datetime | None, records: Sequence[Record]) -> datetime:
    """Give the latest time of records so far; producers' clocks may disagree, so it never goes back."""
    newest = datetime.fromtimestamp(max(record.time_ms for record in records) / 1000, UTC)
    return newest if reached is None else max(reached, newest)


def _unverified(gap: Gap) -> Unverified:
    return Unverified(
        topic=gap.place.topic,
        partition=gap.place.partition,
        log=gap.log,
        from_offset=gap.from_offset,
        to_offset=gap.to_offset,
    )


def _is_compared(gap: Gap, progress: Progress | None, held: Bounds | None) -> bool:
    """Tell whether all that a person has skipped was compared since: the log held it, and the replay is beyond it."""
    if gap.cause != "moved_by_hand" or gap.to_offset is None or progress is None or held is None:
        return False
    return progress.log == gap.log and progress.next_offset >= gap.to_offset and held.beginning <= gap.from_offset
