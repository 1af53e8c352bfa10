"""Lanes in Postgres: leases, claims and wake-ups. What a lane knows of its ledger is in lane_knowledge.py."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from consumer.adapters.postgres import lane_rows as rows
from consumer.adapters.postgres import slots
from consumer.adapters.postgres.bookings import read_whole
from consumer.adapters.postgres.claim_floors import ClaimFloors
from consumer.adapters.postgres.lane_knowledge import PostgresLaneKnowledge
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.slots import check_lease
from consumer.adapters.postgres.sql import load
from consumer.domain.dueness import (
    Candidate,
    DueOrder,
    allowed,
    choose,
    next_due,
    next_due_seconds,
    quota_wait_seconds,
)
from consumer.domain.orders import OrderKey
from consumer.domain.states import Priority
from consumer.errors import ConfigurationError, FencedError
from consumer.failpoints import failpoint
from consumer.ports.lanes import ANY_PRIORITY, Claimed, LaneLease

SWEEP_LANES = 100  # locked at a time


class PostgresLaneStore(PostgresLaneKnowledge):
    """See consumer.ports.lanes.LaneStore."""

    def __init__(self, database: Database, *, floors: ClaimFloors | None = None) -> None:
        super().__init__(database)
        self._floors = floors or ClaimFloors()

    async def check_in(self, installation: str) -> None:
        """See the port."""
        await self._database.run(lambda connection: self._check_in(connection, installation))

    async def _check_in(self, connection: Connection, installation: str) -> None:
        await connection.execute(self._sql.add_installation, installation)
        stored = await connection.fetchrow(self._sql.lock_installation)
        if stored is None or stored["name"] != installation:
            name = None if stored is None else stored["name"]
            raise ConfigurationError(
                "BOOKED_INSTALLATION",
                f"this database belongs to installation {name!r}, not to {installation!r}: a copy must not book into "
                "the ledgers of the original. Use a database of its own, or correct the name.",
            )
        if not await connection.fetchval(self._sql.may_read_identity):
            return
        identity = await connection.fetchrow(self._sql.read_identity)
        known = stored["system_identifier"], stored["timeline_id"]
        if identity is None or tuple(identity) == known:
            return
        await connection.execute(self._sql.save_identity, *identity)
        if known != (None, None):
            details = {"from": [str(part) for part in known], "to": [str(part) for part in identity]}
            await connection.execute(self._sql.add_audit, "lanes", "look first", details)
            await connection.execute(load("intake").look_first)

    # ---- leases ----

    async def lease_due(self, owner: str, seconds: float, limit: int) -> Sequence[LaneLease]:
        """See the port."""

        async def lease(connection: Connection) -> list[asyncpg.Record]:
            return await connection.fetch(self._sql.lease_due, owner, seconds, limit)

        leased = await self._database.run(lease)
        return [LaneLease(connection_id=row["connection_id"], owner=owner, epoch=row["epoch"]) for row in leased]

    async def renew(self, lease: LaneLease, seconds: float) -> bool:
        """See the port. A lease that has run out but that nobody has taken is prolonged as well."""
        async with self._database.connection() as connection:
            return await connection.fetchval(self._sql.renew, *_lease_columns(lease), seconds) is not None

    async def give_back(self, lease: LaneLease) -> None:
        """See the port."""
        self._floors.forget(lease.connection_id)

        async def give_back(connection: Connection) -> None:
            lane = await slots.lock_lane(connection, lease.connection_id)
            if (lane["owner"], lane["epoch"]) != (lease.owner, lease.epoch):
                return
            _, moment = await self._next_due(connection, lane, 1)
            await connection.execute(self._sql.end_lease, *_lease_columns(lease), moment)

        await self._database.run(give_back)

    # ---- claims ----

    async def claim(
        self, lease: LaneLease, limit: int, exclude: Sequence[OrderKey], *, only: Collection[Priority] = ANY_PRIORITY
    ) -> Claimed:
        """See the port."""
        return await self._database.run(lambda connection: self._claim(connection, lease, limit, exclude, only))

    async def _claim(
        self,
        connection: Connection,
        lease: LaneLease,
        limit: int,
        exclude: Sequence[OrderKey],
        only: Collection[Priority],
    ) -> Claimed:
        lane = await connection.fetchrow(self._sql.read_lane, lease.connection_id)
        if lane is None:
            raise FencedError(f"there is no lane of connection {lease.connection_id} any more")
        check_lease(lane, lease)
        priorities = allowed(rows.budget_of(lane), rows.limits_of(lane), lane["now"])
        ranks = [priority.rank for priority in priorities if priority in only]
        # As many more as are in hand already, instead of a condition that would cost the index its order.
        found = await self._find_due(connection, lease, ranks, limit + len(exclude) + 1)
        candidates = [Candidate(key=rows.key_of(row), takes=row["takes"]) for row in found]
        taking = choose(candidates, limit, frozenset(exclude))
        if not taking.keys:
            return await self._sleep(connection, lease, exclude) if only == ANY_PRIORITY else Claimed()
        orders = await connection.fetch(self._sql.take_orders, *pairs(taking.keys))
        records = await read_whole(connection, orders)
        return Claimed(orders=tuple(records[key] for key in taking.keys), more=taking.more)

    async def _find_due(
        self, connection: Connection, lease: LaneLease, ranks: list[int], wanted: int
    ) -> list[asyncpg.Record]:
        """Look for the first orders of each priority: from the floor on, and where that is too little, all over."""
        floor = self._floors.of(lease, ranks)
        place = (lease.connection_id, ranks, wanted)
        if floor is not None:
            found = await connection.fetch(self._sql.find_due, *place, floor.rank, floor.moment)
            if self._floors.moved(lease, floor, found, wanted):
                return found
        found = await connection.fetch(self._sql.find_due, *place, None, None)
        self._floors.learn(lease, found, wanted)
        return found

    async def _sleep(self, connection: Connection, lease: LaneLease, exclude: Sequence[OrderKey]) -> Claimed:
        """Going to sleep is two statements: lock the lane's row, then compute its next due.

        In one statement the snapshot would be from before the wait for the lock, and an order whose transaction had
        held that lock would not be in it: its wake-up would be overwritten.
        """
        lane = await slots.lock_lane(connection, lease.connection_id)
        check_lease(lane, lease)
        orders, moment = await self._next_due(connection, lane, len(exclude) + 1)
        await connection.execute(self._sql.set_next_due, [lease.connection_id], [moment])
        in_hand, now = frozenset(exclude), lane["now"]
        budget, limits = rows.budget_of(lane), rows.limits_of(lane)
        return Claimed(
            next_due_seconds=next_due_seconds(orders, budget, limits, exclude=in_hand, now=now),
            quota_wait_seconds=quota_wait_seconds(orders, budget, limits, exclude=in_hand, now=now),
        )

    async def _next_due(
        self, connection: Connection, lane: asyncpg.Record, count: int
    ) -> tuple[list[DueOrder], datetime | None]:
        """Read what is due first in a lane that is locked, and compute its next due."""
        found = await connection.fetch(self._sql.find_next, [lane["connection_id"]], count)
        orders = [_due_order(row) for row in found]
        return orders, next_due(orders, rows.budget_of(lane), rows.limits_of(lane), lane["now"])

    async def release(self, keys: Sequence[OrderKey]) -> None:
        """See the port."""
        if not keys:
            return

        async def release(connection: Connection) -> None:
            await connection.fetch(self._sql.lock_keys, *pairs(keys))
            await connection.execute(self._sql.release_orders, *pairs(keys))

        await self._database.run(release)

    # ---- wake-ups ----

    async def next_due_seconds(self) -> float | None:
        """See the port."""
        async with self._database.connection() as connection:
            seconds = await connection.fetchval(self._sql.next_due_seconds)
        return None if seconds is None else max(0.0, float(seconds))

    async def sweep(self) -> int:
        """See the port. A lane whose next due is too early is no fault: its lease is looked at, and it sleeps again."""
        corrected, last = 0, ""
        while True:
            async with self._database.connection() as connection:
                page = await connection.fetch(self._sql.list_lanes, last, SWEEP_LANES)
            if not page:
                return corrected
            names = [row["connection_id"] for row in page]
            corrected += await self._sweep_lanes(names)
            last = names[-1]

    async def _sweep_lanes(self, names: list[str]) -> int:
        return await self._database.run(lambda connection: self._correct(connection, names))

    async def _correct(self, connection: Connection, names: list[str]) -> int:
        lanes = await connection.fetch(self._sql.lock_lanes, names)
        due: dict[str, list[DueOrder]] = {}
        for row in await connection.fetch(self._sql.find_next, names, 1):
            due.setdefault(row["connection_id"], []).append(_due_order(row))
        wrong: list[tuple[Any, Any]] = []
        for lane in lanes:
            orders = due.get(lane["connection_id"], [])
            moment = next_due(orders, rows.budget_of(lane), rows.limits_of(lane), lane["now"])
            if moment is not None and (lane["next_due"] is None or lane["next_due"] > moment):
                wrong.append((lane["connection_id"], moment))
        if wrong:
            failpoint("sweep_found")
            await connection.execute(self._sql.set_next_due, *pairs(wrong))
        return len(wrong)

    async def wake(self, connection_id: str) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(self._sql.wake_now, connection_id)


def _lease_columns(lease: LaneLease) -> tuple[str, str, int]:
    return lease.connection_id, lease.owner, lease.epoch


def _due_order(row: asyncpg.Record) -> DueOrder:
    return DueOrder(key=rows.key_of(row), priority=rows.PRIORITIES[row["priority"]], due_at=row["due_at"])
