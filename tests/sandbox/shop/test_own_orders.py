"""Somebody's own orders from a file: read in both forms, refused with the place where they are wrong."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.ledger import wanted_by
from sandbox.errors import SandboxError
from sandbox.shop.expectations import NotBooked, Rejected, Stated
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


def woo(**more: Any) -> dict[str, Any]:
    """Give an order as WooCommerce's REST interface does, without the rates of its taxes."""
    return {
        "id": 727,
        "number": "R-727",
        "status": "processing",
        "currency": "USD",
        "total": "29.35",
        "line_items": [
            {"id": 1, "total": "6.00", "total_tax": "0.45", "taxes": [{"id": 75, "total": "0.45"}]},
            {"id": 2, "total": "12.00", "total_tax": "0.90", "taxes": [{"id": 75, "total": "0.90"}]},
        ],
        "shipping_lines": [{"id": 3, "total": "10.00", "total_tax": "0.00", "taxes": []}],
        "tax_lines": [{"rate_id": 75}],
    } | more


def shopify(**more: Any) -> dict[str, Any]:
    """Give an order as Shopify's webhook does, with two taxes on one line."""
    return {
        "id": 450789469,
        "name": "#1001",
        "financial_status": "paid",
        "cancelled_at": None,
        "currency": "CAD",
        "total_price": "114.98",
        "line_items": [{"id": 1, "price": "100.00", "tax_lines": [{"rate": 0.05}, {"rate": 0.09975}]}],
        "shipping_lines": [],
    } | more


@pytest.mark.parametrize("order_of", [woo, shopify])
@pytest.mark.parametrize("form", ["array", "lines", "one", "orders", "order", "lines of order"])
def test_an_export_of_a_platform_is_recognised_in_every_form(tmp_path: Path, form: str, order_of: Any) -> None:
    """As an array, as lines, alone, and in both platforms' wrappers; what goes out is the payload, untouched."""
    payload = order_of()
    text = {
        "array": json.dumps([payload], indent=1),
        "lines": json.dumps(payload) + "\n" + json.dumps(payload),
        "one": json.dumps(payload, indent=1),
        "orders": json.dumps({"orders": [payload, payload]}, indent=1),
        "order": json.dumps({"order": payload}, indent=1),
        "lines of order": "\n".join(json.dumps({"order": payload}) for _ in "12"),
    }[form]
    (read,) = read_orders_file(written(tmp_path, text))
    platform = "woocommerce" if order_of is woo else "shopify"
    assert (read.platform, read.key) == (platform, (platform, str(payload["id"])))
    assert json.loads(json.dumps(read.raw, default=float)) == payload


def test_a_platforms_order_has_to_come_to_its_own_total(tmp_path: Path) -> None:
    """The payload's total is what is judged; it may be refused, since exports hold drafts as well."""
    (read,) = read_orders_file(written(tmp_path, json.dumps(woo())))
    assert read.expected == Stated(total=Decimal("29.35"), vat_by_rate=None, or_refused=True)
    assert (read.data["number"], read.currency, read.total) == ("R-727", "USD", "29.35")
    (read,) = read_orders_file(written(tmp_path, json.dumps(shopify())))
    assert read.expected == Stated(total=Decimal("114.98"), vat_by_rate=None, or_refused=True)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (woo(status="pending"), "pending"),
        (woo(status="cancelled"), "cancelled"),
        (shopify(financial_status="authorized"), "authorized"),
        (shopify(cancelled_at="2026-01-01T00:00:00Z"), "cancelled"),
    ],
)
def test_an_order_that_is_not_paid_is_not_to_be_booked(tmp_path: Path, payload: dict[str, Any], status: str) -> None:
    """By the statuses that are a platform's default."""
    (read,) = read_orders_file(written(tmp_path, json.dumps(payload)))
    assert read.expected == NotBooked(status=status)


def test_rates_are_read_or_worked_out_for_the_organisation(tmp_path: Path) -> None:
    """WooCommerce: 0.45 on 6.00 is 7.5 %, and a stated rate wins; Shopify: shares of one, two on a line are a group."""
    wanted = wanted_by(read_orders_file(written(tmp_path, json.dumps(woo()))))
    assert {rate for _, rate in wanted.taxes} == {Decimal("7.5"), Decimal(0)}
    stated = woo(tax_lines=[{"rate_id": 75, "rate_percent": 7.4}])
    wanted = wanted_by(read_orders_file(written(tmp_path, json.dumps(stated))))
    assert {rate for _, rate in wanted.taxes} == {Decimal("7.4"), Decimal(0)}
    wanted = wanted_by(read_orders_file(written(tmp_path, json.dumps(shopify()))))
    assert {rate for _, rate in wanted.taxes} == {Decimal(5), Decimal("9.975"), Decimal(0)}
    assert [len(group) for group in wanted.groups] == [2]
    assert wanted.currencies == ("CAD",)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([woo(), shopify()], r"orders.json, line 2: this is Shopify \(Admin\), and the orders before are WooCommerce"),
        ([woo(), {"id": 2, "line_items": []}], "orders.json, line 2: an order needs shop_id and order_id"),
        ([woo(), [1]], "orders.json, line 2: an order needs"),
    ],
)
def test_a_file_of_two_shapes_or_of_none_is_refused_with_the_line(
    tmp_path: Path, entries: list[Any], said: str
) -> None:
    """One file is one shop's export."""
    with pytest.raises(SandboxError, match=said):
        read_orders_file(written(tmp_path, "\n".join(map(json.dumps, entries))))


def test_a_compound_tax_and_two_taxes_of_one_rate_make_groups_of_their_own(tmp_path: Path) -> None:
    """1.20 is 2 % of 60.00, which is 50.00 and its 10.00 of tax; CGST and SGST of 9 % are two taxes."""
    taxes = [{"id": 1, "total": "10"}, {"id": 2, "total": "1.2"}]
    tax_lines = [{"rate_id": 1, "rate_percent": 20}, {"rate_id": 2, "compound": True}]
    line = {"total": "50.00", "total_tax": "11.20", "taxes": taxes}
    wanted = wanted_by(read_orders_file(written(tmp_path, json.dumps(woo(line_items=[line], tax_lines=tax_lines)))))
    assert ("VAT 20%", "VAT 2% compound") in wanted.groups or ("VAT 2% compound", "VAT 20%") in wanted.groups
    assert wanted.compound == {"VAT 2% compound"}
    double = {"name": "Book", "quantity": 1, "unit_price": 1, "taxes": [{"rate": "9"}, {"rate": "9"}]}
    wanted = wanted_by(read_orders_file(written(tmp_path, json.dumps([order("1", lines=[double])]))))
    assert wanted.groups == (("VAT 9%", "VAT 9% (2)"),)
    assert dict(wanted.taxes)["VAT 9% (2)"] == Decimal(9)
