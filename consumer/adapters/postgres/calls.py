"""The budget of a connection in Postgres."""

from consumer.adapters.postgres import slots
from consumer.adapters.postgres.lane_rows import budget_of, exchange_columns
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.slots import CallEnd
from consumer.adapters.postgres.sql import load
from consumer.domain.budget import throttle as throttled
from consumer.domain.exchanges import Exchange
from consumer.domain.orders import OrderKey
from consumer.ports.lanes import MustWait, Slot, SlotRequest, Throttle


class PostgresCallStore:
    """See consumer.ports.lanes.CallStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("calls")

    async def take_slot(self, request: SlotRequest) -> Slot | MustWait:
        """See the port."""

        async def take(connection: Connection) -> Slot | MustWait:
            lane = await slots.lock_lane(connection, request.connection_id)
            return await slots.take(connection, lane, request)

        return await self._database.run(take)

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

        async def end(connection: Connection) -> None:
            lane = await slots.lock_lane(connection, slot.connection_id)
            quota = None if exchange is None else exchange.quota
            fresh = await slots.end(connection, lane, CallEnd(call=slot.n, sent=sent, quota=quota))
            if fresh and exchange is not None:
                row = exchange_columns(slot.connection_id, key, None, exchange)
                await connection.execute(self._sql.insert_exchange, *row)
            if throttle is not None:
                await self._throttle(connection, slot.connection_id, throttle)

        await self._database.run(end)

    async def throttle(self, connection_id: str, throttle: Throttle) -> None:
        """See the port."""
        await self._database.run(lambda connection: self._throttle(connection, connection_id, throttle))

    async def _throttle(self, connection: Connection, connection_id: str, throttle: Throttle) -> None:
        lane = await slots.lock_lane(connection, connection_id)
        budget = throttled(budget_of(lane), throttle.kind.value, throttle.wait_seconds, lane["now"])
        await slots.save(connection, lane, budget)
