"""One plan at a time: what each way of laying out may move, what it must not, and which ways there are."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.charges import Charge, Charges, Position, Reduction
from consumer.domain.layout import Freedom, Layout, Plan, Search, find_layout, nearest_figures, plans, without_negatives
from consumer.domain.ledger import InvoiceDraft, TaxRounding
from consumer.domain.taxes import NO_TAX, TaxChosen
from consumer.domain.totals import Goal
from tests.domain.order_building import SHOP, D

DAY = date(2026, 3, 14)
HEADER = InvoiceDraft(contact_id="1", reference="r", issued_on=DAY, due_on=DAY, currency="EUR", lines=())
UNTAXED, AT_22, AT_10 = 0, 1, 2
TAXES = (NO_TAX, TaxChosen(tax_id="a", rate=D(22)), TaxChosen(tax_id="b", rate=D(10)))


def at(amount: str, tax: int = AT_22, less: str = "0", **more: Any) -> Position:
    """Give a position of one piece at a price without tax, and its own discount."""
    price = D(amount)
    fits = price == round(price, 2)
    given = {"charge": Charge.PRODUCT, "label": "Line", "name": "Mug", "inclusive": False, "multiplies": fits, **more}
    return Position(amount=price, unit_price=price, tax=tax, reduction=D(less), **given)


def off(amount: str, *positions: int, **more: Any) -> Reduction:
    """Give a discount off these positions."""
    return Reduction(**{"name": "Coupon", "amount": D(amount), "positions": positions, "inclusive": False, **more})


def charges(*positions: Position, less: tuple[Reduction, ...] = (), **more: Any) -> Charges:
    """Give an order's charges at 22 % and 10 %, in prices without tax."""
    given = {"taxes": TAXES, "digits": 2, "inclusive": False, "mixed": False, **more}
    return Charges(positions=positions, reductions=less, **given)


def search(of: Charges, *, per_line: bool = False, negative_lines: bool = True) -> Search:
    """Begin a search."""
    rounding = TaxRounding.PER_LINE if per_line else TaxRounding.PER_RATE
    return Search(of, HEADER, SHOP, (rounding,), negative_lines=negative_lines)


def goal(total: str, **taxes: str) -> Goal:
    """Give what is to be met: ``goal("12.20", r22="2.20")``."""
    return Goal(total=D(total), tax_by_rate={D(rate[1:]): D(tax) for rate, tax in taxes.items()}, stated=True)


def plan(freedom: Freedom, *, inclusive: bool = False, folded: bool = False) -> Plan:
    """Give one way of laying out."""
    return Plan(inclusive=inclusive, freedom=freedom, folded=folded)


def rates(found: Layout | InvoiceDraft | None) -> list[Decimal]:
    """Give the price on each line, less the line's own discount."""
    assert found is not None
    draft = found.draft if isinstance(found, Layout) else found
    return [line.rate - line.discount for line in draft.lines]


# ---- which ways there are --------------------------------------------------------------------------------------------

APART = (plan(Freedom.NONE), plan(Freedom.ALL))
WITHIN = (plan(Freedom.NONE, folded=True), plan(Freedom.ALL, folded=True))
REDUCED_ONE = charges(at("5"), at("5", less="1"))
COUPON = charges(at("5"), less=(off("1", 0),))


def turned(*given: Plan) -> tuple[Plan, ...]:
    """Give the same ways with tax in the prices."""
    return tuple(replace(each, inclusive=True) for each in given)


@pytest.mark.parametrize(
    ("of", "negative_lines", "expected"),
    [
        (charges(at("5")), True, (*APART, *turned(*APART))),
        (charges(at("5")), False, (*APART, *turned(*APART))),
        (charges(at("5", UNTAXED), taxes=TAXES[:1]), True, APART),
        (REDUCED_ONE, True, (*APART, *WITHIN, *turned(*APART, *WITHIN))),
        (REDUCED_ONE, False, (*WITHIN, *turned(*WITHIN))),
        (COUPON, True, (APART[0], plan(Freedom.DISCOUNTS), APART[1], *WITHIN, *turned(*APART, *WITHIN))),
        (COUPON, False, (*WITHIN, *turned(*WITHIN))),
    ],
    ids=[
        "no discount",
        "no discount, no lines below nought",
        "no tax",
        "one line's own discount",
        "one line's own discount, no lines below nought",
        "a coupon",
        "a coupon, no lines below nought",
    ],
)
def test_the_ways_are_tried_from_the_shops_own_to_the_furthest(
    of: Charges,
    negative_lines: bool,  # noqa: FBT001 a parameter
    expected: tuple[Plan, ...],
) -> None:
    """Apart before within, the shop's own mode before the other, and only ways that the ledger can take."""
    assert tuple(plans(of, negative_lines=negative_lines)) == expected


def test_a_ledger_has_lines_below_nought_unless_it_is_said_that_it_has_not() -> None:
    """10.00 less 1.00 at 22 %: 9.00 and 1.98."""
    found = find_layout(
        charges(at("10"), less=(off("1", 0),)),
        (goal("10.98", r22="1.98"),),
        header=HEADER,
        shop=SHOP,
        rounding=TaxRounding.PER_RATE,
    )
    assert rates(found) == [D(10), D(-1)]


# ---- ledgers without lines below nought ------------------------------------------------------------------------------


def test_what_is_below_nought_becomes_a_discount_off_the_others_of_its_tax() -> None:
    """A gift of nothing and a line of 0.50 stay lines; the discounts that there were keep to their lines."""
    of = charges(
        at("10"),
        at("-2", less="1", name="Loyalty", inclusive=True),
        at("0", AT_10),
        at("0.50"),
        less=(off("1", 0, 1, 2), off("0.10", 3)),
    )
    found = without_negatives(of)
    assert found.positions == (of.positions[0], of.positions[2], of.positions[3])
    assert found.reductions == (
        off("1", 0, 1),
        off("0.10", 2),
        off("3", 0, 2, name="Loyalty", inclusive=True, after_tax=False),
    )


def test_what_is_below_nought_and_bears_no_tax_leaves_the_tax_alone() -> None:
    """Beside another line without tax; and where its tax has no other line, which is all that is left to do."""
    untaxed = without_negatives(charges(at("10"), at("3", UNTAXED), at("-2", UNTAXED)))
    assert [(each.amount, each.positions, each.after_tax) for each in untaxed.reductions] == [(D(2), (1,), True)]
    alone = without_negatives(charges(at("10"), at("-2", AT_10)))
    assert [(each.positions, each.after_tax) for each in alone.reductions] == [((), True)]


def test_where_everything_is_below_nought_nothing_is_made_of_it() -> None:
    """There is no line that it could come off."""
    of = charges(at("-2"), at("-1"))
    assert without_negatives(of) == of


def without_lines_below_nought(of: Charges, wanted: Goal) -> Layout | None:
    """Search for a ledger that has none."""
    return find_layout(of, (wanted,), header=HEADER, shop=SHOP, rounding=TaxRounding.PER_RATE, negative_lines=False)


def test_no_line_is_below_nought_where_the_ledger_has_none() -> None:
    """8.00 off 5.00 at 10 % leaves -3.00 and -0.30, beside 10.00 and 2.20: 8.90, which such a ledger does not take."""
    of = charges(at("10"), at("5", AT_10), less=(off("8", 1),))
    assert without_lines_below_nought(of, goal("8.90", r22="2.20", r10="-0.30")) is None


def test_lines_of_nothing_and_of_less_than_one_are_taken() -> None:
    """10.00 less 1.00, a gift, and 0.50, at 22 %: 9.50 and 2.09."""
    of = charges(at("10"), at("0"), at("0.50"), less=(off("1", 0),))
    assert rates(without_lines_below_nought(of, goal("11.59", r22="2.09"))) == [D(9), D(0), D("0.50")]


def test_a_discount_after_tax_is_no_line_where_there_is_none_below_nought() -> None:
    """It is the document's; the discounts before tax stay what they are."""
    of = charges(at("10"), less=(off("2", 0, after_tax=True), off("1", 0)))
    draft, _ = search(of, negative_lines=False).draft(plan(Freedom.NONE), None)
    assert (rates(draft), draft.discount, draft.discount_before_tax) == ([D(10), D(-1)], D(2), False)
    draft, _ = search(of).draft(plan(Freedom.NONE), None)
    assert (rates(draft), draft.discount, draft.discount_before_tax) == ([D(10), D(-2), D(-1)], D(0), True)


# ---- what each way may move ------------------------------------------------------------------------------------------


def test_whole_amounts_are_taken_as_they_are_and_only_so() -> None:
    """Where nothing can be rounded the other way, the ways that would do it are not tried."""
    of = search(charges(at("10")))
    wanted = goal("12.20", r22="2.20")
    assert rates(of.exact(plan(Freedom.NONE), wanted)) == [D(10)]
    assert of.exact(plan(Freedom.ALL), wanted) is None


def test_lines_are_rounded_the_other_way_only_where_all_may_be() -> None:
    """Three times 0.335 at 10 %: 1.01 in the shop, where half up each is 1.02; 0.10 of tax either way."""
    of = search(charges(*[at("0.335", AT_10)] * 3, less=(off("0.05", 0),)))
    wanted = goal("1.06", r10="0.10")
    assert of.exact(plan(Freedom.NONE), wanted) is None
    assert of.exact(plan(Freedom.DISCOUNTS), wanted) is None
    assert sorted(rates(of.exact(plan(Freedom.ALL), wanted))) == [D("-0.05"), D("0.33"), D("0.34"), D("0.34")]


SPLIT = charges(at("10"), at("10", AT_10), less=(off("0.05", 0, 1),))


def test_the_parts_of_a_discount_move_in_a_pair() -> None:
    """0.05 over two rates is 0.025 each: 0.03 and 0.02, or 0.02 and 0.03, and never 0.02 twice.

    9.97 at 22 % is 2.1934, 9.98 is 2.1956; 9.98 at 10 % is 0.998, 9.97 is 0.997: 23.14 and 23.15. With 0.02 twice it
    would be 19.96 + 2.20 + 1.00 = 23.16.
    """
    of = search(SPLIT)
    stated, moved, other = (goal(total, r22=tax, r10="1.00") for total, tax in PAIRS)
    assert rates(of.exact(plan(Freedom.NONE), stated))[2:] == [D("-0.03"), D("-0.02")]
    assert of.exact(plan(Freedom.NONE), moved) is None
    assert rates(of.exact(plan(Freedom.DISCOUNTS), moved))[2:] == [D("-0.02"), D("-0.03")]
    assert of.exact(plan(Freedom.DISCOUNTS), other) is None


PAIRS = (("23.14", "2.19"), ("23.15", "2.20"), ("23.16", "2.20"))


def test_a_discount_is_moved_by_what_its_lines_come_to_after_their_own() -> None:
    """10.00 less 5.00 at 22 % and 5.00 at 10 % share 0.05 alike: 0.02 and 0.03 is as near as 0.03 and 0.02.

    5.00 - 0.02 is 4.98, at 22 % 1.0956; 4.97 at 10 % is 0.497: 9.95 + 1.10 + 0.50 = 11.55.
    """
    of = search(charges(at("10", less="5"), at("5", AT_10), less=(off("0.05", 0, 1),)))
    found = of.exact(plan(Freedom.DISCOUNTS), goal("11.55", r22="1.10", r10="0.50"))
    assert rates(found) == [D(10), D(-5), D(5), D("-0.02"), D("-0.03")]


def test_a_discount_on_gifts_is_split_evenly() -> None:
    """What costs nothing has no share to tell by; the odd cent goes by the higher rate."""
    of = search(charges(at("0"), at("0", AT_10), less=(off("0.05", 0, 1),)))
    draft, _ = of.draft(plan(Freedom.DISCOUNTS), None)
    assert rates(draft) == [D(0), D(0), D("-0.03"), D("-0.02")]


def test_a_discount_of_part_of_a_cent_is_rounded_the_other_way_only_where_all_may_be() -> None:
    """10.00 less 0.335 at 10 %: with 0.34 off 9.66 and 0.97; with 0.33 off 9.67 and 0.97."""
    of = search(charges(at("10", AT_10), less=(off("0.335", 0),)))
    wanted = goal("10.64", r10="0.97")
    assert of.exact(plan(Freedom.NONE), wanted) is None
    assert rates(of.exact(plan(Freedom.ALL), wanted)) == [D(10), D("-0.33")]


def test_what_only_the_second_rounding_leads_to_is_taken_where_it_is_exact_under_both() -> None:
    """While the organisation's rounding is unknown: 0.136 at 10 % and 2.035 at 22 %, less 0.29; the shop has 2.27.

    0.13 less 0.02 and 2.03 less 0.27 are 1.87. Per rate 0.011 and 0.3872, so 0.01 and 0.39; per line 0.013, -0.002,
    0.4466 and -0.0594, so 0.01 and 0.45 less 0.06: the same.
    """
    of = charges(at("0.136", AT_10), at("2.035"), less=(off("0.29", 0, 1),))
    both = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)
    wanted = goal("2.27", r22="0.39", r10="0.01")
    found = Search(of, HEADER, SHOP, both, negative_lines=True).exact(plan(Freedom.ALL), wanted)
    assert rates(found) == [D("0.13"), D("2.03"), D("-0.02"), D("-0.27")]


# ---- with tax instead of without -------------------------------------------------------------------------------------


@pytest.mark.parametrize("freedom", list(Freedom))
def test_in_the_other_mode_every_amount_is_converted(freedom: Freedom) -> None:
    """30.00 at 22 % is 36.60, 60.00 at 10 % is 66.00; 3.33 is 4.0626, and 6.67 is 7.337."""
    of = search(charges(at("30"), at("60", AT_10), less=(off("10", 0, 1),)))
    draft, _ = of.draft(plan(freedom, inclusive=True), None)
    assert rates(draft) == [D("36.60"), D("66.00"), D("-4.06"), D("-7.34")]


def test_tax_is_taken_out_of_prices_that_have_it_in_them() -> None:
    """12.20 with 22 % in it is 10.00; what bears no tax stays as it is."""
    of = charges(at("12.20", inclusive=True), at("5", UNTAXED, inclusive=True), inclusive=True)
    draft, _ = search(of).draft(plan(Freedom.NONE), None)
    assert rates(draft) == [D(10), D(5)]


# ---- discounts within the lines --------------------------------------------------------------------------------------


def test_lines_with_the_discount_within_are_rounded_the_other_way_only_where_all_may_be() -> None:
    """0.335 less 0.10, and twice 0.335, at 10 %: 0.905, so 0.91 in the shop and 0.09; half up each is 0.92."""
    of = search(charges(at("0.335", AT_10, less="0.10"), *[at("0.335", AT_10)] * 2))
    wanted = goal("1.00", r10="0.09")
    assert of.exact(plan(Freedom.NONE, folded=True), wanted) is None
    assert sum(rates(of.exact(plan(Freedom.ALL, folded=True), wanted))) == D("0.91")


def test_within_the_lines_a_discount_is_whole_cents_unless_all_may_be_rounded() -> None:
    """0.05 off two of 10.00: 0.03 and 0.02, or 0.02 and 0.03 where only that gives the tax."""
    of = search(SPLIT)
    stated, moved = (goal(total, r22=tax, r10="1.00") for total, tax in PAIRS[:2])
    assert rates(of.exact(plan(Freedom.NONE, folded=True), stated)) == [D("9.97"), D("9.98")]
    assert of.exact(plan(Freedom.NONE, folded=True), moved) is None
    assert rates(of.exact(plan(Freedom.ALL, folded=True), moved)) == [D("9.98"), D("9.97")]


# ---- the adjustment --------------------------------------------------------------------------------------------------


def test_a_cent_is_balanced_beside_discounts_that_are_lines() -> None:
    """10.00 less 1.00 at 22 % is 9.00 + 1.98; the shop has 10.99: one cent for its one line, which is the most."""
    found = search(charges(at("10"), less=(off("1", 0),))).adjusted(goal("10.99", r22="1.98"))
    assert found is not None
    assert (rates(found), found.draft.adjustment) == ([D(10), D(-1)], D("0.01"))
    assert found.explanation[-1] == "Rounding: 0.01 EUR, because the shop rounds otherwise."


def test_a_cent_is_balanced_beside_discounts_within_the_lines_where_only_they_give_the_tax() -> None:
    """Per line 10.02 less 0.25 is 9.77 and 2.15; apart it is 2.20 less 0.06. The shop has 11.93."""
    found = search(charges(at("10.02", less="0.25")), per_line=True).adjusted(goal("11.93", r22="2.15"))
    assert (rates(found), found and found.draft.adjustment) == ([D("9.77")], D("0.01"))


@pytest.mark.parametrize(
    "of",
    [charges(at("10"), at("5"), less=(off("1", 0),)), charges(at("10", less="1"), at("5"))],
    ids=["a coupon", "one line's own"],
)
def test_a_cent_is_balanced_where_there_are_no_lines_below_nought(of: Charges) -> None:
    """10.00 less 1.00 and 5.00 at 22 %: 14.00 and 3.08; the shop has 17.09."""
    found = search(of, negative_lines=False).adjusted(goal("17.09", r22="3.08"))
    assert (rates(found), found and found.draft.adjustment) == ([D(9), D(5)], D("0.01"))


# ---- what is shown where nothing is exact ----------------------------------------------------------------------------


def test_the_nearest_figures_are_in_whole_cents() -> None:
    """10.00 at 22 % less 0.335 after tax: 12.20 less 0.34."""
    of = charges(at("10"), less=(off("0.335", 0, after_tax=True),))
    shown = nearest_figures(of, header=HEADER, shop=SHOP, rounding=TaxRounding.PER_RATE)
    assert (shown.total, shown.tax_total) == (D("11.86"), D("2.20"))
