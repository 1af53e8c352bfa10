"""The budget of a connection in memory."""

from datetime import datetime

from consumer.adapters.memory import slots
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.slots import CallEnd
from consumer.domain.budget import throttle as throttled
from consumer.domain.exchanges import Exchange
from consumer.domain.orders import OrderKey
from consumer.ports.lanes import MustWait, Slot, SlotRequest, Throttle


class MemoryCallStore:
    """See consumer.ports.lanes.CallStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def take_slot(self, request: SlotRequest) -> Slot | MustWait:
        """See the port."""
        async with self._db.transaction() as now:
            lane = slots.lane_of(self._db, request.connection_id)
            return slots.take(lane, slots.limits_of(self._db, request.connection_id), request, now)

    async def end_call(
        self,
        slot: Slot,
        *,
        sent: bool,
        exchange: Exchange | None = None,
        key: OrderKey | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        """See the port. A call that has ended before ends no more."""
        async with self._db.transaction() as now:
            lane = slots.lane_of(self._db, slot.connection_id)
            quota = None if exchange is None else exchange.quota
            fresh = slots.end(self._db, lane, CallEnd(call=slot.n, sent=sent, quota=quota), now)
            if fresh and exchange is not None:
                self._db.exchanges.append((slot.connection_id, key, now, exchange))
            if throttle is not None:
                self._throttle(slot.connection_id, throttle, now)

    async def throttle(self, connection_id: str, throttle: Throttle) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._throttle(connection_id, throttle, now)

    def _throttle(self, connection_id: str, throttle: Throttle, now: datetime) -> None:
        lane = slots.lane_of(self._db, connection_id)
        slots.save_budget(lane, throttled(slots.budget_of(lane), throttle.kind.value, throttle.wait_seconds, now))
