"""The edges of the tolerance for VAT: which figures are tried, what counts as a unit, and what a shop is told."""

import pytest

from consumer.domain.arithmetic import Figures
from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import RateFigures
from consumer.domain.states import ReasonCode
from consumer.domain.tolerance import differs_by_a_unit, near_goals
from consumer.domain.totals import Goal
from tests.domain.order_building import D, order, parked, stated, with_rounding, with_tax


def goal_of(total: str, **taxes: str) -> Goal:
    """Give a goal: ``goal_of("33.00", r22="2.00")``."""
    return Goal(total=D(total), tax_by_rate={D(rate[1:]): D(tax) for rate, tax in taxes.items()}, stated=True)


def figures_of(total: str, **taxes: str) -> Figures:
    """Give figures in the same way."""
    rows = tuple(RateFigures(rate=D(rate[1:]), net=None, tax=D(tax)) for rate, tax in taxes.items())
    return Figures(total=D(total), tax_total=sum((row.tax for row in rows), D(0)), tax_by_rate=rows)


def test_nearest_first_then_each_rate_up_and_down_and_nothing_twice() -> None:
    """2.00 and 1.00 where the ledger has 2.05 and 1.00: two cents up at 22 %, then down, then 10 % up and down."""
    near = near_goals(
        goal_of("33.00", r22="2.00", r10="1.00"), figures_of("33.00", r22="2.05", r10="1.00"), units=2, digits=2
    )
    tried = [(str(one.tax_by_rate[D(22)]), str(one.tax_by_rate[D(10)])) for one in near]
    assert tried == [("2.02", "1.00"), ("1.98", "1.00"), ("2.00", "1.02"), ("2.00", "0.98")]


@pytest.mark.parametrize(
    ("total", "taxes", "differs"),
    [
        ("33.00", {"r22": "2.21", "r10": "1.00"}, True),
        ("33.00", {"r22": "2.19", "r10": "1.01"}, True),
        ("33.00", {"r22": "2.22", "r10": "1.00"}, False),
        ("33.00", {"r22": "2.20", "r10": "1.02"}, False),
        ("33.01", {"r22": "2.21", "r10": "1.00"}, False),
        ("33.00", {"r22": "2.20"}, False),
    ],
    ids=["a cent more", "a cent off at both", "two cents", "two cents at one of two", "total", "a rate is missing"],
)
def test_a_unit_is_one_of_the_currency_for_each_rate_and_none_of_the_total(
    total: str,
    taxes: dict[str, str],
    differs: bool,  # noqa: FBT001 a parameter
) -> None:
    """The shop's figures are 33.00 with 2.20 at 22 % and 1.00 at 10 %."""
    assert differs_by_a_unit(goal_of("33.00", r22="2.20", r10="1.00"), figures_of(total, **taxes), 2) is differs


def test_a_shop_that_rounds_half_a_cent_of_vat_down_is_told_of_the_tolerance() -> None:
    """0.09 with tax at 20 % holds 0.015: 0.02 in the ledger, 0.01 in the shop."""
    reason = parked(order([with_tax("1", "0.09", "20")], "0.09", tax_by_rate=stated(r20="0.01")))
    assert (reason.code, reason.group) == (ReasonCode.NO_EXACT_LAYOUT, "vat_differs_by_a_unit")
    assert "vat_tolerance_units: 1" in reason.fix


def test_a_shop_that_is_off_by_two_cents_is_not_told_of_a_tolerance_of_one() -> None:
    """Twice 0.09, each line rounded: 0.04 in the ledger and 0.02 in the shop; once it would be 0.03."""
    given = order([with_tax("1", "0.09", "20")] * 2, "0.18", tax_by_rate=stated(r20="0.02"))
    reason = parked(given, facts=with_rounding(TaxRounding.PER_LINE))
    assert (reason.code, "vat_tolerance_units" in reason.fix) == (ReasonCode.NO_EXACT_LAYOUT, False)
