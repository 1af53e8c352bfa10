"""Slots in memory: taking one for a call, and ending it, within a transaction of the in-memory database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consumer.adapters.memory.database import LaneRow, MemoryDatabase
from consumer.adapters.memory.intake import wake
from consumer.domain.budget import Budget, Refusal, Window, admit, learn, one_back, slots_kept_for_people
from consumer.domain.exchanges import QuotaReading
from consumer.domain.settings import LedgerLimits
from consumer.errors import ConnectionStoppedError, FencedError
from consumer.ports.lanes import LaneLease, MustWait, Slot, SlotRequest, WaitCause

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """The end of a call, as far as the lane's figures go. ``sent`` False: for certain nothing left us."""

    call: int
    sent: bool
    quota: QuotaReading | None = None


def lane_of(database: MemoryDatabase, connection_id: str) -> LaneRow:
    """Give a lane. Raises LookupError for a connection that there is not."""
    lane = database.lanes.get(connection_id)
    if lane is None:
        raise LookupError(f"there is no lane of connection {connection_id}; run: booked apply")
    return lane


def limits_of(database: MemoryDatabase, connection_id: str) -> LedgerLimits:
    """Give a connection's limits."""
    return database.connections[connection_id].settings.limits


def check_lease(lane: LaneRow, lease: LaneLease, now: datetime) -> None:
    """Raise FencedError unless the lease still holds."""
    holds = lane.lease_until is not None and lane.lease_until > now
    if not holds or (lane.owner, lane.epoch) != (lease.owner, lease.epoch):
        raise FencedError(
            f"the lane of {lease.connection_id} is no longer {lease.owner}'s (epoch {lease.epoch}): drop the work"
        )


def check_running(database: MemoryDatabase, connection_id: str) -> None:
    """Raise ConnectionStoppedError where somebody has stopped the connection: nothing more is written to it."""
    row = database.connections[connection_id]
    if row.stopped is not None:
        raise ConnectionStoppedError(f"Connection {connection_id} is stopped: {row.stopped_message}", row.stopped)


def budget_of(lane: LaneRow) -> Budget:
    """Read a lane's figures."""
    return Budget(
        paced_until=lane.paced_until,
        throttled_until=lane.throttled_until,
        halved_until=lane.halved_until,
        daily_limit=lane.daily_limit,
        daily_left=lane.daily_left,
        daily_resets_at=lane.daily_resets_at,
    )


def save_budget(lane: LaneRow, budget: Budget) -> None:
    """Write a lane's figures."""
    lane.paced_until, lane.throttled_until, lane.halved_until = (
        budget.paced_until,
        budget.throttled_until,
        budget.halved_until,
    )
    lane.daily_limit, lane.daily_left, lane.daily_resets_at = (
        budget.daily_limit,
        budget.daily_left,
        budget.daily_resets_at,
    )


def take(lane: LaneRow, limits: LedgerLimits, request: SlotRequest, now: datetime) -> Slot | MustWait:
    """Take a slot."""
    kept = min(slots_kept_for_people(limits, limits.calls_per_window, request.priority), max(0, len(lane.slots) - 1))
    free_ats = sorted(free_at for free_at, _ in lane.slots)
    answer = admit(
        budget_of(lane),
        Window(
            calls_under_way=sum(open_until > now for _, open_until in lane.slots),
            nth_free_at=free_ats[kept] if free_ats else None,
        ),
        limits,
        priority=request.priority,
        queued=request.queued,
        deadline_seconds=request.deadline_seconds,
        now=now,
    )
    if isinstance(answer, Refusal):
        return MustWait(seconds=answer.seconds, cause=WaitCause(answer.cause))
    lane.calls_total += 1
    # Slots of calls that may count no more are free: such a call that ends now ends nothing.
    lane.calls = {call: slot for call, slot in lane.calls.items() if slot[0] > now}
    lane.slots[lane.slots.index(min(lane.slots))] = (answer.free_at, answer.open_until)
    lane.calls[lane.calls_total] = (answer.free_at, answer.open_until)
    save_budget(lane, answer.budget)
    return Slot(connection_id=request.connection_id, n=lane.calls_total)


def end(database: MemoryDatabase, lane: LaneRow, call_end: CallEnd, now: datetime) -> bool:
    """End a call; gives False where its end was noted before, or its slot was given to another since."""
    limits = limits_of(database, lane.connection_id)
    taken = lane.calls.pop(call_end.call, None)
    if taken is None or taken not in lane.slots:
        return False
    # Slots that were taken at the same moment for as long are interchangeable.
    free_at = now + timedelta(seconds=limits.window_seconds) if call_end.sent else _LONG_AGO
    lane.slots[lane.slots.index(taken)] = (free_at, _LONG_AGO)
    before = budget_of(lane)
    after = before if call_end.sent else one_back(before)
    if call_end.quota is not None:
        under_way = sum(open_until > now for _, open_until in lane.slots)
        after = learn(after, limits, call_end.quota, calls_under_way=under_way, now=now)
    save_budget(lane, after)
    if (after.daily_left or 0) > (before.daily_left or 0):
        wake(database, lane.connection_id, now)
    return True
