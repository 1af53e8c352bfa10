"""The figures are those of the tables; health says whether Postgres and its schema are there."""

from datetime import UTC, datetime, timedelta

import pytest

from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.migrations import HEAD
from consumer.adapters.postgres.pool import Database
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.intake import Gap
from tests.conformance.intake.making import NOON, PAID, key, set_up, taken, unreadable
from tests.conformance.intake.rig import PostgresRig, Rig


async def test_an_empty_database_has_figures(rig: Rig) -> None:
    """Every state is there with 0, and nothing is old."""
    figures = await rig.figures.figures()
    assert figures.orders_by_state == {state.value: 0 for state in OrderState}
    assert figures.oldest_unbooked_seconds == 0
    assert (figures.outbox_waiting, figures.outbox_set_aside, figures.rejected_open, figures.gaps_open) == (0, 0, 0, 0)


async def test_figures_count_what_is_there(rig: Rig) -> None:
    """Orders by state, the outbox, open rejections and gaps."""
    await set_up(rig)
    await rig.intake.record([taken(key(str(number)), number) for number in range(3)] + [unreadable(3)])
    await rig.put(key("1"), OrderState.BOOKED)
    await rig.add_message("north/1")
    await rig.intake.record_gap(Gap(place=PAID, log=1, from_offset=4, to_offset=9, cause="cut_by_retention"))
    figures = await rig.figures.figures()
    assert {state: count for state, count in figures.orders_by_state.items() if count} == {"due": 2, "booked": 1}
    assert (figures.outbox_waiting, figures.rejected_open, figures.gaps_open) == (2, 1, 1)
    assert (figures.connections.stopped, figures.connections.connections) == ({}, 1)


async def test_the_oldest_unbooked_order_is_one_nobody_chose_to_keep_back(rig: Rig) -> None:
    """Due, uncertain and orders of an unknown shop age; parked, held and waiting by a setting do not."""
    now = datetime.now(UTC)

    async def oldest_minutes() -> int:
        return round((await rig.figures.figures()).oldest_unbooked_seconds / 60)

    await set_up(rig)
    ages = {"unknown": 50, "due": 40, "uncertain": 30, "parked": 90, "held": 80}
    for offset, (name, minutes) in enumerate(ages.items()):
        order = key(name, "nowhere" if name == "unknown" else "north")
        await rig.intake.record([taken(order, offset, paid_at=now - timedelta(minutes=minutes))])
    await rig.put(key("uncertain"), OrderState.UNCERTAIN, due=True)
    await rig.put(key("parked"), OrderState.PARKED, ReasonCode.TAX_MISSING)
    await rig.put(key("held"), OrderState.WAITING, ReasonCode.HELD)
    assert await oldest_minutes() == 50
    await rig.put(key("unknown", "nowhere"), OrderState.BOOKED)
    assert await oldest_minutes() == 40
    await rig.put(key("due"), OrderState.BOOKED)
    assert await oldest_minutes() == 30
    await rig.put(key("uncertain"), OrderState.BOOKED)
    assert await oldest_minutes() == 0


async def test_connections_have_their_figures(postgres_rig: PostgresRig) -> None:
    """Token age, the day's budget left and the cause of a stop, by connection."""
    rig = postgres_rig
    await set_up(rig)
    await rig.fetch("UPDATE lanes SET daily_left = 17")
    await rig.fetch("UPDATE connections SET stopped_cause = 'token_revoked'")
    await rig.fetch(
        """INSERT INTO tokens (connection_id, client_id, client_secret, refresh_token, renewals, connected_at)
           VALUES ('books', 'c', 's', 'r', ARRAY[clock_timestamp() - interval '10 minutes'], $1)""",
        NOON,
    )
    connections = (await rig.figures.figures()).connections
    assert [(one.connection_id, one.calls_left) for one in connections.budgets] == [("books", 17)]
    assert (connections.stopped, connections.stopped_count) == ({"books": "token_revoked"}, 1)
    assert connections.token_age_seconds["books"] == pytest.approx(600, abs=30)


async def test_figures_of_a_large_table_go_through_indexes(postgres_rig: PostgresRig) -> None:
    """With 30,000 orders no figure scans the table: what a scrape costs does not grow with history."""
    rig = postgres_rig
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.fetch(
        """INSERT INTO orders (shop_id, order_id, head, state, reason_code, paid, paid_moment, due_at)
           SELECT 'north', 'x' || g, '{}', CASE WHEN g % 100 = 0 THEN 'due' ELSE 'booked' END, NULL, true,
                  clock_timestamp(), CASE WHEN g % 100 = 0 THEN clock_timestamp() END
           FROM generate_series(1, 30000) AS g"""
    )
    await rig.fetch("VACUUM ANALYZE orders")
    from consumer.adapters.postgres.sql import load  # noqa: PLC0415 - the one test that looks at queries themselves

    queries = load("figures")
    for name in ("orders_by_state", "oldest_unbooked_seconds", "parked", "budgets", "oldest_by_shop"):
        plan = await rig.fetch(f"EXPLAIN {queries[name].replace('$1', '20')}")
        assert "Seq Scan on orders" not in "\n".join(row[0] for row in plan)
    assert (await rig.figures.figures()).orders_by_state["booked"] == 29_700


async def test_a_long_snapshot_is_seen(postgres_rig: PostgresRig) -> None:
    """A transaction that keeps vacuum from working shows its age."""
    rig = postgres_rig
    async with rig.db.connection() as pinning, pinning.transaction(isolation="repeatable_read"):
        await pinning.fetchval("SELECT count(*) FROM orders")
        before = (await rig.figures.figures()).oldest_snapshot_seconds
        await pinning.fetchval("SELECT pg_sleep(0.05)")
        assert (await rig.figures.figures()).oldest_snapshot_seconds >= before + 0.05


async def test_health_tells_the_schemas_version(rig: Rig) -> None:
    """It answers, and names the newest migration."""
    await rig.health.ping()
    assert await rig.health.schema_version() == (HEAD if isinstance(rig, PostgresRig) else "memory")


async def test_an_empty_database_has_no_version(database_url: str) -> None:
    """Before the first migration there is no version, and that is no error."""
    async with Database.open(database_url) as database:
        assert await PostgresHealthStore(database).schema_version() is None
