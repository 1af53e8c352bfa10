"""What tax a shop may truly state at a rate: as far as its roundings reach, and not a minor unit further.

Where amounts are whole minor units and say how they come about, the shops' three roundings leave little: the tax of
the rate's sum, of each line, or of each unit, rounded and added up. 2.70 at 22 % is 0.594: 0.59, and 0.60 is wrong.
Amounts that were themselves rounded, and discounts whose spread is not told, leave half a unit for each rounding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

from consumer.domain.bases import Base, Parts, exact_taxes, taxes_of
from consumer.domain.charges import Charges, Position
from consumer.domain.money import ZERO
from consumer.domain.splitting import is_whole

_HUNDRED = Decimal(100)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The tax that the amounts give at a rate, exactly, and the least and the most that a shop may state."""

    exact: Decimal
    least: Decimal
    most: Decimal

    def admits(self, tax: Decimal) -> bool:
        """Tell whether a shop may state this."""
        return self.least <= tax <= self.most


NOTHING = Span(exact=ZERO, least=ZERO, most=ZERO)


def spans(charges: Charges, parts: Parts) -> dict[Decimal, Span]:
    """Give for each rate of the order what its tax may be."""
    told = _told_by_rate(charges)
    found = {}
    for rate, tax in taxes_of(charges, parts.by_tax, None).items():
        if rate in told and not charges.reductions:
            sides = (*_sides(tax, charges.digits), *told[rate])
            found[rate] = Span(exact=tax, least=min(sides), most=max(sides))
        else:
            room = _room(charges, rate, is_told=rate in told)
            found[rate] = Span(exact=tax, least=tax - room, most=tax + room)
    return found


def _room(charges: Charges, rate: Decimal, *, is_told: bool) -> Decimal:
    """Give how far a tax may be off where it is not told how a discount was spread, or what amounts were rounded from.

    Each unit's tax may have been rounded. Of amounts that are told only the discounts are uncertain besides: each by a
    minor unit at this rate, and by half of one for each line that it was rounded on.
    """
    own = [position for position in charges.positions if rate in _rates(charges, position)]
    often = sum((max(position.quantity, _ONE) for position in own), ZERO)
    discounts = len(charges.reductions)
    if not is_told:
        return play_of(rate, max(often + 2 * discounts * len(own), _ONE), charges.digits)
    half = _half(charges.digits)
    return half * often + half * discounts * (2 + len(own)) * rate / _HUNDRED


def play_of(rate: Decimal, times: Decimal, digits: int) -> Decimal:
    """Give how far a tax may be off that was rounded so many times, of amounts that were rounded as often."""
    return _half(digits) * times * (1 + rate / _HUNDRED)


def _half(digits: int) -> Decimal:
    return Decimal(5).scaleb(-digits - 1)


def _sides(tax: Decimal, digits: int) -> tuple[Decimal, Decimal]:
    """Round to the nearest minor unit; of an exact half both, because prices with tax may round the net instead."""
    unit = _ONE.scaleb(-digits)
    return tax.quantize(unit, rounding=ROUND_HALF_UP), tax.quantize(unit, rounding=ROUND_HALF_DOWN)


def _rates(charges: Charges, position: Position) -> tuple[Decimal, ...]:
    tax = charges.taxes[position.tax]
    return tax.parts or (tax.rate,)


def _told_by_rate(charges: Charges) -> Mapping[Decimal, list[Decimal]]:
    """Give per rate what each way of rounding makes of its positions' taxes; a rate with a rounded position is out.

    A shop rounds in one way: so each way is summed by itself, and the least of one is never added to another's most.
    """
    found: dict[Decimal, list[Decimal]] = {}
    open_rates: set[Decimal] = set()
    for position in charges.positions:
        if not _is_told(position, charges.digits):
            open_rates.update(_rates(charges, position))
            continue
        for rate, sides in _position_sides(charges, position):
            sums = found.setdefault(rate, [ZERO] * len(sides))
            found[rate] = [total + side for total, side in zip(sums, sides, strict=True)]
    return {rate: sums for rate, sums in found.items() if rate not in open_rates}


def _is_told(position: Position, digits: int) -> bool:
    """Tell whether quantity, price and discount are whole minor units that give the amount: nothing was rounded."""
    return (
        is_whole(position.amount, digits)
        and is_whole(position.unit_price, digits)
        and is_whole(position.reduction, digits)
        and position.quantity * position.unit_price == position.amount
    )


def _position_sides(charges: Charges, position: Position) -> Iterator[tuple[Decimal, list[Decimal]]]:
    """Give per rate the tax of the line rounded, and of each of its pieces rounded; a half to either side."""
    digits = charges.digits
    net = position.amount - position.reduction
    count = position.quantity if is_whole(position.quantity, 0) else _ONE
    pieces = dict(exact_taxes(charges, Base(position.tax, net / count, position.inclusive)))
    for rate, tax in exact_taxes(charges, Base(position.tax, net, position.inclusive)):
        yield rate, [*_sides(tax, digits), *(side * count for side in _sides(pieces[rate], digits))]
