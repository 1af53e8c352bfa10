"""Somebody's own orders from a file: a JSON array, or one JSON object per line.

They are of our schema, or as WooCommerce or Shopify exports them (also in ``{"orders": […]}`` and ``{"order": {…}}``);
all orders of a file are of one shape. What they must come to is what they state themselves.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from sandbox.errors import SandboxError
from sandbox.shop.expectations import Expectation, NotBooked, Rejected, ShopOrder, Stated
from sandbox.shop.platform_orders import TITLES, Shape, is_paid, shape_of, status_of, summary_of, total_of, unwrapped
from schemas.orders import OrderPaid

FILE_BYTES_MAX = 256 * 1024 * 1024
ORDERS_MAX = 100_000
ANY_REASON = ""


class TaxUsed(NamedTuple):
    """One tax of several on a line; a compound one is taken of the net and the others."""

    rate: Decimal
    compound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxesUsed:
    """The taxes that orders name: rates in percent, and the sets of taxes that stand together on a line."""

    rates: tuple[Decimal, ...]
    groups: tuple[tuple[TaxUsed, ...], ...]


def read_orders_file(file: Path) -> tuple[ShopOrder, ...]:
    """Read the orders; of an order that is there several times the last one holds.

    Raises SandboxError, which names file and line, for what is not JSON or names no order.
    """
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise SandboxError(f"{file} has more than {FILE_BYTES_MAX} bytes: split it")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(f"{file} cannot be read: {error}") from error
    found: dict[tuple[str, str], ShopOrder] = {}
    shape: Shape | None = None
    for where, data in _entries(text, file.name):
        this = _shape(data, where)
        if shape not in (None, this):
            raise SandboxError(f"{where}: this is {TITLES[this]}, and the orders before are {TITLES[shape or this]}")
        shape = this
        order = _order(data, this)
        found[order.key] = order
    if not 0 < len(found) <= ORDERS_MAX:
        raise SandboxError(f"{file} holds {len(found)} orders; there have to be 1 to {ORDERS_MAX}")
    return tuple(found.values())


def _entries(text: str, name: str) -> Sequence[tuple[str, Any]]:
    if text.lstrip().startswith("["):
        return [(f"{name}, order {at}", one) for at, one in _flat(enumerate(_parsed(text, name), 1))]
    whole = _wrapped_whole(text)
    if whole is not None:
        return [(f"{name}, order {at}", one) for at, one in enumerate(whole, 1)]
    lines = [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    parsed = ((at, _parsed(line, f"{name}, line {at}")) for at, line in lines)
    return [(f"{name}, line {at}", one) for at, one in _flat(parsed)]


def _flat(entries: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    return ((at, one) for at, entry in entries for one in unwrapped(entry))


def _wrapped_whole(text: str) -> list[Any] | None:
    """Give the orders of a file that is one object over several lines; None where it is lines of objects."""
    try:
        return unwrapped(json.loads(text, parse_float=Decimal))
    except (ValueError, RecursionError):
        return None


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SandboxError(f"{where}: this is not JSON: {error}") from error


def _shape(data: Any, where: str) -> Shape:
    shape = shape_of(data)
    if shape is None:
        raise SandboxError(
            f"{where}: an order needs shop_id and order_id (docs/events.md has all fields), or id, line_items and "
            "total (WooCommerce) or total_price (Shopify)"
        )
    return shape


def _order(data: Mapping[str, Any], shape: Shape) -> ShopOrder:
    if shape is Shape.BOOKED:
        return ShopOrder(data=data, expected=_expected(data))
    total = total_of(data, shape)
    paid = is_paid(data, shape) and total is not None
    expected = (
        Stated(total=total, vat_by_rate=None, or_refused=True)
        if paid and total is not None
        else NotBooked(status=status_of(data, shape))
    )
    return ShopOrder(data=summary_of(data, shape), expected=expected, raw=data, platform=shape.value)


def _expected(data: Mapping[str, Any]) -> Expectation:
    try:
        totals = OrderPaid.model_validate(data).totals
    except ValidationError:
        return Rejected(reason=ANY_REASON)
    rows: dict[Decimal, Decimal] = {}
    for row in totals.tax_by_rate:
        rows[row.rate] = rows.get(row.rate, Decimal(0)) + row.tax
    nonzero = {rate: tax for rate, tax in rows.items() if tax}
    return Stated(total=totals.grand_total, vat_by_rate=nonzero if totals.tax_by_rate else None)


def taxes_used(orders: Sequence[ShopOrder]) -> TaxesUsed:
    """Gather the taxes that orders name, so that an organisation with all of them can be made."""
    rates: dict[Decimal, None] = {}
    groups: dict[tuple[TaxUsed, ...], None] = {}
    for order in orders:
        for entry in _taxed(order.data):
            found = tuple(used for tax in entry.get("taxes") or () if (used := _used(tax)) is not None)
            rates |= dict.fromkeys(used.rate for used in found if not used.compound or len(found) == 1)
            if len(found) > 1:
                groups[tuple(sorted(found))] = None
    return TaxesUsed(rates=tuple(sorted(rates)), groups=tuple(sorted(groups)))


def _used(tax: Any) -> TaxUsed | None:
    rate = _rate(tax)
    return TaxUsed(rate, bool(tax.get("compound"))) if rate else None


def _taxed(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = [one for where in ("lines", "shipping", "fees") for one in data.get(where) or ()]
    return [one for one in parts if isinstance(one, Mapping)]


def _rate(tax: Any) -> Decimal | None:
    try:
        return Decimal(str(tax["rate"])).normalize()
    except (InvalidOperation, TypeError, KeyError):
        return None


def currencies_used(orders: Sequence[ShopOrder]) -> tuple[str, ...]:
    """Gather the currencies that orders are in, as they are written."""
    return tuple(dict.fromkeys(order.currency.upper() for order in orders if order.currency))
