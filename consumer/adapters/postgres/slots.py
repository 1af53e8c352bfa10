"""Slots in Postgres, under the lock of the lane's row: taking one for a call, and ending it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from consumer.adapters.postgres.lane_rows import budget_columns, budget_of, limits_of
from consumer.adapters.postgres.pool import Connection
from consumer.adapters.postgres.sql import load
from consumer.domain.budget import Budget, Refusal, Window, admit, learn, one_back, slots_kept_for_people
from consumer.domain.exchanges import QuotaReading
from consumer.errors import ConnectionStoppedError, FencedError, StopCause
from consumer.ports.lanes import LaneLease, MustWait, Slot, SlotRequest, WaitCause


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnd:
    """The end of a call, as far as the lane's figures go. ``sent`` False: for certain nothing left us."""

    call: int
    sent: bool
    quota: QuotaReading | None = None


async def lock_lane(connection: Connection, connection_id: str) -> asyncpg.Record:
    """Lock a lane's row. Raises LookupError for a connection that there is not."""
    row = await connection.fetchrow(load("calls").lock_lane, connection_id)
    if row is None:
        raise LookupError(f"there is no lane of connection {connection_id}; run: booked apply")
    return row


def check_lease(row: asyncpg.Record, lease: LaneLease) -> None:
    """Raise FencedError unless the lease still holds. The row is locked, so that it holds until the commit."""
    holds = row["lease_until"] is not None and row["lease_until"] > row["now"]
    if not holds or (row["owner"], row["epoch"]) != (lease.owner, lease.epoch):
        raise FencedError(
            f"the lane of {lease.connection_id} is no longer {lease.owner}'s (epoch {lease.epoch}): drop the work"
        )


def check_running(row: asyncpg.Record) -> None:
    """Raise ConnectionStoppedError where somebody has stopped the connection: nothing more is written to it."""
    if row["stopped_cause"] is not None:
        message = f"Connection {row['connection_id']} is stopped: {row['stopped_message']}"
        raise ConnectionStoppedError(message, StopCause(row["stopped_cause"]))


async def take(connection: Connection, lane: asyncpg.Record, request: SlotRequest) -> Slot | MustWait:
    """Take a slot of a lane that is locked."""
    limits = limits_of(lane)
    kept = slots_kept_for_people(limits, limits.calls_per_window, request.priority)
    window = await connection.fetchrow(load("calls").read_window, request.connection_id, kept)
    if window is None:
        raise LookupError(f"the window of connection {request.connection_id} cannot be read")
    answer = admit(
        budget_of(lane),
        Window(calls_under_way=window["calls_under_way"], nth_free_at=window["nth_free_at"]),
        limits,
        priority=request.priority,
        queued=request.queued,
        deadline_seconds=request.deadline_seconds,
        now=window["now"],
    )
    if isinstance(answer, Refusal):
        return MustWait(seconds=answer.seconds, cause=WaitCause(answer.cause))
    call = lane["calls_total"] + 1
    await connection.execute(
        load("calls").take_slot, request.connection_id, call, answer.open_until, answer.free_at, request.purpose
    )
    await save(connection, lane, answer.budget, call=call)
    return Slot(connection_id=request.connection_id, n=call)


async def end(connection: Connection, lane: asyncpg.Record, call_end: CallEnd) -> bool:
    """End a call of a lane that is locked; gives False where its end was noted before."""
    limits, now = limits_of(lane), lane["now"]
    free_at = now + timedelta(seconds=limits.window_seconds) if call_end.sent else None
    ended = await connection.fetchrow(load("calls").end_slot, lane["connection_id"], call_end.call, free_at)
    if ended is None:
        raise LookupError(f"the slots of connection {lane['connection_id']} cannot be read")
    # A slot that has been given to another since: its end was never noted, or long ago. The log may show it twice.
    fresh: bool = ended["ended"] or not ended["known"]
    if not fresh:
        return False
    before = budget_of(lane)
    after = before if call_end.sent else one_back(before)
    if call_end.quota is not None:
        after = learn(after, limits, call_end.quota, calls_under_way=ended["calls_under_way"], now=now)
    if after != before:
        more_left = (after.daily_left or 0) > (before.daily_left or 0)
        await save(connection, lane, after, due_at=now if more_left else None)
    return True


async def save(
    connection: Connection,
    lane: asyncpg.Record,
    budget: Budget,
    *,
    call: int | None = None,
    due_at: datetime | None = None,
) -> None:
    """Write a locked lane's figures, and wake it where it has work from ``due_at`` on."""
    calls_total = lane["calls_total"] if call is None else call
    await connection.execute(
        load("calls").save_lane, lane["connection_id"], *budget_columns(budget), calls_total, due_at
    )
