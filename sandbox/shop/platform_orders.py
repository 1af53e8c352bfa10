"""Orders of WooCommerce and Shopify as those export them: recognised, and read as far as the judgement needs.

What they must come to is what the payload itself says: its ``total`` or ``total_price``. Everything else of it goes to
Booked unread, and this module shares no code with the adapters there.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

WOO_PAID = frozenset({"processing", "completed"})
SHOPIFY_PAID = frozenset({"paid", "partially_refunded"})
_HUNDRED = Decimal(100)
_RATE_DECIMALS_MAX = 3


class Shape(StrEnum):
    """In whose words the orders of a file are; the value is that of a shop's ``source``."""

    BOOKED = "booked"
    WOOCOMMERCE = "woocommerce"
    SHOPIFY = "shopify"


TITLES = {
    Shape.BOOKED: "our own contract",
    Shape.WOOCOMMERCE: "WooCommerce (REST)",
    Shape.SHOPIFY: "Shopify (Admin)",
}


def unwrapped(entry: Any) -> list[Any]:
    """Give the orders of ``{"orders": […]}`` and of ``{"order": {…}}``, as both platforms' interfaces wrap them."""
    if isinstance(entry, Mapping) and "line_items" not in entry and "shop_id" not in entry:
        if isinstance(entry.get("orders"), list):
            return list(entry["orders"])
        if isinstance(entry.get("order"), Mapping):
            return [entry["order"]]
    return [entry]


def shape_of(order: Any) -> Shape | None:
    """Recognise one order; None for what is none of the three."""
    if not isinstance(order, Mapping):
        return None
    if order.get("shop_id") and order.get("order_id"):
        return Shape.BOOKED
    if not isinstance(order.get("line_items"), list) or not isinstance(order.get("id"), str | int):
        return None
    if "total_price" in order:
        return Shape.SHOPIFY
    return Shape.WOOCOMMERCE if "total" in order else None


def summary_of(order: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Give what the demo shows and founds an organisation by, in the words of our contract; not all of the order."""
    woo = shape is Shape.WOOCOMMERCE
    charges = _woo_charges(order) if woo else _shopify_charges(order)
    return {
        "shop_id": shape.value,
        "order_id": str(order["id"]),
        "number": str(order.get("number" if woo else "name") or order["id"]),
        "currency": str(order.get("currency") or ""),
        "lines": [{"taxes": taxes} for taxes in charges if taxes],
        "totals": {"grand_total": str(order["total" if woo else "total_price"])},
    }


def is_paid(order: Mapping[str, Any], shape: Shape) -> bool:
    """Tell whether the platform's default statuses make it an order to book."""
    if shape is Shape.WOOCOMMERCE:
        return order.get("status") in WOO_PAID
    return order.get("financial_status") in SHOPIFY_PAID and not order.get("cancelled_at")


def status_of(order: Mapping[str, Any], shape: Shape) -> str:
    """Give the payload's own word for where it stands."""
    if shape is Shape.SHOPIFY and order.get("cancelled_at"):
        return "cancelled"
    return str(order.get("status" if shape is Shape.WOOCOMMERCE else "financial_status") or "without a status")


def total_of(order: Mapping[str, Any], shape: Shape) -> Decimal | None:
    """Give the payload's own total; None where it is no amount."""
    return _decimal(order["total" if shape is Shape.WOOCOMMERCE else "total_price"])


def _shopify_charges(order: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for charge in (*_objects(order, "line_items"), *_objects(order, "shipping_lines")):
        rates = [_decimal(tax.get("rate")) for tax in _objects(charge, "tax_lines")]
        yield [{"rate": (rate * _HUNDRED).normalize()} for rate in rates if rate]


def _woo_charges(order: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Give the taxes of each line, shipping and fee: as stated in ``tax_lines``, else worked out of the amounts."""
    stated = {str(tax.get("rate_id", tax.get("id"))): tax for tax in _objects(order, "tax_lines")}
    for name in ("line_items", "shipping_lines", "fee_lines"):
        for charge in _objects(order, name):
            parts = [tax for tax in _objects(charge, "taxes") if _decimal(tax.get("total"))]
            net = _decimal(charge.get("total"))
            if parts:
                yield list(_woo_taxes(parts, stated, net))
            else:
                rate = _rate(_decimal(charge.get("total_tax")), net)
                yield [{"rate": rate}] if rate else []


def _woo_taxes(
    parts: Sequence[Mapping[str, Any]], stated: Mapping[str, Mapping[str, Any]], net: Decimal | None
) -> Iterator[dict[str, Any]]:
    """Give one charge's taxes; a compound one beside others is taken of the net and the others."""
    named = [(stated.get(str(part.get("id")), {}), _decimal(part.get("total")) or Decimal(0)) for part in parts]
    simple = sum((amount for tax, amount in named if not tax.get("compound")), Decimal(0))
    for tax, amount in named:
        compound = bool(tax.get("compound")) and len(named) > 1
        base = None if net is None else net + (simple if compound else 0)
        rate = _decimal(tax.get("rate_percent")) or _rate(amount, base)
        if rate:
            yield {"rate": rate, "compound": compound}


def _rate(tax: Decimal | None, net: Decimal | None) -> Decimal | None:
    """Find the percentage with the fewest decimals that gives this tax on this amount, to the cent."""
    if not tax or not net:
        return None
    for decimals in range(_RATE_DECIMALS_MAX + 1):
        rate = round(tax / net * _HUNDRED, decimals)
        if abs(net * rate / _HUNDRED - tax) <= Decimal("0.005"):
            return rate.normalize()
    return None


def _objects(holder: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = holder.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _decimal(value: object) -> Decimal | None:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
