"""The stand-in's arithmetic, against figures worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.zoho.arithmetic import Bill, Discount, Line, Tax, TaxPart, compute


def tax(percentage: str, name: str = "VAT") -> Tax:
    """Give a tax alone."""
    return Tax(tax_id=name, name=name, parts=(TaxPart(tax_id=name, name=name, percentage=Decimal(percentage)),))


def total_of(*lines: Line, **options: Any) -> tuple[str, str]:
    """Give an invoice's tax and total."""
    totals = compute(Bill(lines=lines, **options))
    return str(totals.tax_total), str(totals.total)


def test_a_line_is_rounded_before_its_tax_is_taken() -> None:
    """54.54545 at 10 % is 54.55 and 5.46, not 54.55 and 5.45."""
    assert total_of(Line(rate=Decimal("54.54545"), tax=tax("10"))) == ("5.46", "60.01")


def test_a_half_cent_goes_up() -> None:
    """7.5 % of 1.00 is 0.075 and becomes 0.08, where banker's rounding of 0.065 would show the difference."""
    assert total_of(Line(rate=Decimal("1.00"), tax=tax("7.5"))) == ("0.08", "1.08")
    assert total_of(Line(rate=Decimal("1.00"), tax=tax("6.5"))) == ("0.07", "1.07")


def test_a_half_cent_of_a_negative_line_goes_down() -> None:
    """Minus half a cent is rounded away from zero as well."""
    assert total_of(Line(rate=Decimal("-1.00"), tax=tax("6.5"))) == ("-0.07", "-1.07")


@pytest.mark.parametrize(
    ("rounding", "expected"), [("entity_level", ("0.57", "3.57")), ("item_level", ("0.60", "3.60"))]
)
def test_tax_is_rounded_once_or_on_every_line(rounding: str, expected: tuple[str, str]) -> None:
    """Thirty lines of 0.10 at 19 % are 0.57 together, and 0.02 each."""
    lines = [Line(rate=Decimal("0.10"), tax=tax("19")) for _ in range(30)]
    assert total_of(*lines, rounding=rounding) == expected


def test_inclusive_prices_have_the_tax_inside() -> None:
    """119.00 with 19 % inside is 100.00 and 19.00."""
    totals = compute(Bill(lines=[Line(rate=Decimal("119.00"), tax=tax("19"))], is_inclusive=True))
    assert (totals.sub_total, totals.tax_total, totals.total) == (
        Decimal("100.00"),
        Decimal("19.00"),
        Decimal("119.00"),
    )
    assert totals.sub_total_inclusive == Decimal("119.00")


@pytest.mark.parametrize(
    ("rounding", "expected"), [("entity_level", ("4.31", "27.00")), ("item_level", ("4.32", "27.00"))]
)
def test_inclusive_tax_is_taken_out_of_the_sum_or_of_each_line(rounding: str, expected: tuple[str, str]) -> None:
    """Three times 9.00 with 19 %: 27.00 x 19/119 = 4.3109, each 1.4370, which is 1.44."""
    lines = [Line(rate=Decimal("9.00"), tax=tax("19")) for _ in range(3)]
    assert total_of(*lines, is_inclusive=True, rounding=rounding) == expected


def test_a_half_cent_of_inclusive_lines_goes_up_however_odd_their_nets_are() -> None:
    """19.26 and 3.00 with 12 % inside are 22.26 x 12/112 = 2.385 exactly, so 2.39; no net is a finite decimal."""
    lines = [Line(rate=Decimal(rate), tax=tax("12")) for rate in ("19.26", "3.33", "-0.33")]
    assert total_of(*lines, is_inclusive=True) == ("2.39", "22.26")


def test_a_discount_on_the_whole_comes_off_before_tax() -> None:
    """10 % off 50.00 at 19 % and 50.00 at 7 %: 45.00 each, so 8.55 and 3.15."""
    lines = [Line(rate=Decimal(50), tax=tax("19", "A")), Line(rate=Decimal(50), tax=tax("7", "B"))]
    totals = compute(Bill(lines=lines, discount=Discount(value=Decimal(10), is_percent=True)))
    assert (totals.discount_total, totals.tax_total, totals.total) == (
        Decimal("10.00"),
        Decimal("11.70"),
        Decimal("101.70"),
    )
    assert [one.amount for one in totals.taxes] == [Decimal("8.55"), Decimal("3.15")]


def test_a_discount_after_tax_leaves_the_tax_alone() -> None:
    """10 off 119.00 after tax: the tax stays 19.00."""
    after = compute(
        Bill(
            lines=[Line(rate=Decimal(100), tax=tax("19"))],
            discount=Discount(value=Decimal(10)),
            is_discount_before_tax=False,
        )
    )
    assert (after.tax_total, after.total, after.sub_total) == (Decimal("19.00"), Decimal("109.00"), Decimal("100.00"))


def test_a_discount_is_shared_out_to_the_last_cent() -> None:
    """1.00 off three lines of 10.00 is 0.33, 0.33 and 0.34: the taxes' bases add up to 29.00."""
    lines = [Line(rate=Decimal(10), tax=tax("10", name)) for name in ("A", "B", "C")]
    totals = compute(Bill(lines=lines, discount=Discount(value=Decimal(1))))
    assert sorted(one.base for one in totals.taxes) == [Decimal("9.66"), Decimal("9.67"), Decimal("9.67")]
    assert totals.total == Decimal("31.91")


def test_a_line_has_a_discount_of_its_own() -> None:
    """Two of 50.00 less 12.5 %: 87.50; less an amount of 5: 95.00."""
    percent = Line(
        rate=Decimal(50), quantity=Decimal(2), discount=Discount(value=Decimal("12.5"), is_percent=True), tax=tax("20")
    )
    amount = Line(rate=Decimal(50), quantity=Decimal(2), discount=Discount(value=Decimal(5)), tax=tax("20"))
    assert total_of(percent) == ("17.50", "105.00")
    assert total_of(amount) == ("19.00", "114.00")


def test_a_discount_as_a_negative_line_has_its_tax_too() -> None:
    """100.00 and minus 20.00 at 19 %: tax on 80.00."""
    assert total_of(Line(rate=Decimal(100), tax=tax("19")), Line(rate=Decimal(-20), tax=tax("19"))) == (
        "15.20",
        "95.20",
    )


def test_shipping_has_its_tax_and_an_adjustment_has_none() -> None:
    """100.00 at 19 %, shipping 4.90 at 19 %: tax on 104.90 is 19.93; an adjustment of 0.01 only moves the total."""
    totals = compute(
        Bill(
            lines=[Line(rate=Decimal(100), tax=tax("19"))],
            shipping_charge=Decimal("4.90"),
            shipping_tax=tax("19"),
            adjustment=Decimal("-0.01"),
        )
    )
    assert (totals.tax_total, totals.total, totals.shipping_net) == (
        Decimal("19.93"),
        Decimal("124.82"),
        Decimal("4.90"),
    )


def test_shipping_may_be_exclusive_among_inclusive_lines() -> None:
    """119.00 inclusive and 10.00 shipping plus 19 %: 119.00 + 11.90."""
    options: dict[str, Any] = {"is_inclusive": True, "shipping_charge": Decimal(10), "shipping_tax": tax("19")}
    lines = [Line(rate=Decimal(119), tax=tax("19"))]
    assert total_of(*lines, **options, is_shipping_inclusive=False) == ("20.90", "130.90")
    assert total_of(*lines, **options) == ("20.60", "129.00")


@pytest.mark.parametrize(
    ("digits", "expected"), [(0, ("100", "1100")), (2, ("99.96", "1099.56")), (3, ("99.960", "1099.560"))]
)
def test_the_currency_decides_about_the_digits(digits: int, expected: tuple[str, str]) -> None:
    """999.6 at 10 %: 1000 and 100 in yen, 999.60 and 99.96 in euro, 999.600 and 99.960 in dinar."""
    assert total_of(Line(rate=Decimal("999.6"), tax=tax("10")), digits=digits) == expected


def test_quantities_may_be_fractions() -> None:
    """1.375 kg at 7.99 are 10.98625, so 10.99."""
    assert total_of(Line(rate=Decimal("7.99"), quantity=Decimal("1.375"))) == ("0", "10.99")


def test_a_compound_tax_is_computed_on_the_simple_one_too() -> None:
    """100.00 with 5 % and a compound 10 %: 5.00 and 10.50; the same taken out of 115.50."""
    group = Tax(
        tax_id="G",
        name="G",
        is_group=True,
        parts=(
            TaxPart(tax_id="A", name="A", percentage=Decimal(5)),
            TaxPart(tax_id="B", name="B", percentage=Decimal(10), is_compound=True),
        ),
    )
    exclusive = compute(Bill(lines=[Line(rate=Decimal(100), tax=group)]))
    inclusive = compute(Bill(lines=[Line(rate=Decimal("115.50"), tax=group)], is_inclusive=True))
    assert [one.amount for one in exclusive.taxes] == [Decimal("5.00"), Decimal("10.50")]
    assert [one.amount for one in inclusive.taxes] == [Decimal("5.00"), Decimal("10.50")]
    assert (exclusive.total, inclusive.sub_total) == (Decimal("115.50"), Decimal("100.00"))


def test_the_parts_always_make_the_whole() -> None:
    """Sub-total, discount, tax, shipping and adjustment make the total, inclusive or not."""
    for is_inclusive in (False, True):
        lines = [
            Line(rate=Decimal("3.33"), quantity=Decimal(3), tax=tax("19", "A")),
            Line(rate=Decimal("0.07"), tax=tax("7", "B")),
        ]
        bill = Bill(
            lines=lines,
            is_inclusive=is_inclusive,
            discount=Discount(value=Decimal("1.11")),
            shipping_charge=Decimal("4.99"),
            shipping_tax=tax("19", "A"),
            adjustment=Decimal("0.02"),
        )
        totals = compute(bill)
        made = totals.sub_total - totals.discount_total + totals.tax_total + totals.shipping_net + bill.adjustment
        assert made == totals.total
