"""Real WooCommerce orders of the shared data: every one is translated and booked to the cent, under either rounding."""

import json
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from tests.sources.woocommerce.payloads import DATA, booked

ORDERS = DATA / "orders-woocommerce"
pytestmark = pytest.mark.skipif(not ORDERS.exists(), reason=f"no shared data beside the repository ({ORDERS.name})")


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
    expected = (Decimal("36.68"), {Decimal(20): Decimal("5.99"), Decimal(2): Decimal("0.72")}, [(3, Decimal("9.99"))])
    assert invoices == [expected] * 3
