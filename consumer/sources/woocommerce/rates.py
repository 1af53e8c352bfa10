"""The rates of a WooCommerce order's taxes: as its tax lines state them, else as its amounts tell.

WooCommerce states ``rate_percent`` since 3.7. Before, a rate is what all amounts of the tax agree on, to half a minor
unit each: 2.20 on 21.99 lies between 9.98 % and 10.03 %, and the plainest figure between is 10 %.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from consumer.sources.woocommerce.payload import ZERO, decimals

_HUNDRED = Decimal(100)
_TOLD_IN_WORDS = re.compile(r"(?<![0-9.,])([0-9]{1,2}(?:[.,][0-9]{1,4})?) ?%")
RATE_DECIMALS_MAX = 4  # WooCommerce keeps rates with four


@dataclass(frozen=True, slots=True)
class Seen:
    """A tax and the amount that it was taken of, as the shop states both."""

    base: Decimal
    tax: Decimal


def rate_in_words(*words: str) -> Decimal | None:
    """Read a rate out of a tax's code or label: "DE-VAT 19%-1"."""
    for word in words:
        found = _TOLD_IN_WORDS.search(word)
        if found:
            return Decimal(found.group(1).replace(",", "."))
    return None


def derived_rate(seen: Sequence[Seen], digits: int) -> Decimal | None:
    """Give the plainest rate that all amounts agree on; None where there are no amounts, or they agree on none.

    Where several rates of equally few decimals fit, amounts are too small to tell: their own quotient stands, which no
    tax of the ledger has unless it is the very rate.
    """
    useful = [one for one in seen if one.base and one.tax]
    if not useful:
        return None
    low, high = _bounds(useful, digits)
    for places in range(RATE_DECIMALS_MAX + 1):
        unit = Decimal(1).scaleb(-places)
        first = low.quantize(unit, rounding=ROUND_CEILING)
        last = high.quantize(unit, rounding=ROUND_FLOOR)
        if first == last > 0:
            return first.normalize()
        if first < last:
            return quotient(useful)
    return None


def fits(rate: Decimal, seen: Iterable[Seen], digits: int) -> bool:
    """Tell whether a rate gives all of the amounts, to half a unit of what they are written in."""
    useful = [one for one in seen if one.base]
    if not useful:
        return True
    low, high = _bounds(useful, digits)
    return low <= rate <= high


def quotient(seen: Iterable[Seen]) -> Decimal | None:
    """Give the sum of the taxes over the sum of what they were taken of, in percent."""
    rows = list(seen)
    base, tax = sum((one.base for one in rows), ZERO), sum((one.tax for one in rows), ZERO)
    if not base or not ZERO <= tax / base < _HUNDRED:
        return None
    return (tax / base * _HUNDRED).quantize(Decimal(1).scaleb(-6), rounding=ROUND_HALF_UP).normalize()


def _bounds(seen: Iterable[Seen], digits: int) -> tuple[Decimal, Decimal]:
    """Give the least and the most that the rate may be: both the tax and its base may have been rounded."""
    lows, highs = [ZERO], [_HUNDRED * _HUNDRED]
    for one in seen:
        base, tax = abs(one.base), abs(one.tax) if one.tax * one.base >= 0 else -abs(one.tax)
        base_play, tax_play = _half_of(one.base, digits), _half_of(one.tax, digits)
        lows.append((tax - tax_play) / (base + base_play) * _HUNDRED)
        if base > base_play:
            highs.append((tax + tax_play) / (base - base_play) * _HUNDRED)
    return max(lows), min(highs)


def _half_of(number: Decimal, digits: int) -> Decimal:
    return Decimal(5).scaleb(-max(digits, decimals(number)) - 1)
