"""The shop's own arithmetic, against figures worked out by hand."""

from decimal import Decimal

import pytest

from sandbox.shop.arithmetic import Bill, Charge, bill_of, decimals_of, line_amount, rounded, spread


def figures(bill: Bill) -> tuple[str, list[tuple[str, str, str]]]:
    """Give the total, and rate, net and tax of each row, as texts."""
    return str(bill.grand_total), [(str(row.rate), str(row.net), str(row.tax)) for row in bill.rows]


def charge(amount: str, rate: str, **more: bool) -> Charge:
    """Give a charge."""
    return Charge(amount=Decimal(amount), rate=Decimal(rate), **more)


@pytest.mark.parametrize(
    ("amount", "decimals", "expected"),
    [("0.005", 2, "0.01"), ("-0.005", 2, "-0.01"), ("2.665", 2, "2.67"), ("0.5", 0, "1"), ("1.0005", 3, "1.001")],
)
def test_halves_go_away_from_zero(amount: str, decimals: int, expected: str) -> None:
    """Half a minor unit is rounded away from zero, also below it."""
    assert rounded(Decimal(amount), decimals) == Decimal(expected)


def test_a_line_is_rounded_before_its_discount() -> None:
    """0.250 kg at 12.99 is 3.2475, so 3.25; less 0.65 it is 2.60."""
    assert line_amount(Decimal("0.250"), Decimal("12.99"), Decimal("0.65"), 2) == Decimal("2.60")


def test_vat_is_computed_once_per_rate() -> None:
    """Thirty lines of 0.10 at 19 % bear 0.57 of VAT together; rounded on each line it would be 0.60."""
    bill = bill_of([charge("0.10", "19")] * 30, [], with_tax=False, decimals=2)
    assert figures(bill) == ("3.57", [("19", "3.00", "0.57")])


def test_prices_with_tax_hold_their_vat() -> None:
    """19.26 and 3.00 at 12 %: 22.26 x 12/112 is 2.385, a half that goes up; the total stays what it is."""
    bill = bill_of([charge("19.26", "12"), charge("3.00", "12")], [], with_tax=True, decimals=2)
    assert figures(bill) == ("22.26", [("12", "19.87", "2.39")])


def test_a_coupon_is_spread_over_the_rates_of_the_products_only() -> None:
    """10.00 off 60.00 at 21 % and 30.00 at 9 %: 6.67 and 3.33; shipping keeps its 5.00.

    (60.00 - 6.67 + 5.00) x 21 % = 12.249, (30.00 - 3.33) x 9 % = 2.4003; 85.00 + 12.25 + 2.40.
    """
    charges = [charge("60.00", "21"), charge("30.00", "9"), charge("5.00", "21", is_product=False)]
    bill = bill_of(charges, [Decimal("10.00")], with_tax=False, decimals=2)
    assert figures(bill) == ("99.65", [("9", "26.67", "2.40"), ("21", "58.33", "12.25")])


def test_odd_cents_go_to_the_largest_remainders() -> None:
    """0.05 over 1, 1 and 1: 0.0166 each, so 0.01 each and the two odd cents to the first two; they add up."""
    assert spread(Decimal("0.05"), {"a": Decimal(1), "b": Decimal(1), "c": Decimal(1)}, 2) == {
        "a": Decimal("0.02"),
        "b": Decimal("0.02"),
        "c": Decimal("0.01"),
    }


def test_yen_have_no_decimals() -> None:
    """999 yen at 8 % inside: 74 of VAT; 115 yen without tax at 10 %: 11.5, so 12."""
    assert decimals_of("JPY") == 0
    assert figures(bill_of([charge("999", "8")], [], with_tax=True, decimals=0)) == ("999", [("8", "925", "74")])
    assert figures(bill_of([charge("115", "10")], [], with_tax=False, decimals=0)) == ("127", [("10", "115", "12")])


def test_a_rounding_difference_bears_no_vat_and_no_row() -> None:
    """0.02 taken off to come to a round sum is in the total alone."""
    charges = [charge("10.82", "8.1"), charge("-0.02", "0", is_product=False, taxed=False)]
    assert figures(bill_of(charges, [], with_tax=True, decimals=2)) == ("10.80", [("8.1", "10.01", "0.81")])


def test_what_is_sold_at_rate_nought_has_a_row_and_no_vat() -> None:
    """An export of 50.00 states a net of 50.00 at 0, and no rate with VAT."""
    bill = bill_of([charge("50.00", "0")], [], with_tax=False, decimals=2)
    assert figures(bill) == ("50.00", [("0", "50.00", "0.00")])
    assert bill.vat_by_rate == {}
