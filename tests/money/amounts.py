"""Exact amounts as whole numbers: one point is a ten-millionth of a currency's unit. Nothing of Booked is used here.

Prices have up to four decimals and quantities up to three, so that every product is a whole number of points.
"""

from collections.abc import Sequence
from decimal import Decimal

POINTS = 10**7  # of one unit
PRICE_STEPS = 10**4
QUANTITY_STEPS = 10**3
PERCENT = 10**5  # of a rate in thousandths of a percent


def minor(digits: int) -> int:
    """Give the points of a currency's smallest unit."""
    return int(10 ** (7 - digits))


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number, a half away from zero."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    whole, rest = divmod(abs(numerator), abs(denominator))
    return sign * (whole + (2 * rest >= abs(denominator)))


def half_down(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number, a half towards zero: some shops' way with discounts and VAT."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    whole, rest = divmod(abs(numerator), abs(denominator))
    return sign * (whole + (2 * rest > abs(denominator)))


def to_minor(points: int, digits: int) -> int:
    """Round to the currency's decimals, half up; in points again."""
    unit = minor(digits)
    return half_up(points, unit) * unit


def by_largest_remainder(whole: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number in proportion; what is left goes to the largest remainders, of equal ones to the first."""
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    parts = [divmod(whole * weight, total) for weight in weights]
    given = [part for part, _ in parts]
    order = sorted(range(len(weights)), key=lambda at: (-parts[at][1], at))
    for at in order[: whole - sum(given)]:
        given[at] += 1
    return given


def text(points: int) -> str:
    """Write an amount as the contract has it: a decimal text without needless zeros."""
    return _plain(Decimal(points).scaleb(-7))


def scaled(value: int, steps: int) -> str:
    """Write a price or a quantity that is counted in such steps."""
    return _plain(Decimal(value) / steps)


def _plain(value: Decimal) -> str:
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
