"""Numbers between JSON and Decimal: read without loss, written as JSON numbers."""

import json
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any


def round_half_up(value: Decimal, digits: int) -> Decimal:
    """Round to a number of digits after the point, a half away from zero."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def decimal_of(value: object) -> Decimal | None:
    """Read a JSON number or a numeric text as Decimal; None where it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        return None
    try:
        read = Decimal(value)
    except InvalidOperation:
        return None
    return read if read.is_finite() else None


def json_number(value: Decimal) -> int | float:
    """Give a Decimal as the number that JSON writes: 598 rather than 598.00, 199.99 as it is."""
    if value == value.to_integral_value():
        return int(value)
    return float(value)


def loads(text: str | bytes) -> Any:
    """Parse JSON, with Decimal where a number has a point. Raises `ValueError` (also for NaN and Infinity)."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def dumps(value: Any) -> str:
    """Write JSON as the ledger does, Decimals as numbers."""
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return json_number(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number.")
