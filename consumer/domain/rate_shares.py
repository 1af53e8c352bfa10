"""One charge whose several taxes share it instead of adding up: so much of it at one rate, so much at another.

Some shops spread shipping over the rates of the goods (German and Austrian shops must) and state it as one charge with
several taxes. Only the amounts of the taxes tell it from a tax group. 10.00 with 1.32 at 22 % and 0.40 at 10 %: as a
group the taxes would be 2.20 and 1.00; as shares 1.32 / 22 % + 0.40 / 10 % = 6.00 + 4.00, which is the charge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.money import ZERO, split_by_largest_remainder
from consumer.domain.orders import Tax

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of a charge under one tax: before its discount (``amount``), and the part of the discount."""

    amount: Decimal
    reduction: Decimal
    tax: Tax


def rate_shares(
    taxes: Sequence[Tax], *, amount: Decimal, reduction: Decimal, inclusive: bool, digits: int
) -> tuple[Share, ...]:
    """Split a charge over the rates of its taxes where their amounts say so; empty where it is one charge under all.

    The group's reading comes first: where it explains the amounts, nothing is split. Parts are whole minor units by
    largest remainder and add up to the charge; so do those of its discount.
    """
    charged = [tax for tax in taxes if tax.rate > 0]
    if len(charged) <= 1 or any(tax.amount is None or tax.compound for tax in charged):
        return ()
    whole = amount - reduction
    sign = -1 if whole < 0 else 1
    told = [sign * (tax.amount or ZERO) for tax in charged]
    if not whole or min(told) < 0 or _is_group(charged, told, abs(whole), inclusive=inclusive, digits=digits):
        return ()
    exact = _exact_shares(charged, told, abs(whole), inclusive=inclusive, digits=digits)
    if exact is None:
        return ()
    parts = _split(whole, exact, digits)
    reductions = _split(reduction, exact, digits)
    return tuple(
        Share(amount=part + less, reduction=less, tax=tax)
        for part, less, tax in zip(parts, reductions, charged, strict=True)
        if part or less
    )


def _half(digits: int) -> Decimal:
    return Decimal(5).scaleb(-digits - 1)


def _is_group(taxes: Sequence[Tax], told: Sequence[Decimal], whole: Decimal, *, inclusive: bool, digits: int) -> bool:
    """Tell whether each tax is that of the whole charge, to half a minor unit."""
    divisor = _HUNDRED + (sum((tax.rate for tax in taxes), ZERO) if inclusive else ZERO)
    return all(
        abs(whole * tax.rate / divisor - amount) <= _half(digits) for tax, amount in zip(taxes, told, strict=True)
    )


def _exact_shares(
    taxes: Sequence[Tax], told: Sequence[Decimal], whole: Decimal, *, inclusive: bool, digits: int
) -> list[Decimal] | None:
    """Give the shares that the taxes tell, adding up to the charge; None where they cannot.

    A tax that was rounded by half a minor unit tells its share to half a unit over its rate. What the shares lack of
    the charge is placed in proportion to that play, so that none is moved further than its own tax allows.
    """
    factors = [tax.rate / (_HUNDRED + (tax.rate if inclusive else ZERO)) for tax in taxes]
    shares = [amount / factor for amount, factor in zip(told, factors, strict=True)]
    missing = whole - sum(shares, ZERO)
    play = [_half(digits) / factor for factor in factors]
    if missing < 0:
        play = [min(own, share) for own, share in zip(play, shares, strict=True)]  # no share is below nothing
    room = sum(play, ZERO)
    if abs(missing) > room:
        return None
    return [share + missing * own / room for share, own in zip(shares, play, strict=True)]


def _split(amount: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    units = amount.scaleb(digits)
    if units == units.to_integral_value():
        return split_by_largest_remainder(amount, weights, digits)
    total = sum(weights, ZERO)
    return [amount * weight / total for weight in weights]
