"""What the tests of crashes and faults publish, and how they judge what came of it.

The judge looks at the ledger's own books and record of requests, at the list of what was published, and at the topic
that the shop reads. It never asks Booked's database.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.acceptance.installation import Installation, order
from tests.kafka_tools import read_all

Order = Mapping[str, Any]
SETTLED_SECONDS = 120


def orders_of_returning_customers(count: int, *, prefix: str = "K") -> list[dict[str, Any]]:
    """Give orders with totals all different; every customer buys two or three times. Prices are net, VAT is 22 %."""
    return [_order(f"{prefix}-{number}", number, number % max(1, count * 2 // 5)) for number in range(count)]


def _order(order_id: str, number: int, buyer: int) -> dict[str, Any]:
    price = Decimal(10 + number)
    return order(
        order_id,
        price=f"{price}.00",
        total=str(price * Decimal("1.22")),
        customer={"email": f"buyer-{buyer}@shop.example", "name": f"Buyer {buyer}"},
    )


async def created_invoices(installation: Installation) -> int:
    """Count the invoices that were made in the ledger so far, whatever became of them."""
    counts = await installation.ledger.counts(organization_id=installation.organization.organization_id)
    return sum(
        row["committed"] or 0
        for row in counts
        if row["method"] == "POST" and row["template"].rstrip("/").endswith("/invoices")
    )


async def prove_nothing_lost_nothing_twice(
    installation: Installation, orders: Sequence[Order], *, timeout_seconds: float = SETTLED_SECONDS
) -> None:
    """Wait until the shop was told of every order, and compare: books, told, customers.

    Every order has exactly one live invoice with its own total, one create was ever accepted for it, the shop was
    told its number, and no customer has two contacts.
    """
    told = await installation.synced(len(orders), state="booked", timeout_seconds=timeout_seconds)
    books = await installation.books()
    live = [invoice for invoice in books["invoices"] if invoice["status"] != "void"]
    wanted = {each["order_id"]: Decimal(each["totals"]["grand_total"]) for each in orders}
    by_reference = Counter(invoice["reference_number"] for invoice in live)
    lost, strange = sorted(wanted.keys() - by_reference), sorted(by_reference.keys() - wanted)
    doubled = sorted(reference for reference, count in by_reference.items() if count > 1)
    assert (lost, doubled, strange) == ([], [], []), f"lost: {lost}; doubled: {doubled}; nobody's: {strange}"
    totals = {i["reference_number"]: Decimal(str(i["total"])) for i in live}
    wrong = {reference: total for reference, total in totals.items() if total != wanted[reference]}
    assert not wrong, f"other totals than the orders': {wrong}"
    created = await created_invoices(installation)
    assert created == len(orders), f"{created} creates were accepted for {len(orders)} orders: some were undone"
    numbers = {invoice["reference_number"]: invoice["invoice_number"] for invoice in live}
    mistold = [order_id for order_id, data in told.items() if data["invoice"]["number"] != numbers[order_id]]
    assert not mistold, f"the shop was told another number: {mistold}"
    contacts = Counter(contact["email"] for contact in books["contacts"])
    buyers = Counter({each["customer"]["email"] for each in orders})
    assert contacts == buyers, f"contacts too many: {contacts - buyers}, too few: {buyers - contacts}"
    await prove_order_of_messages(installation, at_least=len(orders))


async def prove_order_of_messages(installation: Installation, *, at_least: int) -> None:
    """Per order the sequence never falls, and what was sent again, after a crash, has the same event id."""
    records = await read_all(installation.kafka_servers, installation.topics["invoice.synced"], at_least)
    ids: dict[tuple[str, int], str] = {}
    newest: dict[str, int] = {}
    for record in records:
        message = json.loads(record.value or b"")
        key, sequence = message["subject"], message["data"]["sequence"]
        assert ids.setdefault((key, sequence), message["id"]) == message["id"], f"{key} {sequence} has two event ids"
        assert sequence >= newest.get(key, 0), f"{key}: {sequence} came after {newest[key]}"
        newest[key] = sequence
