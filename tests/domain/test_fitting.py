"""The search for whole minor units: each amount at most one unit from where it lies, every tax met, or nothing."""

from decimal import Decimal

import pytest

from consumer.domain.fitting import Piece, Target, TaxRule, fit, tax_rule
from tests.domain.order_building import D


def rule(*rates: str, inclusive: bool = False) -> TaxRule:
    """Give the rule of a tax of these members."""
    return tax_rule(tuple((D(rate), D(rate)) for rate in rates), inclusive=inclusive)


def target(base: int, *, per_line: bool = False, **tax_by_rate: int) -> Target:
    """Give what is to be met; ``r10=20`` is 20 units of tax at 10 %."""
    return Target(base=base, tax_by_rate={D(rate[1:]): tax for rate, tax in tax_by_rate.items()}, per_line=per_line)


def free(tax: int, exact: str, family: int = -1) -> Piece:
    """Give an amount that may be rounded the other way."""
    return Piece(tax=tax, exact=D(exact), free=True, family=family)


def test_a_rule_is_written_in_the_fewest_digits() -> None:
    """10 % is 10 of 100, 7.5 % is 75 of 1000, and 22 % within a price is 22 of 122."""
    assert rule("10") == TaxRule(rates=(D("10"),), numerators=(10,), denominator=100)
    assert rule("7.5") == TaxRule(rates=(D("7.5"),), numerators=(75,), denominator=1000)
    assert rule("22", inclusive=True) == TaxRule(rates=(D("22"),), numerators=(22,), denominator=122)


@pytest.mark.parametrize(("base", "tax"), [(100, 3), (99, 2), (-100, -3), (-99, -2), (0, 0)])
def test_halves_of_tax_go_away_from_zero(base: int, tax: int) -> None:
    """100 units at 2.5 % are 2.5 of tax."""
    assert rule("2.5").of(base) == (tax,)


def test_the_amount_nearest_to_its_other_neighbour_moves() -> None:
    """200.3 and 100.45 are to come to 301: the second goes up, though it is the smaller and the later."""
    assert fit([free(1, "200.3"), free(1, "100.45")], {1: rule("10")}, target(301, r10=30)) == [200, 101]
    assert fit([free(1, "200.55"), free(1, "100.7")], {1: rule("10")}, target(301, r10=30)) == [200, 101]


def test_of_equals_the_earlier_moves() -> None:
    """Two of 100.4 come to 201: the first goes up."""
    assert fit([free(1, "100.4"), free(1, "100.4")], {1: rule("10")}, target(201, r10=20)) == [101, 100]


@pytest.mark.parametrize("exact", ["100", "100.6", "99.5"])
def test_no_amount_goes_further_than_its_neighbours(exact: str) -> None:
    """101 is as far as any of these may go, and a whole amount does not move at all."""
    base = 101 if exact in ("100", "99.5") else 102
    assert fit([free(1, exact)], {1: rule("10")}, target(base, r10=10)) is None


def test_an_amount_that_is_not_free_stays() -> None:
    """100.4 as the shop stated it is 100 and nothing else, even where another may move."""
    fixed = Piece(tax=1, exact=D("100.4"))
    assert fit([fixed], {1: rule("10")}, target(101, r10=10)) is None
    assert fit([fixed], {1: rule("10")}, target(100, r10=10)) == [100]
    assert fit([fixed, free(1, "50.1")], {1: rule("10")}, target(151, r10=15)) == [100, 51]


def test_a_unit_that_either_tax_could_take_goes_to_the_higher_rate() -> None:
    """10 and 20 of tax stand for 101 as for 100: which moves is the rate's to say, not the order of the lines."""
    rules = {1: rule("10"), 2: rule("20")}
    wanted = target(201, r10=10, r20=20)
    assert fit([free(1, "100.4"), free(2, "100.4")], rules, wanted) == [100, 101]
    assert fit([free(2, "100.4"), free(1, "100.4")], rules, wanted) == [101, 100]


def test_nothing_moves_where_half_up_meets_the_target() -> None:
    """100.6 is 101 and 100.4 is 100: that both could be the other way round, with the same sums, is no reason."""
    rules = {1: rule("10"), 2: rule("20")}
    assert fit([free(1, "100.6"), free(2, "100.4")], rules, target(201, r10=10, r20=20)) == [101, 100]
    assert fit([free(2, "100.6"), free(1, "100.4")], rules, target(201, r10=10, r20=20)) == [101, 100]


def test_what_a_tax_needs_is_moved_first_and_what_is_left_by_another() -> None:
    """50 % must come to 51, so that its 100 is 101; the other unit that is missing goes to the 10 %."""
    rules = {1: rule("50"), 2: rule("10")}
    assert fit([free(1, "100.4"), free(2, "100.4")], rules, target(202, r50=51, r10=10)) == [101, 101]


def test_too_much_is_taken_away_again() -> None:
    """101 and 101 by half up, 200 wanted: both go down."""
    rules = {1: rule("20"), 2: rule("10")}
    assert fit([free(1, "100.6"), free(2, "100.6")], rules, target(200, r20=20, r10=10)) == [100, 100]


def test_a_tax_that_cannot_be_met_ends_the_search() -> None:
    """25 of tax at 10 % is of no 200, whatever the other tax does."""
    rules = {1: rule("10"), 2: rule("20")}
    assert fit([free(1, "200.4"), free(2, "100.4")], rules, target(300, r10=25, r20=20)) is None


def test_a_rate_that_nobody_speaks_of_is_nothing() -> None:
    """A 0 % tax without a row, and a row of 0 without a line, are both met by nothing."""
    assert fit([free(1, "100.4")], {1: rule("0")}, target(101)) == [101]
    assert fit([free(1, "100.4")], {1: rule("10")}, target(101, r10=10, r20=0)) == [101]


def test_of_two_taxes_of_one_rate_only_the_sum_is_known() -> None:
    """100 and 105 at two taxes of 10 %: 10 + 11 = 21; 22 is met by neither 101 nor 106."""
    rules = {1: rule("10"), 2: rule("10")}
    pieces = [free(1, "100.4"), free(2, "105.4")]
    assert fit(pieces, rules, target(205, r10=21)) == [100, 105]
    assert fit(pieces, rules, target(205, r10=22)) is None


def test_a_member_that_two_taxes_share_is_known_only_in_sum() -> None:
    """1000 at 5 % + 9.975 % is 50 + 100, 200 at 5 % is 10: the 60 at 5 % are of both taxes."""
    rules = {1: rule("5", "9.975"), 2: rule("5")}
    wanted = Target(base=1200, tax_by_rate={D("5"): 60, D("9.975"): 100}, per_line=False)
    assert fit([free(1, "1000.4"), free(2, "200.4")], rules, wanted) == [1000, 200]


def test_parts_of_one_discount_move_in_pairs() -> None:
    """-33.4 and -66.6 of one 100: to -34 and -66, as the taxes are told; parts at right taxes stay where they are."""
    lines = [Piece(tax=tax, exact=D(100)) for tax in (1, 2, 3, 4)]
    parts = [free(1, "-33.4", 0), free(2, "-66.6", 0), free(3, "-50.6", 0), free(4, "-20.4", 0)]
    rules = {1: rule("50"), 2: rule("25"), 3: rule("75"), 4: rule("100")}
    # 66 at 50 %: 33; 34 at 25 %: 8.5, so 9; 49 at 75 %: 36.75, so 37 (50 would be 38); 80 at 100 %: 80.
    wanted = target(66 + 34 + 49 + 80, r50=33, r25=9, r75=37, r100=80)
    assert fit([*lines, *parts], rules, wanted) == [100, 100, 100, 100, -34, -66, -51, -20]


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_parts_of_two_discounts_are_no_pair(first: int, second: int) -> None:
    """The same two parts of two discounts: neither discount would come to its own sum, so nothing is found."""
    pieces = [
        *[Piece(tax=tax, exact=D(100)) for tax in (1, 2)],
        free(1, "-33.4", first),
        free(2, "-66.6", second),
    ]
    assert fit(pieces, {1: rule("50"), 2: rule("25")}, target(100, r50=33, r25=9)) is None


def test_a_part_without_a_counterpart_stays() -> None:
    """One part of a discount may not move alone: the discount would be a unit more."""
    pieces = [Piece(tax=1, exact=D(100)), free(1, "-33.4", 0)]
    assert fit(pieces, {1: rule("50")}, target(66, r50=33)) is None


def test_with_tax_per_line_an_amount_moves_where_its_tax_is_wrong() -> None:
    """14.5 is 15 with 2 of tax at 10 %; told is 1, so 14. What has no tax takes the unit that the sum lacks."""
    pieces = [free(1, "14.5"), free(0, "10.4")]
    assert fit(pieces, {1: rule("10")}, target(25, per_line=True, r10=1)) == [14, 11]


def test_with_tax_per_line_an_amount_moves_up_for_its_tax() -> None:
    """14.4 is 14 with 1 of tax; told is 2, so 15. The other has no unit to give."""
    assert fit([free(1, "14.4"), free(1, "20")], {1: rule("10")}, target(35, per_line=True, r10=4)) == [15, 20]


def test_with_tax_per_line_the_sum_is_met_by_what_leaves_the_tax_alone() -> None:
    """14.4 lies nearer to its neighbour than 20.3, but 15 would bear 2 of tax: 20.3 goes up."""
    pieces = [free(1, "14.4"), free(1, "20.3")]
    assert fit(pieces, {1: rule("10")}, target(35, per_line=True, r10=3)) == [14, 21]


def test_with_tax_per_line_no_more_moves_than_are_missing() -> None:
    """Two of 20.3 and one unit missing: one moves; and of two of 14.5, with 3 of tax told, one goes down."""
    assert fit([free(1, "20.3"), free(1, "20.3")], {1: rule("10")}, target(41, per_line=True, r10=4)) == [21, 20]
    assert fit([free(1, "14.5"), free(1, "14.5")], {1: rule("10")}, target(29, per_line=True, r10=3)) == [14, 15]


def test_with_tax_per_line_parts_of_a_discount_stay() -> None:
    """A discount's part is not moved alone, as without it."""
    pieces = [Piece(tax=1, exact=Decimal(100)), free(1, "-33.4", 0)]
    assert fit(pieces, {1: rule("1")}, target(66, per_line=True, r1=1)) is None


def test_with_tax_per_line_a_sum_that_is_too_high_goes_down() -> None:
    """20.6 and 15.6 are 21 and 16, and 35 are told with 2 + 2 of tax: both go down, as 20 and 15 bear the same."""
    assert fit([free(1, "20.6"), free(1, "15.6")], {1: rule("10")}, target(35, per_line=True, r10=4)) == [20, 15]
