"""Connections and shops in memory, and the placing anew of the orders that a change of settings concerns."""

from collections.abc import Sequence
from datetime import UTC, datetime

from consumer.adapters.memory.database import ConnectionRow, LaneRow, MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import place_of, put_place, ties_of, wake
from consumer.domain.applying import Plan, plan
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, connection_of, place_anew
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState
from consumer.errors import ConfigurationError
from consumer.ports.settings import Applied

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class MemorySettingsStore:
    """See consumer.ports.settings.SettingsStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def connections(self) -> Sequence[ConnectionSettings]:
        """See the port."""
        async with self._db.transaction():
            return [self._db.connections[name].settings for name in sorted(self._db.connections)]

    async def shops(self) -> Sequence[ShopSettings]:
        """See the port."""
        async with self._db.transaction():
            return [self._db.shops[name] for name in sorted(self._db.shops)]

    async def apply(
        self, connections: Sequence[ConnectionSettings], shops: Sequence[ShopSettings], *, actor: str, dry_run: bool
    ) -> Applied:
        """See the port. Raises ConfigurationError where a shop names a connection that nobody knows."""
        async with self._db.transaction() as now:
            stored = {name: row.settings for name, row in self._db.connections.items()}
            becoming = plan(stored, self._db.shops, connections, shops, now)
            _check(becoming)
            placed = self._placed(becoming, now)
            before = {key: self._db.orders[key].state for key in placed}
            if not dry_run:
                self._write(becoming, placed, actor, now)
            due = sum(
                place.state is OrderState.DUE and before[key] is not OrderState.DUE for key, place in placed.items()
            )
            sentences = tuple(sentence for change in becoming.changes for sentence in change.sentences)
            return Applied(changes=sentences, orders_due=due)

    def _write(self, becoming: Plan, placed: dict[OrderKey, Place], actor: str, now: datetime) -> None:
        changed = becoming.changed("connection")
        for name in changed:
            settings = becoming.connections[name]
            self._db.connections.setdefault(name, ConnectionRow(settings=settings)).settings = settings
            _fit_slots(self._db.lanes.setdefault(name, LaneRow(connection_id=name)), settings)
        self._db.shops.update({name: becoming.shops[name] for name in becoming.changed("shop")})
        for key, place in placed.items():
            put_place(self._db.orders[key], place)
        woken = {place.connection_id for place in placed.values() if place.due_at is not None}
        for connection_id in {*changed, *woken} - {None}:
            wake(self._db, str(connection_id), now)
        self._db.audit.extend(
            {
                "at": now,
                "actor": actor,
                "action": "apply",
                "details": {change.subject: change.name, "changes": list(change.sentences)},
            }
            for change in becoming.changes
        )

    def _placed(self, becoming: Plan, now: datetime) -> dict[OrderKey, Place]:
        connections = set(becoming.changed("connection", orders_concerned=True))
        shops = set(becoming.changed("shop", orders_concerned=True))
        shops |= {shop.shop_id for shop in becoming.shops.values() if shop.connection_id in connections}
        shops |= {
            key.shop_id
            for key, documents in self._db.documents.items()
            for d in documents
            if d.connection_id in connections
        }
        placed = {}
        for key in sorted(key for key in self._db.orders if key.shop_id in shops):
            row = self._db.orders[key]
            after = self._anew(row, becoming, now)
            if after != place_of(row):
                placed[key] = after
        return placed

    def _anew(self, row: OrderRow, becoming: Plan, now: datetime) -> Place:
        ties, before = ties_of(self._db, row.key), place_of(row)
        shop = becoming.shops.get(row.key.shop_id)
        facts = Facts(
            paid=row.paid,
            paid_moment=row.paid_moment,
            cancelled=row.cancelled,
            wish=row.wish,
            released=row.released,
            has_document=ties.live_invoice,
            asked=row.asked,
        )
        connection = becoming.connections.get(connection_of(before, ties, shop) or "")
        return place_anew(before, facts, row.announced is not None, ties, shop, connection, now)


def _fit_slots(lane: LaneRow, settings: ConnectionSettings) -> None:
    """Keep the slots that become free last: those dropped would have been free before any of them."""
    size = settings.limits.calls_per_window
    kept = sorted(lane.slots, reverse=True)[:size]
    lane.slots = [*kept, *[(_LONG_AGO, _LONG_AGO)] * (size - len(kept))]


def _check(becoming: Plan) -> None:
    for shop in becoming.shops.values():
        if shop.active and shop.connection_id is not None and shop.connection_id not in becoming.connections:
            raise ConfigurationError(
                f"shops.{shop.shop_id}.connection_id",
                f"there is no connection {shop.connection_id}; name it under connections, or correct the shop",
            )
