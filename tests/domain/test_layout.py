"""The search: which layout is taken for which order, with the sums worked beside it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import Discount, Fee, FeeKind, Tax
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import ReasonCode
from tests.domain.order_building import (
    CONNECTION,
    FACTS,
    D,
    amounts,
    line,
    mapped,
    order,
    parked,
    shipping,
    stated,
    taxes_of,
    vat,
    with_rounding,
    with_tax,
)

PER_LINE = with_rounding(TaxRounding.PER_LINE)
UNKNOWN = with_rounding(TaxRounding.UNKNOWN)
WITHOUT_NEGATIVES = replace(CONNECTION, negative_lines=False)


def test_an_order_is_booked_as_the_shop_states_it_where_that_is_exact() -> None:
    """2 x 10.00 at 22 % and shipping 5.00 at 22 %: 25.00 + 5.50 = 30.50."""
    result = mapped(order([line("2", "10.00")], "30.50", shipping=(shipping("5.00"),)))
    assert amounts(result) == [("2", "10", "t22"), ("1", "5", "t22")]
    assert taxes_of(result) == {"22": "5.50"}
    assert not result.draft.tax_inclusive
    assert result.draft.adjustment == 0


def test_prices_with_tax_stay_prices_with_tax() -> None:
    """2 x 12.20 with 22 % in it: total 24.40, of which 4.40 is tax."""
    result = mapped(order([with_tax("2", "12.20")], "24.40"))
    assert result.draft.tax_inclusive
    assert (amounts(result), taxes_of(result)) == ([("2", "12.2", "t22")], {"22": "4.40"})


def test_a_discount_is_split_over_the_tax_rates_by_largest_remainder() -> None:
    """10.00 off 30.00 at 22 % and 60.00 at 10 %: 3.333 and 6.667, so 3.33 and 6.67: together 10.00.

    26.67 at 22 % is 5.8674, so 5.87; 53.33 at 10 % is 5.333, so 5.33; 80.00 + 11.20 = 91.20.
    """
    given = order([line("1", "30"), line("1", "60", "10")], "91.20", discounts=(Discount(amount=D(10), code="TEN"),))
    result = mapped(given)
    assert amounts(result)[2:] == [("1", "-3.33", "t22"), ("1", "-6.67", "t10")]
    assert [each.name for each in result.draft.lines[2:]] == ["Discount: TEN (22 %)", "Discount: TEN (10 %)"]
    assert taxes_of(result) == {"10": "5.33", "22": "5.87"}


def test_a_discount_on_one_rate_alone_would_not_be_exact() -> None:
    """The planted fault: the whole 10.00 off the 22 % gives 20.00 x 0.22 = 4.40 and not the shop's 5.87."""
    given = order([line("1", "30"), line("1", "60", "10")], "91.20", discounts=(Discount(amount=D(10)),))
    lines = mapped(given).draft.lines
    wrong = replace(mapped(given).draft, lines=(lines[0], lines[1], replace(lines[2], rate=D(-10))))
    assert compute(wrong, 2, TaxRounding.PER_RATE).tax_total == D("10.40")
    assert mapped(given).expected.tax_total == D("11.20")


def test_a_discount_that_the_shop_split_otherwise_by_a_cent_is_split_as_the_shop_did() -> None:
    """0.05 off 10.00 at 22 % and 10.00 at 10 %: halves of 0.025; the shop took 0.03 at 10 % and 0.02 at 22 %.

    9.98 at 22 % is 2.1956, so 2.20; 9.97 at 10 % is 0.997, so 1.00. The other way 9.97 at 22 % is 2.1934, so 2.19:
    the tax per rate that the shop states tells which.
    """
    given = order(
        [line("1", "10"), line("1", "10", "10")],
        "23.15",
        discounts=(Discount(amount=D("0.05")),),
        tax_by_rate=stated(r22="2.20", r10="1.00"),
    )
    result = mapped(given)
    assert amounts(result)[2:] == [("1", "-0.02", "t22"), ("1", "-0.03", "t10")]


def test_a_lines_own_discount_is_a_negative_line_of_its_tax() -> None:
    """3 x 10.00 less 5.00 at 22 %: 25.00 + 5.50."""
    result = mapped(order([line("3", "10", discount=D(5), total=D(25))], "30.50"))
    assert amounts(result) == [("3", "10", "t22"), ("1", "-5", "t22")]
    assert result.draft.lines[1].name == "Discount: Mug"


def test_unit_prices_with_more_decimals_than_the_ledger_takes_are_booked_as_one_piece() -> None:
    """3 x 0.3333 is 0.9999, so 1.00; at 22 % 0.22; total 1.22."""
    result = mapped(order([line("3", "0.3333")], "1.22"))
    assert amounts(result) == [("1", "1", "t22")]
    assert result.draft.lines[0].name == "3 \u00d7 Mug"
    assert result.draft.lines[0].description == "3 \u00d7 0.3333"


def test_a_unit_price_that_is_itself_rounded_does_not_stand_in_the_way() -> None:
    """10.00 for three: the shop shows 3.33 a piece and the line's total 10.00; 10.00 + 2.20."""
    result = mapped(order([line("3", "3.33", total=D("10.00"))], "12.20"))
    assert amounts(result) == [("1", "10", "t22")]


def test_lines_are_rounded_so_that_they_add_up_where_the_shop_rounds_only_the_sum() -> None:
    """Three times 0.335 is 1.005, so 1.01 in the shop; half up each would be 3 x 0.34 = 1.02. 1.01 at 10 % is 0.10."""
    lines = [line("1", "0.335", "10")] * 3
    result = mapped(order(lines, "1.11", tax_by_rate=stated(r10="0.10")))
    assert sorted(amounts(result)) == [("1", "0.33", "t10"), ("1", "0.34", "t10"), ("1", "0.34", "t10")]
    assert any("rounded the other way" in word for word in result.layout)


def test_a_unit_price_that_the_shop_rounds_first_is_understood() -> None:
    """10 x 3.336 rounded per unit is 10 x 3.34 = 33.40; at 10 % 3.34; total 36.74, where 33.36 would give 36.70."""
    assert amounts(mapped(order([line("10", "3.336", "10")], "36.74"))) == [("10", "3.34", "t10")]


def test_prices_with_tax_are_taken_where_only_they_are_exact() -> None:
    """Per line 2 x 0.33 at 22 %: 0.0726 each, so the shop has 0.14 of tax and 0.80 in all; 0.66 gives 0.1452, so 0.15.

    With tax in the price each is 0.4026, rounded 0.40: 0.80 with 22 % in it is 0.1443, so 0.14: exact.
    """
    result = mapped(order([line("1", "0.33")] * 2, "0.80", tax_by_rate=stated(r22="0.14")))
    assert result.draft.tax_inclusive
    assert amounts(result) == [("1", "0.4", "t22"), ("1", "0.4", "t22")]
    assert "other than in the shop" in result.layout[0]


def test_a_discount_goes_into_the_line_where_only_that_is_exact() -> None:
    """An organisation that rounds per line: 10.02 less 0.25 is 9.77, at 22 % 2.1494, so 2.15: 11.92 in all.

    Apart: 10.02 gives 2.2044, so 2.20, and 0.25 gives 0.055, so 0.06: 2.14, which is not the shop's.
    """
    given = order([line("1", "10.02", discount=D("0.25"))], "11.92", tax_by_rate=stated(r22="2.15"))
    result = mapped(given, facts=PER_LINE)
    assert amounts(result) == [("1", "10.02", "t22")]
    assert result.draft.lines[0].discount == D("0.25")


def test_mixed_prices_in_one_order_become_one_mode() -> None:
    """12.20 with tax and 10.00 without, both at 22 %: 12.20 + 12.20 = 24.40, tax 4.40."""
    given = order([with_tax("1", "12.20"), line("1", "10.00")], "24.40", tax="4.40")
    result = mapped(given)
    assert [each.rate for each in result.draft.lines] == [D("12.20")] * 2
    assert result.draft.tax_inclusive


# ---- the adjustment and its three conditions ------------------------------------------------------------------------


TWO = [line("1", "2.02"), line("1", "2.02", "20")]
TWO_TAXES = stated(r22="0.44", r20="0.40")


def test_a_labelled_adjustment_takes_what_only_the_sum_was_rounded_by() -> None:
    """2.02 at 22 and 20 %: taxes 0.4444 and 0.404, so 0.44 and 0.40; the exact sum is 4.04 + 0.8484 = 4.8884.

    The shop rounds only the sum: 4.89. The ledger gives 4.04 + 0.84 = 4.88. With tax in the prices a line would have
    to be 2.47 (tax 0.45) or 2.43 (tax 0.41): no. VAT is exact per rate: adjustment 0.01.
    """
    result = mapped(order(TWO, "4.89", tax_by_rate=TWO_TAXES))
    assert (result.draft.adjustment, result.draft.adjustment_label) == (D("0.01"), "Rounding")
    assert (result.expected.total, taxes_of(result)) == (D("4.89"), {"20": "0.40", "22": "0.44"})


def test_what_rounding_cannot_explain_is_never_balanced() -> None:
    """The planted fault: the same order stated as 4.90 is a cent beyond what any rounding gives."""
    assert parked(order(TWO, "4.90", tax_by_rate=TWO_TAXES)).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_the_bound_of_the_shop_holds() -> None:
    """With a bound of 0 units nothing is adjusted."""
    strict = ShopSettings(shop_id="shop", rounding_line_units_per_document=0)
    assert parked(order(TWO, "4.89", tax_by_rate=TWO_TAXES), shop=strict).code is ReasonCode.NO_EXACT_LAYOUT


def test_more_than_the_bound_of_the_shop_is_never_balanced() -> None:
    """Four rates, each cut by nearly half a cent: 8.47 + 1.44915 is 9.92; the ledger gives 8.47 + 1.43 = 9.90.

    Two cents are within the five that a shop has by default; a bound of one unit parks the same order.
    """
    four = [line("1", "2.34"), line("1", "1.88", "21"), line("1", "1.92", "19"), line("1", "2.33", "7.5")]
    given = order(four, "9.92", tax_by_rate=stated(r22="0.51", r21="0.39", r19="0.36", r7_5="0.17"))
    facts = replace(FACTS, taxes=vat("22", "21", "19", "7.5"))
    assert mapped(given, facts=facts).draft.adjustment == D("0.02")
    strict = ShopSettings(shop_id="shop", rounding_line_units_per_document=1)
    assert parked(given, facts=facts, shop=strict).code is ReasonCode.NO_EXACT_LAYOUT


def test_a_line_that_does_not_agree_with_its_own_price_is_never_balanced() -> None:
    """3 x 0.67 is 2.01 and the line says 2.02: more than half a cent, so the difference is not only rounding."""
    off = [line("3", "0.67", total=D("2.02")), TWO[1]]
    assert parked(order(off, "4.89", tax_by_rate=TWO_TAXES)).code is ReasonCode.NO_EXACT_LAYOUT


def test_wrong_tax_is_never_balanced_by_an_adjustment() -> None:
    """10.00 at 22 % stated with 2.30 of tax and 12.30 in all: the tax is not its rate's, so it is parked."""
    reason = parked(order([line("1", "10.00")], "12.30", tax_by_rate=stated(r22="2.30")))
    assert reason.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    assert "2.2 EUR" in reason.message
    assert "2.3" in reason.message


def test_a_whole_cent_order_that_is_off_by_one_is_parked_in_every_mode() -> None:
    """9.99 at 20 % is 11.99; stated as 11.98 with 2.00 of tax, prices with tax would give exactly that: not taken."""
    reason = parked(order([line("1", "9.99", "20")], "11.98", tax_by_rate=stated(r20="2.00")))
    assert reason.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    assert "11.99" in reason.message
    assert "11.98" in reason.message


# ---- the organisation's rounding -------------------------------------------------------------------------------------


def test_an_order_that_only_the_other_rounding_fits_names_the_setting() -> None:
    """The shop rounds per line, the organisation per rate: one group, which says what to change."""
    lines = [line("1", "0.34")] * 3
    # With tax in it each would be 0.41, 1.23 in all, tax 0.2218: 0.22 and not 0.21: no layout helps.
    reason = parked(order(lines, "1.23", tax_by_rate=stated(r22="0.21")))
    assert (reason.code, reason.group) == (ReasonCode.NO_EXACT_LAYOUT, "rounding_differs:per_line")
    assert "on each line" in reason.fix
    assert taxes_of(mapped(order(lines, "1.23", tax_by_rate=stated(r22="0.21")), facts=PER_LINE)) == {"22": "0.21"}


def test_while_the_rounding_is_unknown_only_what_is_exact_under_both_is_booked() -> None:
    """Three times 0.34 differs between the roundings and waits; one line is the same under both."""
    lines = [line("1", "0.34")] * 3
    waiting = parked(order(lines, "1.23", tax_by_rate=stated(r22="0.21")), facts=UNKNOWN)
    assert (waiting.code, waiting.group) == (ReasonCode.ROUNDING_UNKNOWN, "rounding_unknown")
    assert mapped(order([line("1", "10")], "12.20"), facts=UNKNOWN).expected.tax_total == D("2.20")


# ---- ledgers without negative lines ----------------------------------------------------------------------------------


def test_without_negative_lines_discounts_stand_in_the_lines() -> None:
    """10.00 off 30.00 at 22 % and 60.00 at 10 %: 3.33 and 6.67 within the lines, the same figures."""
    given = order([line("1", "30"), line("1", "60", "10")], "91.20", discounts=(Discount(amount=D(10)),))
    result = mapped(given, connection=WITHOUT_NEGATIVES)
    assert [each.discount for each in result.draft.lines] == [D("3.33"), D("6.67")]
    assert all(each.rate >= 0 for each in result.draft.lines)
    assert taxes_of(result) == {"10": "5.33", "22": "5.87"}


def test_without_negative_lines_a_discount_after_tax_is_the_documents() -> None:
    """100.00 at 22 % is 122.00; 10.00 after tax leaves 112.00 and the tax alone."""
    given = order([line("1", "100")], "112.00", discounts=(Discount(amount=D(10), before_tax=False),), tax="22.00")
    without = mapped(given, connection=WITHOUT_NEGATIVES)
    assert (without.draft.discount, without.draft.discount_before_tax) == (D(10), False)
    assert amounts(mapped(given)) == [("1", "100", "t22"), ("1", "-10", None)]


def test_without_negative_lines_a_negative_fee_becomes_a_discount() -> None:
    """A fee of -2.00 at 22 % beside 10.00: 8.00 + 1.76."""
    fee = Fee(name="Loyalty", amount=D(-2), taxes=(Tax(rate=D(22)),))
    result = mapped(order([line("1", "10")], "9.76", fees=(fee,)), connection=WITHOUT_NEGATIVES)
    assert (amounts(result), result.draft.lines[0].discount) == ([("1", "10", "t22")], D(2))


# ---- what shops send -----------------------------------------------------------------------------------------------


def test_free_shipping_a_whole_discount_and_nothing_at_all_are_booked_at_zero() -> None:
    """A 100 % discount gives an invoice of 0.00; an order that charges nothing gives one line of 0."""
    whole = mapped(order([line("1", "10")], "0", discounts=(Discount(amount=D(10)),)))
    assert (whole.expected.total, whole.expected.tax_total) == (D(0), D(0))
    assert amounts(mapped(order([], "0"))) == [("1", "0", None)]


def test_a_zero_quantity_line_that_costs_nothing_is_left_out_and_said() -> None:
    """Quantity 0 and total 0 is dropped with a word."""
    result = mapped(order([line("1", "10"), line("0", "5")], "12.20"))
    assert len(result.draft.lines) == 1
    assert "quantity 0" in result.words[-1]


def test_shipping_with_a_discount_and_a_rate_of_its_own() -> None:
    """10.00 at 22 % and shipping 8.00 less 3.00 at 10 %: 12.20 + 5.50 = 17.70."""
    result = mapped(order([line("1", "10")], "17.70", shipping=(shipping("8", "10", discount=D(3)),)))
    assert amounts(result) == [("1", "10", "t22"), ("1", "8", "t10"), ("1", "-3", "t10")]


def test_a_discount_on_shipping_comes_off_shipping() -> None:
    """5.00 of shipping at 10 % all taken off: its tax goes too; 10.00 + 2.20."""
    given = order(
        [line("1", "10")],
        "12.20",
        shipping=(shipping("5", "10"),),
        discounts=(Discount(amount=D(5), target="shipping"),),
    )
    assert amounts(mapped(given))[2] == ("1", "-5", "t10")


def test_a_coupon_for_some_lines_comes_off_those() -> None:
    """2.00 off the second line only: 10.00 at 22 % and 8.00 at 10 %: 18.00 + 2.20 + 0.80 = 21.00."""
    lines = [line("1", "10", id="a"), line("1", "10", "10", id="b")]
    given = order(lines, "21.00", discounts=(Discount(amount=D(2), line_ids=("b",)),))
    assert amounts(mapped(given))[2:] == [("1", "-2", "t10")]


def test_the_shops_own_cash_rounding_is_a_line_without_tax() -> None:
    """12.20 rounded to 12.00 for cash by a fee of -0.20."""
    fee = Fee(name="", kind=FeeKind.ROUNDING, amount=D("-0.20"))
    result = mapped(order([line("1", "10")], "12.00", fees=(fee,)))
    assert (result.draft.lines[1].name, amounts(result)[1]) == ("Rounding", ("1", "-0.2", None))


@pytest.mark.parametrize(
    ("currency", "price", "total", "tax"), [("JPY", "1005", "1226", "221"), ("KWD", "1.005", "1.226", "0.221")]
)
def test_currencies_of_no_and_of_three_decimals(currency: str, price: str, total: str, tax: str) -> None:
    """22 % of 1005 yen is 221.1, of 1.005 dinars 0.2211."""
    result = mapped(order([line("1", price)], total, currency=currency))
    assert taxes_of(result) == {"22": tax}


def test_weights_with_three_decimals_are_one_piece_and_with_two_as_stated() -> None:
    """0.25 kg at 8.00 is 2.00; 0.125 kg at 8.00 is 1.00 and has more decimals than are proved."""
    plain = mapped(order([line("0.25", "8", unit="kg")], "2.44"))
    fine = mapped(order([line("0.125", "8", unit="kg")], "1.22"))
    assert (amounts(plain), plain.draft.lines[0].unit) == ([("0.25", "8", "t22")], "kg")
    assert (amounts(fine), fine.draft.lines[0].name) == ([("1", "1", "t22")], "0.125 kg \u00d7 Mug")


def test_the_predicted_figures_are_those_of_the_model() -> None:
    """What is expected of the ledger's answer is what the model computes of the draft, to the cent."""
    result = mapped(order([with_tax("3", "9.99"), with_tax("1", "5.01", "10")], "34.98"))
    figures = compute(result.draft, 2, TaxRounding.PER_RATE)
    assert (figures.total, figures.tax_by_rate) == (result.expected.total, result.expected.tax_by_rate)
    assert figures.total == Decimal("34.98")


def test_a_connection_without_negative_lines_parks_what_is_below_zero() -> None:
    """A discount greater than all there is cannot stand in the lines."""
    connection = ConnectionSettings(connection_id="books", data_center="eu", negative_lines=False)
    fee = Fee(name="Deposit back", amount=D(5))
    given = order([line("1", "10")], "5.00", discounts=(Discount(amount=D(10)),), fees=(fee,))
    assert mapped(given, connection=connection).expected.total == D(5)
