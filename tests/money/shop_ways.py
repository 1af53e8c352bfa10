"""How shops compute: each way is a procedure as a platform or its manual describes it, from prices to totals.

WooCommerce: coupons in whole cents with the remainder handed out one by one (a fixed one evenly over the pieces, a
percentage by line, half down); line totals kept unrounded; VAT of each line rounded, or with "round at subtotal" once
per rate; half down where prices contain tax. Shopify: discounts allocated to lines in cents, VAT of each line and tax
half up. Others: line amounts in cents, VAT per line or per rate; some round each piece first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.money.amounts import PERCENT, by_largest_remainder, half_down, half_up, minor, to_minor


class Lines(StrEnum):
    """When the amount of a line is rounded."""

    ROUNDED = "line"
    PIECES = "piece"  # the price of one piece first
    EXACT = "never"


class Coupons(StrEnum):
    """How a coupon is shared among the lines."""

    PROPORTIONAL = "proportional"
    WOOCOMMERCE = "woocommerce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One shop's way. ``per_rate``: VAT is rounded once per rate, else on each line."""

    name: str
    weight: int
    inclusive: bool
    per_rate: bool
    lines: Lines = Lines.ROUNDED
    coupons: Coupons = Coupons.PROPORTIONAL
    tells_shares: bool = True  # whether coupons are told within the lines, or on the order
    half_down: bool = False  # of VAT


_WOO = {"lines": Lines.EXACT, "coupons": Coupons.WOOCOMMERCE}
WAYS = (
    Way(name="WooCommerce, net, per line", weight=10, inclusive=False, per_rate=False, **_WOO),  # type: ignore[arg-type]  # a dict of two types
    Way(name="WooCommerce, net, per rate", weight=8, inclusive=False, per_rate=True, **_WOO),  # type: ignore[arg-type]  # as above
    Way(name="WooCommerce, gross, per line", weight=10, inclusive=True, per_rate=False, half_down=True, **_WOO),  # type: ignore[arg-type]  # as above
    Way(name="WooCommerce, gross, per rate", weight=8, inclusive=True, per_rate=True, half_down=True, **_WOO),  # type: ignore[arg-type]  # as above
    Way(name="Shopify, net", weight=12, inclusive=False, per_rate=False),
    Way(name="Shopify, gross", weight=12, inclusive=True, per_rate=False),
    Way(name="net, per rate", weight=12, inclusive=False, per_rate=True, tells_shares=False),
    Way(name="net, per line", weight=8, inclusive=False, per_rate=False, tells_shares=False),
    Way(name="gross, per rate", weight=8, inclusive=True, per_rate=True, tells_shares=False),
    Way(name="gross, per line", weight=4, inclusive=True, per_rate=False, tells_shares=False),
    Way(name="net, pieces rounded, per rate", weight=4, inclusive=False, per_rate=True, lines=Lines.PIECES),
    Way(name="gross, pieces rounded, per line", weight=4, inclusive=True, per_rate=False, lines=Lines.PIECES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One tax on a charge, its rate in thousandths of a percent."""

    rate: int
    compound: bool = False


def line_amount(way: Way, price: int, quantity: int, digits: int) -> int:
    """Give a line's amount before discounts, in points, from price and quantity in their steps."""
    if way.lines is Lines.PIECES:
        return to_minor(price * 1000, digits) * quantity // 1000
    exact = price * quantity
    return exact if way.lines is Lines.EXACT else to_minor(exact, digits)


def percent_off(way: Way, amount: int, percent: int, pieces: int, digits: int) -> int:
    """Give what a percentage takes off a line, in whole minor units."""
    unit = minor(digits)
    if way.lines is Lines.PIECES:
        each = amount // pieces
        return (each - half_up(each * (100 - percent), 100 * unit) * unit) * pieces
    rounded = half_down if way.coupons is Coupons.WOOCOMMERCE else half_up
    return rounded(amount * percent, 100 * unit) * unit


def coupon_percent(way: Way, amounts: list[int], percent: int, digits: int) -> list[int]:
    """Share a percentage of the whole among the lines, in points."""
    unit = minor(digits)
    if way.coupons is Coupons.PROPORTIONAL:
        whole = half_up(sum(amounts) * percent, 100 * unit)
        return _capped([part * unit for part in by_largest_remainder(whole, amounts)], amounts, unit)
    given = [half_down(amount * percent, 100 * unit) for amount in amounts]
    left = half_down(sum(amounts) * percent, 100 * unit) - sum(given)
    return _capped(
        [part * unit for part in _handed_out(given, left, [amount // unit for amount in amounts])], amounts, unit
    )


def coupon_fixed(way: Way, amounts: list[int], pieces: list[int], value: int, digits: int) -> list[int]:
    """Share a fixed coupon, given in minor units, among the lines, in points; never more than they come to."""
    unit = minor(digits)
    value = min(value, sum(amount // unit for amount in amounts))
    if way.coupons is Coupons.PROPORTIONAL:
        return _capped([part * unit for part in by_largest_remainder(value, amounts)], amounts, unit)
    count = sum(pieces) or 1
    most = [amount // unit for amount in amounts]
    given = [min(value // count * number, top) for number, top in zip(pieces, most, strict=True)]
    return [part * unit for part in _handed_out(given, value - sum(given), most)]


def _handed_out(given: list[int], left: int, most: list[int]) -> list[int]:
    """Hand out what is left one unit at a time, line after line, to those that can still bear it."""
    while left > 0 and any(part < top for part, top in zip(given, most, strict=True)):
        for at, top in enumerate(most):
            if left and given[at] < top:
                given[at] += 1
                left -= 1
    return given


def _capped(parts: list[int], amounts: list[int], unit: int) -> list[int]:
    return [min(part, amount // unit * unit) for part, amount in zip(parts, amounts, strict=True)]


# ---- VAT ------------------------------------------------------------------------------------------------------------


def shares_of(taxes: tuple[Tax, ...]) -> list[int]:
    """Give each tax's share of a net amount, in 1/PERCENT², a compound one taken of the net and the taxes before it."""
    simple = sum(tax.rate for tax in taxes if not tax.compound)
    return [tax.rate * (PERCENT + simple) if tax.compound else tax.rate * PERCENT for tax in taxes]


def exact_taxes(amount: int, taxes: tuple[Tax, ...], *, inclusive: bool) -> list[tuple[int, int]]:
    """Give each tax of an amount as a fraction of points: numerator and denominator."""
    shares = shares_of(taxes)
    below = PERCENT * PERCENT + (sum(shares) if inclusive else 0)
    return [(amount * share, below) for share in shares]


def rounded_tax(way: Way, fraction: tuple[int, int], digits: int) -> int:
    """Round one tax to minor units as the shop does; in points."""
    unit = minor(digits)
    rounded = half_down if way.half_down else half_up
    return rounded(fraction[0], fraction[1] * unit) * unit


def vat(way: Way, bases: Sequence[tuple[int, tuple[Tax, ...]]], digits: int) -> tuple[dict[int, int], list[list[int]]]:
    """Give VAT per rate in points, and per charge and tax: rounded on each of them, or summed first."""
    each = [exact_taxes(amount, taxes, inclusive=way.inclusive) for amount, taxes in bases]
    rounded = [[rounded_tax(way, one, digits) for one in charge] for charge in each]
    by_rate: dict[int, int] = {}
    if not way.per_rate:
        for (_, taxes), amounts in zip(bases, rounded, strict=True):
            for tax, amount in zip(taxes, amounts, strict=True):
                by_rate[tax.rate] = by_rate.get(tax.rate, 0) + amount
        return by_rate, rounded
    # Two taxes of one rate are two taxes: each is rounded by itself.
    sums: dict[tuple[int, int, int, int], int] = {}
    for (_, taxes), fractions in zip(bases, each, strict=True):
        for at, (tax, (above, below)) in enumerate(zip(taxes, fractions, strict=True)):
            key = (tax.rate, below, at, len(taxes))
            sums[key] = sums.get(key, 0) + above
    for (rate, below, _, _), above in sums.items():
        by_rate[rate] = by_rate.get(rate, 0) + rounded_tax(way, (above, below), digits)
    return by_rate, rounded
