"""What a person does, by the commands, on real parts: one order, a parked group, a message that could not be read."""

import json
from typing import Any

import pytest

from tests.acceptance.installation import SHOP, Installation, order
from tests.acceptance.test_changes import by_hand, invoices, started
from tests.kafka_tools import producer

pytestmark = pytest.mark.acceptance


async def act(installation: Installation, word: str, order_id: str, *more: str) -> tuple[int, dict[str, Any]]:
    """Do something with an order as Dora; the exit code and what the program is told."""
    words = ("order", word, SHOP, order_id, "--json", *(() if word == "show" else ("--as", "Dora")), *more)
    code, printed = await installation.try_command(*words)
    told: dict[str, Any] = json.loads(printed)
    return code, told


async def test_a_person_makes_keeps_and_takes_away_the_document_of_an_order(installation: Installation) -> None:
    """With automatic sending off: made on asking, shown when asked again, deleted, and not made again by an event."""
    await started(installation, automatic=False)
    async with installation.process():
        await installation.publish("paid", [order("G-1")])
        await installation.until_stands("G-1", "waiting", "automatic_off")
        code, made = await act(installation, "generate", "G-1")
        assert (code, made["state"]) == (0, "booked")
        code, again = await act(installation, "generate", "G-1")
        assert (code, again["document"]["number"]) == (0, made["document"]["number"])
        code, _ = await act(installation, "delete", "G-1", "--note", "ordered twice")
        assert code == 0
        await installation.told("G-1", state="withdrawn", operation="deleted")
        await installation.publish("updated", [order("G-1", version=2, price="20.00", total="24.40")])
        await installation.until_stands("G-1", "withdrawn", "not_wanted")
    assert await invoices(installation, "G-1") == []
    story = str(await installation.story("G-1"))
    assert "Dora" in story
    assert "ordered twice" in story


async def test_an_order_that_nobody_has_published_is_booked_from_the_call(installation: Installation) -> None:
    """The body is read as the intake reads; unpaid and before its shop's start, it is made because a person asks."""
    await started(installation)
    file = installation.folder / "order.json"
    unknown = order("B-1")
    del unknown["paid_at"]
    file.write_text(json.dumps(unknown | {"placed_at": "2026-01-05T10:00:00Z"}), encoding="utf-8")
    async with installation.process():
        code, _ = await act(installation, "generate", "B-1")
        assert code == 5, "nothing is known of it"
        code, made = await act(installation, "generate", "B-1", "--body", str(file))
        assert (code, made["state"]) == (0, "booked")
    assert len(await invoices(installation, "B-1")) == 1


async def test_a_sent_invoice_is_taken_away_only_when_asked_twice(installation: Installation) -> None:
    """The first time says what will be done; the second time it is credited in full."""
    await started(installation)
    async with installation.process():
        await installation.publish("paid", [order("T-1")])
        await by_hand(installation, await installation.told("T-1", state="booked"), "sent")
        code, told = await act(installation, "delete", "T-1")
        assert code == 7, "the order stands otherwise than was asked"
        assert "credited in full" in told["answer"]
        assert (await installation.told("T-1", state="booked"))["invoice"] is not None
        code, _ = await act(installation, "delete", "T-1", "--sent")
        assert code == 0
        await installation.told("T-1", state="withdrawn")
    books = await installation.books()
    assert [f"{note['total']:.2f}" for note in books["creditnotes"]] == ["12.20"]


async def test_held_orders_wait_and_parked_groups_go_on(installation: Installation) -> None:
    """Held: nothing is written until it is released. Parked for one cause: shown as one group, and released as one."""
    await started(installation)
    seven = [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "7"}]}]
    async with installation.process():
        await installation.publish(
            "paid", [order(f"V-{n}", lines=seven, totals={"grand_total": "10.70"}) for n in (1, 2)]
        )
        for order_id in ("V-1", "V-2"):
            await installation.until_stands(order_id, "parked", "tax_missing")
        parked = await installation.command("parked")
        assert "21.40 EUR" in parked
        code, _ = await act(installation, "hold", "V-2")
        assert code == 0
        await installation.until_stands("V-2", "waiting", "held")
        code, _ = await act(installation, "ignore", "V-1", "--note", "a test order")
        assert code == 0
        await installation.until_stands("V-1", "withdrawn", "ignored")
        code, _ = await act(installation, "release", "V-2")
        await installation.until_stands("V-2", "parked", "tax_missing")
        printed = await installation.command("release", "tax_missing:IT:7", "--yes", "--as", "Dora")
        assert "10.70 EUR" in printed
        await installation.until_stands("V-2", "parked", "tax_missing")
    assert (await installation.books())["invoices"] == []


async def test_a_rejected_message_is_tried_again_after_the_fix(installation: Installation) -> None:
    """Of a shop that goes by version: without one it is rejected; told to go by time, the same message is taken."""
    await started(installation, revision="version")
    bare = order("X-1")
    del bare["version"]
    async with installation.process():
        async with producer(installation.kafka_servers) as sender:
            value = json.dumps(bare).encode()
            await sender.send_and_wait(installation.topics["order.paid"], value, key=f"{SHOP}/X-1".encode())
        await installation.publish("paid", [order("X-2")])
        await installation.told("X-2", state="booked")
        listed = await installation.command("rejected", "list", "--reason", "revision_missing")
        assert "X-1" in listed
        installation.shops = {SHOP: {"automatic": True, "revision": "time"}}
        await installation.apply()
        await installation.command("rejected", "retry", "--reason", "revision_missing", "--as", "Dora")
        await installation.told("X-1", state="booked")
    assert len(await invoices(installation, "X-1")) == 1
