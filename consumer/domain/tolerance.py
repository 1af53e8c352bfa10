"""A shop's tolerance for VAT: goals that differ from the shop's own VAT by a minor unit per rate, and what is said.

Used only where nothing is exact. The total is never touched, and the goals themselves come from an order whose parts
give its totals (domain/totals): a contradiction is parked before this is asked.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from consumer.domain.arithmetic import Figures
from consumer.domain.money import ZERO
from consumer.domain.texts import plain
from consumer.domain.totals import Goal


def near_goals(goal: Goal, figures: Figures, *, units: int, digits: int) -> Iterator[Goal]:
    """Give the goals within so many minor units per rate: what is nearest to these figures, then one rate at a time.

    Only rates that the figures have are moved: a document gets no rate that the order has not.
    """
    most = Decimal(units).scaleb(-digits)
    computed = {row.rate: row.tax for row in figures.tax_by_rate}
    off = {rate: tax - goal.tax_by_rate.get(rate, ZERO) for rate, tax in computed.items()}
    nearest = {rate: max(min(amount, most), -most) for rate, amount in off.items() if amount}
    if nearest:
        yield _moved(goal, nearest)
    for rate in computed:
        for step in (most, -most):
            if nearest != {rate: step}:
                yield _moved(goal, {rate: step})


def _moved(goal: Goal, steps: dict[Decimal, Decimal]) -> Goal:
    taxes = {**goal.tax_by_rate}
    for rate, step in steps.items():
        taxes[rate] = taxes.get(rate, ZERO) + step
    return replace(goal, tax_by_rate=taxes)


def differs_by_a_unit(goal: Goal, figures: Figures, digits: int) -> bool:
    """Tell whether the total is right and no rate's VAT is off by more than one minor unit."""
    computed = {row.rate: row.tax for row in figures.tax_by_rate}
    unit = Decimal(1).scaleb(-digits)
    off = [computed.get(rate, ZERO) - goal.tax_by_rate.get(rate, ZERO) for rate in {*computed, *goal.tax_by_rate}]
    return figures.total == goal.total and all(abs(amount) <= unit for amount in off)


def differences_in_words(goal: Goal, figures: Figures, digits: int) -> Iterator[str]:
    """Say for each rate by how much the document's VAT is not the shop's; nothing where it is exact."""
    computed = {row.rate: row.tax for row in figures.tax_by_rate}
    for rate in sorted({*computed, *goal.tax_by_rate}):
        off = computed.get(rate, ZERO) - goal.tax_by_rate.get(rate, ZERO)
        if off:
            amount = abs(off).quantize(Decimal(1).scaleb(-digits))
            way = "more" if off > 0 else "less"
            yield f"VAT at {plain(rate)} % is {amount} {way} than the shop's: within the shop's tolerance."
