"""The main job with real processes: a paid order becomes one draft invoice, and the shop hears of it."""

from tests.acceptance.installation import Installation, order


async def test_a_paid_order_becomes_one_draft_invoice(installation: Installation) -> None:
    """Published, recorded, booked, told: the ledger's own books have exactly one draft with the order's total."""
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await installation.publish("paid", [order("1001")])
        told = await installation.synced(1)
    books = await installation.live_invoices()
    assert [(i["status"], str(i["total"])) for i in books["1001"]] == [("draft", "12.2")]
    assert told["1001"]["state"] == "booked"
    assert told["1001"]["invoice"]["number"] == books["1001"][0]["invoice_number"]
    story = await installation.command("explain", "shop", "1001")
    assert "booked" in story
    assert "create_invoice" in story
