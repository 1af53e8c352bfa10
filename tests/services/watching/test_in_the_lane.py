"""The watch within its lane: how often it looks, what stops it, and that it stops nothing.

Scenes and hands are those of test_looks.py.
"""

from datetime import timedelta
from decimal import Decimal

from consumer.adapters.memory.watch import MemoryWatchStore
from consumer.domain.states import OrderState
from consumer.ports.watch import WatchState
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import BOOKS, key
from tests.services.watching.hands import WatchedWorld, booked, looks, watched


def test_looks_take_at_most_their_share_of_the_days_calls() -> None:
    """Three quiet hours of a plan of 5,000 calls a day: all that the lane calls for is an eighth of its 100 calls."""
    world = WatchedWorld(connection=watched(daily_calls=5000))

    async def work() -> None:
        async with world.watching():
            await booked(world)
            before = len(world.calls)
            await let_pass(3 * 3600.0)
            made = world.called()[before:]
            assert made.count("list_invoices") >= 6
            assert len(made) <= 12.5

    run(work())


def test_the_watch_stops_where_backfill_stops() -> None:
    """With less than 30 % of the day left no look is made; the edit is found when the next day has begun."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            lane = world.database.lanes[BOOKS]
            lane.daily_limit, lane.daily_left = 72_000, 20_000
            lane.daily_resets_at = world.now() + timedelta(minutes=20)
            world.edit()
            await looks(5)
            assert world.found == []
            await let_pass(1800.0)

    run(work())
    assert world.found == ["edited"]


def test_a_lane_without_work_is_woken_for_its_look() -> None:
    """The lease was given back long before the look fell due; nobody paid anything since."""
    world = WatchedWorld(connection=watched(daily_calls=2000))

    async def work() -> None:
        async with world.watching():
            await booked(world)
            await let_pass(60.0)
            assert world.database.lanes[BOOKS].owner is None
            world.edit()
            await let_pass(3 * 4320.0)

    run(work())
    assert world.found == ["edited"]


def test_without_a_share_there_is_no_watch() -> None:
    """A share of 0 switches it off: no list is asked for."""
    world = WatchedWorld(connection=watched(watch_share=Decimal(0)))

    async def work() -> None:
        async with world.watching():
            await booked(world)
            await let_pass(3600.0)

    run(work())
    assert "list_invoices" not in world.called()
    assert key() in world.database.orders


class _Broken(MemoryWatchStore):
    """A store that fails with a fault of ours."""

    async def state(self, connection_id: str) -> WatchState:
        """See the port."""
        raise RuntimeError(f"broken for {connection_id}")


def test_a_fault_of_the_watch_ends_no_booking() -> None:
    """Every look fails; the lane books all the same."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        await world.set_up()
        async with world.watching(watch=_Broken(world.database)):
            await world.pay("1001")
            await world.rest()
            await let_pass(5.0)
            await world.pay("1002")
            await world.rest()

    run(work())
    assert {world.state(order) for order in ("1001", "1002")} == {OrderState.BOOKED}


def test_a_lane_that_stops_does_not_wait_for_a_long_look() -> None:
    """The look is broken off between two of its pages; its cursor has not moved, and the next process looks again."""
    world = WatchedWorld(connection=watched())
    world.book.page_size = 1
    orders = [str(3000 + n) for n in range(20)]

    async def slow() -> None:
        if world.calls and world.calls[-1].name == "list_invoices":
            await let_pass(5.0)

    async def work() -> None:
        async with world.watching():
            await booked(world, *orders)
            cursor = world.database.lanes[BOOKS].watch_cursor
            for order in orders:
                world.edit(order)
            world.factory.pause = slow
            pages = len(world.called("list_invoices"))
            await until(lambda: len(world.called("list_invoices")) >= pages + 3)
            before = world.now()
        assert (world.now() - before).total_seconds() <= 15.0
        assert world.database.lanes[BOOKS].watch_cursor == cursor
        world.factory.pause = _at_once
        async with world.watching("two"):
            await let_pass(7200.0)

    run(work())
    assert world.found == ["edited"] * 20


async def _at_once() -> None:
    await let_pass(0.0)
