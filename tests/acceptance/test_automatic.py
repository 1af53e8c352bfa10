"""Automatic sending on and off, the start of a shop, and the order of events: what is written and what waits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.installation import SHOP, Installation, order
from tests.acceptance.proof import created_invoices

pytestmark = pytest.mark.acceptance


async def _writes(installation: Installation) -> int:
    """Count what was written into the books, by the ledger's own record."""
    counts = await installation.ledger.counts(organization_id=installation.organization.organization_id)
    return sum(row["committed"] or 0 for row in counts if row["method"] != "GET")


async def _totals(installation: Installation) -> dict[str, list[str]]:
    return {
        reference: [f"{invoice['total']:.2f}" for invoice in invoices]
        for reference, invoices in (await installation.live_invoices()).items()
    }


def _cancellation(order_id: str, version: int) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"shop_id": SHOP, "order_id": order_id, "version": version, "cancelled_at": at}


async def test_while_off_orders_wait_until_a_person_releases_them(installation: Installation) -> None:
    """Nothing is written while automatic sending is off; release shows count and sum first and then books."""
    installation.shops = {SHOP: {"automatic": False}}
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [order("A-1"), order("A-2", price="20.00", total="24.40")])
        for order_id in ("A-1", "A-2"):
            await installation.until_stands(order_id, "waiting", "automatic_off")
        code, asked = await installation.try_command("release", SHOP, "--reason", "automatic_off", "--as", "tester")
        assert code != 0, "nobody has said yes"
        assert "36.60 EUR" in asked
        assert await _writes(installation) == 0
        printed = await installation.command("release", SHOP, "--reason", "automatic_off", "--yes", "--as", "tester")
        assert "36.60 EUR" in printed
        assert "2 released" in printed
        await installation.synced(2, state="booked")
    assert await _totals(installation) == {"A-1": ["12.20"], "A-2": ["24.40"]}
    assert "tester" in str(await installation.story("A-1"))


async def test_switching_on_books_only_what_is_paid_from_then_on(installation: Installation) -> None:
    """Switching on sets the shop's start: what was paid before it waits as before_start, until released."""
    installation.shops = {SHOP: {"automatic": False}}
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [order("S-1"), order("S-2")])
        await installation.until_stands("S-2", "waiting", "automatic_off")
        installation.shops = {SHOP: {"automatic": True}}
        await installation.apply()
        await installation.publish("paid", [order("S-3")])
        await installation.synced(1, state="booked")
        await installation.until_stands("S-1", "waiting", "before_start")
        assert await _totals(installation) == {"S-3": ["12.20"]}
        await installation.command("release", SHOP, "--order", "S-1", "--as", "tester")
        await installation.synced(2, state="booked")
    assert await _totals(installation) == {"S-1": ["12.20"], "S-3": ["12.20"]}


async def test_another_start_may_be_given(installation: Installation) -> None:
    """With a start in the past, orders paid since are booked, older ones wait."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    installation.shops = {SHOP: {"automatic": True, "book_from": yesterday.isoformat()}}
    await installation.apply()
    await installation.connect()
    async with installation.process():
        late, early = (yesterday + timedelta(hours=hours) for hours in (1, -1))
        await installation.publish(
            "paid", [order("B-1", paid_at=early.isoformat()), order("B-2", paid_at=late.isoformat())]
        )
        await installation.synced(1, state="booked")
        await installation.until_stands("B-1", "waiting", "before_start")
    assert await _totals(installation) == {"B-2": ["12.20"]}


async def test_without_an_organisation_id_orders_wait_and_say_so(installation: Installation) -> None:
    """Nothing is made until the connection names its organisation; then the orders go on by themselves."""
    installation.with_organization_id = False
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [order("O-1")])
        told = await installation.until_stands("O-1", "waiting", "no_organization")
        assert "organization_id" in told["reason"]["fix"]
        assert await _writes(installation) == 0
        installation.with_organization_id = True
        await installation.apply()
        await installation.synced(1, state="booked")
    assert await _totals(installation) == {"O-1": ["12.20"]}


async def test_while_off_a_booked_order_that_changes_is_shown_and_not_touched(installation: Installation) -> None:
    """Changed or cancelled while off: shown as changed, the ledger is not touched; a release brings it up to date."""
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [order("H-1"), order("H-2")])
        await installation.synced(2, state="booked")
        installation.shops = {SHOP: {"automatic": False}}
        await installation.apply()
        writes = await _writes(installation)
        await installation.publish("updated", [order("H-1", version=2, price="20.00", total="24.40")])
        await installation.publish("cancelled", [_cancellation("H-2", 2)])
        for order_id in ("H-1", "H-2"):
            await installation.until_stands(order_id, "waiting", "changed_automatic_off")
        assert await _writes(installation) == writes
        assert await _totals(installation) == {"H-1": ["12.20"], "H-2": ["12.20"]}
        for order_id in ("H-1", "H-2"):
            await installation.command("release", SHOP, "--order", order_id, "--as", "tester")
        await installation.told("H-1", state="booked", operation="updated")
        await installation.told("H-2", state="withdrawn")
    assert await _totals(installation) == {"H-1": ["24.40"]}


async def test_an_update_changes_the_same_draft_and_a_cancellation_voids_it(installation: Installation) -> None:
    """One live invoice with the new total under the same id and number; cancelled, it is void."""
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [order("D-1"), order("D-2")])
        before = await installation.synced(2, state="booked")
        await installation.publish("updated", [order("D-1", version=2, price="20.00", total="24.40")])
        updated = await installation.told("D-1", state="booked", operation="updated")
        await installation.publish("cancelled", [_cancellation("D-2", 2)])
        withdrawn = await installation.told("D-2", state="withdrawn")
    assert await _totals(installation) == {"D-1": ["24.40"]}
    assert updated["invoice"]["id"] == before["D-1"]["invoice"]["id"]
    assert Decimal(updated["invoice"]["total"]) == Decimal("24.40")
    assert (withdrawn["operation"], withdrawn["invoice"]) == ("voided", None)
    books = await installation.books()
    assert [i["status"] for i in books["invoices"] if i["reference_number"] == "D-2"] == ["void"]
    assert await created_invoices(installation) == 2


async def test_late_repeated_and_early_events(installation: Installation) -> None:
    """Cancelled before it is paid: never booked. Repeated: one invoice. Late: the newest revision stays."""
    await installation.apply()
    await installation.connect()
    newest = order("L-2", version=3, price="30.00", total="36.60")
    async with installation.process():
        await installation.publish("cancelled", [_cancellation("L-1", 2)])
        await installation.until_stands("L-1", "withdrawn", "cancelled")
        await installation.publish("paid", [order("L-1", version=1)])
        await installation.publish("updated", [newest])
        await installation.publish("paid", [order("L-2", version=1), order("L-2", version=1), newest | {"version": 2}])
        await installation.told("L-2", state="booked", order_version=3)
        await installation.publish("paid", [order("L-2", version=1), order("L-3")])
        await installation.publish("updated", [newest])
        await installation.told("L-3", state="booked")
        await installation.until_stands("L-1", "withdrawn", "cancelled")
    assert await _totals(installation) == {"L-2": ["36.60"], "L-3": ["12.20"]}
    assert await created_invoices(installation) == 2
