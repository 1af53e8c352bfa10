"""Orders of real shops through real servers, with a kill -9 in the middle: booked to the cent, or parked and why."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.domain.orders import Fee, Line, Order, Shipping, Tax
from tests.acceptance.installation import ORGANIZATION, SHOP, Installation, installed
from tests.acceptance.proof import created_invoices
from tests.acceptance.waiting import until
from tests.domain.neutral_orders import DATA, Neutral, NotToldError, read, rows
from tests.server_fixtures import MakeTopic

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not DATA.exists(), reason=f"no shared data beside the repository ({DATA.name})"),
]

# Why a consistent order may still not become one invoice: what no invoice can be, and what the organisation's way of
# rounding cannot give to the cent.
TRUE_REASONS = {"negative_quantity", "not_supported", "no_exact_layout", "rounding_unknown"}
KILL_AFTER = 15


def documents() -> dict[str, Neutral]:
    """Give the orders that the neutral shape tells whole, by an order id that no other one has."""
    found: dict[str, Neutral] = {}
    for number, row in enumerate(rows("orders.jsonl")):
        try:
            document = read(row)
        except NotToldError:
            continue
        if document.order.currency:
            found[f"{row['platform']}-{number}"] = document
    return found


def wire(order_id: str, order: Order) -> dict[str, Any]:
    """Write an order as a shop publishes it."""
    at = datetime.now(UTC).isoformat()
    return {
        "shop_id": SHOP,
        "order_id": order_id,
        "number": order.number,
        "version": 1,
        "paid_at": at,
        "currency": order.currency,
        "prices_include_tax": order.prices_include_tax,
        "customer": {"name": order.customer.name, "email": f"{order_id.lower()}@shop.example"},
        "lines": [
            {
                "id": line.id,
                "name": line.name,
                "sku": line.sku,
                "quantity": str(line.quantity),
                "unit_price": str(line.unit_price),
                "prices_include_tax": line.prices_include_tax,
                "discount": str(line.discount),
                "taxes": _taxes(line.taxes),
                "total": None if line.total is None else str(line.total),
            }
            for line in order.lines
        ],
        "discounts": [
            {"code": one.code, "amount": str(one.amount), "line_ids": list(one.line_ids)} for one in order.discounts
        ],
        "shipping": [
            {"method": one.method, "amount": str(one.amount), "taxes": _taxes(one.taxes)} for one in order.shipping
        ],
        "fees": [{"name": one.name, "amount": str(one.amount), "taxes": _taxes(one.taxes)} for one in order.fees],
        "totals": {
            "grand_total": str(order.totals.grand_total),
            "tax": None if order.totals.tax is None else str(order.totals.tax),
            "tax_by_rate": [{"rate": str(row.rate), "tax": str(row.tax)} for row in order.totals.tax_by_rate],
        },
    }


def _taxes(taxes: Sequence[Tax]) -> list[dict[str, Any]]:
    return [{"rate": str(t.rate), **({} if t.amount is None else {"amount": str(t.amount)})} for t in taxes]


def organization(orders: Sequence[Order]) -> dict[str, Any]:
    """Give an organisation that has every rate and currency of these orders."""
    rates = sorted({tax.rate for order in orders for tax in _every_tax(order)})
    currencies = sorted({order.currency for order in orders} - {"EUR"})
    return {
        **ORGANIZATION,
        "taxes": [{"tax_name": f"VAT {rate}", "tax_percentage": float(rate)} for rate in rates],
        "currencies": currencies,
    }


def _every_tax(order: Order) -> list[Tax]:
    charges: tuple[Line | Shipping | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    return [tax for charge in charges for tax in charge.taxes]


def stated_taxes(order: Order) -> dict[Decimal, Decimal]:
    """Give the tax per rate that the order states, where there is any."""
    return {row.rate: row.tax for row in order.totals.tax_by_rate if row.tax}


def _taxes_of(invoice: Mapping[str, Any], rate_of: Mapping[str, Decimal]) -> dict[Decimal, Decimal]:
    found: dict[Decimal, Decimal] = {}
    for row in invoice["taxes"]:
        amount = Decimal(str(row["tax_amount"]))
        if amount:
            rate = rate_of[row["tax_name"].partition(" (")[0]]
            found[rate] = found.get(rate, Decimal(0)) + amount
    return found


async def test_real_orders_are_booked_to_the_cent_or_parked(
    tmp_path: Path, kafka_servers: str, migrated_database_url: str, zoho_url: str, topics: MakeTopic
) -> None:
    """By the ledger's own books: consistent orders have one invoice with the stated total and VAT, others none."""
    known = documents()
    orders = [document.order for document in known.values()]
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=migrated_database_url,
        ledger_url=zoho_url,
        make_topic=topics,
        organization=organization(orders),
    ) as installation:
        await installation.apply()
        await installation.connect()
        async with installation.process() as booked:
            await installation.publish("paid", [wire(order_id, each.order) for order_id, each in known.items()])
            await until(lambda: created_invoices(installation), lambda n: n >= KILL_AFTER, what="some are booked")
            await booked.kill9()
            await booked.start()
            told = await installation.synced(len(known))
        await _prove(installation, known, told)


async def _prove(installation: Installation, known: Mapping[str, Neutral], told: Mapping[str, Any]) -> None:
    live = await installation.live_invoices()
    booked = {order_id for order_id, data in told.items() if data["state"] == "booked"}
    assert set(live) == booked
    assert [order_id for order_id in booked if not known[order_id].consistent] == []
    reasons = {order_id: data["reason"]["code"] for order_id, data in told.items() if order_id not in booked}
    untrue = {o: code for o, code in reasons.items() if known[o].consistent and code not in TRUE_REASONS}
    assert untrue == {}
    assert len(booked) >= 38, json.dumps(reasons, indent=1)
    rates = {rate for document in known.values() for rate in stated_taxes(document.order)}
    rate_of = {f"VAT {rate}": rate for rate in rates}
    for order_id in booked:
        (invoice,) = live[order_id]
        order = known[order_id].order
        assert Decimal(str(invoice["total"])) == order.totals.grand_total, order_id
        if stated_taxes(order):
            assert _taxes_of(invoice, rate_of) == stated_taxes(order), order_id
