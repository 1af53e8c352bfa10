"""Orders that cannot be booked, as they come from real shops: each is a good order with one thing wrong.

What Booked has to say of it is decided here, when the order is made.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.shop.expectations import Expectation, Parked, Rejected, ShopOrder

Data = dict[str, Any]
UNKNOWN_CURRENCY = "QQQ"
CURRENCY_NOT_IN_LEDGER = "KES"
RATE_NOT_IN_LEDGER = "17.5"


def spoil(order: ShopOrder, wrong: "Wrong") -> ShopOrder:
    """Give the order with one thing wrong, and what is to be said of it."""
    change, expected = wrong
    return replace(order, data=change(dict(order.data)), expected=expected)


Wrong = tuple[Callable[[Data], Data], Expectation]


def _negative_quantity(data: Data) -> Data:
    """A return, sent as a line of the order instead of a refund."""
    first, *rest = data["lines"]
    returned = {**first, "id": "return", "quantity": "-1", "total": str(-Decimal(first["unit_price"]))}
    return data | {"lines": [first, *rest, returned]}


def _unknown_currency(data: Data) -> Data:
    return data | {"currency": UNKNOWN_CURRENCY}


def _total_off(data: Data) -> Data:
    """A plug-in has added a euro to the total and told nobody what for."""
    total = Decimal(data["totals"]["grand_total"]) + 1
    return data | {"totals": data["totals"] | {"grand_total": str(total)}}


def _tax_missing(data: Data) -> Data:
    """A rate that was abolished years ago is still in the shop's table."""
    line = data["lines"][0] | {"taxes": [{"rate": RATE_NOT_IN_LEDGER, "name": "VAT 17.5 %"}]}
    # Of a buyer who owes the VAT himself, a rate without an amount may rightly be taken as not charged.
    customer = {name: value for name, value in data["customer"].items() if name != "reverse_charge"}
    return data | {"lines": [line, *data["lines"][1:]], "customer": customer}


def _tax_without_rate(data: Data) -> Data:
    """Tax is stated for the whole order, and no line says its rate."""
    bare = {where: [_untaxed(one) for one in data[where]] for where in ("lines", "shipping", "fees") if where in data}
    return data | bare | {"totals": {"tax": "3.00", "grand_total": data["totals"]["grand_total"]}}


def _untaxed(entry: Data) -> Data:
    return {name: value for name, value in entry.items() if name != "taxes"}


def _gift_card_sold(data: Data) -> Data:
    """A gift card is sold: no revenue, and there is no account for it."""
    card = {
        "id": "gift",
        "name": "Gift card 25",
        "kind": "gift_card",
        "quantity": "1",
        "unit_price": "25",
        "total": "25",
    }
    total = Decimal(data["totals"]["grand_total"]) + 25
    return data | {"lines": [*data["lines"], card], "totals": data["totals"] | {"grand_total": str(total)}}


def _currency_not_in_ledger(data: Data) -> Data:
    return data | {"currency": CURRENCY_NOT_IN_LEDGER}


def _no_currency(data: Data) -> Data:
    return {name: value for name, value in data.items() if name != "currency"}


SPOILED: tuple[Wrong, ...] = (
    (_negative_quantity, Parked(reason="negative_quantity")),
    (_total_off, Parked(reason="totals_do_not_follow")),
    (_unknown_currency, Parked(reason="unknown_currency")),
    (_tax_missing, Parked(reason="tax_missing")),
    (_no_currency, Rejected(reason="missing_field")),
    (_tax_without_rate, Parked(reason="tax_would_be_lost")),
    (_gift_card_sold, Parked(reason="not_supported")),
    (_currency_not_in_ledger, Parked(reason="currency_missing")),
)
"""Every way to be wrong, in the order in which they come."""
