"""How a discount beyond the lines' own is spread: over tax rates for a line of its own each, or over the positions."""

from collections.abc import Sequence
from decimal import Decimal

from consumer.domain.charges import Charges, Reduction
from consumer.domain.money import ZERO, split_by_largest_remainder

UNTAXED = 0  # the place of "no tax" in Charges.taxes


def over_taxes(charges: Charges, reduction: Reduction) -> dict[int, Decimal]:
    """Split a reduction over the taxes of its positions by what they come to; after tax it bears none.

    Parts of whole minor units that add up to the reduction exactly (largest remainder); a reduction that is itself no
    whole number of minor units is split exactly.
    """
    if reduction.after_tax:
        return {UNTAXED: reduction.amount}
    weights: dict[int, Decimal] = {}
    for at in reduction.positions:
        tax = charges.positions[at].tax
        weights[tax] = weights.get(tax, ZERO) + _worth(charges, at)
    parts = _split(reduction.amount, list(weights.values()), charges.digits)
    return {tax: part for tax, part in zip(weights, parts, strict=True) if part}


def over_positions(charges: Charges, reduction: Reduction, *, whole: bool = True) -> dict[int, Decimal]:
    """Split a reduction over its positions by what they come to: parts that add up to it exactly.

    ``whole`` parts are minor units by largest remainder; the others are the exact shares.
    """
    weights = [_worth(charges, at) for at in reduction.positions]
    parts = _split(reduction.amount, weights, charges.digits) if whole else _shares(reduction.amount, weights)
    return {at: part for at, part in zip(reduction.positions, parts, strict=True) if part}


def _worth(charges: Charges, at: int) -> Decimal:
    position = charges.positions[at]
    return max(position.amount - position.reduction, ZERO)


def _split(amount: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    if len(weights) == 1:
        return [amount]
    if is_whole(amount, digits):
        return split_by_largest_remainder(amount, weights, digits)
    return _shares(amount, weights)


def _shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    total = sum(weights, ZERO)
    return [amount * weight / total if total else amount / len(weights) for weight in weights]


def is_whole(amount: Decimal, digits: int) -> bool:
    """Tell whether the amount is a whole number of minor units."""
    units = amount.scaleb(digits)
    return units == units.to_integral_value()
