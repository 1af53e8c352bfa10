"""Somebody's own orders from a file: read in both forms, refused with the place where they are wrong."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.ledger import wanted_by
from sandbox.errors import SandboxError
from sandbox.shop.expectations import Rejected, Stated
from sandbox.shop.own_orders import read_orders_file

VAT = [{"rate": "22", "tax": "1.80"}, {"rate": "10.0", "tax": "0"}]


def order(order_id: str = "1", **more: Any) -> dict[str, Any]:
    """Give an order of our schema."""
    line = {"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "22"}]}
    totals = {"grand_total": "10.00", "tax_by_rate": VAT}
    return {
        "shop_id": "a",
        "order_id": order_id,
        "version": 1,
        "currency": "EUR",
        "lines": [line],
        "totals": totals,
    } | more


def written(folder: Path, text: str) -> Path:
    """Write a file."""
    file = folder / "orders.json"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("form", ["array", "lines"])
def test_an_array_and_lines_are_the_same(tmp_path: Path, form: str) -> None:
    """Two orders, in either form, are read with what they state; of an order given twice the last one holds."""
    orders = [order("1", currency="USD"), order("2"), order("1")]
    text = json.dumps(orders, indent=1) if form == "array" else "\n\n".join(map(json.dumps, orders)) + "\n"
    read = read_orders_file(written(tmp_path, text))
    assert [(one.key, one.currency) for one in read] == [(("a", "1"), "EUR"), (("a", "2"), "EUR")]
    assert read[0].expected == Stated(total=Decimal("10.00"), vat_by_rate={Decimal(22): Decimal("1.80")})


def test_an_order_without_vat_per_rate_is_expected_to_have_any(tmp_path: Path) -> None:
    """What the order does not state is not judged."""
    (read,) = read_orders_file(written(tmp_path, json.dumps([order(totals={"grand_total": 12.1})])))
    assert read.expected == Stated(total=Decimal("12.1"), vat_by_rate=None)


def test_what_the_contract_refuses_is_expected_to_be_rejected(tmp_path: Path) -> None:
    """An order without a currency is published all the same, to show what Booked says of it."""
    (read,) = read_orders_file(written(tmp_path, json.dumps([order(currency=None)])))
    assert read.expected == Rejected(reason="")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"shop_id": "a", "order_id": "1"}\n{"shop_id": ', "orders.json, line 2: this is not JSON"),
        ('[{"order_id": "1"}]', "orders.json, order 1: an order needs shop_id and order_id"),
        ("[]", "holds 0 orders"),
        ("\n", "holds 0 orders"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    """The message names the line or the order."""
    with pytest.raises(SandboxError, match=said):
        read_orders_file(written(tmp_path, text))


def test_an_organisation_gets_the_taxes_groups_and_currencies_of_the_orders(tmp_path: Path) -> None:
    """Rates on lines, shipping and fees; two on one line make a group; a code of four letters makes no currency."""
    double = {"name": "Book", "quantity": 1, "unit_price": 1, "taxes": [{"rate": "9.975"}, {"rate": 5.0}]}
    orders = [
        order("1", lines=[double], currency="CAD"),
        order("2", shipping=[{"amount": "1", "taxes": [{"rate": "10"}, {"rate": "0"}]}], currency="EURO"),
    ]
    wanted = wanted_by(read_orders_file(written(tmp_path, json.dumps(orders))))
    assert wanted.taxes == (
        ("VAT 5%", Decimal(5)),
        ("VAT 9.975%", Decimal("9.975")),
        ("VAT 10%", Decimal(10)),
        ("VAT 22%", Decimal(22)),
        ("VAT 0%", Decimal(0)),
    )
    assert wanted.groups == (("VAT 5%", "VAT 9.975%"),)
    assert wanted.currencies == ("CAD",)
