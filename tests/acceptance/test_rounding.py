"""How the organisation rounds, through real processes and the stand-in: learnt, changed, and told before it matters."""

from typing import Any

import pytest

from tests.acceptance.installation import SHOP, Installation, order

pytestmark = pytest.mark.acceptance

ORDERS = ["R-1", "R-2", "R-3", "R-4", "R-5"]
LINE = {"name": "Mug", "quantity": "1", "unit_price": "0.33", "taxes": [{"rate": "22"}]}


def per_line(order_id: str) -> dict[str, Any]:
    """Three lines of 0.33 at 22 % in a shop that rounds each: 0.07 and 0.07 and 0.07; in sum it would be 0.22."""
    totals = {"grand_total": "1.20", "tax": "0.21", "tax_by_rate": [{"rate": "22", "tax": "0.21"}]}
    return order(order_id, lines=[LINE] * 3, totals=totals)


async def _set_rounding(installation: Installation, way: str) -> None:
    await installation.ledger.change_organization(installation.organization.organization_id, tax_rounding=way)


async def _totals(installation: Installation) -> dict[str, list[str]]:
    live = await installation.live_invoices()
    return {reference: [f"{one['total']:.2f}" for one in invoices] for reference, invoices in live.items()}


async def test_a_shop_whose_every_order_needs_one_rounding_is_booked_without_anybodys_help(
    installation: Installation,
) -> None:
    """The organisation has no invoice yet, and none would ever be made if one order was not sent to see."""
    await _set_rounding(installation, "item_level")
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [per_line(order_id) for order_id in ORDERS])
        await installation.synced(len(ORDERS), state="booked")
    live = await _totals(installation)
    assert {reference.rsplit("/", 1)[-1] for reference in live} == set(ORDERS)
    assert set(map(tuple, live.values())) == {("1.20",)}
    _, said = await installation.try_command("doctor")
    assert "The organisation rounds VAT on each line." in " ".join(said.split())


async def test_a_group_goes_on_after_the_setting_was_changed_in_the_ledger(installation: Installation) -> None:
    """Parked with nothing left in the books; doctor names setting and share; changed and released, all are booked."""
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [per_line(order_id) for order_id in ORDERS])
        await installation.synced(len(ORDERS), state="parked")
        assert await _totals(installation) == {}
    _, said = await installation.try_command("doctor")
    told = " ".join(said.split())
    assert "cannot book 5 of them (100.0 %)" in told
    assert "item_level" in told
    await _set_rounding(installation, "item_level")
    async with installation.process():
        await installation.command("release", SHOP, "--reason", "no_exact_layout", "--yes", "--as", "tester")
        await installation.synced(len(ORDERS), state="booked")
    live = await _totals(installation)
    assert len(live) == len(ORDERS)
    assert set(map(tuple, live.values())) == {("1.20",)}
