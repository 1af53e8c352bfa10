"""A claim stays flat behind a pinned snapshot: it does not walk over what was taken and cannot be cleared away."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from consumer.adapters.postgres.claim_floors import FULL_LOOK_SECONDS, ClaimFloors, Floor
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.sql import load
from consumer.domain.records import OrderRecord
from consumer.ports.lanes import LaneLease
from tests.conformance.lanes.bench import PostgresBench
from tests.conformance.lanes.scenes import BOOKS, lease, open_books
from tests.postgres_plans import executed_plan, pages_touched

ROWS = 6000
DONE = 4000
LIMIT = 4


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def bench(migrated_database_url: str) -> AsyncIterator[PostgresBench]:
    """The stores behind the lanes."""
    async with Database.open(migrated_database_url) as database:
        yield PostgresBench(database, migrated_database_url)


async def _backlog(bench: PostgresBench) -> None:
    """Let thousands of orders be due, a second apart."""
    await open_books(bench, "1")
    await bench.fetch("ALTER TABLE orders SET (autovacuum_enabled = off)")
    await bench.fetch(
        """INSERT INTO orders (shop_id, order_id, connection_id, head, state, priority, due_at)
           SELECT o.shop_id, 'n' || lpad(g::text, 6, '0'), o.connection_id, o.head, 'due', 1,
                  clock_timestamp() - make_interval(secs => 100000 - g)
           FROM orders o CROSS JOIN generate_series(1, $1) AS g WHERE o.order_id = '1'""",
        ROWS,
    )
    await bench.fetch("VACUUM ANALYZE orders")


@contextlib.asynccontextmanager
async def _pinned(bench: PostgresBench) -> AsyncIterator[None]:
    """Hold a snapshot open, as a backup does."""
    connection = await asyncpg.connect(bench.url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("SELECT count(*) FROM orders")
            yield
    finally:
        await connection.close()


async def _complete(bench: PostgresBench, first: int, last: int) -> None:
    """Let orders be taken and booked, as a claim and a record do: their due moment goes."""
    await bench.fetch(
        "UPDATE orders SET due_at = NULL, state = 'booked' WHERE order_id BETWEEN $1 AND $2",
        f"n{first:06}",
        f"n{last:06}",
    )


async def _touched(bench: PostgresBench, floor: Floor | None) -> int:
    """Count the pages that a claim's look for orders touches, at the second time: the first may mark dead entries."""
    place = "NULL, NULL" if floor is None else f"{floor.rank}, '{floor.moment.isoformat()}'"
    query = load("lanes").find_due
    for _ in range(2):
        async with bench.database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            plan = await executed_plan(connection, query, f"'{BOOKS}', '{{0,1,2}}', {LIMIT + 1}, {place}")
            await transaction.rollback()
    return pages_touched(plan)


async def _take(lanes: PostgresLaneStore, leased: LaneLease) -> tuple[OrderRecord, ...]:
    return (await lanes.claim(leased, LIMIT, [])).orders


async def test_a_claim_touches_as_little_behind_a_pinned_snapshot_as_without(bench: PostgresBench) -> None:
    """Four thousand completed claims that nothing may clear away: from its floor on, a claim touches as few pages."""
    await _backlog(bench)
    leased = await lease(bench)
    floors = ClaimFloors()
    lanes = PostgresLaneStore(bench.database, floors=floors)
    fresh = await _touched(bench, None)
    async with _pinned(bench):
        for first in range(1, DONE, 1000):
            await _complete(bench, first, first + 999)
            (taken, *_) = await _take(lanes, leased)
            assert taken.key.order_id == f"n{first + 1000:06}"
            await lanes.release([taken.key])
        floor = floors.of(leased, [0, 1, 2])
        assert floor is not None
        behind, walking = await _touched(bench, floor), await _touched(bench, None)
    # So that the test can fail: without the floor the claim walks over all that was taken.
    assert walking > 10 * behind, (fresh, behind, walking)
    assert behind <= 2 * fresh, (fresh, behind, walking)


async def test_nothing_that_lies_before_the_floor_is_lost(bench: PostgresBench) -> None:
    """An order that becomes due before the floor is taken at the next full look; a person's at once."""
    await _backlog(bench)
    leased = await lease(bench)
    clock = _Clock()
    lanes = PostgresLaneStore(bench.database, floors=ClaimFloors(clock))
    await _complete(bench, 1, 10)
    assert (await _take(lanes, leased))[0].key.order_id == "n000011"
    await bench.fetch("UPDATE orders SET takes = 0")
    earlier = (
        "UPDATE orders SET due_at = (SELECT min(due_at) FROM orders) - $2::interval, state = 'due' WHERE order_id = $1"
    )
    await bench.fetch(earlier, "n000001", timedelta(seconds=1))
    assert (await _take(lanes, leased))[0].key.order_id == "n000011"
    await bench.fetch("UPDATE orders SET takes = 0")
    clock.now += FULL_LOOK_SECONDS
    assert (await _take(lanes, leased))[0].key.order_id == "n000001"
    await bench.fetch("UPDATE orders SET takes = 0")
    await bench.fetch(earlier, "n000002", timedelta(seconds=1))
    await bench.fetch("UPDATE orders SET priority = 0 WHERE order_id = 'n000002'")
    assert (await _take(lanes, leased))[0].key.order_id == "n000002"


async def test_a_lane_never_sleeps_by_its_floor(bench: PostgresBench) -> None:
    """Where the floor leaves less than was asked for, the claim looks all over before it says that there is no more."""
    await _backlog(bench)
    leased = await lease(bench)
    lanes = PostgresLaneStore(bench.database, floors=ClaimFloors(_Clock()))
    await _complete(bench, 1, ROWS - 10)
    assert (await _take(lanes, leased))[0].key.order_id == f"n{ROWS - 9:06}"
    await _complete(bench, ROWS - 9, ROWS)
    await bench.fetch("UPDATE orders SET due_at = NULL, state = 'booked' WHERE order_id = '1'")
    await bench.fetch(
        "UPDATE orders SET state = 'due', takes = 0, due_at = clock_timestamp() - interval '2 days' "
        "WHERE order_id = 'n000001'"
    )
    assert [record.key.order_id for record in await _take(lanes, leased)] == ["n000001"]
    await bench.fetch("UPDATE orders SET due_at = NULL, state = 'booked' WHERE order_id = 'n000001'")
    claimed = await lanes.claim(leased, LIMIT, [])
    assert (claimed.orders, claimed.next_due_seconds) == ((), None)
