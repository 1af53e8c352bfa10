"""The replay's store in memory, and a reader of the logs of the broker in memory."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from consumer.adapters.memory.broker import MemoryBroker
from consumer.adapters.memory.database import LaneRow, MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import wake
from consumer.domain.completeness import Sums, Tally
from consumer.domain.events import Origin
from consumer.domain.orders import OrderKey
from consumer.domain.replay import HeldOrder
from consumer.domain.states import Priority
from consumer.errors import FencedError
from consumer.ports.events import Bounds, Record
from consumer.ports.intake import Lease, TopicPartition
from consumer.ports.replay import (
    KEPT_COMPLETENESS_DAYS,
    KEPT_RUN_DAYS,
    DayBudget,
    OpenGap,
    Progress,
    RunFigures,
    WindowSums,
    Woken,
)

LEASE_NAME = "replay"


class MemoryReplayStore:
    """See consumer.ports.replay.ReplayStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def lease(self, owner: str, seconds: float) -> Lease | None:
        """See the port."""
        async with self._db.transaction() as now:
            holder, epoch, until = self._db.leases.get(LEASE_NAME, (owner, 0, now))
            if holder != owner and until > now:
                return None
            epoch += 0 if holder == owner and until > now else 1
            self._db.leases[LEASE_NAME] = (owner, epoch, now + timedelta(seconds=seconds))
            return Lease(name=LEASE_NAME, owner=owner, epoch=epoch)

    async def give_back(self, lease: Lease) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            holder, epoch, _ = self._db.leases.get(lease.name, ("", 0, now))
            if (holder, epoch) == (lease.owner, lease.epoch):
                self._db.leases[lease.name] = (holder, epoch, now)

    async def now(self) -> datetime:
        """See the port."""
        async with self._db.transaction() as now:
            return now

    async def held(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, HeldOrder]:
        """See the port."""
        async with self._db.transaction():
            return {key: _held(self._db.orders[key]) for key in keys if key in self._db.orders}

    async def rejected_before(self, origins: Sequence[Origin]) -> frozenset[Origin]:
        """See the port."""
        async with self._db.transaction():
            return frozenset(origins) & {row["rejected"].origin for row in self._db.rejected}

    async def progress(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Progress]:
        """See the port."""
        async with self._db.transaction():
            return {place: self._db.replay_progress[place] for place in places if place in self._db.replay_progress}

    async def advance(self, lease: Lease, place: TopicPartition, progress: Progress, tally: Tally) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._check(lease, now)
            self._db.replay_progress[place] = progress
            for window, added in tally.sums.items():
                sums = self._db.completeness.setdefault(window, Sums())
                sums.told_count += added.told_count
                sums.told_sum += added.told_sum
                sums.recorded_count += added.recorded_count
                sums.recorded_sum += added.recorded_sum
            for order in tally.unrecorded:
                self._db.unrecorded.setdefault((order.key, order.window.source), order)

    async def settle_unrecorded(self, lease: Lease) -> int:
        """See the port."""
        async with self._db.transaction() as now:
            self._check(lease, now)
            rows = self._db.orders
            settled = [name for name in self._db.unrecorded if name[0] in rows and rows[name[0]].paid]
            for name in settled:
                order = self._db.unrecorded.pop(name)
                sums = self._db.completeness[order.window]
                sums.recorded_count += 1
                sums.recorded_sum += order.amount
            return len(settled)

    async def completeness(self, since_day: str, shop_id: str | None = None) -> Sequence[WindowSums]:
        """See the port."""
        async with self._db.transaction():
            return [
                WindowSums(window=window, sums=self._db.completeness[window])
                for window in sorted(self._db.completeness)
                if window.day >= since_day and shop_id in (None, window.shop_id)
            ][:10_000]

    async def unrecorded(self, limit: int, shop_id: str | None = None) -> Sequence[OrderKey]:
        """See the port."""
        async with self._db.transaction():
            keys = dict.fromkeys(key for key, _ in self._db.unrecorded if shop_id in (None, key.shop_id))
            return list(keys)[:limit]

    async def open_gaps(self, limit: int) -> Sequence[OpenGap]:
        """See the port."""
        async with self._db.transaction():
            rows = enumerate(self._db.gaps)
            return [OpenGap(row_id=n, gap=gap) for n, gap in rows if n not in self._db.closed_gaps][:limit]

    async def close_gaps(self, lease: Lease, row_ids: Sequence[int]) -> int:
        """See the port."""
        async with self._db.transaction() as now:
            self._check(lease, now)
            new = {n for n in row_ids if n < len(self._db.gaps)} - self._db.closed_gaps
            self._db.closed_gaps |= new
            return len(new)

    async def wake_stuck(self, idle_seconds: float) -> Woken:
        """See the port."""
        async with self._db.transaction() as now:
            before = now - timedelta(seconds=idle_seconds)
            forgotten = self._forgotten(before)
            for row in forgotten:
                row.due_at = now
                wake(self._db, row.connection_id or "", now)
            dead = [lane for lane in self._db.lanes.values() if _is_dead(lane, before)]
            for lane in dead:
                lane.owner, lane.lease_until = None, None
            stale = [e for e in self._db.outbox.values() if e.state == "waiting" and e.created_at < before]
            return Woken(leases=len(dead), intents=len(forgotten), outbox_rows=len(stale))

    def _forgotten(self, before: datetime) -> list[OrderRow]:
        keys = {one.key for one in self._db.intents.values() if one.resolution is None and one.settled_at < before}
        rows = [self._db.orders[key] for key in sorted(keys) if key in self._db.orders]
        return [row for row in rows if row.due_at is None][:1000]

    async def day_budgets(self) -> Mapping[str, DayBudget]:
        """See the port."""
        async with self._db.transaction() as now:
            active = [name for name, row in self._db.connections.items() if row.settings.active]
            return {name: self._day_budget(name, now) for name in sorted(active)}

    def _day_budget(self, name: str, now: datetime) -> DayBudget:
        lane, limits = self._db.lanes.get(name), self._db.connections[name].settings.limits
        left = limits.daily_calls
        if lane is not None and lane.daily_left is not None:
            over = lane.daily_resets_at is not None and lane.daily_resets_at <= now
            left = (lane.daily_limit or limits.daily_calls) if over else lane.daily_left
        rows = (row for row in self._db.orders.values() if row.connection_id == name and row.due_at is not None)
        return DayBudget(calls_left=left, waiting=sum(row.priority == Priority.BACKFILL.rank for row in rows))

    async def save_run(self, lease: Lease, began: datetime, figures: RunFigures) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._check(lease, now)
            kept = now - timedelta(days=KEPT_RUN_DAYS)
            self._db.replay_runs = [run for run in self._db.replay_runs if run[1] >= kept]
            self._db.replay_runs.append((began, now, figures))
            oldest = (now - timedelta(days=KEPT_COMPLETENESS_DAYS)).date().isoformat()
            self._db.completeness = {w: sums for w, sums in self._db.completeness.items() if w.day >= oldest}
            self._db.unrecorded = {n: one for n, one in self._db.unrecorded.items() if one.window.day >= oldest}

    def _check(self, lease: Lease, now: datetime) -> None:
        holder, epoch, until = self._db.leases.get(lease.name, ("", 0, now))
        if (holder, epoch) != (lease.owner, lease.epoch) or until <= now:
            raise FencedError(f"the lease {lease.name} (epoch {lease.epoch}) is not {lease.owner}'s any more")


def _is_dead(lane: LaneRow, before: datetime) -> bool:
    return lane.owner is not None and lane.lease_until is not None and lane.lease_until < before


def _held(row: OrderRow) -> HeldOrder:
    return HeldOrder(
        revision=row.head.revision,
        paid=row.paid,
        cancelled_by=row.head.cancelled_by,
        currency=row.head.currency,
        grand_total=row.head.grand_total,
    )


class MemoryLogReader:
    """See consumer.ports.replay.LogReader. ``records_read`` counts what was given."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self.records_read = 0

    async def partitions(self, topics: Collection[str]) -> Sequence[TopicPartition]:
        """See the port."""
        self._broker.check()
        return sorted(self._broker.places(frozenset(topics) - self._broker.missing(topics)))

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """See the port."""
        self._broker.check()
        return {place: self._broker.bounds_of(place) for place in places}

    async def offset_at(self, place: TopicPartition, moment: datetime) -> int | None:
        """See the port."""
        self._broker.check()
        bounds = self._broker.bounds_of(place)
        records = self._broker.read(place, bounds.beginning, bounds.end - bounds.beginning)
        times = ((record.offset, datetime.fromtimestamp(record.time_ms / 1000, UTC)) for record in records)
        return next((offset for offset, time in times if time >= moment), None)

    async def read(
        self, place: TopicPartition, from_offset: int, to_offset: int, most: int
    ) -> AsyncIterator[list[Record]]:
        """See the port."""
        at = from_offset
        while at < to_offset:
            self._broker.check()
            records = self._broker.read(place, at, min(most, to_offset - at))
            if not records:
                return
            at = records[-1].offset + 1
            self.records_read += len(records)
            yield records
