"""The pool runs whole transactions again after conflicts, bounds every wait, and stays whole under cancellation."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from consumer.adapters.postgres.errors import is_data_error, is_repeatable, is_unavailable
from consumer.adapters.postgres.pool import Connection, Database, PoolLimits
from consumer.errors import DatabaseUnavailableError

SMALL = PoolLimits(max_size=2, acquire_timeout_seconds=0.2, statement_timeout_seconds=0.3, lock_timeout_seconds=0.2)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A small pool with short patience, and one table of two rows."""
    async with Database.open(database_url, limits=SMALL) as opened:
        async with opened.connection() as connection:
            await connection.execute("CREATE TABLE t (id int PRIMARY KEY, n int, data jsonb)")
            await connection.execute("INSERT INTO t VALUES (1, 0), (2, 0)")
        yield opened


async def test_a_deadlock_is_run_again_as_a_whole(database: Database) -> None:
    """Two transactions lock two rows the other way round: the victim runs again, and both are counted once."""
    both_hold_one = asyncio.Barrier(2)
    runs = []

    async def cross(connection: Connection, first: int, second: int) -> None:
        runs.append(first)
        await connection.execute("SET LOCAL deadlock_timeout = '20ms'")
        await connection.execute("SET LOCAL lock_timeout = '10s'")
        await connection.execute("SET LOCAL statement_timeout = '10s'")
        await connection.execute("UPDATE t SET n = n + 1 WHERE id = $1", first)
        if len(runs) <= 2:
            await both_hold_one.wait()
        await connection.execute("UPDATE t SET n = n + 1 WHERE id = $1", second)

    async with asyncio.timeout(20):
        await asyncio.gather(
            database.run(lambda connection: cross(connection, 1, 2)),
            database.run(lambda connection: cross(connection, 2, 1)),
        )
    assert len(runs) >= 3
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT array_agg(n) FROM t") == [2, 2]


async def test_what_conflicts_for_ever_is_given_up(database: Database) -> None:
    """The tries are bounded; then it is said that the database cannot be worked with."""
    runs = []

    async def conflict(_: Connection) -> None:
        runs.append(1)
        raise asyncpg.SerializationError("could not serialize access")

    with pytest.raises(DatabaseUnavailableError):
        await database.run(conflict, retries=3)
    assert len(runs) == 4


async def test_an_error_of_the_work_rolls_back_and_is_not_repeated(database: Database) -> None:
    """What is no conflict goes up as it is, and nothing stays."""
    runs = []

    async def fail(connection: Connection) -> None:
        runs.append(1)
        await connection.execute("UPDATE t SET n = 9")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await database.run(fail)
    assert runs == [1]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT max(n) FROM t") == 0


async def test_waiting_for_a_connection_has_an_end(database: Database) -> None:
    """All connections are in use: whoever asks for one is told so, and does not wait for ever."""
    async with database.connection(), database.connection():
        with pytest.raises(DatabaseUnavailableError, match="in time"):
            await database.run(lambda connection: connection.execute("SELECT 1"))
    await database.run(lambda connection: connection.execute("SELECT 1"))


async def test_a_statement_and_a_lock_have_an_end(database: Database) -> None:
    """The server itself ends a statement that takes too long, and one that waits too long for a lock."""
    with pytest.raises(DatabaseUnavailableError, match="statement timeout"):
        await database.run(lambda connection: connection.execute("SELECT pg_sleep(30)"))
    async with database.transaction() as holding:
        await holding.execute("SELECT FROM t FOR UPDATE")
        with pytest.raises(DatabaseUnavailableError, match="lock timeout"):
            await database.run(lambda connection: connection.execute("UPDATE t SET n = 1"))


async def test_cancelling_leaves_the_pool_whole(database: Database) -> None:
    """Fifty jobs cancelled in the middle of a statement: no connection is lost, none stays in a transaction."""

    async def job(connection: Connection) -> None:
        await connection.execute("UPDATE t SET n = 5 WHERE id = 1")
        await connection.execute("SELECT pg_sleep(0.2)")

    for _ in range(25):
        tasks = [asyncio.create_task(database.run(job)) for _ in range(2)]
        for _ in range(10):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT n FROM t WHERE id = 1") == 0
        idle = (
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
        )
        assert await connection.fetchval(idle) == 0
    async with database.connection(), database.connection():
        pass


async def test_jsonb_is_plain_data_both_ways(database: Database) -> None:
    """Dictionaries go in and come out, also through COPY; NaN is refused before it reaches the server."""
    value = {"a": [1, None, "é"], "b": {"c": True}}
    async with database.connection() as connection:
        await connection.copy_records_to_table("t", records=[(3, 0, value)], columns=["id", "n", "data"])
        assert await connection.fetchval("SELECT data FROM t WHERE id = 3") == value
        with pytest.raises(asyncpg.DataError):
            await connection.execute("UPDATE t SET data = $1", {"x": float("nan")})


@pytest.mark.parametrize(
    ("error", "unavailable", "repeatable", "data"),
    [
        (ConnectionRefusedError(), True, False, False),
        (TimeoutError(), True, False, False),
        (asyncpg.InterfaceError("connection is closed"), True, False, False),
        (asyncpg.ConnectionDoesNotExistError("gone"), True, False, False),
        (asyncpg.AdminShutdownError("shutdown"), True, False, False),
        (asyncpg.DiskFullError("full"), True, False, False),
        (asyncpg.ReadOnlySQLTransactionError("replica"), True, False, False),
        (asyncpg.DeadlockDetectedError("deadlock"), True, True, False),
        (asyncpg.InvalidCachedStatementError("plan"), False, True, False),
        (asyncpg.UniqueViolationError("twice"), False, False, True),
        (asyncpg.CharacterNotInRepertoireError("NUL"), False, False, True),
        (asyncpg.DataError("invalid input"), False, False, True),
        (asyncpg.UndefinedTableError("no table"), False, False, False),
        (RuntimeError("ours"), False, False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_errors_are_told_apart(error: Exception, *, unavailable: bool, repeatable: bool, data: bool) -> None:
    """Not now, once more, bad data, or a fault of ours: from the error alone."""
    assert (is_unavailable(error), is_repeatable(error), is_data_error(error)) == (unavailable, repeatable, data)
