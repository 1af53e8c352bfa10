"""Parked orders by their cause, over shops: what one fix will help is seen and released together, or goes by itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from consumer.domain.ledger import LedgerCurrency, LedgerFacts, LedgerTax, Organization
from consumer.domain.records import Conclusion
from consumer.domain.states import OrderState, Priority, Reason, ReasonCode
from consumer.services.groups import by_cause, held_groups, release_group
from tests.conformance.intake.making import NOON, key, shop, taken
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import BOOKS, books, claim, concluded, lease

TAX = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 22 %.", fix="Add it.", group_key="tax_missing:22")
OTHER = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 5 %.", fix="Add it.", group_key="tax_missing:5")
CLOSED = Reason(code=ReasonCode.PERIOD_CLOSED, message="Closed.", fix="Open it.")
FACTS = LedgerFacts(
    organization=Organization(organization_id="1", name="Shop", currency="EUR", time_zone="Europe/Rome"),
    taxes=(LedgerTax(tax_id="t10", name="VAT 10", rate=Decimal(10)),),
    currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
)


async def park(bench: Bench, reasons: dict[tuple[str, str], Reason]) -> None:
    """Take orders of two shops in, and park each for its reason; the first was paid a day before the others."""
    await bench.settings.apply([books()], [shop(), shop("south")], actor="test", dry_run=False)
    records = [
        taken(
            key(order_id, shop_id),
            number,
            currency="USD" if shop_id == "south" else "EUR",
            paid_at=NOON - timedelta(days=1 if number == 0 else 0),
        )
        for number, (shop_id, order_id) in enumerate(reasons)
    ]
    await bench.intake.record(records)
    leased = await lease(bench)
    await claim(bench, leased, len(reasons))
    for (shop_id, order_id), reason in reasons.items():
        outcome = concluded(key(order_id, shop_id), Conclusion(state=OrderState.PARKED, reason=reason))
        await bench.bookings.record(outcome, leased)
    await bench.lanes.give_back(leased)


async def due(bench: Bench) -> set[tuple[str, str, Priority]]:
    """Take in hand what is due."""
    leased = await lease(bench)
    return {(*order.key, order.priority) for order in await claim(bench, leased, 50)}


async def test_one_cause_is_one_group_over_all_shops(bench: Bench) -> None:
    """Count, sum per currency, the oldest, the shops and the fix; the largest group first."""
    await park(bench, {("north", "1"): TAX, ("south", "2"): TAX, ("south", "3"): TAX, ("north", "4"): OTHER})
    first, second = by_cause(await bench.people.groups(OrderState.PARKED))
    assert (first.group, first.shops, first.count) == ("tax_missing:22", ("north", "south"), 3)
    assert first.sums == {"EUR": Decimal("12.30"), "USD": Decimal("24.60")}
    assert (first.oldest, first.fix) == (NOON - timedelta(days=1), "Add it.")
    assert (second.group, second.count) == ("tax_missing:5", 1)
    (of_north, _) = by_cause(await bench.people.groups(OrderState.PARKED, "north"))
    assert (of_north.shops, of_north.count) == (("north",), 1)


async def test_a_group_goes_on_in_all_its_shops(bench: Bench) -> None:
    """No order of another group goes with it; a second release has nothing left."""
    await park(bench, {("north", "1"): TAX, ("south", "2"): TAX, ("north", "4"): OTHER})
    assert await release_group(bench.people, "tax_missing:22", actor="jane") == 2
    assert await release_group(bench.people, "tax_missing:22", actor="jane") == 0
    assert await due(bench) == {("north", "1", Priority.PERSON), ("south", "2", Priority.PERSON)}


async def test_a_group_of_one_shop_goes_on_there_only(bench: Bench) -> None:
    """The fix was done in one organisation of several."""
    await park(bench, {("north", "1"): TAX, ("south", "2"): TAX})
    assert await release_group(bench.people, "tax_missing:22", actor="jane", shop_id="south") == 1
    assert await due(bench) == {("south", "2", Priority.PERSON)}


async def test_a_large_group_goes_behind_live_orders_whatever_part_a_shop_has_of_it(bench: Bench) -> None:
    """Eleven orders, one of them in another shop: that one does not go first either."""
    orders = {("north", str(number)): TAX for number in range(10)}
    await park(bench, {**orders, ("south", "99"): TAX})
    assert await release_group(bench.people, "tax_missing:22", actor="jane") == 11
    assert {priority for _, _, priority in await due(bench)} == {Priority.BACKFILL}


async def test_no_more_is_released_than_the_limit(bench: Bench) -> None:
    """The next call takes the rest."""
    await park(bench, {("north", "1"): TAX, ("north", "2"): TAX, ("south", "3"): TAX})
    assert await release_group(bench.people, "tax_missing:22", actor="jane", limit=2) == 2
    (rest,) = await held_groups(bench.people)
    assert rest.count == 1


async def test_a_tax_that_was_made_lets_its_group_go_on_by_itself(bench: Bench) -> None:
    """Nobody has to release it; a closed period is not cured by it."""
    await bench.settings.apply([books()], [shop()], actor="test", dry_run=False)
    await bench.lanes.save_facts(BOOKS, FACTS)
    await park(bench, {("north", "1"): TAX, ("north", "2"): CLOSED})
    made = LedgerTax(tax_id="t22", name="VAT 22", rate=Decimal(22))
    assert await bench.lanes.save_facts(BOOKS, replace(FACTS, taxes=(*FACTS.taxes, made))) == 1
    assert await due(bench) == {("north", "1", Priority.LIVE)}


async def test_a_setting_that_was_changed_lets_the_shops_groups_go_on_by_themselves(bench: Bench) -> None:
    """`apply` tells how many; the other shop's orders stay parked."""
    await park(bench, {("north", "1"): CLOSED, ("south", "2"): CLOSED})
    changed = shop(refund_label="Given back")
    applied = await bench.settings.apply([books()], [changed, shop("south")], actor="jane", dry_run=False)
    assert applied.orders_due == 1
    assert await due(bench) == {("north", "1", Priority.BACKFILL)}


async def test_a_release_of_a_closed_period_does_not_wait_for_the_day(bench: Bench) -> None:
    """The person knows that the period is open again."""
    await park(bench, {("north", "1"): CLOSED})
    assert await release_group(bench.people, "period_closed", actor="jane") == 1
    assert await due(bench) == {("north", "1", Priority.PERSON)}
