"""Whether a shop's parts give its totals, at the edges: how far rounding reaches, and what is said beyond it."""

from typing import Any

import pytest

from consumer.domain.bases import Base, Parts, parts_of, taxes_of
from consumer.domain.charges import Charges, Reduction, read_charges
from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import Discount, Line, Order, Tax
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.tax_play import Span, play_of, spans
from consumer.domain.totals import Goal, goals
from tests.domain.order_building import FACTS, SHOP, D, line, order, stated, with_tax

PER_RATE, PER_LINE = TaxRounding.PER_RATE, TaxRounding.PER_LINE


def charges_of(given: Order) -> Charges:
    """Read an order's charges."""
    found = read_charges(given, facts=FACTS, shop=SHOP, digits=2, items={})
    assert isinstance(found, Charges), found
    return found


def sold(*lines: Line, **more: Any) -> Charges:
    """Give the charges of lines whose totals do not matter."""
    return charges_of(order(lines, "0", **more))


def off(amount: str, *positions: int, after_tax: bool = False) -> Reduction:
    """Give a discount."""
    return Reduction(name="", amount=D(amount), positions=positions, inclusive=False, after_tax=after_tax)


# ---- the amounts -----------------------------------------------------------------------------------------------------


def test_discounts_come_off_the_tax_and_off_each_position() -> None:
    """3.00 after tax off the whole, then 3.00 over 10.00 and 20.00 at 22 %: 9.00 and 18.00 are left, 27.00 at 22 %."""
    given = order(
        [line("1", "10.00"), line("1", "20.00")],
        "0",
        discounts=(Discount(amount=D("3.00")), Discount(amount=D("3.00"))),
    )
    made = charges_of(given)
    first, second = made.reductions
    after = Charges(
        positions=made.positions,
        reductions=(off("3.00", *first.positions, after_tax=True), second),
        taxes=made.taxes,
        digits=2,
        inclusive=False,
        mixed=False,
    )
    assert parts_of(after) == Parts(
        by_tax=(Base(1, D("27.00"), False), Base(0, D("-3.00"), False)),  # noqa: FBT003 the record's own order
        by_position=(
            Base(1, D("9.00"), False),  # noqa: FBT003 as above
            Base(1, D("18.00"), False),  # noqa: FBT003 as above
            Base(0, D("-3.00"), False),  # noqa: FBT003 as above
        ),
        inexact=0,
    )


def test_each_amount_of_a_part_of_a_cent_is_counted() -> None:
    """A line of 1.005 and a coupon of 0.005 beside whole ones: each may be off by half a cent."""
    given = [line("1", "1.005"), line("1", "2.00")]
    coupons = (Discount(amount=D("0.005")), Discount(amount=D("1.00")))
    assert parts_of(sold(*given, discounts=coupons)).inexact == 2
    assert parts_of(sold(*given)).inexact == 1


def test_half_a_cent_of_tax_goes_down_where_that_is_asked() -> None:
    """0.05 at 10 % is 0.005."""
    made = sold(line("1", "0.05", "10"))
    bases = parts_of(made).by_tax
    assert taxes_of(made, bases, 2) == {D(10): D("0.01")}
    assert taxes_of(made, bases, 2, half_down=True) == {D(10): D("0.00")}
    assert taxes_of(made, bases, None) == {D(10): D("0.005")}


# ---- how far a tax may be off ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "times", "digits", "play"),
    [("22", "1", 2, "0.0061"), ("10", "3", 2, "0.0165"), ("20", "1", 0, "0.6"), ("22", "2", 3, "0.00122")],
)
def test_each_rounding_leaves_half_a_unit_and_its_tax(rate: str, times: str, digits: int, play: str) -> None:
    """Half a cent of the tax itself, and the tax of half a cent of the amount."""
    assert play_of(D(rate), D(times), digits) == D(play)


@pytest.mark.parametrize(
    ("lines", "rate", "span"),
    [
        ([line("1", "0.34")] * 3, "22", ("0.2244", "0.21", "0.22")),
        ([line("3", "0.34")], "22", ("0.2244", "0.21", "0.22")),
        ([line("3", "0.34", discount=D("0.10"))], "22", ("0.2024", "0.20", "0.21")),
        ([line("1.5", "0.06")], "22", ("0.0198", "0.02", "0.02")),
        ([line("1", "0.05", "10")], "10", ("0.005", "0.00", "0.01")),
        ([line("1", "0.15", "10")], "10", ("0.015", "0.01", "0.02")),
        ([line("1", "0.333"), line("1", "0.15", "10")], "10", ("0.015", "0.01", "0.02")),
        ([line("0.5", "0.33")], "22", ("0.0363", "0.0302", "0.0424")),
        ([line("2", "0.005")], "22", ("0.0022", "-0.0100", "0.0144")),
        ([line("3", "0.33", total=D("1.00"))], "22", ("0.22", "0.2017", "0.2383")),
        ([line("1", "1.00", discount=D("0.005"))], "22", ("0.2189", "0.2128", "0.2250")),
    ],
    ids=[
        "three lines",
        "three pieces",
        "three pieces less a discount",
        "a part of a piece",
        "half a cent to even",
        "half a cent to odd",
        "a rate beside one with a rounded price",
        "an amount of a part of a cent",
        "a price of a part of a cent",
        "a total that is not its product",
        "a discount of a part of a cent",
    ],
)
def test_whole_amounts_leave_the_shops_ways_of_rounding_and_others_leave_play(
    lines: list[Line], rate: str, span: tuple[str, str, str]
) -> None:
    """The tax of the sum, of each line, of each piece; else half a cent of tax and of amount for each piece."""
    made = sold(*lines)
    exact, least, most = map(D, span)
    assert spans(made, parts_of(made))[D(rate)] == Span(exact=exact, least=least, most=most)


def test_discounts_on_the_whole_leave_more() -> None:
    """Told: 8.00 at 22 % is 1.76, and 0.005 + 0.005 x 2 x 3 x 0.22. Not told: (3 pieces + 2 roundings) x 0.0061."""
    made = sold(line("1", "10.00"), discounts=(Discount(amount=D(1)), Discount(amount=D(1))))
    assert spans(made, parts_of(made)) == {D(22): Span(exact=D("1.76"), least=D("1.7484"), most=D("1.7716"))}
    two = sold(*[line("1", "5.00")] * 2, discounts=(Discount(amount=D(1)), Discount(amount=D(1))))
    assert spans(two, parts_of(two))[D(22)].most == D("1.76") + D("0.01") + D("0.0088")
    rounded = sold(line("3", "0.33", total=D("1.00")), discounts=(Discount(amount=D("0.10")),))
    found = spans(rounded, parts_of(rounded))[D(22)]
    assert found == Span(exact=D("0.198"), least=D("0.1675"), most=D("0.2285"))


# ---- what the invoice may come to ------------------------------------------------------------------------------------


def taxes(given: Order, rounding: TaxRounding = PER_RATE) -> list[dict[str, str]]:
    """Give the VAT per rate of each goal, as text."""
    found = goals(given, charges_of(given), rounding)
    assert not isinstance(found, Reason), found
    assert {goal.total for goal in found} == {given.totals.grand_total}
    return [{str(rate): str(tax) for rate, tax in goal.tax_by_rate.items()} for goal in found]


def refused(given: Order) -> str:
    """Give why an order's totals do not follow."""
    found = goals(given, charges_of(given), PER_RATE)
    assert isinstance(found, Reason), found
    assert found.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    assert found.fix == "Correct the order in the shop and send it again; it is never balanced here."
    return found.message


def test_a_goal_tells_whether_the_shop_states_it() -> None:
    """2.20 at 22 %, told or reckoned."""
    told = order([line("1", "10.00")], "12.20", tax_by_rate=stated(r22="2.20"))
    silent = order([line("1", "10.00")], "12.20")
    goal = Goal(total=D("12.20"), tax_by_rate={D(22): D("2.20")}, stated=True)
    assert goals(told, charges_of(told), PER_RATE) == (goal,)
    assert goals(silent, charges_of(silent), PER_RATE) == (
        Goal(total=D("12.20"), tax_by_rate={D(22): D("2.20")}, stated=False),
    )


THREE = [with_tax("1", "0.41")] * 3  # 1.23 with 0.2218 of tax: 0.22 once, 3 x 0.07 on the lines


def test_what_the_organisation_rounds_comes_first() -> None:
    """Both are the shop's figures as far as anybody can tell."""
    assert taxes(order(THREE, "1.23")) == [{"22": "0.22"}, {"22": "0.21"}]
    assert taxes(order(THREE, "1.23"), PER_LINE) == [{"22": "0.21"}, {"22": "0.22"}]


def test_half_a_cent_within_prices_may_be_rounded_down() -> None:
    """0.09 with tax at 20 % holds 0.015; beside prices without tax as well."""
    assert taxes(order([with_tax("1", "0.09", "20")], "0.09")) == [{"20": "0.02"}, {"20": "0.01"}]
    mixed = order([with_tax("1", "0.09", "20"), line("1", "10.00")], "12.29")
    assert taxes(mixed) == [{"20": "0.02", "22": "2.20"}, {"20": "0.01", "22": "2.20"}]


TOLD = [with_tax("1", "0.41", taxes=(Tax(rate=D(22), amount=D("0.07")),))] * 3


def test_what_the_lines_state_is_the_last_word_where_it_is_the_shops_tax() -> None:
    """0.21 on the lines. Where the shop's tax is 0.22 in all, the lines were rounded and the whole was not."""
    assert taxes(order(TOLD, "1.23")) == [{"22": "0.21"}]
    assert taxes(order(TOLD, "1.23", tax="0.21")) == [{"22": "0.21"}]
    assert taxes(order(TOLD, "1.23", tax="0.22")) == [{"22": "0.22"}]
    some = [*TOLD[:2], THREE[0]]
    assert taxes(order(some, "1.23")) == [{"22": "0.22"}, {"22": "0.21"}]
    before = with_tax("1", "5.00", None)
    assert taxes(order([before, *THREE], "6.23")) == [{"22": "0.22"}, {"22": "0.21"}]


def test_another_split_of_the_same_tax_is_not_the_shops() -> None:
    """Once per rate it would be 0.22 and 0.03; the lines state 0.21 and 2 x 0.02: 0.25 as well."""
    twice = [with_tax("1", "0.09", "20", taxes=(Tax(rate=D(20), amount=D("0.02")),))] * 2
    assert taxes(order([*TOLD, *twice], "1.41", tax="0.25")) == [{"22": "0.21", "20": "0.04"}]


def test_lines_whose_taxes_reach_another_cent_in_sum_are_refused() -> None:
    """2.2061 is 2.20 give or take its rounding; as the tax at 22 % of 10.00 it would be 2.21."""
    assert refused(order([told("2.2061")], "12.21")) == (
        "VAT at 22 %: the lines give 2.2 EUR, the shop states 2.21. The difference is -0.01 EUR."
    )


def test_a_coupon_may_have_changed_what_the_lines_state() -> None:
    """1.23 less 0.10 is 1.13 with 0.2038: the lines' 0.07 are from before, and 0.20 is what it comes to."""
    given = order(TOLD, "1.13", discounts=(Discount(amount=D("0.10")),))
    assert {"22": "0.20"} in taxes(given)


# ---- whether the total follows ---------------------------------------------------------------------------------------

# 5.0222 at 22 % (1.1049), 1.0054 at 10 % (0.1005) and at 20 % (0.2011): 7.033 and 1.40 of tax; 1.4065 exactly.
FINE = [line("1", "5.0222"), line("1", "1.0054", "10"), line("1", "1.0054", "20")]
FINE_TAXES = stated(r22="1.10", r10="0.10", r20="0.20")


@pytest.mark.parametrize(
    ("total", "follows"), [("8.43", True), ("8.44", True), ("8.42", False), ("8.45", False), ("8.93", False)]
)
def test_the_sum_may_be_rounded_once_or_each_amount(total: str, follows: bool) -> None:  # noqa: FBT001 a parameter
    """7.033 + 1.40 is 8.43; 8.4395 is 8.44, and so is 5.02 + 1.01 + 1.01 + 1.40."""
    given = order(FINE, total, tax_by_rate=FINE_TAXES)
    assert isinstance(goals(given, charges_of(given), PER_RATE), tuple) is follows


def test_more_than_half_a_cent_off_the_sum_does_not_follow() -> None:
    """7.0355 + 1.40 is 8.4355, which is no 8.43; 1.00665 at 10 % is 0.1007, at 20 % 0.2013."""
    lines = [line("1", "5.0222"), line("1", "1.00665", "10"), line("1", "1.00665", "20")]
    assert "the shop states 8.43." in refused(order(lines, "8.43", tax_by_rate=FINE_TAXES))


def test_whole_amounts_leave_the_total_no_play_though_the_tax_has_more_decimals() -> None:
    """1.00 with 0.2149 of tax is no 1.21."""
    lines = [line("3", "0.33", total=D("1.00"))]
    assert "the shop states 1.21." in refused(order(lines, "1.21", tax_by_rate=stated(r22="0.2149")))


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([with_tax("1", "1.0054"), with_tax("1", "1.0054", "10")], "2.02"),
        ([with_tax("1", "1.0054"), line("1", "1.0054", None)], "2.02"),
        ([line("1", "1.0054"), with_tax("1", "1.0054", None)], "2.24"),
        ([with_tax("1", "1.22"), *[line("1", "0.34")] * 3], "2.45"),
    ],
    ids=["prices with tax", "and one that bears none", "without tax, and one that bears none", "mixed, on each line"],
)
def test_tax_comes_on_top_of_what_has_none_in_it(lines: list[Line], total: str) -> None:
    """1.01 + 1.01 is 2.02 where the tax lies within; 2.24 with 0.22 on top; 1.22 + 1.02 + 3 x 0.07 is 2.45."""
    given = order(lines, total)
    assert isinstance(goals(given, charges_of(given), PER_RATE), tuple)


@pytest.mark.parametrize(("total", "follows"), [("10.97", True), ("10.98", True), ("10.99", False), ("10.95", False)])
def test_discounts_of_parts_of_a_cent_leave_half_a_cent_each(total: str, follows: bool) -> None:  # noqa: FBT001 a parameter
    """10.00 less 1.00, 0.005 and 0.004 is 8.991, with 1.98 of tax 10.971: a cent at most from it."""
    coupons = tuple(Discount(amount=D(amount)) for amount in ("1.00", "0.005", "0.004"))
    given = order([line("1", "10.00")], total, tax_by_rate=stated(r22="1.98"), discounts=coupons)
    assert isinstance(goals(given, charges_of(given), PER_RATE), tuple) is follows


# ---- what is said ----------------------------------------------------------------------------------------------------


def test_a_contradiction_is_told_with_both_figures_and_their_difference() -> None:
    """The tax per rate, its sum, the tax in all, the total."""
    lines = [line("1", "10.02")]
    assert refused(order(lines, "12.22", tax="2.20", tax_by_rate=stated(r22="2.10"))) == (
        "The tax per rate adds up to 2.1 EUR, the shop states 2.2 as its tax. The difference is -0.1 EUR."
    )
    assert refused(order(lines, "12.32", tax_by_rate=stated(r22="2.30"))) == (
        "VAT at 22 %: the lines give 2.2 EUR, the shop states 2.3. The difference is -0.1 EUR."
    )
    assert refused(order(lines, "12.22", tax="3.00")) == (
        "The lines give 2.2 EUR of tax, the shop states 3. The difference is -0.8 EUR."
    )
    assert refused(order(lines, "12.30", tax="2.20")) == (
        "Lines, discounts, shipping, fees and tax give 12.22 EUR, the shop states 12.3. The difference is -0.08 EUR."
    )


def told(*amounts: str | None, quantity: str = "1", price: str = "10.00") -> Line:
    """Give a line that states these taxes at 22 %, then at 10 %."""
    rates = [D(22), D(10)]
    made = tuple(
        Tax(rate=rate, amount=None if amount is None else D(amount))
        for rate, amount in zip(rates, amounts, strict=False)
    )
    return line(quantity, price, taxes=made)


def contradicted(given: Line, **more: Any) -> bool:
    """Tell whether a line's own tax is refused; the order's are right."""
    net = given.quantity * given.unit_price - given.discount
    tax = (net * D("0.22")).quantize(D("0.01"))
    made = order([given], str(net + tax), tax_by_rate=stated(r22=str(tax)), **more)
    return isinstance(goals(made, charges_of(made), PER_RATE), Reason)


def test_a_line_whose_tax_is_not_its_rates_is_refused() -> None:
    """2.20 of 10.00 at 22 %; though the order's own tax is right."""
    made = order([told("2.30")], "12.20", tax_by_rate=stated(r22="2.20"))
    assert refused(made) == ("Line 1 (Mug): tax at 22 % is 2.2 EUR, the shop states 2.3. The difference is -0.1 EUR.")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (told("2.2061"), False),
        (told("2.2062"), True),
        (told("2.21"), True),
        (line("1", "10.00", discount=D(1), taxes=(Tax(rate=D(22), amount=D("1.98")),)), False),
        (line("1", "10.00", taxes=(Tax(rate=D(22), amount=D("2.30")), Tax(rate=D(0)))), True),
        (told("6.618", quantity="3"), False),
        (told("6.619", quantity="3"), True),
    ],
    ids=[
        "half a cent and its tax",
        "more",
        "a cent",
        "of less a discount",
        "beside a rate of nought",
        "three times that",
        "more than three times",
    ],
)
def test_a_lines_tax_may_be_off_by_its_rounding(given: Line, wrong: bool) -> None:  # noqa: FBT001 a parameter
    """0.0061 for each piece."""
    assert contradicted(given) is wrong


def test_a_coupon_on_the_order_may_have_changed_a_lines_tax() -> None:
    """Then the lines are not asked."""
    coupon = (Discount(amount=D("1.00")),)
    made = order([told("1.98")], "10.98", tax_by_rate=stated(r22="1.98"), discounts=coupon)
    assert taxes(made) == [{"22": "1.98"}]
