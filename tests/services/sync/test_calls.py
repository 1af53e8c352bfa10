"""How many calls a booking costs, and how many are under way at once."""

from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import World, with_limits


def test_a_known_customer_costs_one_call_and_a_new_one_two() -> None:
    """Counted by the ledger, after the lane has prepared."""
    world = World()

    async def work() -> None:
        await world.set_up()
        async with world.process():
            await world.pay("1001")
            await world.rest()
            before = len(world.calls)
            await world.pay("1002")
            await world.rest()
            assert world.called()[before:] == ["create_invoice"]
            await world.pay("1003", email="berta@example.org", name="Berta Blau")
            await world.rest()
            assert world.called()[before + 1 :] == ["create_contact", "create_invoice"]

    run(work())


def test_all_calls_of_a_booking_are_counted_those_for_the_customer_too() -> None:
    """The metric of calls per booking tells two for a new customer and one for a known one."""
    world = World()
    counted: list[tuple[str, int]] = []

    async def work() -> None:
        await world.set_up()
        async with world.process(on_booking=lambda result, calls: counted.append((result, calls))):
            for order in ("1001", "1002"):
                await world.pay(order)
                await world.rest()

    run(work())
    assert counted == [("booked", 2), ("booked", 1)]


def test_no_more_calls_are_under_way_at_once_than_the_connection_allows() -> None:
    """Thirty orders of thirty customers, three at once."""
    world = World(connection=with_limits(calls_at_once=3))
    under_way, most = [0], [0]

    async def slow() -> None:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await let_pass(0.2)
        under_way[0] -= 1

    world.factory.pause = slow

    async def work() -> None:
        await world.set_up()
        for n in range(30):
            await world.pay(f"{2000 + n}", email=f"c{n}@example.org", name=f"Customer {n}")
        async with world.process():
            await world.rest()

    run(work())
    assert most == [3]
    assert len(world.book.invoices) == 30
