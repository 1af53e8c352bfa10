"""A lane books each order under settings that are not older than its claim of the order."""

from dataclasses import replace
from datetime import UTC, datetime

from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import BOOKS, CONNECTION, SHOP, World

ON = ShopSettings(shop_id=SHOP, connection_id=BOOKS, automatic=True, book_from=datetime(2026, 1, 1, tzinfo=UTC))
OFF = replace(ON, automatic=False)
LEASED_FOR_EVER = 1e9  # idle seconds: the lane under test is never given back


def test_an_order_paid_right_after_switching_on_is_booked() -> None:
    """The intake knows the new setting and makes the order due; the lane must not put it to wait by an older one."""
    world = World()

    async def work() -> None:
        await world.set_up(ON)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            await world.settings.apply([CONNECTION], [OFF], actor="t", dry_run=False)
            await let_pass(3.0)
            await world.settings.apply([CONNECTION], [ON], actor="t", dry_run=False)
            await world.pay("1002")
            await world.rest()

    run(work())
    assert world.state("1002") is OrderState.BOOKED


def test_an_order_claimed_right_after_switching_off_is_not_written() -> None:
    """It was made due a moment before the switch; the lane, leased since long, looks before it writes."""
    world = World()

    async def work() -> None:
        await world.set_up(ON)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            await let_pass(2.5)
            await world.settings.apply([CONNECTION], [OFF], actor="t", dry_run=False)
            await world.pay("1002")
            world.order("1002").state, world.order("1002").due_at = OrderState.DUE, world.now()
            await world.rest()

    run(work())
    assert (world.state("1002"), world.live("1002")) == (OrderState.WAITING, ())
