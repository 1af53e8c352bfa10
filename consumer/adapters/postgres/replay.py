"""The replay's store in Postgres: set-based look-ups, and progress that is written together with what was summed."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import asyncpg

from consumer.adapters.postgres.codec import load_revision
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.domain.completeness import PaidOrder, Source, Sums, Tally, Window
from consumer.domain.events import Origin
from consumer.domain.orders import OrderKey
from consumer.domain.replay import HeldOrder
from consumer.domain.settings import LedgerLimits
from consumer.errors import FencedError
from consumer.failpoints import failpoint
from consumer.ports.intake import Gap, Lease, TopicPartition
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
T = TypeVar("T")


class PostgresReplayStore:
    """See consumer.ports.replay.ReplayStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("replay")
        self._leases = load("outbox")  # the statements of a lease are the relay's

    async def lease(self, owner: str, seconds: float) -> Lease | None:
        """See the port."""
        async with self._database.connection() as connection:
            epoch = await connection.fetchval(self._leases.take_lease, LEASE_NAME, owner, seconds)
        return None if epoch is None else Lease(name=LEASE_NAME, owner=owner, epoch=epoch)

    async def give_back(self, lease: Lease) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._leases.give_back, lease.name, lease.owner, lease.epoch)

    async def now(self) -> datetime:
        """See the port."""
        async with self._database.connection() as connection:
            moment: datetime = await connection.fetchval(self._sql.clock)
        return moment

    async def held(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, HeldOrder]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.held, *_columns(keys, 2))
        return {OrderKey(row["shop_id"], row["order_id"]): _held(row) for row in found}

    async def rejected_before(self, origins: Sequence[Origin]) -> frozenset[Origin]:
        """See the port."""
        table = [(one.topic, one.log, one.partition, one.offset) for one in origins]
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.rejected_before, *_columns(table, 4))
        return frozenset(Origin(**dict(row)) for row in found)

    async def progress(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Progress]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.read_progress, *_columns(places, 2))
        return {
            TopicPartition(row["topic"], row["partition"]): Progress(
                log=row["log"], next_offset=row["next_offset"], reached=row["reached"]
            )
            for row in found
        }

    async def advance(self, lease: Lease, place: TopicPartition, progress: Progress, tally: Tally) -> None:
        """See the port."""

        async def work(connection: Connection) -> None:
            await connection.execute(
                self._sql.put_progress, *place, progress.log, progress.next_offset, progress.reached
            )
            if tally.sums:
                sums = [_sums_row(window, one) for window, one in tally.sums.items()]
                await connection.execute(self._sql.add_sums, *_columns(sums, 8))
            if tally.unrecorded:
                missing = [_paid_row(one) for one in tally.unrecorded]
                await connection.execute(self._sql.add_unrecorded, *_columns(missing, 6))

        await self._fenced(lease, work)

    async def settle_unrecorded(self, lease: Lease) -> int:
        """See the port."""

        async def work(connection: Connection) -> int:
            return int(await connection.fetchval(self._sql.settle_unrecorded))

        return await self._fenced(lease, work)

    async def completeness(self, since_day: str, shop_id: str | None = None) -> Sequence[WindowSums]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.completeness, date.fromisoformat(since_day), shop_id)
        return [_window_sums(row) for row in found]

    async def unrecorded(self, limit: int, shop_id: str | None = None) -> Sequence[OrderKey]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.unrecorded, limit, shop_id)
        return [OrderKey(row["shop_id"], row["order_id"]) for row in found]

    async def open_gaps(self, limit: int) -> Sequence[OpenGap]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.open_gaps, limit)
        return [_open_gap(row) for row in found]

    async def close_gaps(self, lease: Lease, row_ids: Sequence[int]) -> int:
        """See the port."""

        async def work(connection: Connection) -> int:
            return len(await connection.fetch(self._sql.close_gaps, list(row_ids)))

        return await self._fenced(lease, work)

    async def wake_stuck(self, idle_seconds: float) -> Woken:
        """See the port. Orders are locked before lanes, as in every transaction."""

        async def work(connection: Connection) -> Woken:
            forgotten = await connection.fetch(self._sql.lock_forgotten, idle_seconds)
            if forgotten:
                keys = [(row["shop_id"], row["order_id"]) for row in forgotten]
                await connection.execute(self._sql.make_due, *_columns(keys, 2))
            lanes = sorted({row["connection_id"] for row in forgotten if row["connection_id"]})
            if lanes:
                now = await connection.fetchval(self._sql.clock)
                await connection.execute(load("intake").wake_lanes, lanes, now)
            dead = await connection.fetch(self._sql.end_dead_leases, idle_seconds)
            rows = await connection.fetchval(self._sql.stale_outbox, idle_seconds)
            if forgotten or dead:
                failpoint("stuck_found")
            return Woken(leases=len(dead), intents=len(forgotten), outbox_rows=rows)

        return await self._database.run(work)

    async def day_budgets(self) -> Mapping[str, DayBudget]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.day_budgets, LedgerLimits().daily_calls)
        return {row["connection_id"]: DayBudget(calls_left=row["calls_left"], waiting=row["waiting"]) for row in found}

    async def save_run(self, lease: Lease, began: datetime, figures: RunFigures) -> None:
        """See the port."""

        async def work(connection: Connection) -> None:
            await connection.execute(
                self._sql.add_run,
                began,
                figures.whole,
                figures.records,
                figures.missing,
                figures.lag,
                figures.unverified,
                figures.woken,
                dict(figures.details),
            )
            await connection.execute(self._sql.drop_old_runs, KEPT_RUN_DAYS)
            await connection.execute(self._sql.drop_old_completeness, KEPT_COMPLETENESS_DAYS)
            await connection.execute(self._sql.drop_old_unrecorded, KEPT_COMPLETENESS_DAYS)

        await self._fenced(lease, work)

    async def _fenced(self, lease: Lease, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run one transaction in which the lease is ours for sure."""

        async def checked(connection: Connection) -> T:
            if await connection.fetchval(self._sql.check_lease, lease.name, lease.owner, lease.epoch) is None:
                raise FencedError(f"the lease {lease.name} (epoch {lease.epoch}) is not {lease.owner}'s any more")
            return await work(connection)

        return await self._database.run(checked)


def _columns(table: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into the arrays that unnest() takes."""
    rows = list(table)
    return [[row[number] for row in rows] for number in range(width)]


def _held(row: asyncpg.Record) -> HeldOrder:
    revision = load_revision(row["revision"])
    if revision is None:
        raise ValueError(f"the head of order {row['shop_id']}/{row['order_id']} has no revision")
    cancelled_by = row["cancelled_by"]
    return HeldOrder(
        revision=revision,
        paid=row["paid"],
        cancelled_by=revision if cancelled_by is True else load_revision(cancelled_by),
        currency=row["currency"],
        grand_total=row["grand_total"],
    )


def _sums_row(window: Window, sums: Sums) -> tuple[Any, ...]:
    return (
        window.shop_id,
        window.source.value,
        date.fromisoformat(window.day),
        window.currency,
        sums.told_count,
        sums.told_sum,
        sums.recorded_count,
        sums.recorded_sum,
    )


def _paid_row(order: PaidOrder) -> tuple[Any, ...]:
    window = order.window
    return (*order.key, window.source.value, date.fromisoformat(window.day), window.currency, order.amount)


def _window_sums(row: asyncpg.Record) -> WindowSums:
    return WindowSums(
        window=Window(row["shop_id"], Source(row["source"]), row["day"].isoformat(), row["currency"]),
        sums=Sums(
            told_count=row["told_count"],
            told_sum=row["told_sum"],
            recorded_count=row["recorded_count"],
            recorded_sum=row["recorded_sum"],
        ),
    )


def _open_gap(row: asyncpg.Record) -> OpenGap:
    return OpenGap(
        row_id=row["id"],
        gap=Gap(
            place=TopicPartition(row["topic"], row["partition"]),
            log=row["log"],
            from_offset=row["from_offset"],
            to_offset=row["to_offset"],
            cause=row["cause"],
            found_at=row["found_at"],
        ),
    )
