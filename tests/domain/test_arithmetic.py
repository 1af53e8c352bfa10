"""The model of how the ledger computes, against sums worked by hand and figures that Zoho is recorded to give."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from consumer.domain.arithmetic import compute, tax_factors
from consumer.domain.ledger import InvoiceDraft, InvoiceLine, TaxRounding
from tests.domain.order_building import D

PER_RATE, PER_LINE = TaxRounding.PER_RATE, TaxRounding.PER_LINE
DAY = date(2026, 3, 14)


def draft(*lines: InvoiceLine, inclusive: bool = False) -> InvoiceDraft:
    """Give a document of these lines."""
    return InvoiceDraft(
        contact_id="", reference="1", issued_on=DAY, due_on=DAY, currency="EUR", lines=lines, tax_inclusive=inclusive
    )


def row(quantity: str, rate: str, tax: str | None, discount: str = "0", parts: tuple[str, ...] = ()) -> InvoiceLine:
    """Give one line under the tax of this rate; None is no tax."""
    return InvoiceLine(
        name="Mug",
        quantity=D(quantity),
        rate=D(rate),
        tax_id=None if tax is None else f"t{tax}",
        tax_rate=D(tax or "0"),
        tax_parts=tuple(D(part) for part in parts),
        discount=D(discount),
    )


def taxes(given: InvoiceDraft, rounding: TaxRounding, digits: int = 2) -> list[tuple[str, str]]:
    """Give rate and tax of each rate, as text."""
    return [(str(each.rate), str(each.tax)) for each in compute(given, digits, rounding).tax_by_rate]


def test_a_half_goes_up_as_recorded_of_the_ledger() -> None:
    """1.00 at 7.5 % is 0.075 of tax: the ledger gives 0.08, bankers would give 0.08 too, so 0.025 tells them apart."""
    assert taxes(draft(row("1", "1.00", "7.5")), PER_RATE) == [("7.5", "0.08")]
    # 1.00 at 2.5 % is 0.025: half up 0.03, half to even 0.02.
    assert taxes(draft(row("1", "1.00", "2.5")), PER_RATE) == [("2.5", "0.03")]


def test_tax_is_taken_of_the_rounded_line_amount() -> None:
    """54.54545 at 10 % is 54.55 + 5.46 = 60.01, as the ledger's users found, and not 60.00."""
    figures = compute(draft(row("1", "54.54545", "10")), 2, PER_RATE)
    assert (figures.total, figures.tax_total) == (D("60.01"), D("5.46"))


def test_the_two_roundings_differ_by_the_cents_of_the_lines() -> None:
    """Three times 0.33 at 22 %: 0.99 gives 0.2178, so 0.22 per rate; each line gives 0.0726, so 3 x 0.07 = 0.21."""
    three = draft(*[row("1", "0.33", "22")] * 3)
    assert compute(three, 2, PER_RATE).total == D("1.21")
    assert compute(three, 2, PER_LINE).total == D("1.20")


def test_inclusive_prices_have_their_tax_within() -> None:
    """12.20 with 22 % in it is 10.00 and 2.20; the total is the price, whatever the rounding."""
    figures = compute(draft(row("1", "12.20", "22"), inclusive=True), 2, PER_LINE)
    assert (figures.total, figures.tax_total, figures.tax_by_rate[0].net) == (D("12.20"), D("2.20"), D("10.00"))


def test_negative_lines_take_their_tax_back() -> None:
    """100.00 less 10.00 at 22 % is 90.00 and 19.80."""
    figures = compute(draft(row("1", "100", "22"), row("1", "-10", "22")), 2, PER_RATE)
    assert (figures.total, figures.tax_total) == (D("109.80"), D("19.80"))


def test_a_negative_half_goes_away_from_zero() -> None:
    """-1.00 at 2.5 % is -0.025 of tax, rounded to -0.03: the mirror of the positive line."""
    assert taxes(draft(row("1", "-1.00", "2.5")), PER_LINE) == [("2.5", "-0.03")]


def test_a_lines_discount_comes_off_before_its_tax() -> None:
    """3 x 10.00 less 5.00 is 25.00, at 10 % 2.50."""
    figures = compute(draft(row("3", "10", "10", discount="5")), 2, PER_LINE)
    assert (figures.total, figures.tax_total) == (D("27.50"), D("2.50"))


def test_a_documents_discount_before_tax_lowers_the_tax_and_after_tax_does_not() -> None:
    """100.00 at 22 % less 10.00: before tax 90.00 + 19.80 = 109.80, after tax 122.00 - 10.00 = 112.00."""
    given = replace(draft(row("1", "100", "22")), discount=D(10))
    assert compute(given, 2, PER_RATE).total == D("109.80")
    assert compute(replace(given, discount_before_tax=False), 2, PER_RATE).total == D("112.00")


def test_an_adjustment_leaves_the_tax_alone() -> None:
    """An adjustment of -0.01 lowers the total and nothing else."""
    figures = compute(replace(draft(row("1", "10", "22")), adjustment=D("-0.01")), 2, PER_RATE)
    assert (figures.total, figures.tax_total) == (D("12.19"), D("2.20"))


def test_the_members_of_a_group_are_taxed_each_on_its_own() -> None:
    """10.10 at 5 % and 9.975 %: 0.505 is 0.51, 1.007475 is 1.01."""
    group = draft(row("1", "10.10", "14.975", parts=("5", "9.975")))
    assert taxes(group, PER_RATE) == [("5", "0.51"), ("9.975", "1.01")]


def test_a_compound_member_is_taken_of_the_net_and_the_tax_before_it() -> None:
    """100 at 5 % and then 8.5 % of 105 is 5.00 and 8.925, so 8.93: the group's rate 13.925 tells that it compounds."""
    group = row("1", "100", "13.925", parts=("5", "8.5"))
    assert taxes(draft(group), PER_RATE) == [("5", "5.00"), ("8.5", "8.93")]
    # The other way: 113.925 with tax is 100 net, 5.00 and 8.925 again.
    assert taxes(draft(replace(group, rate=D("113.925")), inclusive=True), PER_RATE, digits=3) == [
        ("5", "5.000"),
        ("8.5", "8.925"),
    ]


@pytest.mark.parametrize(
    ("digits", "price", "tax", "total"), [(0, "1005", "221", "1226"), (3, "1.005", "0.221", "1.226")]
)
def test_currencies_round_to_their_own_decimals(digits: int, price: str, tax: str, total: str) -> None:
    """22 % of 1005 yen is 221.1, of 1.005 dinars 0.2211."""
    figures = compute(draft(row("1", price, "22")), digits, PER_RATE)
    assert (str(figures.tax_total), str(figures.total)) == (tax, total)


def test_a_line_without_a_tax_has_no_row_and_one_of_rate_0_has() -> None:
    """Without a tax id nothing is told of tax; a 0 % tax shows with 0."""
    assert taxes(draft(row("1", "5", None)), PER_RATE) == []
    assert taxes(draft(row("1", "5", "0")), PER_RATE) == [("0", "0.00")]


def test_equal_rates_of_two_taxes_are_rounded_apart_and_shown_as_one() -> None:
    """0.33 at two taxes of 22 %: 0.07 + 0.07, where one tax of 0.66 would give 0.15."""
    first = row("1", "0.33", "22")
    assert taxes(draft(first, replace(first, tax_id="other")), PER_RATE) == [("22", "0.14")]


def test_factors_of_a_single_tax_are_its_rate() -> None:
    """A single tax has one member."""
    assert tax_factors(Decimal(22), ()) == ((Decimal(22), Decimal(22)),)
