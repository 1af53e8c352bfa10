"""`booked preview` before the first booking: nothing leaves, and what leaves later is what it showed."""

import json
from pathlib import Path

import pytest

from tests.acceptance.installation import SHOP, Installation, order

pytestmark = pytest.mark.acceptance

_NEW = "(id of the new contact)"


async def test_what_is_sent_is_what_was_previewed(installation: Installation, tmp_path: Path) -> None:
    """Right after `booked connect`, from a file; then the same order goes through Kafka and is compared."""
    settings = {"notes": "{{ note }}", "invoice_number": "W-{{ number }}", "terms": "Net", "payment_terms_days": 7}
    installation.shops = {SHOP: {"automatic": True, **settings}}
    await installation.apply()
    await installation.connect()
    paid = order("A-1", note="Leave at the door \u2714")
    file = tmp_path / "order.json"
    file.write_text(json.dumps(paid), encoding="utf-8")
    before = await installation.ledger.newest_request()
    shown = json.loads(await installation.command("preview", SHOP, str(file), "--json"))
    assert await installation.ledger.newest_request() == before
    assert (shown["decision"], shown["total"]) == ("create", {"ledger": "12.20", "shop": "12.20"})
    async with installation.process():
        await installation.publish("paid", [paid])
        await installation.synced(1, state="booked")
    sent = await installation.ledger.requests(since=before, organization_id=installation.organization.organization_id)
    previewed = shown["requests"][-1]
    (made,) = [row for row in sent if (row["method"], row["path"]) == (previewed["method"], previewed["path"])]
    customer_id = json.loads(made["body"])["customer_id"]
    assert made["body"] == previewed["body"].replace(_NEW, customer_id)
    assert all(f"{name}={value}" in made["query"] for name, value in previewed["query"].items())
    assert json.loads(made["body"])["invoice_number"] == "W-N-A-1"
    before = await installation.ledger.newest_request()
    assert json.loads(await installation.command("preview", SHOP, "A-1", "--json"))["decision"] == "nothing"
    assert await installation.ledger.newest_request() == before
