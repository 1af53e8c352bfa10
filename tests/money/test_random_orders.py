"""Random orders of shops that compute as shops do: booked to the cent, and nothing wrong in either setting."""

import ast
from pathlib import Path

import pytest

from tests.money.amounts import by_largest_remainder, half_down, half_up
from tests.money.generator import make_order
from tests.money.million import table
from tests.money.shares import SHARES_AT_LEAST, Feature
from tests.money.shop_ways import WAYS, Coupons, Lines, Tax, Way, coupon_fixed, coupon_percent, line_amount, vat
from tests.money.trial import Trial, run

HERE = Path(__file__).parent
ORDERS = 4_000
EUR = 100_000  # points of a cent
NET = Way(name="net", weight=1, inclusive=False, per_rate=False)
WOO = Way(
    name="woo", weight=1, inclusive=True, per_rate=False, lines=Lines.EXACT, coupons=Coupons.WOOCOMMERCE, half_down=True
)


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Try some thousand orders of another seed than the full run's."""
    return run(20_261_121, range(ORDERS))


def test_every_promise_holds_for_random_orders(trial: Trial) -> None:
    """All booked ones exact in total and VAT per rate, 99.5 % booked, 99 % unadjusted, no feature under 97 %."""
    assert trial.whole.orders == ORDERS
    assert trial.failures() == []


def test_the_other_setting_books_less_and_nothing_wrong(trial: Trial) -> None:
    """Where the organisation rounds in the way that does not fit, orders are parked under the group that says so."""
    assert trial.wrong == []
    assert trial.whole.booked_otherwise < trial.whole.booked
    groups = {group for group, count in trial.reasons.items() if count > ORDERS // 100}
    assert groups == {"per_rate: rounding_differs:per_line", "per_line: rounding_differs:per_rate"}


def test_the_table_has_a_row_for_each_feature_and_way(trial: Trial) -> None:
    """Every row with orders in it; a feature that no order has proves nothing."""
    lines = list(table(trial))
    for name in (*(feature.value for feature in Feature), *(way.name for way in WAYS)):
        (line,) = [line for line in lines if line.startswith(f"| {name} |")]
        assert trial.rows[name].orders > 0, line


@pytest.mark.parametrize("feature", SHARES_AT_LEAST)
def test_the_generator_meets_the_shares_that_were_written_first(trial: Trial, feature: Feature) -> None:
    """Orders of every sort that the thresholds are about."""
    assert trial.rows[feature.value].orders >= SHARES_AT_LEAST[feature] * ORDERS


def test_the_same_number_gives_the_same_order() -> None:
    """A failure can be looked at: seed and number say which order it was."""
    first, again, other = make_order(7, 11), make_order(7, 11), make_order(8, 11)
    assert first.data == again.data
    assert first.data != other.data


@pytest.mark.parametrize("file", ["amounts.py", "shop_ways.py", "generator.py", "shares.py"])
def test_the_generator_shares_no_code_with_what_it_judges(file: str) -> None:
    """It imports the standard library and its own modules, neither Booked nor the stand-in nor the contract."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    foreign = {"consumer", "sandbox", "schemas"}
    assert not [module for module in modules if module.split(".")[0] in foreign]


# ---- the shops' own arithmetic, by hand ------------------------------------------------------------------------------


def test_halves_go_as_the_shop_has_them() -> None:
    """2.5 is 3 or 2, and -2.5 is -3 or -2: away from zero, or towards it."""
    assert [half_up(5, 2), half_up(-5, 2), half_down(5, 2), half_down(-5, 2)] == [3, -3, 2, -2]
    assert [half_up(7, 3), half_down(8, 3)] == [2, 3]


def test_what_is_left_goes_to_the_largest_remainders() -> None:
    """1000 over 30 and 60: 333.3 and 666.7."""
    assert by_largest_remainder(1000, [30, 60]) == [333, 667]
    assert by_largest_remainder(10, [1, 1, 1]) == [4, 3, 3]
    assert by_largest_remainder(5, [0, 0]) == [0, 0]


def test_pieces_are_rounded_before_they_are_multiplied_where_the_shop_does_so() -> None:
    """Three pieces at 0.335: 1.01 (1.005 rounded), 1.02 (0.34 each), or 1.005 kept."""
    pieces = Way(name="", weight=1, inclusive=False, per_rate=False, lines=Lines.PIECES)
    exact = Way(name="", weight=1, inclusive=False, per_rate=False, lines=Lines.EXACT)
    amounts = [line_amount(way, 3350, 3000, 2) for way in (NET, pieces, exact)]
    assert amounts == [101 * EUR, 102 * EUR, 10_050_000]


def test_a_fixed_coupon_goes_evenly_over_the_pieces_or_in_proportion() -> None:
    """1.00 off one piece of 10.00 and two of 5.00 together: thirds of 0.33 with a cent over, or halves."""
    amounts, count = [1000 * EUR, 1000 * EUR], [1, 2]
    assert coupon_fixed(WOO, amounts, count, 100, 2) == [34 * EUR, 66 * EUR]
    assert coupon_fixed(NET, amounts, count, 100, 2) == [50 * EUR, 50 * EUR]
    assert coupon_fixed(WOO, [5 * EUR, 1000 * EUR], [1, 1], 100, 2) == [5 * EUR, 95 * EUR]


def test_a_percentage_is_rounded_by_line_and_adds_up() -> None:
    """10 % of 0.25 and 0.25 are 0.05 together: half down by line 0.02 each, and the cent over goes to the first."""
    assert coupon_percent(WOO, [25 * EUR, 25 * EUR], 10, 2) == [3 * EUR, 2 * EUR]


def test_vat_within_a_price_may_be_rounded_half_down() -> None:
    """9.99 with 20 % in it: 1.665 is 1.66 in such a shop and 1.67 in others."""
    price = [(999 * EUR, (Tax(rate=20_000),))]
    assert vat(WOO, price, 2)[0] == {20_000: 166 * EUR}
    gross = Way(name="", weight=1, inclusive=True, per_rate=False)
    assert vat(gross, price, 2)[0] == {20_000: 167 * EUR}


def test_vat_per_rate_and_per_line_differ_by_a_cent() -> None:
    """Three lines of 0.33 at 22 %: 0.2178 is 0.22, and three times 0.0726 is 0.21."""
    lines = [(33 * EUR, (Tax(rate=22_000),))] * 3
    assert vat(NET, lines, 2)[0] == {22_000: 21 * EUR}
    per_rate = Way(name="", weight=1, inclusive=False, per_rate=True)
    assert vat(per_rate, lines, 2)[0] == {22_000: 22 * EUR}


def test_a_compound_tax_is_taken_of_the_net_and_the_tax_before_it() -> None:
    """100 at 5 % and 8.5 % on top: 5.00 and 8.93 (8.925 half up)."""
    compound = (Tax(rate=5_000), Tax(rate=8_500, compound=True))
    assert vat(NET, [(10_000 * EUR, compound)], 2)[0] == {5_000: 500 * EUR, 8_500: 893 * EUR}
