"""Lanes in memory: leases, claims and wake-ups. What a lane knows of its ledger is in lane_knowledge.py."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from consumer.adapters.memory import slots
from consumer.adapters.memory.database import LaneRow
from consumer.adapters.memory.intake import wake
from consumer.adapters.memory.lane_knowledge import MemoryLaneKnowledge
from consumer.adapters.memory.records import PRIORITIES, read_order
from consumer.domain.budget import Budget
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
from consumer.domain.settings import LedgerLimits
from consumer.domain.states import Priority
from consumer.errors import ConfigurationError, FencedError
from consumer.ports.lanes import ANY_PRIORITY, Claimed, LaneLease


class MemoryLaneStore(MemoryLaneKnowledge):
    """See consumer.ports.lanes.LaneStore."""

    async def check_in(self, installation: str) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            name = self._db.installation_name or installation
            if name != installation:
                raise ConfigurationError(
                    "BOOKED_INSTALLATION",
                    f"this database belongs to installation {name!r}, not to {installation!r}: a copy must not book "
                    "into the ledgers of the original. Use a database of its own, or correct the name.",
                )
            self._db.installation_name = installation
            known, self._db.stored_identity = self._db.stored_identity, self._db.identity
            if known is not None and known != self._db.identity:
                details = {"from": [str(part) for part in known], "to": [str(part) for part in self._db.identity]}
                self._db.audit.append({"at": now, "actor": "lanes", "action": "look first", "details": details})
                for lane in self._db.lanes.values():
                    lane.look_first = True

    # ---- leases ----

    async def lease_due(self, owner: str, seconds: float, limit: int) -> Sequence[LaneLease]:
        """See the port."""
        async with self._db.transaction() as now:
            due = [lane for lane in self._db.lanes.values() if self._may_be_leased(lane, now)]
            due.sort(key=lambda lane: (_due_at(lane) or now, lane.connection_id))
            for lane in due[:limit]:
                lane.owner, lane.lease_until = owner, now + timedelta(seconds=seconds)
                lane.epoch += 1
            return [LaneLease(connection_id=lane.connection_id, owner=owner, epoch=lane.epoch) for lane in due[:limit]]

    def _may_be_leased(self, lane: LaneRow, now: datetime) -> bool:
        due_at = _due_at(lane)
        due = due_at is not None and due_at <= now
        rested = lane.throttled_until is None or lane.throttled_until <= now
        return due and rested and _is_nobodys(lane, now) and self._works(lane.connection_id)

    def _works(self, connection_id: str) -> bool:
        row = self._db.connections[connection_id]
        return row.settings.active and row.stopped is None and bool(row.settings.organization_id)

    async def renew(self, lease: LaneLease, seconds: float) -> bool:
        """See the port. A lease that has run out but that nobody has taken is prolonged as well."""
        async with self._db.transaction() as now:
            lane = self._db.lanes.get(lease.connection_id)
            if lane is None or (lane.owner, lane.epoch) != (lease.owner, lease.epoch):
                return False
            lane.lease_until = now + timedelta(seconds=seconds)
            return True

    async def give_back(self, lease: LaneLease) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            lane = slots.lane_of(self._db, lease.connection_id)
            if (lane.owner, lane.epoch) == (lease.owner, lease.epoch):
                lane.next_due = self._next_due(lane, now)
                lane.owner = lane.lease_until = None

    # ---- claims ----

    async def claim(
        self, lease: LaneLease, limit: int, exclude: Sequence[OrderKey], *, only: Collection[Priority] = ANY_PRIORITY
    ) -> Claimed:
        """See the port."""
        async with self._db.transaction() as now:
            lane = self._db.lanes.get(lease.connection_id)
            if lane is None:
                raise FencedError(f"there is no lane of connection {lease.connection_id} any more")
            slots.check_lease(lane, lease, now)
            budget, limits = self._budget(lane)
            priorities = [priority for priority in allowed(budget, limits, now) if priority in only]
            due = [order for order in self._due(lane) if order.due_at <= now and order.priority in priorities]
            candidates = [Candidate(key=order.key, takes=self._db.orders[order.key].takes) for order in due]
            taking = choose(candidates, limit, frozenset(exclude))
            if not taking.keys:
                return self._sleep(lane, exclude, now) if only == ANY_PRIORITY else Claimed()
            for key in taking.keys:
                self._db.orders[key].takes += 1
                self._db.orders[key].recorded = None
            records = [read_order(self._db, key, now) for key in taking.keys]
            return Claimed(orders=tuple(record for record in records if record is not None), more=taking.more)

    def _sleep(self, lane: LaneRow, exclude: Sequence[OrderKey], now: datetime) -> Claimed:
        lane.next_due = self._next_due(lane, now)
        orders, in_hand = self._due(lane), frozenset(exclude)
        budget, limits = self._budget(lane)
        return Claimed(
            next_due_seconds=next_due_seconds(orders, budget, limits, exclude=in_hand, now=now),
            quota_wait_seconds=quota_wait_seconds(orders, budget, limits, exclude=in_hand, now=now),
        )

    def _budget(self, lane: LaneRow) -> tuple[Budget, LedgerLimits]:
        return slots.budget_of(lane), slots.limits_of(self._db, lane.connection_id)

    def _due(self, lane: LaneRow) -> list[DueOrder]:
        """Give the lane's orders that are or fall due, by priority and time."""
        found = [
            DueOrder(key=row.key, priority=PRIORITIES[row.priority], due_at=row.due_at)
            for row in self._db.orders.values()
            if row.connection_id == lane.connection_id and row.due_at is not None
        ]
        return sorted(found, key=lambda order: (order.priority.rank, order.due_at))

    def _next_due(self, lane: LaneRow, now: datetime) -> datetime | None:
        return next_due(self._due(lane), *self._budget(lane), now)

    async def release(self, keys: Sequence[OrderKey]) -> None:
        """See the port."""
        async with self._db.transaction():
            for key in keys:
                order = self._db.orders.get(key)
                if order is not None:
                    order.takes = max(0, order.takes - 1)

    # ---- wake-ups ----

    async def next_due_seconds(self) -> float | None:
        """See the port."""
        async with self._db.transaction() as now:
            moments = [
                max(due_at, lane.throttled_until or due_at)
                for lane in self._db.lanes.values()
                if (due_at := _due_at(lane)) is not None and _is_nobodys(lane, now) and self._works(lane.connection_id)
            ]
            return max(0.0, (min(moments) - now).total_seconds()) if moments else None

    async def sweep(self) -> int:
        """See the port. A lane whose next due is too early is no fault: its lease is looked at, and it sleeps again."""
        async with self._db.transaction() as now:
            corrected = 0
            for lane in self._db.lanes.values():
                moment = self._next_due(lane, now)
                if moment is not None and (lane.next_due is None or lane.next_due > moment):
                    lane.next_due = moment
                    corrected += 1
            return corrected

    async def wake(self, connection_id: str) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            wake(self._db, connection_id, now)


def _due_at(lane: LaneRow) -> datetime | None:
    """Give when a lane has something to do: an order, or a look of the watch."""
    return min((moment for moment in (lane.next_due, lane.watch_due) if moment is not None), default=None)


def _is_nobodys(lane: LaneRow, now: datetime) -> bool:
    return lane.owner is None or lane.lease_until is None or lane.lease_until <= now
