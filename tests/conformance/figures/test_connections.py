"""What the figures say of connections: calls that run out, orders that wait for the next day, lanes nobody serves."""

from datetime import UTC, datetime, timedelta

from consumer.ports.figures import ConnectionFigures
from tests.conformance.intake.making import key, set_up, taken
from tests.conformance.intake.rig import PostgresRig

DAY = timedelta(days=1)


async def _connections(rig: PostgresRig) -> ConnectionFigures:
    return (await rig.figures.figures()).connections


async def _day(rig: PostgresRig, *, left: int, ends_in: timedelta) -> None:
    """Let so many of 1,000 calls be left of a day that ends so late."""
    await rig.fetch(
        "UPDATE lanes SET daily_limit = 1000, daily_left = $1, daily_resets_at = clock_timestamp() + $2", left, ends_in
    )


async def test_calls_that_run_out_before_the_day_does_are_foretold(postgres_rig: PostgresRig) -> None:
    """600 calls in six hours leave 350 for the next three and a half; 200 in six hours last beyond the day."""
    rig = postgres_rig
    await set_up(rig)
    await _day(rig, left=400, ends_in=timedelta(hours=18))
    told = await _connections(rig)
    (budget,) = told.budgets
    assert told.running_out == 1
    assert budget.runs_out_seconds is not None
    assert abs(budget.runs_out_seconds - 3.5 * 3600) < 60
    await _day(rig, left=800, ends_in=timedelta(hours=18))
    told = await _connections(rig)
    assert (told.running_out, told.budgets[0].runs_out_seconds) == (0, None)


async def test_a_busy_minute_after_midnight_foretells_nothing(postgres_rig: PostgresRig) -> None:
    """The pace is that of an hour at least: 30 calls in a minute are 30 an hour."""
    await set_up(postgres_rig)
    await _day(postgres_rig, left=970, ends_in=DAY - timedelta(minutes=1))
    assert (await _connections(postgres_rig)).running_out == 0


async def test_orders_that_wait_for_the_next_day_are_counted(postgres_rig: PostgresRig) -> None:
    """Live ones, once the share kept for people is all that is left; and what a day would have needed."""
    rig = postgres_rig
    await set_up(rig)
    await rig.intake.record([taken(key(str(number)), number) for number in range(3)])
    await rig.fetch("UPDATE orders SET priority = 2 WHERE order_id = '2'")
    await _day(rig, left=51, ends_in=timedelta(hours=2))
    assert (await _connections(rig)).waiting == 0
    await _day(rig, left=50, ends_in=timedelta(hours=2))
    told = await _connections(rig)
    (budget,) = told.budgets
    assert (told.waiting, budget.waiting, budget.runs_out_seconds is not None) == (2, 2, True)
    assert budget.needed == 950 + 50 + 2 * 2
    assert budget.resets_seconds is not None
    assert abs(budget.resets_seconds - 7200) < 60


async def test_what_waits_for_the_next_day_or_is_of_a_backfill_is_not_the_oldest_to_be_woken_for(
    postgres_rig: PostgresRig,
) -> None:
    """It is old, and known to be; an order of an unknown shop is both old and nobody's choice."""
    rig = postgres_rig
    await set_up(rig)
    ages = {"backfill": 90, "live": 30}
    now = datetime.now(UTC)
    for offset, (name, minutes) in enumerate(ages.items()):
        await rig.intake.record([taken(key(name), offset, paid_at=now - timedelta(minutes=minutes))])
    await rig.fetch("UPDATE orders SET priority = 2 WHERE order_id = 'backfill'")

    async def minutes_old() -> tuple[int, int]:
        told = await rig.figures.figures()
        return round(told.oldest_unbooked_seconds / 60), round(told.oldest_with_budget_seconds / 60)

    assert await minutes_old() == (90, 30)
    await _day(rig, left=50, ends_in=timedelta(hours=2))
    assert await minutes_old() == (90, 0)
    await rig.intake.record([taken(key("1", "nowhere"), 9, paid_at=now - timedelta(minutes=20))])
    assert await minutes_old() == (90, 20)


async def test_a_day_that_is_over_gives_all_calls_back(postgres_rig: PostgresRig) -> None:
    """What was read of yesterday says nothing of today."""
    await set_up(postgres_rig)
    await _day(postgres_rig, left=0, ends_in=-timedelta(seconds=1))
    told = await _connections(postgres_rig)
    assert (told.budgets[0].calls_left, told.waiting, told.running_out) == (1000, 0, 0)


async def test_a_lane_that_nobody_serves_is_seen_after_ten_seconds(postgres_rig: PostgresRig) -> None:
    """It has due work, no lease, no rest to take, and its connection is not stopped."""
    rig = postgres_rig
    await set_up(rig)

    async def unserved(change: str) -> int:
        await rig.fetch(f"UPDATE lanes SET {change}")
        return (await _connections(rig)).lanes_unserved

    ago = "clock_timestamp() - interval '{} seconds'"
    assert await unserved("next_due = NULL, owner = NULL, lease_until = NULL") == 0
    # Throttled once, long ago, and nothing to do since.
    assert await unserved(f"throttled_until = {ago.format(60)}") == 0
    assert await unserved(f"next_due = {ago.format(5)}") == 0
    assert await unserved(f"next_due = {ago.format(15)}") == 1
    assert await unserved(f"owner = 'a', lease_until = {ago.format(-5)}") == 0
    assert await unserved(f"owner = 'a', lease_until = {ago.format(5)}") == 0
    assert await unserved(f"owner = 'a', lease_until = {ago.format(12)}") == 1
    assert await unserved(f"throttled_until = {ago.format(-60)}") == 0
    assert await unserved("throttled_until = NULL") == 1
    await rig.fetch("UPDATE connections SET stopped_cause = 'token_revoked'")
    assert (await _connections(rig)).lanes_unserved == 0


async def test_a_token_that_due_work_should_have_renewed_is_seen(postgres_rig: PostgresRig) -> None:
    """Access tokens live an hour. Without work nobody renews one, and nothing is wrong."""
    rig = postgres_rig
    await set_up(rig)
    await rig.fetch(
        """INSERT INTO tokens (connection_id, client_id, client_secret, refresh_token, renewals, connected_at)
           VALUES ('books', 'c', 's', 'r', ARRAY[clock_timestamp() - interval '3 hours'], clock_timestamp())"""
    )
    await rig.fetch("UPDATE lanes SET next_due = NULL")
    assert (await _connections(rig)).tokens_not_renewed == {}
    await rig.fetch("UPDATE lanes SET next_due = clock_timestamp()")
    assert list((await _connections(rig)).tokens_not_renewed) == ["books"]
