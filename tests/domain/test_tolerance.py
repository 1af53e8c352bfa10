"""The shop's tolerance for VAT: one minor unit per rate where nothing is exact, said in words, and never more."""

from dataclasses import replace

import pytest

from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import Discount
from consumer.domain.states import ReasonCode
from tests.domain.order_building import SHOP, D, line, mapped, order, parked, stated, taxes_of, with_rounding

TOLERANT = replace(SHOP, vat_tolerance_units=1)
# 0.34 at 22 % is 0.0748: 0.07 on each line and 0.21 in all, where the organisation has 1.02 x 22 % = 0.2244: 0.22.
PER_LINE_SHOP = order([line("1", "0.34")] * 3, "1.23", tax_by_rate=stated(r22="0.21"))


def test_by_default_there_is_no_tolerance() -> None:
    """The order waits for the setting of the organisation."""
    assert parked(PER_LINE_SHOP).group == "rounding_differs:per_line"


def test_with_a_tolerance_the_total_is_exact_and_the_difference_is_said() -> None:
    """0.41 x 3 with tax in it is 1.23, of which 0.2218: VAT 0.22. What is expected is what the ledger will compute."""
    result = mapped(PER_LINE_SHOP, shop=TOLERANT)
    assert (result.expected.total, taxes_of(result)) == (D("1.23"), {"22": "0.22"})
    assert result.notes == ("VAT at 22 % is 0.01 more than the shop's: within the shop's tolerance.",)
    assert result.draft.adjustment == 0


def test_what_is_exact_is_booked_exactly_and_nothing_is_said() -> None:
    """The tolerance changes nothing of an order that has an exact layout, an adjusted one included."""
    for given in (
        order([line("1", "10")], "12.20"),
        order([line("3", "0.67"), line("2", "1.01", "20")], "4.88"),
        order([line("1", "2.02"), line("1", "2.02", "20")], "4.89", tax_by_rate=stated(r22="0.44", r20="0.40")),
    ):
        assert mapped(given, shop=TOLERANT) == mapped(given)


def test_two_units_are_beyond_it() -> None:
    """Seven times 0.34: 0.49 on the lines, 2.38 x 22 % = 0.5236 once: 0.03 apart, so it is parked as before."""
    given = order([line("1", "0.34")] * 7, "2.87", tax_by_rate=stated(r22="0.49"))
    assert parked(given, shop=TOLERANT) == parked(given)


@pytest.mark.parametrize(
    ("total", "tax"), [("12.21", "2.21"), ("12.19", "2.19"), ("12.21", "2.20"), ("12.19", "2.20"), ("12.20", "2.21")]
)
def test_it_hides_no_contradiction(total: str, tax: str) -> None:
    """10.00 at 22 % is 2.20 and 12.20: a cent off in tax or total is no rounding and stays parked."""
    given = order([line("1", "10")], total, tax_by_rate=stated(r22=tax))
    assert parked(given, shop=TOLERANT).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_while_the_rounding_is_unknown_the_tolerance_must_hold_under_both() -> None:
    """0.41 x 3 has VAT of 0.22 once and of 3 x 0.07 = 0.21 on the lines: not one figure, so it waits."""
    unknown = with_rounding(TaxRounding.UNKNOWN)
    assert parked(PER_LINE_SHOP, shop=TOLERANT, facts=unknown).code is ReasonCode.ROUNDING_UNKNOWN


def test_each_rate_has_a_tolerance_of_its_own() -> None:
    """Three of 0.34 at 22 % (0.21 for 0.22) and three of 0.15 at 10 % (0.015: 0.06 on lines, 0.05 once).

    Together 1.02 + 0.45 + 0.21 + 0.06 = 1.74. With tax in them: 0.41 x 3 = 1.23 and 0.17 x 3 = 0.51, which is 1.74;
    1.23 holds 0.22 and 0.51 holds 0.0464: 0.05.
    """
    lines = [*[line("1", "0.34")] * 3, *[line("1", "0.15", "10")] * 3]
    given = order(lines, "1.74", tax_by_rate=stated(r22="0.21", r10="0.06"))
    result = mapped(given, shop=TOLERANT)
    assert taxes_of(result) == {"10": "0.05", "22": "0.22"}
    assert result.notes == (
        "VAT at 10 % is 0.01 less than the shop's: within the shop's tolerance.",
        "VAT at 22 % is 0.01 more than the shop's: within the shop's tolerance.",
    )


def test_a_currency_without_decimals_counts_in_whole_units() -> None:
    """Three of 7 yen at 20 %: 1.4 is 1 on each line, 4.2 is 4 once; in 24 yen with tax there are 4: one apart."""
    given = order([line("1", "7", "20")] * 3, "24", tax_by_rate=stated(r20="3"), currency="JPY")
    result = mapped(given, shop=TOLERANT)
    assert (taxes_of(result), result.notes[0][:30]) == ({"20": "4"}, "VAT at 20 % is 1 more than the")


def test_a_wrong_discount_stays_parked() -> None:
    """5.00 off 10.00 leaves 6.10; stated as 6.11 with 1.11 of tax."""
    given = order([line("1", "10")], "6.11", tax_by_rate=stated(r22="1.11"), discounts=(Discount(amount=D(5)),))
    assert parked(given, shop=TOLERANT).code in (ReasonCode.TOTALS_DO_NOT_FOLLOW, ReasonCode.NO_EXACT_LAYOUT)
