"""The shop's orders: varied, the same for a seed, valid by the contract, and expected to end in a certain way."""

import json
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from sandbox.shop.arithmetic import decimals_of
from sandbox.shop.events import paid_event
from sandbox.shop.expectations import Booked, Parked, Rejected, ShopOrder, Standing
from sandbox.shop.orders import Season, make_order, make_season
from sandbox.shop.places import currencies_of_the_shop, taxes_of_the_shop
from schemas.catalog import MESSAGES
from schemas.orders import OrderPaid

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "generated"


@cache
def season() -> Season:
    """Give the orders of the demo."""
    return make_season(seed=1, orders=300, now=NOW)


def bookable() -> list[ShopOrder]:
    """Give those that are expected to be booked."""
    return [order for order in season().orders if isinstance(order.expected, Booked)]


def entries(order: ShopOrder) -> list[dict[str, Any]]:
    """Give lines, shipping and fees of an order."""
    return [one for where in ("lines", "shipping", "fees") for one in order.data.get(where, ())]


def test_the_same_seed_gives_the_same_orders() -> None:
    """Twice seed 1 is the same to the last field; seed 2 is other orders."""
    again = make_season(seed=1, orders=300, now=NOW)
    assert [order.data for order in again.orders] == [order.data for order in season().orders]
    other = make_season(seed=2, orders=300, now=NOW)
    assert [order.total for order in other.orders] != [order.total for order in season().orders]


def test_every_order_that_is_one_fits_the_published_schema() -> None:
    """By the contract's model and by the JSON Schema of the whole event; what is to be rejected fits neither."""
    message = next(one for one in MESSAGES if one.topic == "order.paid")
    schema = jsonschema.Draft202012Validator(json.loads((SCHEMA / message.schema_file).read_text("utf-8")))
    for order in season().orders:
        event = json.loads(paid_event(order.data, NOW.isoformat())[1])
        fits = schema.is_valid(event)
        assert fits != isinstance(order.expected, Rejected), order.key
        if fits:
            OrderPaid.model_validate(event["data"])


def test_at_least_95_of_a_hundred_are_bookable_and_the_rest_are_each_wrong_in_a_known_way() -> None:
    """288 of 300 are to be booked, eleven parked for seven reasons, one rejected."""
    kinds = Counter(type(order.expected) for order in season().orders)
    assert kinds == {Booked: 288, Parked: 11, Rejected: 1}
    reasons = {order.expected.reason for order in season().orders if isinstance(order.expected, Parked)}
    assert reasons == {
        "negative_quantity",
        "totals_do_not_follow",
        "unknown_currency",
        "tax_missing",
        "tax_would_be_lost",
        "not_supported",
        "currency_missing",
    }


def test_what_is_expected_is_what_the_order_states() -> None:
    """A bookable order states the total and the VAT per rate that are expected of it, in whole minor units."""
    for order in bookable():
        assert isinstance(order.expected, Booked)
        totals = order.data["totals"]
        rows = {Decimal(row["rate"]): Decimal(row["tax"]) for row in totals["tax_by_rate"] if Decimal(row["tax"])}
        assert Decimal(totals["grand_total"]) == order.expected.total
        assert rows == order.expected.vat_by_rate
        assert order.expected.total % Decimal(1).scaleb(-decimals_of(order.currency)) == 0
        assert order.expected.total >= 0


def test_payments_add_up_to_the_total() -> None:
    """Gift cards are payments: with them the payments come to the whole total, and nothing is taken off it."""
    kinds: Counter[str] = Counter()
    for order in bookable():
        paid = sum(Decimal(payment["amount"]) for payment in order.data["payments"])
        assert paid == Decimal(order.total)
        kinds.update(payment["kind"] for payment in order.data["payments"])
    assert kinds["gift_card"] > 10


def test_the_organisation_has_what_the_bookable_orders_need() -> None:
    """Each rate above nought and each currency of a bookable order is among those that the demo founds."""
    rates = {rate for _, rate in taxes_of_the_shop()}
    used = {Decimal(tax["rate"]) for order in bookable() for one in entries(order) for tax in one.get("taxes", ())}
    assert used <= rates
    assert {order.currency for order in bookable()} <= set(currencies_of_the_shop())


def test_the_orders_are_as_various_as_those_of_a_shop() -> None:
    """Each kind that the demo promises occurs among the bookable ones."""
    orders = bookable()
    data = [order.data for order in orders]
    lines = [line for one in data for line in one["lines"]]
    names = [str(one.get("customer", {}).get("name", "")) for one in data]
    scripts = {unicodedata.name(c).split()[0] for name in names for c in name if c.isalpha()}
    rows = [len([r for r in one["totals"]["tax_by_rate"] if Decimal(r["tax"])]) for one in data]
    seen = {
        "with tax": any(one["prices_include_tax"] for one in data),
        "without tax": any(not one["prices_include_tax"] and Decimal(one["totals"]["tax"]) for one in data),
        "currencies": len({order.currency for order in orders}) >= 6,
        "countries": len({one["billing_address"]["country"] for one in data}) >= 14,
        "line discounts": any("discount" in line for line in lines),
        "coupons over several rates": any("discounts" in one and n > 1 for one, n in zip(data, rows, strict=True)),
        "shipping reduced": any("discount" in ship for one in data for ship in one.get("shipping", ())),
        "fees": any(fee["kind"] == "fee" for one in data for fee in one.get("fees", ())),
        "cash rounding": any(fee["kind"] == "rounding" for one in data for fee in one.get("fees", ())),
        "companies": any("company" in one["customer"] for one in data),
        "reverse charge": any(one["customer"].get("reverse_charge") for one in data),
        "guests": any(order.standing is Standing.GUEST and not order.data["customer"] for order in orders),
        "scripts": {"GREEK", "ARABIC", "CJK", "LATIN"} <= scripts,
        "emoji": any("🐙" in line["name"] for line in lines),
        "fractions": any(line["quantity"] == "0.250" for line in lines),
        "free of charge": any(Decimal(line["total"]) == 0 for line in lines),
        "long names": any(len(line["name"]) > 120 for line in lines),
        "published twice": any(order.copies == 2 for order in orders),
        "customers again": max(Counter(one["customer"].get("id") for one in data if one["customer"]).values()) > 2,
    }
    assert [what for what, found in seen.items() if not found] == []


def test_no_two_customers_share_a_name_by_chance() -> None:
    """One name, one e-mail address, but for the namesake who is made on purpose and said to be one."""
    emails: dict[str, set[str]] = {}
    for order in season().orders:
        customer = order.data["customer"]
        if "name" in customer:
            emails.setdefault(customer.get("company") or customer["name"], set()).add(customer["email"])
    shared = [found for found in emails.values() if len(found) > 1]
    namesakes = {o.data["customer"]["email"] for o in season().orders if o.standing is Standing.NAMESAKE}
    assert len(shared) == 1
    assert len(shared[0] & namesakes) == 1


def test_customers_whom_the_ledger_has_before_order_something() -> None:
    """Four contacts with the same data and two who moved are in the ledger first, and each of them buys."""
    known = season().in_ledger
    assert Counter(one.standing for one in known) == {Standing.LISTED: 4, Standing.MOVED: 2}
    buyers = {order.data["customer"].get("email") for order in bookable()}
    assert {one.fields["email"] for one in known} <= buyers


def test_one_order_more_is_bookable_and_its_id_is_of_its_seed() -> None:
    """Seed 7 gives order 7-1001, whoever asks and whenever."""
    order = make_order(seed=7, now=NOW)
    assert order.key == ("demo-shop", "7-1001")
    assert isinstance(order.expected, Booked)
    assert make_order(seed=7, now=NOW).data == order.data
