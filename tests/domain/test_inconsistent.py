"""Orders that contradict themselves are parked, never balanced: each figure is put off by a minor unit and judged.

What a shop may state is reckoned here again, from the rules as docs/money.md has them and nothing of the code's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Discount, Line, Order, RateFigures, Tax
from consumer.domain.states import ReasonCode
from tests.domain.order_building import (
    SHOP,
    D,
    line,
    mapped,
    mapping_of,
    order,
    parked,
    stated,
    with_rounding,
    with_tax,
)

CENT = D("0.01")
TOLERANT = replace(SHOP, vat_tolerance_units=1)
NO_PLAY = (ReasonCode.TOTALS_DO_NOT_FOLLOW,)
unhurried = settings(deadline=None)
ROUNDINGS = (TaxRounding.PER_RATE, TaxRounding.PER_LINE, TaxRounding.UNKNOWN)


@dataclass(frozen=True)
class Sold:
    """Lines of whole cents in a shop without any play: quantity, unit price in cents, rate."""

    rows: tuple[tuple[int, int, int], ...]
    inclusive: bool

    def exact(self, quantity: int, cents: int, rate: int) -> Decimal:
        """Give the tax of a line, unrounded, in euros."""
        return D(quantity * cents * rate) / (100 * (100 + (rate if self.inclusive else 0)))

    def taxes(self) -> dict[int, tuple[Decimal, set[Decimal]]]:
        """Give per rate the exact tax, and what shops make of it: of the sum, of each line, of each unit."""
        found = {}
        for rate in {row[2] for row in self.rows}:
            own = [row for row in self.rows if row[2] == rate]
            exact = self.exact(1, sum(quantity * cents for quantity, cents, _ in own), rate)
            ways = {rounded(exact, way) for way in (ROUND_HALF_UP, ROUND_HALF_DOWN)}
            for way in (ROUND_HALF_UP, ROUND_HALF_DOWN):
                ways.add(sum((rounded(self.exact(*row), way) for row in own), D(0)))
                ways.add(sum((row[0] * rounded(self.exact(1, *row[1:]), way) for row in own), D(0)))
            found[rate] = (exact, ways)
        return found

    def order(self, taxes: dict[int, Decimal], total: Decimal) -> Order:
        """State it with these taxes and this total."""
        lines = [
            line(str(quantity), str(D(cents) / 100), str(rate), prices_include_tax=self.inclusive)
            for quantity, cents, rate in self.rows
        ]
        by_rate = tuple(RateFigures(rate=D(rate), net=None, tax=tax) for rate, tax in taxes.items())
        return order(lines, str(total), tax_by_rate=by_rate)

    def total(self, taxes: dict[int, Decimal]) -> Decimal:
        """Add up lines and taxes."""
        amounts = sum((D(quantity * cents) / 100 for quantity, cents, _ in self.rows), D(0))
        return amounts if self.inclusive else amounts + sum(taxes.values(), D(0))


def rounded(amount: Decimal, way: str) -> Decimal:
    """Round to cents."""
    return amount.quantize(CENT, rounding=way)


sold = st.builds(
    Sold,
    rows=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 9999), st.sampled_from([22, 10, 20])), min_size=1, max_size=5
    ).map(tuple),
    inclusive=st.booleans(),
)


def follows(given_sold: Sold, taxes: dict[int, Decimal], total: Decimal) -> bool:
    """Judge by hand: each tax lies where shops' roundings lie, and the total is that of the parts."""
    ways = given_sold.taxes()
    if not all(min(ways[rate][1]) <= tax <= max(ways[rate][1]) for rate, tax in taxes.items()):
        return False
    exact = given_sold.total({rate: found[0] for rate, found in ways.items()})
    return total == given_sold.total(taxes) or abs(total - exact) <= CENT / 2


@unhurried
@given(sold, st.sampled_from([1, -1, 2, -3]), st.integers(0, 2), st.sampled_from(ROUNDINGS), st.booleans())
def test_a_figure_that_is_off_by_a_cent_is_never_booked(
    given_sold: Sold,
    cents: int,
    which: int,
    rounding: TaxRounding,
    tolerant: bool,  # noqa: FBT001 drawn by hypothesis
) -> None:
    """The total alone, one tax alone, or one tax with the total: what then does not follow is parked, always."""
    taxes = {rate: rounded(found[0], ROUND_HALF_UP) for rate, found in given_sold.taxes().items()}
    total = given_sold.total(taxes) + (cents * CENT if which != 1 else 0)
    if which:
        taxes[next(iter(taxes))] += cents * CENT
    if total < 0 or min(taxes.values()) < 0 or follows(given_sold, taxes, total):
        return
    result = mapping_of(
        given_sold.order(taxes, total), facts=with_rounding(rounding), shop=TOLERANT if tolerant else SHOP
    )
    assert not isinstance(result, Mapped), result.words
    assert result.code is ReasonCode.TOTALS_DO_NOT_FOLLOW


@unhurried
@given(sold)
def test_what_follows_is_booked_where_the_rounding_fits(given_sold: Sold) -> None:
    """The guard is no wall: the same orders unperturbed are booked."""
    taxes = {rate: rounded(found[0], ROUND_HALF_UP) for rate, found in given_sold.taxes().items()}
    assert isinstance(mapping_of(given_sold.order(taxes, given_sold.total(taxes))), Mapped)


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_single_line_leaves_no_play_in_its_tax(inclusive: bool, rounding: TaxRounding) -> None:  # noqa: FBT001 drawn from a table
    """2.70 at 22 % is 0.594. 0.60 with 3.30 would be exact with tax in the price, and it is a cent too much."""
    made = with_tax if inclusive else line
    for cents in range(200, 400, 7):
        price = D(cents) / 100
        exact = price * 22 / (122 if inclusive else 100)
        wrong = exact.quantize(CENT, rounding=ROUND_FLOOR) + (CENT if exact % CENT <= CENT / 2 else 0)
        if exact % CENT in (CENT / 2, 0):
            continue
        total = price if inclusive else price + wrong
        given_order = order([made("1", str(price))], str(total), tax_by_rate=stated(r22=str(wrong)))
        reason = parked(given_order, facts=with_rounding(rounding), shop=TOLERANT)
        assert reason.code is ReasonCode.TOTALS_DO_NOT_FOLLOW, (price, wrong)


@pytest.mark.parametrize("by", ["total", "line"])
def test_a_tax_that_only_the_whole_or_the_line_states_leaves_no_play_either(by: str) -> None:
    """2.70 at 22 % with 0.60 of tax and 3.30 in all, however the tax is told."""
    told: dict[str, Any] = {"taxes": (Tax(rate=D(22), amount=D("0.60")),)} if by == "line" else {}
    given_order = order([line("1", "2.70", **told)], "3.30", tax="0.60" if by == "total" else None)
    assert parked(given_order, shop=TOLERANT).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


@pytest.mark.parametrize(
    ("quantity", "price", "total", "right"),
    [
        ("1", "10.00", "10.01", False),
        ("2", "10.00", "20.01", False),
        ("3", "10.00", "30.01", True),  # 30.01 / 3 is 10.003: the price may be that, rounded
        ("3", "3.33", "10.00", True),
        ("3", "10.00", "30.02", False),
        ("0.25", "8.00", "2.01", False),
        ("4", "0.2525", "1.01", True),
        ("4", "0.2525", "1.02", False),
    ],
)
def test_a_line_follows_its_price_or_the_price_is_its_rounded_share(
    quantity: str,
    price: str,
    total: str,
    right: bool,  # noqa: FBT001 a column of the table
) -> None:
    """Without tax: the order's total is the line's, so the line alone is judged."""
    result = mapping_of(order([line(quantity, price, None, total=D(total))], total))
    assert isinstance(result, Mapped) == right
    if isinstance(result, Mapped):
        assert result.expected.total == D(total)
    else:
        assert result.code is ReasonCode.TOTALS_DO_NOT_FOLLOW


@unhurried
@given(st.lists(st.tuples(st.integers(1, 3), st.integers(100, 9999)), min_size=1, max_size=6), st.data())
def test_one_line_that_is_off_parks_the_order(rows: Sequence[tuple[int, int]], data: st.DataObject) -> None:
    """A line's stated total put up by a cent for one piece or two, with tax and total left alone or put up too."""
    lines = [line(str(q), str(D(c) / 100), "20", total=D(q * c) / 100) for q, c in rows]
    at = data.draw(st.integers(0, len(rows) - 1))
    off = {1: CENT, 2: CENT, 3: 2 * CENT}[rows[at][0]]
    lines[at] = replace(lines[at], total=(lines[at].total or D(0)) + off)
    net = sum((each.total or D(0) for each in lines), D(0))
    tax = rounded(net * 20 / 100, ROUND_HALF_UP)
    assert parked(order(lines, str(net + tax), tax=str(tax))).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def off_by_one(given_lines: list[Line], **more: object) -> Order:
    """State 122.01 where the parts give 122.00."""
    return order(given_lines, "122.01", **more)


def test_no_freedom_of_the_search_balances_an_order() -> None:
    """A hundred lines give the search a hundred amounts to round; a cent of a contradiction stays one."""
    lines = [line("1", "1.00")] * 100
    assert isinstance(mapping_of(order(lines, "122.00", tax="22.00")), Mapped)
    for tax in ("22.00", "22.01"):
        assert parked(off_by_one(lines, tax=tax), shop=TOLERANT).code in NO_PLAY


def test_a_coupon_is_no_cover_for_a_wrong_tax() -> None:
    """57.00 less 30.00 at 22 % is 5.94, for which discounts leave 0.0083 of play: 5.95 and 5.93 are wrong."""
    coupon = (Discount(amount=D(30)),)
    for tax, total in (("5.95", "32.95"), ("5.93", "32.93"), ("5.94", "32.95")):
        given_order = order([line("1", "57")], total, tax_by_rate=stated(r22=tax), discounts=coupon)
        assert parked(given_order, shop=TOLERANT).code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    right = order([line("1", "57")], "32.94", tax_by_rate=stated(r22="5.94"), discounts=coupon)
    assert isinstance(mapping_of(right), Mapped)


def test_half_a_cent_in_the_sum_is_rounded_up_and_not_balanced_away() -> None:
    """44.95 at 10 % is 4.495 of tax: 49.45 follows, and 49.44 is no shop's rounding of it."""
    tax = stated(r10="4.50")
    assert mapped(order([line("1", "44.95", "10")], "49.45", tax="4.50", tax_by_rate=tax)).draft.adjustment == 0
    reason = parked(order([line("1", "44.95", "10")], "49.44", tax="4.50", tax_by_rate=tax))
    assert reason.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
