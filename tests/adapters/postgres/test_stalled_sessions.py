"""Who is frozen between a statement and its arguments keeps its locks until somebody ends its session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.pool import Database
from consumer.bootstrap.watchdogs import ask_database
from consumer.errors import DatabaseUnavailableError
from sandbox.postgres import admin_connection, with_database
from tests.security.roled import roled_database

ENDS = dict.fromkeys(("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"), "500ms")
WITHIN_SECONDS = 30.0


@pytest.fixture
async def url(database_url: str) -> str:
    """An empty database with one row to be locked."""
    async with Database.open(database_url) as database, database.connection() as connection:
        await connection.execute("CREATE TABLE lane (id int PRIMARY KEY)")
        await connection.execute("INSERT INTO lane VALUES (1)")
    return database_url


@pytest.fixture
async def health(url: str) -> AsyncIterator[PostgresHealthStore]:
    """The store of another process."""
    async with Database.open(url) as database:
        yield PostgresHealthStore(database)


@asynccontextmanager
async def _stalled(
    url: str, *, program: str = "booked", does: str = "SELECT FROM lane WHERE id = 1 FOR UPDATE"
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Lock the row and send a statement whose arguments never come, as a process does that freezes right then."""
    connection = await asyncpg.connect(url, server_settings={"application_name": program, **ENDS})
    try:
        await connection.execute(f"BEGIN; {does}")
        await connection.prepare("SELECT $1::int")
        yield connection
    finally:
        connection.terminate()


async def _let_seconds_pass(url: str, seconds: float) -> None:
    async with Database.open(url) as database, database.connection() as connection:
        await connection.execute(f"SELECT pg_sleep({seconds})")


async def _lock(url: str) -> None:
    async with Database.open(url) as database, database.connection() as connection:
        await connection.execute("SELECT FROM lane WHERE id = 1 FOR UPDATE NOWAIT")


async def test_its_locks_outlive_the_servers_own_ends_and_go_with_its_session(
    url: str, health: PostgresHealthStore
) -> None:
    """All three of its limits have passed and it still has the row; once its session is ended another gets it."""
    async with _stalled(url):
        await _let_seconds_pass(url, 1.2)
        with pytest.raises(DatabaseUnavailableError, match="could not obtain lock"):
            await _lock(url)
        assert await health.end_stalled_sessions(1.0) == 1
        async with asyncio.timeout(WITHIN_SECONDS):
            # The end takes the server a moment, and nothing tells of it.
            while await health.end_stalled_sessions(0.0):
                pass
        await _lock(url)


async def test_one_that_may_still_go_on_is_left_alone(url: str, health: PostgresHealthStore) -> None:
    """It has not stood still for long enough."""
    async with _stalled(url) as connection:
        assert await health.end_stalled_sessions(60.0) == 0
        assert await connection.fetchval("SELECT 1") == 1


async def test_another_program_is_left_alone(url: str, health: PostgresHealthStore) -> None:
    """A restore, say, waits for its next rows in the same way, under the same role."""
    async with _stalled(url, program="pg_restore") as connection:
        await _let_seconds_pass(url, 0.1)
        assert await health.end_stalled_sessions(0.0) == 0
        assert await connection.fetchval("SELECT 1") == 1


async def test_who_works_or_rests_is_left_alone(url: str, health: PostgresHealthStore) -> None:
    """A statement at work, a transaction between two statements and an idle session are none of its business."""
    async with Database.open(url) as database, database.connection() as idle, database.connection() as between:
        async with database.connection() as working, between.transaction():
            await between.execute("SELECT FROM lane")
            busy = asyncio.create_task(working.execute("SELECT pg_sleep(0.3)"))
            while not busy.done():
                assert await health.end_stalled_sessions(0.0) == 0
            await busy
            assert await between.fetchval("SELECT 1") == 1
        assert await idle.fetchval("SELECT 1") == 1


async def test_the_services_login_may_do_it_and_a_server_that_forbids_it_harms_nothing(postgres_admin_url: str) -> None:
    """It ends sessions of its own name; where roles may not even do that, the database is still said to answer."""
    async with roled_database(postgres_admin_url) as roled:
        url = roled.services_url
        async with Database.open(url) as database:
            health = PostgresHealthStore(database)
            async with _stalled(url, does="SELECT 1"):
                async with asyncio.timeout(WITHIN_SECONDS):
                    # It is at work for a moment before it waits for the arguments.
                    while not await health.end_stalled_sessions(0.0):
                        pass
            async with admin_connection(with_database(postgres_admin_url, roled.name)) as admin:
                await admin.execute("REVOKE EXECUTE ON FUNCTION pg_terminate_backend FROM PUBLIC")
            async with _stalled(url, does="SELECT 1") as connection:
                assert await health.end_stalled_sessions(0.0) == 0
                await ask_database(health)
                assert await connection.fetchval("SELECT 1") == 1
