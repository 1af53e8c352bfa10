"""Connections and shops in Postgres, and the placing anew of the orders that a change of settings concerns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from consumer.adapters.postgres import codec
from consumer.adapters.postgres.intake_rows import Row, columns, read_reason, reason_columns
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.sql import load
from consumer.domain.applying import Plan, plan
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, Ties, connection_of, place_anew
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import Ask, OrderState, Wish
from consumer.errors import ConfigurationError
from consumer.ports.settings import Applied

_PAGE_ORDERS = 10_000  # orders placed anew by one statement


@dataclass(slots=True)
class _Count:
    """What the placing came to so far."""

    due: int = 0
    woken: set[str] = field(default_factory=set)


class PostgresSettingsStore:
    """See consumer.ports.settings.SettingsStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("settings")
        self._intake_sql = load("intake")

    async def connections(self) -> Sequence[ConnectionSettings]:
        """See the port."""
        async with self._database.connection() as connection:
            return list((await self._connections(connection)).values())

    async def shops(self) -> Sequence[ShopSettings]:
        """See the port. A shop's revision key is there as soon as its first event has fixed it."""
        async with self._database.connection() as connection:
            return list((await self._shops(connection)).values())

    async def apply(
        self, connections: Sequence[ConnectionSettings], shops: Sequence[ShopSettings], *, actor: str, dry_run: bool
    ) -> Applied:
        """See the port. Raises ConfigurationError where a shop names a connection that nobody knows."""

        async def work(connection: Connection) -> Applied:
            if not dry_run:
                await connection.execute(self._sql.lock_settings)
            now = await connection.fetchval(self._sql.clock)
            becoming = plan(await self._connections(connection), await self._shops(connection), connections, shops, now)
            _check(becoming)
            if not dry_run:
                await self._write(connection, becoming, shops, actor)
            count = await self._place_all(connection, becoming, now, dry_run=dry_run)
            if not dry_run:
                await self._tend_lanes(connection, becoming, count.woken, now)
            sentences = tuple(sentence for change in becoming.changes for sentence in change.sentences)
            return Applied(changes=sentences, orders_due=count.due)

        return await (self._database.read(work) if dry_run else self._database.run(work))

    async def _connections(self, connection: Connection) -> dict[str, ConnectionSettings]:
        found = await connection.fetch(self._sql.connections)
        return {row["connection_id"]: codec.load_connection(row) for row in found}

    async def _shops(self, connection: Connection) -> dict[str, ShopSettings]:
        return {row["shop_id"]: codec.load_shop(row) for row in await connection.fetch(self._sql.shops)}

    async def _write(self, connection: Connection, becoming: Plan, named: Sequence[ShopSettings], actor: str) -> None:
        by_hand = {shop.shop_id for shop in named if shop.revision is not None}
        settings = [becoming.connections[name] for name in becoming.changed("connection")]
        if settings:
            await connection.execute(
                self._sql.put_connections, *columns([(c.connection_id, c.active, codec.dump(c)) for c in settings])
            )
        shops = [becoming.shops[name] for name in becoming.changed("shop")]
        if shops:
            await connection.execute(
                self._sql.put_shops, *columns([_shop_row(shop, fixed=shop.shop_id in by_hand) for shop in shops])
            )
        if becoming.changes:
            audit = [
                (
                    change.name if change.subject == "shop" else "",
                    {change.subject: change.name, "changes": list(change.sentences)},
                )
                for change in becoming.changes
            ]
            await connection.execute(self._sql.add_audit, actor, *columns(audit))

    async def _place_all(self, connection: Connection, becoming: Plan, now: datetime, *, dry_run: bool) -> _Count:
        count = _Count()
        concerned = await connection.fetch(
            self._sql.concerned_shops,
            becoming.changed("shop", orders_concerned=True),
            becoming.changed("connection", orders_concerned=True),
        )
        query = self._sql.read_page if dry_run else self._sql.lock_page
        for shop_row in concerned:
            last: str | None = ""
            while last is not None:
                page = await connection.fetch(query, shop_row["shop_id"], last, _PAGE_ORDERS)
                placed = await self._place_page(connection, becoming, page, count, now)
                if placed and not dry_run:
                    await connection.execute(self._sql.place_orders, *columns(placed))
                last = page[-1]["order_id"] if len(page) == _PAGE_ORDERS else None
        return count

    async def _place_page(
        self, connection: Connection, becoming: Plan, page: Sequence[asyncpg.Record], count: _Count, now: datetime
    ) -> list[Row]:
        keys = [OrderKey(row["shop_id"], row["order_id"]) for row in page]
        ties = {
            OrderKey(row["shop_id"], row["order_id"]): Ties(
                live_invoice=row["live_invoice"], documents=row["documents"], open_intent=row["open_intent"]
            )
            for row in await connection.fetch(self._intake_sql.read_ties, *pairs(keys))
        }
        placed: list[Row] = []
        for key, row in zip(keys, page, strict=True):
            before = _place(row)
            after = _anew(before, row, ties[key], becoming, now)
            if after == before:
                continue
            placed.append(_place_row(key, after))
            count.due += after.state is OrderState.DUE and before.state is not OrderState.DUE
            if after.due_at is not None and after.connection_id is not None:
                count.woken.add(after.connection_id)
        return placed

    async def _tend_lanes(self, connection: Connection, becoming: Plan, woken: set[str], now: datetime) -> None:
        """Make lanes and slots follow the connections; last, as every transaction locks the lanes last."""
        changed = becoming.changed("connection")
        sizes = [becoming.connections[name].limits.calls_per_window for name in changed]
        if changed:
            await connection.execute(self._sql.add_lanes, changed)
            await connection.execute(self._sql.lock_lanes, sorted({*changed, *woken}))
            await connection.execute(self._sql.drop_slots, changed, sizes)
            await connection.execute(self._sql.add_slots, changed, sizes)
        if changed or woken:
            await connection.execute(self._intake_sql.wake_lanes, sorted({*changed, *woken}), now)


def _check(becoming: Plan) -> None:
    for shop in becoming.shops.values():
        if shop.active and shop.connection_id is not None and shop.connection_id not in becoming.connections:
            raise ConfigurationError(
                f"shops.{shop.shop_id}.connection_id",
                f"there is no connection {shop.connection_id}; name it under connections, or correct the shop",
            )


def _shop_row(shop: ShopSettings, *, fixed: bool) -> Row:
    return (
        shop.shop_id,
        shop.connection_id,
        shop.active,
        shop.automatic,
        shop.book_from,
        None if shop.revision is None else shop.revision.value,
        fixed,
        codec.dump_shop(shop),
    )


def _place(row: asyncpg.Record) -> Place:
    return Place(
        connection_id=row["connection_id"],
        state=OrderState(row["state"]),
        reason=read_reason(row),
        due_at=row["due_at"],
        change=row["change"],
        priority=row["priority"],
        takes=row["takes"],
        attempts=row["attempts"],
    )


def _anew(before: Place, row: asyncpg.Record, ties: Ties, becoming: Plan, now: datetime) -> Place:
    facts = Facts(
        paid=row["paid"],
        paid_moment=row["paid_moment"],
        cancelled=row["cancelled"],
        wish=Wish(row["wish"]),
        released=row["released"],
        has_document=ties.live_invoice,
        asked=None if row["asked"] is None else Ask(row["asked"]),
    )
    shop: ShopSettings | None = becoming.shops.get(row["shop_id"])
    own = connection_of(before, ties, shop)
    connections: Mapping[str, ConnectionSettings] = becoming.connections
    return place_anew(before, facts, row["announced"], ties, shop, connections.get(own or ""), now)


def _place_row(key: OrderKey, place: Place) -> Row:
    return (
        *key,
        place.connection_id,
        place.state.value,
        *reason_columns(place.reason),
        place.due_at,
        place.change,
        place.priority,
        place.takes,
        place.attempts,
    )
