"""How the shop adds an order up: as EN 16931 says, VAT per rate over the whole document, halves away from zero.

What it does, in this order: a line is quantity times unit price, rounded to the currency's decimals, less the line's
discount. A coupon is spread over the rates of the product lines in proportion to what they come to, in whole minor
units, the odd units to the largest remainders. Per rate the lines, shipping and fees less the coupons' parts are one
base, and the VAT is computed on it and rounded once. Prices without tax: base times rate, on top. Prices with tax: the
base contains it, base times rate / (100 + rate). Gift cards pay, they reduce nothing. Shared with Booked and with the
ledger's stand-in is nothing: three programs that compute the same way alone can find each other's mistakes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

Key = TypeVar("Key")

ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "ISK", "CLP", "VND", "XAF", "XOF"})
_THREE_DECIMALS = frozenset({"KWD", "BHD", "OMR", "JOD", "TND"})


def decimals_of(currency: str) -> int:
    """Give how many decimals an amount of the currency has."""
    if currency in _WITHOUT_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Round, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def line_amount(quantity: Decimal, unit_price: Decimal, discount: Decimal, decimals: int) -> Decimal:
    """Give what a line comes to after its own discount."""
    return rounded(quantity * unit_price, decimals) - discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One amount of an order and its VAT rate in percent; only products are reduced by coupons.

    ``taxed`` is false where the order names no tax for it at all: then it counts in no row of VAT.
    """

    amount: Decimal
    rate: Decimal
    is_product: bool = True
    taxed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Net and VAT of one rate."""

    rate: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What the customer owes, and the VAT in it, by ascending rate."""

    grand_total: Decimal
    rows: tuple[Row, ...]

    @property
    def tax(self) -> Decimal:
        """Give all VAT together."""
        return sum((row.tax for row in self.rows), ZERO)

    @property
    def vat_by_rate(self) -> dict[Decimal, Decimal]:
        """Give the VAT of each rate that has any."""
        return {row.rate: row.tax for row in self.rows if row.tax}


def bill_of(charges: Sequence[Charge], coupons: Sequence[Decimal], *, with_tax: bool, decimals: int) -> Bill:
    """Add an order up. ``coupons`` come off all products; ``with_tax`` says that every amount contains its VAT."""
    bases: dict[tuple[Decimal, bool], Decimal] = {}
    for charge in charges:
        key = (charge.rate, charge.taxed)
        bases[key] = bases.get(key, ZERO) + charge.amount
    for coupon in coupons:
        for key, part in _parts(coupon, charges, decimals).items():
            bases[key] -= part
    rows = [_row(rate, base, with_tax=with_tax, decimals=decimals) for (rate, taxed), base in bases.items() if taxed]
    stated = sum(bases.values(), ZERO)
    on_top = ZERO if with_tax else sum((row.tax for row in rows), ZERO)
    return Bill(grand_total=stated + on_top, rows=tuple(sorted(rows, key=lambda row: row.rate)))


def _row(rate: Decimal, base: Decimal, *, with_tax: bool, decimals: int) -> Row:
    if not with_tax:
        return Row(rate=rate, net=base, tax=rounded(base * rate / _HUNDRED, decimals))
    tax = rounded(base * rate / (_HUNDRED + rate), decimals)
    return Row(rate=rate, net=base - tax, tax=tax)


def _parts(coupon: Decimal, charges: Sequence[Charge], decimals: int) -> dict[tuple[Decimal, bool], Decimal]:
    worth: dict[tuple[Decimal, bool], Decimal] = {}
    for charge in charges:
        if charge.is_product:
            key = (charge.rate, charge.taxed)
            worth[key] = worth.get(key, ZERO) + charge.amount
    return spread(coupon, worth, decimals)


def spread(amount: Decimal, worth: Mapping[Key, Decimal], decimals: int) -> dict[Key, Decimal]:
    """Spread a positive amount in proportion, in whole minor units; the odd ones go to the largest remainders."""
    whole = sum(worth.values(), ZERO)
    if not whole:
        return {}
    unit = Decimal(1).scaleb(-decimals)
    exact = {key: amount * value / whole for key, value in worth.items()}
    parts = {key: share // unit * unit for key, share in exact.items()}
    left = int((amount - sum(parts.values(), ZERO)) / unit)
    for key in sorted(exact, key=lambda key: exact[key] - parts[key], reverse=True)[:left]:
        parts[key] += unit
    return parts
