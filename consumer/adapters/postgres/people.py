"""What people see and mark, in Postgres."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from consumer.adapters.postgres.bookings import read_whole
from consumer.adapters.postgres.intake_rows import Row, columns, reason_columns, storable
from consumer.adapters.postgres.lane_rows import read_orders, storable_json
from consumer.adapters.postgres.people_asking import PostgresAsking
from consumer.adapters.postgres.people_held import add_connections, connection_for, lock_settings, read_held
from consumer.adapters.postgres.pool import Connection
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.sql import load
from consumer.domain.erasing import layout_of
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place
from consumer.domain.records import OrderRecord
from consumer.domain.releasing import Held, may_be_released, priority_of_release, released_place
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState, Priority, ReasonCode
from consumer.domain.story import LINES_MAX, story_text
from consumer.ports.people import GroupSum, Story, StoryLine


class PostgresPeopleStore(PostgresAsking):
    """See consumer.ports.people.PeopleStore."""

    async def groups(self, state: OrderState, shop_id: str | None = None) -> Sequence[GroupSum]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.groups, state.value, shop_id)
        groups: dict[tuple[str, str | None, str], list[asyncpg.Record]] = {}
        for row in found:
            groups.setdefault((row["shop_id"], row["reason_code"], row["group_key"]), []).append(row)
        return [_group(state, rows) for rows in groups.values()]

    async def release(
        self,
        *,
        actor: str,
        shop_id: str,
        order_id: str | None = None,
        reason: ReasonCode | None = None,
        group_key: str | None = None,
        priority: Priority | None = None,
        limit: int,
    ) -> int:
        """See the port. Counts the orders that have become due; the others wait for what no release can cure."""

        async def release(connection: Connection) -> int:
            shop, connections = await lock_settings(connection, shop_id)
            code = None if reason is None else reason.value
            found = await connection.fetch(self._sql.lock_held, shop_id, order_id, code, group_key, limit)
            held = {
                key: one
                for key, one in (await read_held(connection, found)).items()
                if may_be_released(one.place.state, one.place.reason, named=order_id is not None)
            }
            if not held:
                return 0
            await add_connections(connection, held.values(), shop, connections)
            now = await connection.fetchval(load("settings").clock)
            placed = _placed(held, shop, connections, priority or priority_of_release(len(held)), now)
            await self._write_released(connection, actor, held, placed)
            await _wake(connection, placed.values(), now)
            return sum(place.state is OrderState.DUE for place in placed.values())

        return await self._database.run(release)

    async def _write_released(
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

    async def retry_closed(self, *, older_than_seconds: float, limit: int) -> int:
        """See the port. When it was last tried is told by its newest decision: events that change nothing are none."""

        async def retry(connection: Connection) -> int:
            found = await connection.fetch(self._sql.retry_closed, older_than_seconds, limit)
            lanes = sorted({row["connection_id"] for row in found if row["connection_id"] is not None})
            if lanes:
                now = await connection.fetchval(load("settings").clock)
                await connection.execute(load("intake").wake_lanes, lanes, now)
            return len(found)

        return await self._database.run(retry)

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
            kept = layout_of(record.content) or orders[0]["layout"]
            return Story(order=record, lines=tuple(_line(row) for row in reversed(found)), layout=kept)

        return await self._database.read(read)

    async def note(self, *, actor: str, action: str, details: Mapping[str, Any]) -> None:
        """See the port."""
        async with self._database.connection() as connection:
            await connection.execute(load("intake").add_audit, storable(actor), action, storable_json(details))


async def _wake(connection: Connection, placed: Iterable[Place], now: datetime) -> None:
    woken = {place.connection_id for place in placed if place.due_at is not None and place.connection_id is not None}
    if woken:
        await connection.execute(load("intake").wake_lanes, sorted(woken), now)


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


def _placed(
    held: Mapping[OrderKey, Held],
    shop: ShopSettings | None,
    connections: Mapping[str, ConnectionSettings],
    priority: Priority,
    now: datetime,
) -> dict[OrderKey, Place]:
    return {
        key: released_place(one, shop, connection_for(one, shop, connections), priority, now)
        for key, one in held.items()
    }


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
