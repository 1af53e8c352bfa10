"""The exact amounts of an order that taxes are taken of: per tax, and per position with the discounts spread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.arithmetic import tax_factors
from consumer.domain.charges import Charges
from consumer.domain.money import ZERO, round_half_down, round_half_up
from consumer.domain.splitting import is_whole, over_positions, over_taxes

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Base:
    """An exact amount under one tax, and whether tax lies within it."""

    tax: int
    amount: Decimal
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """An order's exact amounts, per tax (in sum) and per position (discounts spread over the positions)."""

    by_tax: tuple[Base, ...]
    by_position: tuple[Base, ...]
    inexact: int  # how many of the amounts are no whole minor units: each may be off by half of one


def parts_of(charges: Charges) -> Parts:
    """Gather the amounts of an order, the discounts taken off."""
    positions, digits = charges.positions, charges.digits
    by_position = {at: position.amount - position.reduction for at, position in enumerate(positions)}
    by_tax: dict[tuple[int, bool], Decimal] = {}
    inexact = sum(not is_whole(amount, digits) for amount in by_position.values())
    for at, position in enumerate(positions):
        key = (position.tax, position.inclusive)
        by_tax[key] = by_tax.get(key, ZERO) + by_position[at]
    after_tax = []
    for reduction in charges.reductions:
        inexact += not is_whole(reduction.amount, digits)
        for tax, part in over_taxes(charges, reduction).items():
            by_tax[tax, reduction.inclusive] = by_tax.get((tax, reduction.inclusive), ZERO) - part
        if reduction.after_tax:
            after_tax.append(Base(0, -reduction.amount, reduction.inclusive))
            continue
        for at, part in over_positions(charges, reduction).items():
            by_position[at] -= part
    return Parts(
        by_tax=tuple(Base(tax, amount, inclusive) for (tax, inclusive), amount in by_tax.items()),
        by_position=(
            *(Base(positions[at].tax, amount, positions[at].inclusive) for at, amount in by_position.items()),
            *after_tax,
        ),
        inexact=inexact,
    )


def exact_taxes(charges: Charges, base: Base) -> Iterator[tuple[Decimal, Decimal]]:
    """Give per member of the base's tax its rate and the exact tax."""
    tax = charges.taxes[base.tax]
    if not tax.rate:
        return
    factors = tax_factors(tax.rate, tax.parts)
    divisor = _HUNDRED + sum((factor for _, factor in factors), ZERO) if base.inclusive else _HUNDRED
    for rate, factor in factors:
        yield rate, base.amount * factor / divisor


def taxes_of(
    charges: Charges, bases: Sequence[Base], digits: int | None, *, half_down: bool = False
) -> dict[Decimal, Decimal]:
    """Sum the tax per rate, each base's rounded to ``digits`` (None: not at all), a half up unless told otherwise."""
    rounded = round_half_down if half_down else round_half_up
    found: dict[Decimal, Decimal] = {}
    for base in bases:
        for rate, tax in exact_taxes(charges, base):
            found[rate] = found.get(rate, ZERO) + (tax if digits is None else rounded(tax, digits))
    return found
