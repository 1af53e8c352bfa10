"""The migrations make the whole schema or nothing: twice, two at once and killed in the middle are harmless."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from consumer.adapters.postgres.migrations import HEAD, make_partitions, migrate
from consumer.adapters.postgres.pool import Database
from consumer.domain.states import OrderState, Wish
from consumer.errors import DatabaseUnavailableError

VIEWS = {"connection_stand", "shop_stand"}
TABLES = {
    "alembic_version",
    "audit_log",
    "completeness",
    "completeness_missing",
    "connections",
    "contact_links",
    "contacts",
    "decisions",
    "documents",
    "events",
    "events_rest",
    "exchanges",
    "exchanges_rest",
    "gaps",
    "installation",
    "intents",
    "lanes",
    "leases",
    "orders",
    "outbox",
    "positions",
    "rejected_events",
    "replay_progress",
    "replay_runs",
    "seen_invoices",
    "shop_readers",
    "shops",
    "slots",
    "tokens",
    "watch_put_off",
    "reconcile_calls",
    "reconcile_listed",
    "reconcile_money",
    "reconcile_runs",
}


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    finally:
        await connection.close()
    return {row["table_name"] for row in rows}


def _days(count: int, parent: str) -> set[str]:
    today = datetime.now(UTC).date()
    return {f"{parent}_{today + timedelta(days=number):%Y%m%d}" for number in range(count)}


async def test_an_empty_database_gets_the_whole_schema(database_url: str) -> None:
    """All tables and views, and the partitions of today and the seven days after it."""
    await migrate(database_url)
    assert await _tables(database_url) == TABLES | VIEWS | _days(8, "events") | _days(8, "exchanges")
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == HEAD
    await connection.close()


async def test_migrating_twice_is_harmless(database_url: str) -> None:
    """The second time nothing changes, and rows stay."""
    await migrate(database_url)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO gaps (topic, partition, log, from_offset, cause) VALUES ('t', 0, 1, 0, 'made_again')"
    )
    before = await _tables(database_url)
    await migrate(database_url)
    assert await _tables(database_url) == before
    assert await connection.fetchval("SELECT count(*) FROM gaps") == 1
    await connection.close()


async def test_two_at_once_do_the_work_once(database_url: str) -> None:
    """Three processes start together: each comes back without an error, and the schema is whole."""
    async with asyncio.timeout(60):
        await asyncio.gather(*(migrate(database_url) for _ in range(3)))
    assert await _tables(database_url) >= TABLES


async def test_killed_midway_it_leaves_nothing(database_url: str) -> None:
    """The server ends the migration's session while it runs: no table stands, and the next one makes them all."""
    blocker = await asyncpg.connect(database_url)
    # An uncommitted type of the same name stops the migration at that table, after it has made the others.
    await blocker.execute("BEGIN; CREATE TABLE audit_log ()")
    running = asyncio.create_task(migrate(database_url))
    # Another connection looks: within a transaction the list of sessions stands still.
    watcher = await asyncpg.connect(database_url)
    await _until_blocked(watcher)
    await watcher.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'booked migrate'"
    )
    await watcher.close()
    with pytest.raises(DatabaseUnavailableError):
        await asyncio.wait_for(running, 30)
    await blocker.execute("ROLLBACK")
    await blocker.close()
    assert await _tables(database_url) == set()
    await migrate(database_url)
    assert await _tables(database_url) >= TABLES


async def _until_blocked(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    query = """SELECT count(*) FROM pg_stat_activity
               WHERE application_name = 'booked migrate' AND wait_event_type = 'Lock'"""
    async with asyncio.timeout(30):
        while await connection.fetchval(query) == 0:
            pass


async def test_partitions_are_made_ahead_and_take_early_rows_along(migrated_database_url: str) -> None:
    """Rows of a day that had no partition yet stand in the rest; making the day's partition moves them into it."""
    moment = datetime.now(UTC) + timedelta(days=9)
    async with Database.open(migrated_database_url) as database:
        async with database.connection() as connection:
            await connection.execute(
                """INSERT INTO events (topic, log, partition, "offset", shop_id, order_id, kind, event_id, event_time,
                                       verdict, received_at)
                   VALUES ('t', 1, 0, 0, 's', 'o', 'paid', 'e', $1, 'newest', $1)""",
                moment,
            )
            assert await connection.fetchval("SELECT count(*) FROM events_rest") == 1
        assert await make_partitions(database, 9) == 4
        assert await make_partitions(database, 9) == 0
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM events_rest") == 0
            assert await connection.fetchval(f"SELECT count(*) FROM events_{moment:%Y%m%d}") == 1


async def _refused(url: str, column: str, value: str) -> bool:
    connection = await asyncpg.connect(url)
    columns = {"state": "withdrawn", "wish": "auto", column: value}
    try:
        await connection.execute(
            """INSERT INTO orders (shop_id, order_id, head, state, wish, reason_code, due_at)
               VALUES ('s', $1, '{}', $2, $3, 'held', now())""",
            f"{column} {value}",
            columns["state"],
            columns["wish"],
        )
    except asyncpg.CheckViolationError:
        return True
    finally:
        await connection.close()
    return False


async def test_the_states_of_the_code_are_those_of_the_schema(migrated_database_url: str) -> None:
    """Every state and wish is taken by the CHECKs, and nothing else is."""
    for column, known in (("state", OrderState), ("wish", Wish)):
        for member in known:
            assert not await _refused(migrated_database_url, column, member.value)
        assert await _refused(migrated_database_url, column, "nonsense")


@pytest.mark.parametrize(
    "statement",
    ["migrate", "ping"],
)
async def test_no_server_is_said_in_one_type_of_error(statement: str) -> None:
    """Where no server listens the error is ours, whichever door was tried."""
    doors: dict[str, Callable[[str], Awaitable[object]]] = {"migrate": migrate, "ping": Database.connect}
    with pytest.raises(DatabaseUnavailableError, match="does not answer"):
        await doors[statement]("postgresql://nobody@127.0.0.1:1/none")
