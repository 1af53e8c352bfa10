"""What `booked doctor` finds, and the fix that it names for each finding."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState, ReasonCode
from consumer.errors import DatabaseUnavailableError, StopCause
from consumer.ports.people import GroupSum
from consumer.services.asking import asking
from consumer.services.checkup import Finding, Grade, check_connection, check_groups, check_shops, try_out
from tests.services.sync.virtual_time import run
from tests.services.sync.world import BOOKS, CONNECTION, World

SHOP = ShopSettings(shop_id="north", connection_id=BOOKS, automatic=True, book_from=datetime(2026, 3, 1, tzinfo=UTC))


def examined(world: World) -> list[Finding]:
    """Check the connection of a world."""

    async def work() -> list[Finding]:
        await world.set_up()
        if world.database.connections[BOOKS].stopped_message == "now":
            world.database.connections[BOOKS].stopped = StopCause.TOKEN_REVOKED
        view = await world.lanes.view(BOOKS)
        tools: Any = world.tools()
        async with asking(
            view, open_ledger=tools.open_ledger, bookings=tools.bookings, calls=tools.calls, steady=tools.steady
        ) as caller:
            return await check_connection(view, caller)

    return run(work())


def grades(findings: list[Finding]) -> list[Grade]:
    """Name the grades."""
    return [finding.grade for finding in findings]


def test_a_good_connection_costs_two_calls_and_tells_of_its_organisation() -> None:
    """The missing unique field is worth a look, not a fault."""
    world = World()
    found = examined(world)
    assert grades(found) == [Grade.GOOD, Grade.WARNING]
    assert found[0].text.startswith("Organisation: EUR, Europe/Rome")
    assert "unique" in found[1].text
    assert world.called() == ["read_organization", "list_taxes"]
    assert world.writes() == []


def test_the_calls_of_the_doctor_take_slots_of_the_lane() -> None:
    """There is one budget, whoever asks."""
    world = World()
    examined(world)
    assert world.database.lanes[BOOKS].calls_total == 2


def test_a_connection_without_an_organisation_is_told_how_to_get_one() -> None:
    """Nothing is called."""
    world = World(connection=replace(CONNECTION, organization_id=None))
    world.factory.books = {"": world.book}
    found = examined(world)
    assert (grades(found), world.calls) == ([Grade.WRONG], [])
    assert "organization_id" in found[0].fix


def test_an_organisation_without_taxes_or_that_is_not_active_is_told() -> None:
    """Each with its fix."""
    world = World(connection=replace(CONNECTION, unique_field="cf_booked"))
    world.book.taxes = ()
    world.book.organization = replace(world.book.organization, active=False)
    found = examined(world)
    assert grades(found) == [Grade.GOOD, Grade.WRONG, Grade.WARNING]
    assert all(finding.fix for finding in found[1:])


def test_a_ledger_that_does_not_answer_is_wrong_with_its_own_words() -> None:
    """And the shop's other checks go on."""
    world = World()
    world.plan("read_organization", Fault.CUT_BEFORE_COMMIT)
    (found,) = examined(world)
    assert (found.grade, "no answer" in found.text, bool(found.fix)) == (Grade.WRONG, True, True)


def test_a_shop_is_told_where_it_books_to_or_why_not() -> None:
    """Inactive shops are passed over."""
    shops = [
        SHOP,
        replace(SHOP, shop_id="manual", automatic=False),
        replace(SHOP, shop_id="loose", connection_id=None),
        replace(SHOP, shop_id="gone", active=False),
    ]
    found = check_shops(shops)
    assert [(finding.about, finding.grade) for finding in found] == [
        ("shop north", Grade.GOOD),
        ("shop manual", Grade.WARNING),
        ("shop loose", Grade.WRONG),
    ]
    assert found[0].text == f"books into {BOOKS}, from 2026-03-01 00:00 UTC on"


def test_only_parked_groups_are_findings_and_bring_their_fix() -> None:
    """Waiting orders wait by somebody's choice."""

    def group(state: OrderState) -> GroupSum:
        return GroupSum(
            shop_id="north",
            state=state,
            reason_code=ReasonCode.TAX_MISSING,
            group_key="tax_missing:22",
            count=3,
            sums={"EUR": Decimal("3.00")},
            oldest=None,
            fix="Create the tax.",
        )

    (found,) = check_groups([group(OrderState.PARKED), group(OrderState.WAITING)])
    assert (found.text, found.fix) == ("3 orders are parked: tax_missing:22", "Create the tax.")


@pytest.mark.parametrize("works", [True, False])
async def test_a_check_that_raises_is_a_finding_with_the_fix_it_was_given(works: bool) -> None:  # noqa: FBT001 both ways
    """The doctor goes on with the next one."""

    async def check() -> str:
        if not works:
            raise DatabaseUnavailableError("it does not answer")
        return "it answers"

    found = await try_out("postgres", check, "Start it.")
    assert (found.grade, found.text) == ((Grade.GOOD, "it answers") if works else (Grade.WRONG, "it does not answer"))
    assert found.fix == ("" if works else "Start it.")
