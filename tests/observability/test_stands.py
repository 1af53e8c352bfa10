"""The views `shop_stand` and `connection_stand`: how each shop stands, to whoever may know it and to nobody else."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.security.roled import Roled, shared_roled_database

pytestmark = pytest.mark.integration

ROWS = """
INSERT INTO connections (connection_id, settings) VALUES ('dry', '{}'), ('fine', '{}');
INSERT INTO lanes (connection_id, daily_limit, daily_left, daily_resets_at) VALUES
    ('dry', 1000, 50, clock_timestamp() + interval '2 hours'),
    ('fine', 1000, 900, clock_timestamp() + interval '2 hours');
INSERT INTO shops (shop_id, connection_id, automatic, settings) VALUES
    ('north', 'dry', true, '{}'), ('south', 'fine', true, '{}'), ('idle', NULL, false, '{}');
INSERT INTO orders (shop_id, order_id, connection_id, head, currency, grand_total, paid, paid_moment, state,
                    reason_code, due_at)
SELECT o.shop, o.id, 'dry', '{}', o.currency, o.total, true, '2026-11-01T12:00:00Z'::timestamptz + o.age, o.state,
       o.reason, CASE o.state WHEN 'due' THEN clock_timestamp() END
FROM (VALUES ('north', '1', 'EUR', 10.00, interval '1 hour', 'due', NULL),
             ('north', '2', 'EUR', 20.00, interval '2 hours', 'parked', 'tax_missing'),
             ('north', '3', 'EUR', 2.50, interval '3 hours', 'parked', 'difference'),
             ('north', '4', 'USD', 5.00, interval '4 hours', 'parked', 'difference'),
             ('north', '5', 'EUR', 7.00, interval '0 hours', 'waiting', 'held'),
             ('north', '6', 'EUR', 8.00, interval '0 hours', 'booked', NULL),
             ('north', '7', 'EUR', 8.00, interval '5 hours', 'uncertain', NULL),
             ('south', '1', 'EUR', 9.00, interval '0 hours', 'due', NULL))
    AS o (shop, id, currency, total, age, state, reason);
INSERT INTO rejected_events (topic, log, partition, "offset", size, digest, reason, message, shop_id, state) VALUES
    ('t', 1, 0, 1, 1, '', 'not_json', 'm', 'north', 'open'), ('t', 1, 0, 2, 1, '', 'not_json', 'm', 'north', 'dropped');
INSERT INTO completeness_missing (shop_id, order_id, source, day, currency, amount) VALUES
    ('north', '9', 'topic', '2026-11-01', 'EUR', 1);
INSERT INTO reconcile_money (connection_id, shop_id, currency, unexplained, compared_at) VALUES
    ('dry', 'north', 'EUR', 0.01, '2026-11-02T00:00:00Z'), ('fine', 'north', 'EUR', 9, '2026-11-02T00:00:00Z');
"""


@pytest.fixture(scope="module")
def stands(postgres_admin_url: str) -> Iterator[Roled]:
    """A database with three shops."""
    with shared_roled_database(postgres_admin_url, ROWS) as made:
        yield made


async def _rows(stands: Roled, login: str) -> dict[str, dict[str, Any]]:
    async with stands.as_(login) as connection:
        await connection.set_type_codec("jsonb", encoder=str, decoder=str, schema="pg_catalog")
        return {row["shop_id"]: dict(row) for row in await connection.fetch("SELECT * FROM shop_stand")}


async def test_each_shop_stands_in_its_row(stands: Roled) -> None:
    """Open orders by state, sums by currency, what waits for calls; booked orders are history."""
    rows = await _rows(stands, stands.owner)
    assert set(rows) == {"north", "south", "idle"}
    north = rows["north"]
    assert (north["due"], north["uncertain"], north["parked"], north["waiting"]) == (1, 1, 3, 1)
    assert north["parked_sums"] == '{"EUR": 22.50, "USD": 5.00}'
    assert (north["rejected_open"], north["told_and_not_recorded"]) == (1, 1)
    assert north["oldest_parked_at"] - north["oldest_unbooked_at"] == timedelta(hours=1)
    # Of the connection that the shop books into now, and of no other.
    assert north["unexplained_sums"] == '{"EUR": 0.01}'
    assert (north["waiting_for_budget"], north["budget_back_at"] is None) == (1, False)
    south = rows["south"]
    assert (south["due"], south["waiting_for_budget"], south["budget_back_at"]) == (1, 0, None)
    idle = rows["idle"]
    assert (idle["due"], idle["parked"], idle["oldest_unbooked_at"], idle["parked_sums"]) == (0, 0, None, "{}")


async def test_the_services_see_every_shop(stands: Roled) -> None:
    """Reports and the console read it under their role."""
    assert set(await _rows(stands, stands.app)) == {"north", "south", "idle"}


async def test_a_login_of_one_shop_sees_its_own_row_alone(stands: Roled) -> None:
    """Whatever it sets, and whatever it hides in a condition: the filter of the view comes first."""
    login = await stands.add_reader("stand_of_north", "north")
    assert set(await _rows(stands, login)) == {"north"}
    async with stands.as_(login) as reader:
        await reader.execute("SELECT set_config('booked.shop', 'south', false)")
        assert await reader.fetch("SELECT * FROM shop_stand") == []
        await reader.execute("SELECT set_config('booked.shop', '', false)")
        # A division by zero for every row that is not its own would tell that there is one.
        told = await reader.fetch("SELECT shop_id FROM shop_stand WHERE 1 / (shop_id = 'north')::integer = 1")
        assert [row["shop_id"] for row in told] == ["north"]


async def test_a_login_of_no_shop_sees_no_row(stands: Roled) -> None:
    """A member of the reading role that nobody gave a shop."""
    login = await stands.add_reader("stand_of_none")
    assert await _rows(stands, login) == {}


async def test_connections_are_not_for_the_logins_of_shops(stands: Roled) -> None:
    """Several shops may share one: its budget tells of the others."""
    login = await stands.add_reader("stand_of_south", "south")
    async with stands.as_(login) as reader:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch("SELECT * FROM connection_stand")
    async with stands.as_(stands.app) as services:
        rows = {row["connection_id"]: row for row in await services.fetch("SELECT * FROM connection_stand")}
    assert {name: (row["live_waits"], row["backfill_waits"]) for name, row in rows.items()} == {
        "dry": (True, True),
        "fine": (False, False),
    }
    assert [rows[name]["kept_for_people"] for name in ("dry", "fine")] == [50, 50]
    assert rows["fine"]["calls_left"] == Decimal(900)
