"""Somebody's own orders from a file: a JSON array, or one JSON object per line, of the order data of our schema.

What they must come to is what they state themselves: their total, and their VAT per rate where they state it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sandbox.errors import SandboxError
from sandbox.shop.expectations import Expectation, Rejected, ShopOrder, Stated
from schemas.orders import OrderPaid

FILE_BYTES_MAX = 256 * 1024 * 1024
ORDERS_MAX = 100_000
ANY_REASON = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxesUsed:
    """The taxes that orders name: simple rates in percent, and the sets of rates that stand together on a line."""

    rates: tuple[Decimal, ...]
    groups: tuple[tuple[Decimal, ...], ...]


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
    for where, data in _entries(text, file.name):
        order = _order(data, where)
        found[order.key] = order
    if not 0 < len(found) <= ORDERS_MAX:
        raise SandboxError(f"{file} holds {len(found)} orders; there have to be 1 to {ORDERS_MAX}")
    return tuple(found.values())


def _entries(text: str, name: str) -> Sequence[tuple[str, Any]]:
    if text.lstrip().startswith("["):
        return [(f"{name}, order {at}", one) for at, one in enumerate(_parsed(text, name), 1)]
    lines = [(f"{name}, line {at}", line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [(where, _parsed(line, where)) for where, line in lines]


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SandboxError(f"{where}: this is not JSON: {error}") from error


def _order(data: Any, where: str) -> ShopOrder:
    if not isinstance(data, dict) or not data.get("shop_id") or not data.get("order_id"):
        raise SandboxError(f"{where}: an order needs shop_id and order_id (docs/events.md has all fields)")
    return ShopOrder(data=data, expected=_expected(data))


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
    groups: dict[tuple[Decimal, ...], None] = {}
    for order in orders:
        for entry in _taxed(order.data):
            found = tuple(rate for tax in entry.get("taxes") or () if (rate := _rate(tax)) is not None and rate)
            rates |= dict.fromkeys(found)
            if len(found) > 1:
                groups[tuple(sorted(found))] = None
    return TaxesUsed(rates=tuple(sorted(rates)), groups=tuple(sorted(groups)))


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
