"""What people see and mark, in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import asyncpg

from consumer.adapters.postgres.bookings import read_whole
from consumer.adapters.postgres.intake_rows import (
    Row,
    columns,
    read_connections,
    read_reason,
    read_shops,
    reason_columns,
    storable,
)
from consumer.adapters.postgres.lane_rows import key_of, read_orders
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.sql import load
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, Ties, connection_of
from consumer.domain.records import OrderRecord
from consumer.domain.releasing import Held, may_be_released, priority_of_release, released_place
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, ReasonCode, Wish
from consumer.domain.story import LINES_MAX, story_text
from consumer.ports.settings import GroupSum, Story, StoryLine


class PostgresPeopleStore:
    """See consumer.ports.settings.PeopleStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("people")
        self._intake_sql = load("intake")

    async def groups(self, state: OrderState, shop_id: str | None = None) -> Sequence[GroupSum]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.groups, state.value, shop_id)
        groups: dict[tuple[str, str | None, str], list[asyncpg.Record]] = {}
        for row in found:
            groups.setdefault((row["shop_id"], row["reason_code"], row["group_key"]), []).append(row)
        return [_group(state, rows) for rows in groups.values()]

    async def release(
        self, *, actor: str, shop_id: str, order_id: str | None = None, reason: ReasonCode | None = None, limit: int
    ) -> int:
        """See the port. Counts the orders that have become due; the others wait for what no release can cure."""

        async def release(connection: Connection) -> int:
            code = None if reason is None else reason.value
            shops, connections = await self._settings(connection, shop_id)
            found = await connection.fetch(self._sql.lock_held, shop_id, order_id, code, limit)
            held = await self._held(connection, found, named=order_id is not None)
            if not held:
                return 0
            await self._read_connections(connection, held, shops.get(shop_id), connections)
            now = await connection.fetchval(load("settings").clock)
            placed = _placed(held, shops.get(shop_id), connections, now)
            await self._write(connection, actor, held, placed)
            woken = {p.connection_id for p in placed.values() if p.due_at is not None and p.connection_id is not None}
            if woken:
                await connection.execute(self._intake_sql.wake_lanes, sorted(woken), now)
            return sum(place.state is OrderState.DUE for place in placed.values())

        return await self._database.run(release)

    async def _settings(
        self, connection: Connection, shop_id: str
    ) -> tuple[dict[str, ShopSettings], dict[str, ConnectionSettings]]:
        """Read a shop and its connection, locked against `apply`."""
        shops: dict[str, ShopSettings] = {}
        connections: dict[str, ConnectionSettings] = {}
        read_shops(await connection.fetch(self._intake_sql.lock_shops, [shop_id]), shops, connections)
        return shops, connections

    async def _held(
        self, connection: Connection, found: Sequence[asyncpg.Record], *, named: bool
    ) -> dict[OrderKey, Held]:
        rows = {key_of(row): row for row in found}
        ties = {
            key_of(row): Ties(
                live_invoice=row["live_invoice"], documents=row["documents"], open_intent=row["open_intent"]
            )
            for row in await connection.fetch(self._intake_sql.read_ties, *pairs(rows))
        }
        held = {key: _held(row, ties[key]) for key, row in rows.items()}
        return {
            key: one for key, one in held.items() if may_be_released(one.place.state, one.place.reason, named=named)
        }

    async def _read_connections(
        self,
        connection: Connection,
        held: Mapping[OrderKey, Held],
        shop: ShopSettings | None,
        connections: dict[str, ConnectionSettings],
    ) -> None:
        """Read the connections of orders that stay with one although their shop has moved."""
        own = {connection_of(one.place, one.ties, shop) for one in held.values()}
        elsewhere = [name for name in own if name is not None and name not in connections]
        if elsewhere:
            read_connections(await connection.fetch(self._intake_sql.read_connections, elsewhere), connections)

    async def _write(
        self, connection: Connection, actor: str, held: Mapping[OrderKey, Held], placed: Mapping[OrderKey, Place]
    ) -> None:
        table = [_released_row(key, place) for key, place in placed.items()]
        await connection.execute(self._sql.release_orders, storable(actor), *columns(table))
        details = [
            {
                "from": held[key].place.state.value,
                "reason": None if (reason := held[key].place.reason) is None else reason.code.value,
                "to": place.state.value,
            }
            for key, place in placed.items()
        ]
        await connection.execute(self._sql.audit_release, storable(actor), *pairs(placed), details)

    async def newest_unbooked(self, shop_id: str, limit: int) -> Sequence[OrderRecord]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.newest_unbooked, shop_id, limit)
        return list(read_orders(found, (), ()).values())

    async def story(self, key: OrderKey) -> Story | None:
        """See the port. At most the 1,000 newest lines."""

        async def read(connection: Connection) -> Story | None:
            orders = await connection.fetch(load("bookings").read_order, *key)
            record = (await read_whole(connection, orders)).get(key)
            if record is None:
                return None
            found = await connection.fetch(self._sql.story, *key, str(key), LINES_MAX)
            return Story(order=record, lines=tuple(_line(row) for row in reversed(found)))

        return await self._database.run(read)


def _group(state: OrderState, rows: Sequence[asyncpg.Record]) -> GroupSum:
    first = rows[0]
    return GroupSum(
        shop_id=first["shop_id"],
        state=state,
        reason_code=None if first["reason_code"] is None else ReasonCode(first["reason_code"]),
        group_key=first["group_key"],
        count=sum(row["orders"] for row in rows),
        sums={row["currency"]: row["total"] or Decimal(0) for row in rows},
        oldest=min(row["oldest"] for row in rows),
        fix=max(row["fix"] for row in rows),
    )


def _held(row: asyncpg.Record, ties: Ties) -> Held:
    place = Place(
        connection_id=row["connection_id"],
        state=OrderState(row["state"]),
        reason=read_reason(row),
        due_at=row["due_at"],
        change=row["change"],
        priority=row["priority"],
        takes=row["takes"],
        attempts=row["attempts"],
        changes_in_hour=row["changes_in_hour"],
        changes_since=row["changes_since"],
    )
    facts = Facts(
        paid=row["paid"],
        paid_moment=row["paid_moment"],
        cancelled=row["cancelled"],
        wish=Wish(row["wish"]),
        released=row["released"],
        has_document=ties.live_invoice,
    )
    return Held(place=place, facts=facts, ties=ties, announced=row["announced"])


def _placed(
    held: Mapping[OrderKey, Held],
    shop: ShopSettings | None,
    connections: Mapping[str, ConnectionSettings],
    now: datetime,
) -> dict[OrderKey, Place]:
    priority = priority_of_release(len(held))
    placed = {}
    for key, one in held.items():
        own = connection_of(one.place, one.ties, shop)
        placed[key] = released_place(one, shop, connections.get(own or ""), priority, now)
    return placed


def _released_row(key: OrderKey, place: Place) -> Row:
    return (
        *key,
        place.connection_id,
        place.state.value,
        *reason_columns(place.reason),
        place.due_at,
        place.change,
        place.priority,
    )


def _line(row: asyncpg.Record) -> StoryLine:
    kind, details = row["kind"], row["details"]
    return StoryLine(at=row["at"], kind=kind, text=story_text(kind, details), details=details)
