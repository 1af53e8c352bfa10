"""What of a document may be credited under which tax: nothing is left out, and nothing is under a tax it never bore."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.domain.arithmetic import TaxSum, compute, sums_by_tax, tax_factors
from tests.domain.order_building import D
from tests.domain.test_arithmetic import PER_LINE, PER_RATE, draft, row


def test_what_bears_no_tax_is_one_sum_with_the_adjustment_and_less_the_discount_after_tax() -> None:
    """30 and 12 without a tax, 3 of adjustment, 5 off after tax: 40; the 100 at 20 % stay 120 with 20 of tax."""
    given = replace(
        draft(row("1", "100", "20"), row("1", "30", None), row("1", "12", None)),
        adjustment=D("3"),
        discount=D("5"),
        discount_before_tax=False,
    )
    assert sums_by_tax(given, 2, PER_RATE) == (
        TaxSum(tax_id="t20", rate=D("20"), gross=D("120"), tax=D("20")),
        TaxSum(tax_id=None, rate=D("0"), gross=D("40"), tax=D("0")),
    )


def test_a_discount_before_tax_is_within_the_taxed_sum_and_not_in_the_other() -> None:
    """100 less 10 at 20 % is 90 + 18; nothing bears no tax, so that there is no sum for it."""
    given = replace(draft(row("1", "100", "20")), discount=D("10"))
    assert sums_by_tax(given, 2, PER_RATE) == (TaxSum(tax_id="t20", rate=D("20"), gross=D("108"), tax=D("18")),)


def test_a_document_of_nothing_has_one_sum_of_nothing() -> None:
    """Without lines there is one sum, without a tax and of 0: a caller may take the first."""
    assert sums_by_tax(draft(), 2, PER_RATE) == (TaxSum(tax_id=None, rate=D("0"), gross=D("0"), tax=D("0")),)


def test_the_sums_are_rounded_as_the_organisation_rounds() -> None:
    """Three times 0.33 at 22 %: 0.2178 once is 0.22, and three times 0.0726 is 0.21."""
    three = draft(*[row("1", "0.33", "22")] * 3)
    assert [each.tax for each in sums_by_tax(three, 2, PER_RATE)] == [D("0.22")]
    assert [each.tax for each in sums_by_tax(three, 2, PER_LINE)] == [D("0.21")]


def test_the_members_of_a_group_stay_with_its_sum() -> None:
    """10.10 at 5 % and 9.975 % is 0.51 + 1.01; the sum says which members it was, for the credit note's line."""
    (only,) = sums_by_tax(draft(row("1", "10.10", "14.975", parts=("5", "9.975"))), 2, PER_RATE)
    assert (only.parts, only.tax, only.gross) == ((D("5"), D("9.975")), D("1.52"), D("11.62"))


def test_a_negative_line_bears_nothing_of_the_discount() -> None:
    """10 off 100 at 20 % and -50 at 10 %: all of it off the 100, so that 90 bear 18 and -50 bear -5."""
    given = replace(draft(row("1", "100", "20"), row("1", "-50", "10")), discount=D("10"))
    assert [(each.tax_id, each.tax) for each in sums_by_tax(given, 2, PER_RATE)] == [("t20", D("18")), ("t10", D("-5"))]


def test_of_three_members_only_the_last_compounds() -> None:
    """5 %, 3 % and 10 % of what is with both: 10 x 1.08 = 10.8 of the net, 18.8 together."""
    members = ((D("5"), D("5")), (D("3"), D("3")), (D("10"), D("10.80")))
    assert tax_factors(D("18.8"), (D("5"), D("3"), D("10"))) == members


def test_nets_of_two_taxes_of_one_rate_add_up() -> None:
    """100 and 50 at two taxes of 20 %: one row of 150 and 30, prices without tax."""
    second = replace(row("1", "50", "20"), tax_id="other")
    (figures,) = compute(draft(row("1", "100", "20"), second), 2, PER_RATE).tax_by_rate
    assert (figures.net, figures.tax) == (D("150"), D("30"))


@pytest.mark.parametrize(("price", "tax"), [("12.20", "2.20"), ("1.22", "0.22")])
def test_the_sum_of_inclusive_prices_is_the_prices(price: str, tax: str) -> None:
    """A price with 22 % in it is its own gross: tax is not put on it once more."""
    (only,) = sums_by_tax(draft(row("1", price, "22"), inclusive=True), 2, PER_RATE)
    assert (only.gross, only.tax) == (Decimal(price), Decimal(tax))
