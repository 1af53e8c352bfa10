"""Logins of single shops: each sees the rows of its own shop, and nothing of any other, whatever it sets or asks."""

from collections.abc import Iterator

import asyncpg
import pytest

from tests.security.roled import Raw, Roled, shared_roled_database

TABLES = (
    "completeness",
    "completeness_missing",
    "decisions",
    "documents",
    "events",
    "orders",
    "rejected_events",
    "shops",
)
ROWS = """
INSERT INTO connections (connection_id, settings) VALUES ('books', '{}');
INSERT INTO shops (shop_id, connection_id, settings) VALUES ('north', 'books', '{}'), ('south', 'books', '{}');
INSERT INTO orders (shop_id, order_id, head, state, reason_code)
    SELECT s, '1001', '{}', 'withdrawn', 'held' FROM unnest(ARRAY['north', 'south']) AS s;
INSERT INTO documents (connection_id, shop_id, order_id, kind, n, reference, ledger_id, status, live, total, currency)
    SELECT 'books', s, '1001', 'invoice', 1, s || '/1001', s, 'draft', true, 12.20, 'EUR'
    FROM unnest(ARRAY['north', 'south']) AS s;
INSERT INTO decisions (shop_id, order_id, change, decision)
    SELECT s, '1001', 1, 'create' FROM unnest(ARRAY['north', 'south']) AS s;
INSERT INTO events (topic, log, partition, "offset", shop_id, order_id, kind, event_id, event_time, verdict)
    SELECT 't', 1, 0, 0, s, '1001', 'paid', 'e', now(), 'newest' FROM unnest(ARRAY['north', 'south']) AS s;
INSERT INTO rejected_events (topic, log, partition, "offset", size, digest, reason, message, shop_id)
    SELECT 't', 1, 0, length(s) + ascii(s), 1, '', 'not_json', 'm', s FROM unnest(ARRAY['north', 'south', '']) AS s;
INSERT INTO completeness (shop_id, source, day, currency)
    SELECT s, 'topic', '2026-11-01', 'EUR' FROM unnest(ARRAY['north', 'south']) AS s;
INSERT INTO completeness_missing (shop_id, order_id, source, day, currency, amount)
    SELECT s, '1001', 'topic', '2026-11-01', 'EUR', 1 FROM unnest(ARRAY['north', 'south']) AS s;
"""


@pytest.fixture(scope="module")
def shops(postgres_admin_url: str) -> Iterator[Roled]:
    """A database with one row of each table for each of two shops."""
    with shared_roled_database(postgres_admin_url, ROWS) as made:
        yield made


async def _seen(reader: Raw) -> dict[str, set[str]]:
    return {table: {row["shop_id"] for row in await reader.fetch(f"SELECT shop_id FROM {table}")} for table in TABLES}


async def test_a_login_sees_its_own_shop_and_cannot_choose_another(shops: Roled) -> None:
    """Without any setting its own rows; with another shop's name in the setting none, in every table."""
    login = await shops.add_reader("of_north", "north")
    async with shops.as_(login) as reader:
        assert await _seen(reader) == {table: {"north"} for table in TABLES}
        await reader.execute("SELECT set_config('booked.shop', 'south', false)")
        assert await _seen(reader) == {table: set() for table in TABLES}
        await reader.execute("SELECT set_config('booked.shop', 'north', false)")
        assert await _seen(reader) == {table: {"north"} for table in TABLES}
        await reader.execute(f"SET ROLE {shops.roles.reader}")
        await reader.execute("SELECT set_config('booked.shop', 'south', false)")
        assert await _seen(reader) == {table: set() for table in TABLES}


async def test_a_login_of_two_shops_sees_none_until_it_says_which(shops: Roled) -> None:
    """For one who serves several: booked.shop chooses among its own, for one transaction; without it no row."""
    login = await shops.add_reader("of_both", "north", "south")
    async with shops.as_(login) as reader:
        assert await _seen(reader) == {table: set() for table in TABLES}
        async with reader.transaction():
            await reader.execute("SELECT set_config('booked.shop', 'south', true)")
            assert await _seen(reader) == {table: {"south"} for table in TABLES}
        assert await _seen(reader) == {table: set() for table in TABLES}


async def test_a_login_of_no_shop_sees_nothing(shops: Roled) -> None:
    """A member of the role that nobody gave a shop: no row, whatever it sets."""
    login = await shops.add_reader("of_none")
    async with shops.as_(login) as reader:
        for wanted in ("", "north", "%"):
            await reader.execute("SELECT set_config('booked.shop', $1, false)", wanted)
            assert await _seen(reader) == {table: set() for table in TABLES}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM tokens",
        "SELECT * FROM connections",
        "SELECT * FROM exchanges",
        "SELECT * FROM contacts",
        "SELECT * FROM intents",
        "SELECT * FROM outbox",
        "SELECT * FROM audit_log",
        "SELECT * FROM shop_readers",
        "SELECT * FROM events_rest",
        "COPY tokens TO STDOUT",
        "SELECT make_day_partitions('events', 1)",
        "UPDATE orders SET wish = 'none'",
        "DELETE FROM orders",
        "INSERT INTO shop_readers (role_name, shop_id) VALUES (session_user, 'south')",
        "CREATE TABLE mine (n integer)",
        "CREATE TEMPORARY TABLE shop_readers (role_name text, shop_id text)",
        "SET ROLE booked",
        "SET SESSION AUTHORIZATION booked",
    ],
)
async def test_what_a_reader_may_not_do(shops: Roled, statement: str) -> None:
    """No secret, no other table, no partition past the policy, no change: Postgres refuses it."""
    login = await shops.add_reader("of_north", "north")
    async with shops.as_(login) as reader:
        await reader.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_a_function_of_the_reader_sees_no_row_of_another(shops: Roled) -> None:
    """A cheap expression that tells what it is shown is never given another shop's row (the policy comes first)."""
    login = await shops.add_reader("of_north", "north")
    async with shops.as_(login) as reader:
        # A division by zero on each row of another shop: an error would tell that such a row is there.
        found = await reader.fetch(
            "SELECT order_id FROM orders WHERE 1 / (CASE shop_id WHEN 'south' THEN 0 ELSE 1 END) = 1"
        )
        assert [row["order_id"] for row in found] == ["1001"]


async def test_the_services_see_all_shops_while_readers_are_there(shops: Roled) -> None:
    """Row level security is on, and the services' queries are planned as without it: no filter stands in the plan."""
    async with shops.as_(shops.app) as services:
        assert await services.fetchval("SELECT row_security_active('orders')")
        assert await _seen(services) == {
            **{table: {"north", "south"} for table in TABLES},
            "rejected_events": {"north", "south", ""},
        }
        plan = await services.fetch("EXPLAIN SELECT * FROM orders WHERE shop_id = 'north' AND order_id = '1001'")
        text = "\n".join(row[0] for row in plan)
        assert "booked_shop_read" not in text
        assert "Filter" not in text
