"""Orders that people's words concern: locked, with what binds them to a ledger and the settings that hold for them."""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from consumer.adapters.postgres.intake_rows import read_connections, read_reason, read_shops
from consumer.adapters.postgres.lane_rows import key_of
from consumer.adapters.postgres.pool import Connection
from consumer.adapters.postgres.positions import pairs
from consumer.adapters.postgres.sql import load
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, Ties, connection_of
from consumer.domain.releasing import Held
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import Ask, OrderState, Wish


async def lock_settings(
    connection: Connection, shop_id: str
) -> tuple[ShopSettings | None, dict[str, ConnectionSettings]]:
    """Read a shop and its connection, locked against `apply`; before the orders, as every transaction does."""
    shops: dict[str, ShopSettings] = {}
    connections: dict[str, ConnectionSettings] = {}
    read_shops(await connection.fetch(load("intake").lock_shops, [shop_id]), shops, connections)
    return shops.get(shop_id), connections


async def read_held(connection: Connection, locked: Sequence[asyncpg.Record]) -> dict[OrderKey, Held]:
    """Complete locked rows of `orders` with their ties, which are only sure to be seen after the lock."""
    rows = {key_of(row): row for row in locked}
    if not rows:
        return {}
    found = await connection.fetch(load("intake").read_ties, *pairs(rows))
    return {key_of(row): _held(rows[key_of(row)], _ties(row)) for row in found}


async def add_connections(
    connection: Connection,
    held: Iterable[Held],
    shop: ShopSettings | None,
    connections: dict[str, ConnectionSettings],
) -> None:
    """Read the connections of orders that stay with one although their shop has moved."""
    own = {connection_of(one.place, one.ties, shop) for one in held}
    elsewhere = [name for name in own if name is not None and name not in connections]
    if elsewhere:
        read_connections(await connection.fetch(load("intake").read_connections, elsewhere), connections)


def connection_for(
    held: Held, shop: ShopSettings | None, connections: Mapping[str, ConnectionSettings]
) -> ConnectionSettings | None:
    """Give the settings of the connection that an order belongs to."""
    return connections.get(connection_of(held.place, held.ties, shop) or "")


def _ties(row: asyncpg.Record) -> Ties:
    return Ties(live_invoice=row["live_invoice"], documents=row["documents"], open_intent=row["open_intent"])


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
        asked=None if row["asked"] is None else Ask(row["asked"]),
    )
    return Held(place=place, facts=facts, ties=ties, announced=row["announced"])
