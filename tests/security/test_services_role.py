"""The services' role: all that the services' queries need, nothing else, no DDL, and no hand on the audit log."""

import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import consumer.adapters.postgres
from consumer.adapters.postgres.migrations import make_partitions
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.sql import load
from tests.security.roled import Roled, roled_database

QUERIES = Path(consumer.adapters.postgres.__file__).parent / "queries"
# Queries that the owner runs: those of `booked migrate`, `booked retention` and `booked erase`.
OF_THE_OWNER = {"roles", "privacy"}
WRITES = (
    ("INSERT", re.compile(r"\bINSERT\s+INTO\s+([a-z_]+)")),
    ("UPDATE", re.compile(r"\bUPDATE\s+(?!SET\b|OF\b)([a-z_]+)")),
    ("DELETE", re.compile(r"\bDELETE\s+FROM\s+([a-z_]+)")),
    ("UPDATE", re.compile(r"\bLOCK\s+TABLE\s+([a-z_]+)")),
)
# Rows are locked by FOR UPDATE and FOR SHARE, for which Postgres asks the right to UPDATE.
LOCKS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)\b")
COPIED = re.compile(r'insert_rows\(connection, "([a-z_]+)"')


def _written() -> Iterator[tuple[str, str]]:
    """Give (table, right) for all that the shipped queries write."""
    for file in sorted(QUERIES.glob("*.sql")):
        if file.stem in OF_THE_OWNER:
            continue
        for text in load(file.stem).values():
            bare = re.sub(r"--.*", "", text)
            for right, pattern in WRITES:
                yield from ((table, right) for table in pattern.findall(bare))
            if re.search(r"\bDO\s+UPDATE\b", bare):
                yield from ((table, "UPDATE") for table in WRITES[0][1].findall(bare))
    for module in QUERIES.parent.glob("*.py"):
        yield from ((table, "INSERT") for table in COPIED.findall(module.read_text(encoding="utf-8")))


async def _granted(roled: Roled) -> set[tuple[str, str]]:
    """Give (table, right) that the services' role has on a whole table or on some of its columns."""
    async with roled.as_(roled.owner) as owner:
        rows = await owner.fetch(
            """SELECT c.relname, r.privilege
               FROM pg_class c
               CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES'])
                   AS r (privilege)
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                     AND (has_table_privilege($1, c.oid, r.privilege)
                          OR (r.privilege IN ('INSERT', 'UPDATE')
                              AND has_any_column_privilege($1, c.oid, r.privilege)))""",
            roled.roles.services,
        )
    return {(row["relname"], row["privilege"]) for row in rows}


async def test_what_the_queries_write_is_granted_and_nothing_else(roled: Roled) -> None:
    """Every table that a query writes may be written so; no other right is given, on no table, and no TRUNCATE."""
    needed = set(_written())
    granted = {(table, right) for table, right in await _granted(roled) if right != "SELECT"}
    assert needed - granted == set(), "a query needs a right that queries/roles.sql does not give"
    locked = {(table, right) for table, right in granted - needed if right == "UPDATE"}
    assert granted - needed - locked == set(), "queries/roles.sql gives a right that no query needs"
    # The rest of UPDATE is there to lock rows.
    texts = [re.sub(r"--.*", "", text) for file in QUERIES.glob("*.sql") for text in load(file.stem).values()]
    locking = [text for text in texts if LOCKS.search(text)]
    assert {t for t, _ in locked if not any(re.search(rf"\b{t}\b", text) for text in locking)} == set()


async def test_every_table_is_thought_of(roled: Roled) -> None:
    """Whatever table a migration adds: the services read it, or it is one of the few that are not theirs."""
    async with roled.as_(roled.owner) as owner:
        rows = await owner.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition"
        )
    readable = {table for table, right in await _granted(roled) if right == "SELECT"}
    assert {row["relname"] for row in rows} - readable == {"shop_readers"}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n integer)",
        "CREATE TEMPORARY TABLE mine (n integer)",
        "DROP TABLE gaps",
        "ALTER TABLE orders ADD COLUMN mine integer",
        "CREATE INDEX mine ON orders (number)",
        "TRUNCATE outbox",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE orders DISABLE ROW LEVEL SECURITY",
        "SELECT make_day_partitions_of('orders', 1)",
        "INSERT INTO shop_readers (role_name, shop_id) VALUES (current_user, 'north')",
        "UPDATE audit_log SET actor = 'somebody else'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "INSERT INTO audit_log (actor, action, happened_at) VALUES ('jane', 'hold', '2020-01-01')",
        "INSERT INTO audit_log (id, actor, action) OVERRIDING SYSTEM VALUE VALUES (1, 'jane', 'hold')",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "UPDATE decisions SET words = '[]'",
        "DELETE FROM tokens",
        "DROP TABLE events_rest",
        "DELETE FROM orders",
    ],
)
async def test_what_the_services_may_not_do(roled: Roled, statement: str) -> None:
    """No DDL, no right passed on, no past rewritten: Postgres refuses it."""
    async with roled.as_(roled.app) as services:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await services.execute(statement)


async def test_the_audit_log_is_written_and_only_grows(roled: Roled) -> None:
    """The services add to it; not even the owner changes, removes or empties it by a slip. What is old may go."""
    async with roled.as_(roled.app) as services:
        await services.execute("INSERT INTO audit_log (actor, action) VALUES ('jane', 'hold')")
    async with roled.as_(roled.owner) as owner:
        for statement in ("UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"):
            with pytest.raises(asyncpg.RaiseError, match="the audit log only grows"):
                await owner.execute(statement)
        await owner.execute("SELECT set_config('booked.retention', 'audit', false)")
        with pytest.raises(asyncpg.RaiseError, match="the audit log only grows"):
            await owner.execute("DELETE FROM audit_log")
        await owner.execute("INSERT INTO audit_log (actor, action, happened_at) VALUES ('old', 'hold', '2020-01-01')")
        assert await owner.execute("DELETE FROM audit_log WHERE actor = 'old'") == "DELETE 1"


async def test_the_services_make_the_days_to_come_without_any_ddl(roled: Roled) -> None:
    """make_day_partitions() does it as the owner, for events and exchanges, and the new day's rows can be written."""
    async with Database.open(roled.services_url) as database:
        assert await make_partitions(database, 9) == 4
    async with roled.as_(roled.app) as services:
        for parent, days in (("orders", 1), ("events", 1000), ("events; DROP TABLE orders", 1)):
            with pytest.raises(asyncpg.RaiseError):
                await services.execute("SELECT make_day_partitions($1, $2)", parent, days)
        owner_of_day = await services.fetchval(
            "SELECT tableowner FROM pg_tables WHERE tablename = 'events_' || to_char(now() AT TIME ZONE 'UTC' "
            "+ interval '9 days', 'YYYYMMDD')"
        )
    assert owner_of_day == roled.owner


async def test_functions_of_the_owner_look_nowhere_else(roled: Roled) -> None:
    """Each SECURITY DEFINER function has a search_path of its own that ends in pg_temp, and is not for everybody."""
    async with roled.as_(roled.owner) as owner:
        rows = await owner.fetch(
            "SELECT proname, proconfig, has_function_privilege('pg_monitor', oid, 'EXECUTE') AS everybodys "
            "FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        )
    assert {"make_day_partitions", "booked_shop_read"} <= {row["proname"] for row in rows}
    for row in rows:
        assert "search_path=public, pg_temp" in row["proconfig"], row["proname"]
        assert not row["everybodys"], row["proname"]


async def test_giving_the_rights_again_changes_nothing(roled: Roled) -> None:
    """The second time every grant and policy is as it was."""
    query = (
        "SELECT relname, relacl::text, relrowsecurity, "
        "(SELECT count(*) FROM pg_policies p WHERE p.tablename = c.relname) AS policies "
        "FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname"
    )
    async with roled.as_(roled.owner) as owner:
        before = [tuple(row) for row in await owner.fetch(query)]
        assert await roled.give() == []
        assert [tuple(row) for row in await owner.fetch(query)] == before


async def test_a_right_given_by_hand_is_taken_again(roled: Roled) -> None:
    """Somebody let the services delete orders: the next migration takes it."""
    async with roled.as_(roled.owner) as owner:
        await owner.execute(f"GRANT DELETE ON orders TO {roled.roles.services}")
        await roled.give()
        assert not await owner.fetchval("SELECT has_table_privilege($1, 'orders', 'DELETE')", roled.roles.services)


async def test_where_no_role_can_be_made_the_migration_runs_all_the_same(postgres_admin_url: str) -> None:
    """A managed Postgres without the roles: migrate names them, everything is there, nobody else may anything."""
    async with roled_database(postgres_admin_url, with_roles=False) as bare:
        assert await bare.give() == sorted([bare.roles.services, bare.roles.reader])
        async with bare.as_(bare.owner) as owner:
            assert not await owner.fetchval("SELECT bool_or(relrowsecurity) FROM pg_class")
            assert await owner.fetchval("SELECT count(*) FROM orders") == 0
