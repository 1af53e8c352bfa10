"""What a lane knows of its connection and ledger, in memory: settings, facts, health, and what a look first found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from consumer.adapters.memory.database import MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import wake
from consumer.adapters.memory.slots import budget_of
from consumer.domain.budget import rests_until
from consumer.domain.facts_change import helped_by
from consumer.domain.ledger import Invoice, LedgerFacts
from consumer.domain.releasing import FEW
from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState
from consumer.errors import StopCause
from consumer.ports.lanes import CURED_BY_GRANT, LaneView

_MARGIN = timedelta(hours=1)


class MemoryLaneKnowledge:
    """The half of consumer.ports.lanes.LaneStore that is about what a lane knows."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def view(self, connection_id: str) -> LaneView:
        """See the port. Raises LookupError for a connection that there is not."""
        async with self._db.transaction() as now:
            row, lane = self._db.connections.get(connection_id), self._db.lanes.get(connection_id)
            if row is None:
                raise LookupError(f"there is no connection {connection_id}; run: booked apply")
            look_first = lane is not None and lane.look_first
            return LaneView(
                connection=row.settings,
                rests_until={} if lane is None else rests_until(budget_of(lane), row.settings.limits, now),
                shops={shop.shop_id: shop for shop in self._db.shops.values() if self._serves(connection_id, shop)},
                facts=row.facts,
                facts_age_seconds=None if row.facts_read_at is None else (now - row.facts_read_at).total_seconds(),
                stopped=row.stopped,
                look_first=look_first,
                look_first_since=self._last_write(connection_id) if look_first else None,
                installation=self._db.installation_name,
                looked_first=lane is not None and lane.looked_first,
            )

    def _serves(self, connection_id: str, shop: ShopSettings) -> bool:
        """Tell whether the shop books into the connection, or has left documents in it."""
        return shop.connection_id == connection_id or any(
            key.shop_id == shop.shop_id and any(d.connection_id == connection_id for d in documents)
            for key, documents in self._db.documents.items()
        )

    def _last_write(self, connection_id: str) -> datetime | None:
        writes = [
            at for name, _, at, exchange in self._db.exchanges if name == connection_id and exchange.method != "GET"
        ]
        return max(writes) - _MARGIN if writes else None

    async def save_facts(self, connection_id: str, facts: LedgerFacts) -> int:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._db.connections[connection_id]
            codes = helped_by(row.facts, facts)
            row.facts, row.facts_read_at = facts, now
            helped = [
                order
                for order in self._db.orders.values()
                if order.state is OrderState.PARKED
                and order.connection_id == connection_id
                and order.reason is not None
                and order.reason.code in codes
            ]
            for order in helped:
                unpark(order, 2 if len(helped) > FEW else 1, now)
            if helped:
                wake(self._db, connection_id, now)
            return len(helped)

    async def stop_connection(
        self, connection_id: str, cause: StopCause, message: str, *, evidence_seconds: float = 0.0
    ) -> None:
        """See the port. What it was stopped for first stays."""
        async with self._db.transaction() as now:
            row, token = self._db.connections[connection_id], self._db.tokens.get(connection_id)
            since = now - timedelta(seconds=evidence_seconds)
            cured = cause in CURED_BY_GRANT and token is not None and token.connected_at > since
            if row.stopped is None and not cured:
                row.stopped, row.stopped_message = cause, message
                details = {"connection": connection_id, "cause": cause.value, "message": message}
                self._db.audit.append({"at": now, "actor": "lanes", "action": "connection stopped", "details": details})

    async def resume_connection(self, connection_id: str) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._db.connections[connection_id]
            row.stopped, row.stopped_message = None, ""
            wake(self._db, connection_id, now)

    async def finish_look_first(self, connection_id: str) -> None:
        """See the port."""
        async with self._db.transaction():
            lane = self._db.lanes[connection_id]
            lane.look_first, lane.looked_first = False, True

    async def save_seen(self, connection_id: str, invoices: Sequence[Invoice]) -> None:
        """See the port."""
        async with self._db.transaction():
            for invoice in invoices:
                if invoice.reference:
                    self._db.seen_invoices[connection_id, invoice.reference, invoice.invoice_id] = invoice

    async def seen(self, connection_id: str, reference: str) -> Sequence[Invoice]:
        """See the port."""
        async with self._db.transaction():
            found = [key for key in self._db.seen_invoices if key[:2] == (connection_id, reference)]
            return [self._db.seen_invoices[key] for key in sorted(found)]


def unpark(order: OrderRow, priority: int, now: datetime) -> None:
    """Let a parked order go on, with this rank of its priority."""
    order.state, order.reason, order.difference = OrderState.DUE, None, None
    order.due_at, order.priority = now, priority
    order.change += 1
    order.takes = order.attempts = 0
