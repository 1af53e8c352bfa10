"""What doctor and connect say of rounding, before the first booking and after."""

from collections import Counter
from dataclasses import replace
from typing import Any

from consumer.domain.ledger import TaxRounding
from consumer.domain.settings import ShopSettings
from consumer.domain.shop_rounding import Evidence, ShopRounding
from consumer.services.asking import asking
from consumer.services.checkup import Finding, Grade
from consumer.services.rounding_checkup import RoundingCheckup, findings
from consumer.sources.own import to_order
from tests.services.sync.test_rounding import PER_LINE, PER_RATE, pay
from tests.services.sync.virtual_time import run
from tests.services.sync.world import BOOKS, SHOP, World

OFF = ShopSettings(shop_id=SHOP, connection_id=BOOKS)  # automatic sending is off: its orders wait


async def checked(world: World) -> list[Finding]:
    """Check the connection of a world."""
    view = await world.lanes.view(BOOKS)
    tools: Any = world.tools()
    checkup = RoundingCheckup(
        lanes=world.lanes,
        people=world.people,
        read_order=lambda record, shop: to_order(record.content or b"", shop.time_zone),
    )
    async with asking(
        view, open_ledger=tools.open_ledger, bookings=tools.bookings, calls=tools.calls, steady=tools.steady
    ) as caller:
        return await checkup.check(view, caller)


def shop(name: str, *, orders: int = 100, per_rate: int = 0, per_line: int = 0) -> ShopRounding:
    """Give a shop's survey in which what is told and what can be booked agree."""
    told = Counter({Evidence.PER_RATE: per_rate, Evidence.PER_LINE: per_line})
    told[Evidence.EITHER] = orders - per_rate - per_line
    return ShopRounding(shop_id=name, orders=orders, told=told, only_per_rate=per_rate, only_per_line=per_line)


def test_before_the_first_booking_it_says_which_setting_the_recorded_orders_need() -> None:
    """Books without an invoice, a shop that rounds on each line, automatic sending off: setting, count and share."""
    world = World()

    async def work() -> list[Finding]:
        await world.set_up(OFF)
        await pay(world, PER_LINE, "1", "2", "3")
        await world.pay("4")
        return await checked(world)

    organisation, found = run(work())
    assert (organisation.grade, found.grade) == (Grade.WARNING, Grade.WARNING)
    assert "no invoice that shows it" in organisation.text
    assert organisation.fix.startswith("Before the first booking: ")
    assert "item_level" in organisation.fix
    assert "rounds VAT on each line" in found.text
    assert "newest 4 orders" in found.text
    assert "cannot book 3 of them (75.0 %)" in found.text
    assert world.writes() == []


def test_an_invoice_in_the_books_tells_and_is_kept() -> None:
    """Two reads; the facts that a lane has read before then know it, and a second look asks nothing."""
    world = World()
    world.book.rounding = PER_LINE

    async def work() -> tuple[list[Finding], list[Finding]]:
        await world.set_up()
        async with world.process():
            await pay(world, PER_LINE, "1")
            await world.rest()
        row = world.database.connections[BOOKS]
        assert row.facts is not None
        row.facts = replace(row.facts, rounding=TaxRounding.UNKNOWN)
        world.calls.clear()
        return await checked(world), await checked(world)

    first, second = run(work())
    assert first == second
    assert [(one.grade, one.text) for one in first] == [(Grade.GOOD, "The organisation rounds VAT on each line.")]
    assert world.called() == ["list_invoices", "read_invoice"]


def test_a_setting_that_fits_is_good_and_one_that_does_not_names_the_other_and_the_share() -> None:
    """12 of 100 orders, 12.0 %."""
    given = shop("north", per_line=12)
    assert [one.grade for one in findings(BOOKS, PER_LINE, [given])] == [Grade.GOOD, Grade.GOOD]
    _, found = findings(BOOKS, PER_RATE, [given])
    assert found.grade is Grade.WARNING
    assert "12 of them (12.0 %)" in found.text
    assert "on each line" in found.fix
    assert "item_level" in found.fix


def test_shops_that_round_differently_in_one_organisation_are_both_named() -> None:
    """No setting suits both."""
    shops = [shop("north", per_line=12), shop("south", per_rate=7)]
    last = findings(BOOKS, PER_RATE, shops)[-1]
    assert last.grade is Grade.WARNING
    assert "once per tax rate south; on each line north" in last.text
    agreeing = [shop("north", per_line=12), shop("south", per_line=7)]
    assert all("differently" not in one.text for one in findings(BOOKS, PER_RATE, agreeing))


def test_without_recorded_orders_only_the_organisation_is_told() -> None:
    """Nothing is known of the shop yet, and nothing is claimed."""
    (found,) = findings(BOOKS, TaxRounding.UNKNOWN, [shop("north", orders=0)])
    assert found.grade is Grade.GOOD
    assert "first booking tells" in found.text
