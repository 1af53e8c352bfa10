"""Orders change after booking: what then stands in the ledger, through real Kafka, Postgres and HTTP, to the cent."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.installation import SHOP, Installation, order

pytestmark = pytest.mark.acceptance

ACCOUNT = "460000000000000361"


def cancellation(order_id: str, version: int) -> dict[str, Any]:
    """Give a bare cancellation."""
    at = datetime.now(UTC).isoformat()
    return {"shop_id": SHOP, "order_id": order_id, "version": version, "cancelled_at": at}


def refund(refund_id: str, amount: str, **more: Any) -> dict[str, Any]:
    """Give a refund, made today."""
    return {"id": refund_id, "amount": amount, "created_at": datetime.now(UTC).isoformat(), **more}


async def started(installation: Installation, **settings: Any) -> None:
    """Apply the shop's settings and connect."""
    installation.shops = {SHOP: {"automatic": True, **settings}}
    await installation.apply()
    await installation.connect()


async def invoices(installation: Installation, reference: str) -> list[dict[str, Any]]:
    """Give all invoices of an order in the ledger's own books, void ones too."""
    return [i for i in (await installation.books())["invoices"] if i["reference_number"] == reference]


async def credits_of(installation: Installation, reference: str) -> list[dict[str, Any]]:
    """Give the credit notes of an order in the ledger's own books, oldest first."""
    notes = (await installation.books())["creditnotes"]
    mine = [note for note in notes if note["reference_number"].startswith(f"{reference}~credit_note~")]
    return sorted(mine, key=lambda note: note["creditnote_number"])


def figures(document: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Give total and tax of a document as the ledger computed them."""
    return Decimal(str(document["total"])), Decimal(str(document["tax_total"]))


async def calls_since(installation: Installation, number: int) -> list[str]:
    """Give the calls to the ledger after a request, as "METHOD template"."""
    rows = await installation.ledger.requests(since=number, organization_id=installation.organization.organization_id)
    return [f"{row['method']} {row['template'].removeprefix('/books/v3')}" for row in rows]


async def by_hand(installation: Installation, told: dict[str, Any], action: str, **changes: Any) -> None:
    """Do what a person does in the ledger with the invoice that the shop was told of."""
    await installation.ledger.by_hand(
        installation.organization.organization_id, told["invoice"]["id"], action, **changes
    )


async def test_a_sent_invoice_of_a_cancelled_order_is_credited_in_two_calls(installation: Installation) -> None:
    """One read, and one credit note that is put on the invoice at once; nothing is owed, and no invoice is void."""
    await started(installation)
    async with installation.process():
        await installation.publish("paid", [order("C-1")])
        booked = await installation.told("C-1", state="booked")
        await by_hand(installation, booked, "sent")
        newest = await installation.ledger.newest_request()
        await installation.publish("cancelled", [cancellation("C-1", 2)])
        told = await installation.told("C-1", state="withdrawn", operation="credited")
        assert told["invoice"] is None
        assert await calls_since(installation, newest) == ["GET /invoices/{invoice_id}", "POST /creditnotes"]
    (note,) = await credits_of(installation, "C-1")
    assert figures(note) == (Decimal("12.20"), Decimal("2.20"))
    (invoice,) = await invoices(installation, "C-1")
    assert (invoice["status"], Decimal(str(invoice["balance"]))) == ("paid", Decimal(0))


async def test_refunds_correct_a_draft_and_credit_a_sent_invoice(installation: Installation) -> None:
    """In part on a draft, then in turn on the sent invoice, each once and never more than is left."""
    await started(installation)
    two = order("R-1", price="50.00", total="122.00") | {
        "lines": [
            {"id": "a", "name": "Mug", "quantity": "1", "unit_price": "50.00", "taxes": [{"rate": "22"}]},
            {"id": "b", "name": "Cup", "quantity": "1", "unit_price": "50.00", "taxes": [{"rate": "22"}]},
        ]
    }
    first = refund("r1", "12.20", lines=[{"id": "a", "quantity": "1", "amount": "12.20"}])
    second = refund("r2", "24.40", reason="damaged")
    async with installation.process():
        await installation.publish("paid", [two])
        before = await installation.told("R-1", state="booked")
        await installation.publish("updated", [two | {"version": 2, "refunds": [first]}])
        corrected = await installation.told("R-1", state="booked", order_version=2)
        assert corrected["invoice"]["id"] == before["invoice"]["id"]
        assert Decimal(corrected["invoice"]["total"]) == Decimal("109.80")
        assert await credits_of(installation, "R-1") == []
        await by_hand(installation, corrected, "sent")
        # The newer revision does not speak of the first refund: what was given back stays given back.
        await installation.publish("updated", [two | {"version": 3, "refunds": [second]}])
        await installation.told("R-1", state="booked", operation="credited")
        await installation.publish("updated", [two | {"version": 4, "refunds": [first, second]}])
        await installation.publish("updated", [two | {"version": 5, "refunds": [second, refund("r3", "85.40")]}])
        await installation.told("R-1", state="booked", order_version=5)
        await installation.publish("updated", [two | {"version": 6, "refunds": [refund("r4", "0.01")]}])
        parked = await installation.told("R-1", state="parked")
        assert parked["reason"]["code"] == "refund_exceeds_invoice"
    notes = await credits_of(installation, "R-1")
    assert [figures(note) for note in notes] == [
        (Decimal("24.40"), Decimal("4.40")),
        (Decimal("85.40"), Decimal("15.40")),
    ]
    (invoice,) = await invoices(installation, "R-1")
    assert figures(invoice) == (Decimal("109.80"), Decimal("19.80"))


async def test_a_refund_in_full_before_the_invoice_makes_none(installation: Installation) -> None:
    """Paid and given back before anybody booked it: withdrawn, and nothing in the ledger."""
    await started(installation)
    async with installation.process():
        await installation.publish("paid", [order("F-1", refunds=[refund("r1", "12.20")])])
        await installation.until_stands("F-1", "withdrawn", "refunded")
    assert await invoices(installation, "F-1") == []


async def test_an_invoice_is_mailed_and_paid_and_a_cancellation_pays_back(installation: Installation) -> None:
    """By setting: mailed once, the payment recorded; cancelled, all is credited and the refund recorded."""
    await started(
        installation,
        email_invoice=True,
        record_payment=True,
        refund_account=ACCOUNT,
        payments=[{"method": "card", "mode": "creditcard"}],
    )
    paid = order("P-1", payments=[{"method": "Card", "amount": "12.20"}])
    async with installation.process():
        await installation.publish("paid", [paid])
        told = await installation.told("P-1", state="booked", operation="paid")
        assert told["invoice"]["status"] == "paid"
        await installation.publish("cancelled", [cancellation("P-1", 2)])
        await installation.told("P-1", state="withdrawn")
    books = await installation.books()
    (payment,) = books["payments"]
    assert (payment["payment_mode"], Decimal(str(payment["amount"]))) == ("creditcard", Decimal("12.20"))
    (note,) = await credits_of(installation, "P-1")
    assert (figures(note), Decimal(str(note["balance"]))) == ((Decimal("12.20"), Decimal("2.20")), Decimal(0))
    assert [Decimal(str(one["amount"])) for one in note["creditnote_refunds"]] == [Decimal("12.20")]
    (invoice,) = await invoices(installation, "P-1")
    assert len(invoice["mails"]) == 1


@pytest.mark.parametrize(
    ("how", "live", "credited"),
    [
        ("credit_difference", ["24.40"], ["12.20"]),
        ("credit_all", ["24.40", "12.20"], ["24.40"]),
        ("update", ["12.20"], []),
    ],
)
async def test_a_sent_invoice_is_corrected_as_the_shop_has_set(
    installation: Installation, how: str, live: list[str], credited: list[str]
) -> None:
    """The difference credited, all credited and invoiced anew, or changed in place; and told so."""
    await started(installation, changed_sent=how)
    async with installation.process():
        await installation.publish("paid", [order("S-1", price="20.00", total="24.40")])
        await by_hand(installation, await installation.told("S-1", state="booked"), "sent")
        await installation.publish("updated", [order("S-1", version=2)])
        await installation.told("S-1", state="booked", order_version=2)
    found = sorted(await invoices(installation, "S-1"), key=lambda invoice: invoice["invoice_number"])
    assert [f"{invoice['total']:.2f}" for invoice in found if invoice["status"] != "void"] == live
    assert [f"{note['total']:.2f}" for note in await credits_of(installation, "S-1")] == credited


async def test_a_changed_sent_invoice_waits_for_a_person_who_asks_for_the_update(installation: Installation) -> None:
    """By default it is parked with the fix; `booked order update` writes it, with the person's name in the story."""
    await started(installation)
    async with installation.process():
        await installation.publish("paid", [order("U-1")])
        await by_hand(installation, await installation.told("U-1", state="booked"), "sent")
        await installation.publish("updated", [order("U-1", version=2, price="20.00", total="24.40")])
        parked = await installation.told("U-1", state="parked")
        assert parked["reason"]["code"] == "changed_after_booking"
        await installation.command("order", "update", SHOP, "U-1", "--as", "Dora")
        await installation.told("U-1", state="booked", operation="updated")
    (invoice,) = await invoices(installation, "U-1")
    assert figures(invoice) == (Decimal("24.40"), Decimal("4.40"))
    assert "Dora" in str(await installation.story("U-1"))


async def test_a_credit_note_whose_answer_is_lost_is_made_once(installation: Installation) -> None:
    """The connection is cut after the ledger has taken it, and the process is killed: it is found and kept."""
    await started(installation)
    match = {"organization_id": installation.organization.organization_id, "path_regex": "/creditnotes$"}
    async with installation.process(name="first") as first:
        await installation.publish("paid", [order("L-1")])
        await by_hand(installation, await installation.told("L-1", state="booked"), "sent")
        await installation.ledger.add_faults(
            {"match": {**match, "method": "POST"}, "times": 1, "action": "cut_after_commit"}
        )
        await installation.publish("cancelled", [cancellation("L-1", 2)])
        await installation.until_stands("L-1", "uncertain")
        await first.kill9()
    async with installation.process(name="second"):
        await installation.told("L-1", state="withdrawn")
    assert len(await credits_of(installation, "L-1")) == 1
