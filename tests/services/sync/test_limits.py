"""Within the limits: the day's budget, the breaker, an ending process, and one bad order or connection among others."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.settings import ConnectionSettings
from consumer.domain.states import OrderState, ReasonCode
from consumer.errors import DatabaseUnavailableError, RefusedError
from consumer.ports.wakeups import WakeKind
from consumer.services.sync import Sync
from consumer.sources.own import to_order
from tests.services.sync.test_keeping_up import AUTOMATIC
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import BOOKS, CONNECTION, World, key, with_limits


async def _spend_the_day(world: World, left: int) -> None:
    """Let an answer have told that so many of the day's 1,000 calls are left, for an hour."""
    lane = world.database.lanes[BOOKS]
    lane.daily_limit, lane.daily_left = 1000, left
    lane.daily_resets_at = world.now() + timedelta(hours=1)


def test_orders_in_hand_when_the_days_budget_runs_out_do_not_keep_a_person_waiting() -> None:
    """Four live orders meet the reserve in the middle; a released one is booked at once, they follow an hour later."""
    world = World(connection=with_limits(daily_calls=1000))
    live = ["1001", "1002", "1003", "1004"]

    async def work() -> None:
        await world.set_up()
        await world.pay("1000")
        async with world.process():
            await world.rest()
            await _spend_the_day(world, 50)
            # As if they had been claimed a moment before the budget ran out: the claim lets none through now.
            world.database.lanes[BOOKS].daily_left = 51
            for n, order in enumerate(live):
                await world.pay(order, email=f"c{n}@example.org", name=f"Customer {n}")
            await until(lambda: world.database.lanes[BOOKS].daily_left == 50)
            await world.pay("2000")
            world.order("2000").priority = 0
            booked_at = world.now()
            await until(lambda: world.state("2000") is OrderState.BOOKED, within_seconds=30.0)
            assert world.now() - booked_at < timedelta(seconds=10)
            await world.rest()
            assert world.now() - booked_at > timedelta(minutes=59)

    run(work())
    assert {world.state(order) for order in live} == {OrderState.BOOKED}
    assert world.open_intents() == []


def test_a_lane_that_cannot_even_prepare_rests_instead_of_turning_in_a_circle() -> None:
    """The budget is spent and the facts were never read: nothing is called, the lane comes back every minute."""
    world = World(connection=with_limits(daily_calls=1000))

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        world.order().priority = 0  # a person's order is due whatever the budget
        await _spend_the_day(world, 10)
        async with world.process():
            await let_pass(300.0)
            assert (world.calls, world.state()) == ([], OrderState.DUE)
            assert world.database.lanes[BOOKS].epoch <= 6
            await world.rest()

    run(work())
    assert world.state() is OrderState.BOOKED


def test_stale_facts_serve_a_person_while_the_days_budget_is_spent() -> None:
    """The organisation cannot be read again, but the order that somebody waits for is booked with what is known."""
    world = World(connection=with_limits(daily_calls=1000, facts_fresh_seconds=60.0))

    async def work() -> None:
        await world.set_up()
        await world.pay("1000")
        async with world.process():
            await world.rest()
            await let_pass(120.0)
            await _spend_the_day(world, 20)
            await world.pay("1001")
            world.order("1001").priority = 0
            await until(lambda: world.state("1001") is OrderState.BOOKED, within_seconds=60.0)

    run(work())
    assert world.called("list_taxes") == ["list_taxes"]


def test_five_failures_in_a_row_rest_the_lane_and_one_order_probes_after_each_rest() -> None:
    """The ledger does not answer for some minutes: one order at a time tries it, then everything is booked."""
    world = World()

    async def work() -> None:
        await world.set_up()
        await world.pay("1000")
        async with world.process():
            await world.rest()
            world.plan("create_invoice", *[Fault.NOT_SENT] * 20)
            await world.pay(*[f"{1001 + n}" for n in range(8)])
            await let_pass(65.0)
            # One was booked before, eight fail as the breaker opens; each of six rests of ten seconds is probed once.
            assert 1 + 5 + 5 <= len(world.called("create_invoice")) <= 1 + 8 + 6
            assert world.database.lanes[BOOKS].throttled_until is not None
            await world.rest()

    run(work())
    assert {world.state(f"{1001 + n}") for n in range(8)} == {OrderState.BOOKED}


def test_orders_that_wait_for_a_call_when_the_breaker_opens_do_not_all_probe_when_it_closes() -> None:
    """Three were in hand beside the five that failed; when the rest is over one order probes, and no other."""
    world = World(connection=with_limits(calls_per_window=100, burst_calls=4))

    async def work() -> None:
        await world.set_up()
        await world.pay("1000")
        async with world.process():
            await world.rest()
            await let_pass(60.0)
            world.plan("create_invoice", *[Fault.NOT_SENT] * 12)
            await world.pay(*[f"{1001 + n}" for n in range(8)])
            lane = world.database.lanes[BOOKS]
            await until(lambda: lane.throttled_until is not None and lane.throttled_until > world.now())
            failed = len(world.called("create_invoice"))
            await let_pass(9.0)
            assert len(world.called("create_invoice")) == failed
            await let_pass(5.0)
            assert len(world.called("create_invoice")) == failed + 1
            await world.rest()

    run(work())
    assert {world.state(f"{1001 + n}") for n in range(8)} == {OrderState.BOOKED}


def test_an_order_that_raises_in_our_own_code_comes_to_rest_and_the_others_are_booked() -> None:
    """A fault of ours in one order: three takes, then it is parked, and says so."""
    world = World()

    def read_order(record: Any, shop: Any) -> Any:
        if record.key == key("1001"):
            raise ZeroDivisionError("a fault of ours")
        return to_order(record.content, shop.time_zone)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001", "1002")
        async with world.process(read_order=read_order):
            await world.rest()

    run(work())
    assert world.state("1002") is OrderState.BOOKED
    assert (world.state("1001"), world.reason("1001")) == (OrderState.PARKED, ReasonCode.STOPS_THE_PROCESS.value)


def test_an_order_whose_items_cannot_be_looked_up_harms_itself_alone() -> None:
    """The ledger refuses the search for an odd SKU; the other orders of the lane are booked."""
    world = World()
    shop = replace(AUTOMATIC, items_by_sku=True)

    def read_order(record: Any, settings: Any) -> Any:
        order = to_order(record.content, settings.time_zone)
        sku = "odd & strange" if record.key == key("1001") else ""
        return replace(order, lines=tuple(replace(line, sku=sku) for line in order.lines))

    async def work() -> None:
        world.refuse("find_items", RefusedError("the search is not accepted", 400, 2), 3)
        await world.set_up(shop)
        await world.pay("1001", "1002")
        async with world.process(read_order=read_order):
            await world.rest("1001")

    run(work())
    assert (world.state("1001"), world.reason("1001")) == (OrderState.PARKED, "ledger_refused")
    assert world.database.lanes[BOOKS].throttled_until is None


class AwayStore:
    """A store that does not answer for a while."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.away = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def ask(*arguments: Any, **named: Any) -> Any:
            if self.away:
                raise DatabaseUnavailableError("away")
            return await method(*arguments, **named)

        return ask


def test_an_answer_waits_for_a_database_that_is_away_and_is_recorded_when_it_is_back() -> None:
    """It goes away between the call and its record, for twenty seconds: nothing is sent twice, nothing is asked."""
    world = World()
    lanes, bookings, calls = AwayStore(world.lanes), AwayStore(world.booking_store), AwayStore(world.call_store)

    async def go_away_in_the_call() -> None:
        if world.book.invoices and not lanes.away and world.now_seconds == 0.0:
            world.now_seconds = 1e-9
            lanes.away = bookings.away = calls.away = True

    world.factory.pause = go_away_in_the_call

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process(lanes=lanes, bookings=bookings, calls=calls):
            await until(lambda: lanes.away)
            await let_pass(20.0)
            lanes.away = bookings.away = calls.away = False
            await world.rest()

    run(work())
    assert (world.state(), len(world.live()), world.open_intents()) == (OrderState.BOOKED, 1, [])
    assert (world.called("create_invoice"), world.called("find_invoices")) == (["create_invoice"], [])


def test_a_process_that_is_stopped_puts_back_what_waits_for_a_slot() -> None:
    """Four orders wait for the minute to pass: the process leaves within seconds, and their takes do not count."""
    world = World(connection=with_limits(calls_per_window=12, people_calls=0, pace_share=Decimal(1), burst_calls=100))
    orders = [f"{1001 + n}" for n in range(10)]

    async def work() -> None:
        await world.set_up()
        for n, order in enumerate(orders):
            await world.pay(order, email=f"c{n}@example.org", name=f"Customer {n}")
        async with world.process():
            await until(lambda: len(world.calls) == 12)
            await let_pass(3.0)
            stopping_at = world.now()
        assert world.now() - stopping_at < timedelta(seconds=5)

    run(work())
    waiting = [order for order in orders if world.state(order) is OrderState.DUE]
    assert waiting
    assert {world.order(order).takes for order in waiting} == {0}
    assert world.database.lanes[BOOKS].owner is None


def test_a_process_that_is_stopped_while_it_leases_gives_the_lane_back() -> None:
    """The stop comes while the leases are being taken: no lane begins to work after it."""
    world = World()
    service: list[Sync] = []

    class Leasing:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.lanes, name)

        async def lease_due(self, owner: str, seconds: float, limit: int) -> Any:
            leases = await world.lanes.lease_due(owner, seconds, limit)
            if leases:
                service[0].stopping.set()
            return leases

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process(lanes=Leasing()) as sync:
            service.append(sync)
            await until(sync.stopping.is_set)

    run(work())
    assert world.writes() == []
    assert (world.database.lanes[BOOKS].owner, world.order().takes) == (None, 0)


def test_a_connection_whose_ledger_cannot_be_opened_rests_and_the_other_one_works() -> None:
    """A data centre that is not configured: one connection waits, the other one books."""
    world = World()
    other = ConnectionSettings(connection_id="other", data_center="eu", organization_id="9", limits=CONNECTION.limits)
    shops = [AUTOMATIC, replace(AUTOMATIC, shop_id="second", connection_id="other")]

    async def work() -> None:
        await world.settings.apply([CONNECTION, other], shops, actor="test", dry_run=False)
        world.database.lanes["other"].next_due = world.now()
        await world.pay("1001")
        async with world.process():
            await world.rest()
            await let_pass(200.0)

    run(work())
    assert world.state() is OrderState.BOOKED
    assert world.database.lanes["other"].epoch <= 4


def test_a_lane_that_fails_by_a_fault_of_ours_is_tried_again_when_its_lease_has_run_out() -> None:
    """Not many times a second, each with its calls; and as soon as the fault is gone the order is booked."""
    world = World()
    world.refuse("list_taxes", KeyError("a fault of ours"), 3)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await let_pass(14.0)
            assert world.called("list_taxes") == ["list_taxes"]
            await world.rest(within_seconds=120.0)

    run(work())
    assert world.called("list_taxes") == ["list_taxes"] * 4
    assert world.state() is OrderState.BOOKED


def test_an_order_that_waits_because_it_was_off_is_booked_by_a_lane_that_is_leased_when_it_is_switched_on() -> None:
    """The lane has read the settings a second before; the order that is due by the switch must not wait for ever."""
    world = World()
    off = replace(AUTOMATIC, automatic=False)
    other = replace(AUTOMATIC, shop_id="second", reference_pattern="second/{order_id}")

    async def work() -> None:
        await world.set_up(off, other)
        await world.pay("1001")
        world.database.lanes[BOOKS].next_due = world.now()
        async with world.process(idle_seconds=1e9):
            for n in range(1, 9):
                await let_pass(2.1 + n / 4)
                await world.settings.apply([CONNECTION], [AUTOMATIC, other], actor="t", dry_run=False)
                world.signals.wake(WakeKind.LANES, [BOOKS])
                await until(lambda: world.state() is OrderState.BOOKED, within_seconds=10.0)
                await world.settings.apply([CONNECTION], [off, other], actor="t", dry_run=False)
                await world.take("1001", EventKind.UPDATED, version=1 + n, price=f"{10 + n}.00")
                assert world.state() is OrderState.WAITING

    run(work())
