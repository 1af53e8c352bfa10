"""A claim costs the same with a hundred thousand orders due as with ten: it reads the index, as far as it takes."""

from collections.abc import Iterator
from typing import Any

import pytest

from consumer.adapters.postgres.sql import load
from tests.conformance.lanes.bench import PostgresBench
from tests.conformance.lanes.scenes import BOOKS, open_books
from tests.postgres_plans import executed_plan

ROWS = 100_000
TAKEN = 5


async def _fill(bench: PostgresBench, *, known: bool) -> None:
    """Let a hundred thousand orders be there: half of them due in three priorities, half long booked."""
    await open_books(bench, "1")
    await bench.fetch("ALTER TABLE orders SET (autovacuum_enabled = off)")
    if not known:
        await bench.fetch("ANALYZE orders")
    await bench.fetch(
        """INSERT INTO orders (shop_id, order_id, connection_id, head, state, priority, due_at)
           SELECT o.shop_id, 'n' || g, o.connection_id, '{}', CASE WHEN g % 2 = 0 THEN 'due' ELSE 'booked' END, g % 3,
                  CASE WHEN g % 2 = 0 THEN clock_timestamp() - make_interval(secs => g % 5000) END
           FROM orders o CROSS JOIN generate_series(1, $1) AS g
           WHERE o.order_id = '1'""",
        ROWS,
    )
    if known:
        await bench.fetch("ANALYZE orders")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


async def _plan(bench: PostgresBench, mode: str, query: str, arguments: str) -> list[dict[str, Any]]:
    """Explain a query as the server runs it once it is prepared, and give what it does with the orders."""
    async with bench.database.transaction() as connection:
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        plan = await executed_plan(connection, query, arguments)
    return [node for node in _nodes(plan) if node.get("Relation Name") == "orders"]


@pytest.mark.parametrize("queue", ["known", "unknown"])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_the_claim_reads_the_index_and_no_more_than_it_takes(
    postgres_bench: PostgresBench, mode: str, queue: str
) -> None:
    """One probe per priority, each ending after its limit, however it is planned, and whatever the planner knows."""
    await _fill(postgres_bench, known=queue == "known")
    lanes = load("lanes")
    for query, arguments in (
        (lanes.find_due, f"'{BOOKS}', '{{0,1,2}}', {TAKEN}, NULL, NULL"),
        (lanes.find_due, f"'{BOOKS}', '{{0,1,2}}', {TAKEN}, 1, '2020-01-01'"),
        (lanes.find_next, f"'{{{BOOKS}}}', {TAKEN}"),
    ):
        scans = await _plan(postgres_bench, mode, query, arguments)
        assert scans
        assert {(scan["Node Type"], scan.get("Index Name")) for scan in scans} == {("Index Scan", "orders_due")}
        assert max(scan["Actual Rows"] for scan in scans) <= TAKEN
        assert max(scan.get("Rows Removed by Filter", 0) for scan in scans) == 0
