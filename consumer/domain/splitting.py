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
    # The odd cent goes by rate, not by which line comes first: the order of the lines must not change the VAT.
    taxes = sorted(weights, key=lambda tax: _rank(charges, tax))
    parts = _split(reduction.amount, [weights[tax] for tax in taxes], charges.digits)
    by_tax = dict(zip(taxes, parts, strict=True))
    return {tax: by_tax[tax] for tax in weights if by_tax[tax]}


def over_positions(charges: Charges, reduction: Reduction, *, whole: bool = True) -> dict[int, Decimal]:
    """Split a reduction over its positions by what they come to: parts that add up to it exactly.

    ``whole`` parts are minor units by largest remainder; the others are the exact shares.
    """
    worth = {at: _worth(charges, at) for at in reduction.positions}
    # As above: of equal remainders the higher rate and the dearer position come first, wherever they stand.
    places = sorted(worth, key=lambda at: (_rank(charges, charges.positions[at].tax), -worth[at]))
    weights = [worth[at] for at in places]
    parts = _split(reduction.amount, weights, charges.digits) if whole else _shares(reduction.amount, weights)
    by_place = dict(zip(places, parts, strict=True))
    return {at: by_place[at] for at in worth if by_place[at]}


def _rank(charges: Charges, tax: int) -> tuple[Decimal, tuple[Decimal, ...], str]:
    chosen = charges.taxes[tax]
    return -chosen.rate, chosen.parts, chosen.tax_id or ""


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
