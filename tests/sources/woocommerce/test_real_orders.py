"""Real WooCommerce orders of the shared data: every one is translated and booked to the cent, under either rounding."""

import json
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from tests.sources.woocommerce.payloads import DATA, booked, item, payload, tax_line

ORDERS = DATA / "orders-woocommerce"
VECTORS = DATA / "vectors" / "vectors.json"
pytestmark = pytest.mark.skipif(not ORDERS.exists(), reason=f"no shared data beside the repository ({ORDERS.name})")
CENT = Decimal("0.01")


def orders(name: str) -> list[dict[str, Any]]:
    """Give the payloads of a file."""
    lines = (ORDERS / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal)["order"] for line in lines]


@pytest.mark.parametrize("rounding", [TaxRounding.PER_RATE, TaxRounding.PER_LINE])
@pytest.mark.parametrize(("name", "count"), [("rest-docs.jsonl", 25), ("wcpos.jsonl", 4)])
def test_every_order_is_booked_with_the_shops_total_and_tax(name: str, count: int, rounding: TaxRounding) -> None:
    """The oracle is the payload's own total and total_tax."""
    found = orders(name)
    assert len(found) == count
    for order in found:
        result = booked(order, rounding)
        assert isinstance(result, Mapped), (order["id"], result)
        figures = compute(result.draft, 2, rounding)
        assert figures.total == Decimal(order["total"]), order["id"]
        assert figures.tax_total == Decimal(order["total_tax"]), order["id"]
        assert not result.draft.adjustment


def test_three_shapes_of_one_order_give_one_invoice() -> None:
    """With the decimals of the client, with six and with two: 29.97 at 20 % and 2 % on top is 29.97 + 5.99 + 0.72."""
    invoices = []
    for order in orders("wcpos.jsonl")[1:]:
        result = booked(order)
        assert isinstance(result, Mapped)
        taxes = {row.rate: row.tax for row in result.expected.tax_by_rate}
        invoices.append((result.expected.total, taxes, [(line.quantity, line.rate) for line in result.draft.lines]))
    expected = (
        Decimal("36.68"),
        {Decimal(20): Decimal("5.99"), Decimal(2): Decimal("0.72")},
        [(Decimal(3), Decimal("9.99"))],
    )
    assert invoices == [expected] * 3


def vectors() -> list[dict[str, Any]]:
    """Give WooCommerce's own test orders of one line at 10 % with coupons."""
    rows: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["orders"]
    return [row for row in rows if row["id"].startswith("coupons-")]


@pytest.mark.parametrize("rounding", [TaxRounding.PER_RATE, TaxRounding.PER_LINE])
def test_orders_of_the_platforms_own_tests_come_to_its_totals(rounding: TaxRounding) -> None:
    """1000.00 less coupons, with 10 % in it, on it, or untaxed: WooCommerce's total to the cent."""
    found = vectors()
    assert len(found) >= 15
    for row in found:
        total = Decimal(row["expect"]["total"])
        # REST rounds net and tax apart; of a shop that enters prices with tax the subtotal has its tax taken out too.
        net = (total / Decimal("1.1")).quantize(CENT) if row["taxed"] else total
        tax = total - net
        before = ("909.09", "90.91") if row["prices_include_tax"] else ("1000.00", "100.00" if row["taxed"] else "0.00")
        taxes = ((1, str(tax)),) if row["taxed"] else ()
        line = item(str(net), *taxes, subtotal=before[0], subtotal_tax=before[1])
        given = payload(
            line,
            total=str(total),
            tax=str(tax),
            currency=row["currency"],
            prices_include_tax=row["prices_include_tax"],
            tax_lines=[tax_line(1, 10, str(tax))] if row["taxed"] else [],
        )
        result = booked(given, rounding)
        assert isinstance(result, Mapped), (row["id"], result)
        assert compute(result.draft, 2, rounding).total == total, row["id"]
        assert not result.draft.adjustment
