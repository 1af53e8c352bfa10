"""The figures of shops and connections agree between Postgres and its in-memory twin."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.figures import Parked, of_worst_shops
from tests.conformance.intake.making import key, set_up, taken
from tests.conformance.intake.rig import Rig


async def test_parked_orders_are_told_by_shop_and_summed_by_currency(rig: Rig) -> None:
    """The shop with the most comes first."""
    await set_up(rig)
    orders = [key("1", "other"), key("2"), key("3")]
    await rig.intake.record([taken(order, offset) for offset, order in enumerate(orders)])
    for order in orders:
        await rig.put(order, OrderState.PARKED, ReasonCode.TAX_MISSING)
    shops = (await rig.figures.figures()).shops
    told = [(one.shop_id, one.currency, one.orders, one.total) for one in shops.parked]
    assert told == [("north", "EUR", 2, Decimal("24.60")), ("other", "EUR", 1, Decimal("12.30"))]
    assert shops.parked_totals == {"EUR": Decimal("36.90")}


def test_a_shop_that_sells_in_many_currencies_is_told_with_all_its_orders() -> None:
    """The worst are the twenty shops with the most orders over all currencies, and not the twenty largest rows."""
    wide = [Parked(shop_id="wide", currency=f"C{n:02}", orders=1, total=Decimal(1)) for n in range(25)]
    others = [Parked(shop_id=f"shop-{n:02}", currency="EUR", orders=2, total=Decimal(1)) for n in range(30)]
    kept = of_worst_shops([*others, *wide])
    assert sum(one.orders for one in kept if one.shop_id == "wide") == 25
    assert {one.shop_id for one in kept} == {"wide", *(f"shop-{n:02}" for n in range(19))}


async def test_the_oldest_unbooked_orders_are_told_by_shop(rig: Rig) -> None:
    """Each shop by its oldest, of which somebody should hear; the shop need not be known."""
    await set_up(rig)
    now = datetime.now(UTC)
    for offset, (shop, minutes) in enumerate((("north", 9), ("north", 30), ("nowhere", 60))):
        order = key(str(offset), shop)
        await rig.intake.record([taken(order, offset, paid_at=now - timedelta(minutes=minutes))])
    ages = (await rig.figures.figures()).shops.oldest_unbooked_seconds
    assert {shop: round(seconds / 60) for shop, seconds in ages.items()} == {"nowhere": 60, "north": 30}


async def test_connections_are_counted(rig: Rig) -> None:
    """With all their calls while none was made, and nothing that waits."""
    await set_up(rig)
    told = (await rig.figures.figures()).connections
    assert (told.connections, told.stopped_count, told.running_out, told.waiting) == (1, 0, 0, 0)
    assert [(one.connection_id, one.waiting, one.runs_out_seconds) for one in told.budgets] == [("books", 0, None)]
    assert told.calls_left == told.budgets[0].calls_left > 0


async def test_the_first_reading_says_where_the_next_one_goes_on(rig: Rig) -> None:
    """Five minutes ago, with nothing judged."""
    told = (await rig.figures.figures()).judgement
    assert told.until is not None
    assert (told.in_time, told.late, told.without_budget, told.made) == (0, 0, 0, ())


async def test_orders_of_a_backfill_are_old_and_wake_nobody(rig: Rig) -> None:
    """They were paid long ago, and go behind the live ones on purpose."""
    await set_up(rig)
    now = datetime.now(UTC)
    for offset, (name, minutes) in enumerate((("live", 30), ("backfill", 90))):
        await rig.intake.record([taken(key(name), offset, paid_at=now - timedelta(minutes=minutes))])
    await rig.put(key("backfill"), OrderState.DUE, due=True, priority=2)
    told = await rig.figures.figures()
    assert round(told.oldest_unbooked_seconds / 60) == 90
    assert round(told.oldest_with_budget_seconds / 60) == 30
