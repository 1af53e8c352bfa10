"""How a shop rounds VAT, told from its own figures, and what share of its orders a setting concerns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import Discount, Order, Tax
from consumer.domain.shop_rounding import Evidence, ShopRounding, evidence, survey
from tests.domain.order_building import CONNECTION, FACTS, PAID, SHOP, D, line, order, shipping, stated, with_tax


def three(total: str, **more: object) -> Order:
    """Three lines of 0.33 at 22 %: 0.2178 in sum, so 0.22; or each 0.0726, so three times 0.07."""
    return order([line("1", "0.33")] * 3, total, **more)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (three("1.21", tax_by_rate=stated(r22="0.22")), Evidence.PER_RATE),
        (three("1.20", tax_by_rate=stated(r22="0.21")), Evidence.PER_LINE),
        (three("1.21", tax="0.22"), Evidence.PER_RATE),
        (three("1.20", tax="0.21"), Evidence.PER_LINE),
        # 12.20 with 22 % in it is 2.20 of tax either way.
        (order([with_tax("1", "12.20")], "12.20", tax="2.20"), Evidence.EITHER),
        # Two of 0.40 with tax: each 0.0721, so 0.07 and 0.07; together 0.80 x 22 / 122 = 0.1443, so 0.14 as well.
        (order([with_tax("1", "0.40")] * 2, "0.80", tax="0.14"), Evidence.EITHER),
        # Three of 0.40 with tax: 0.21 on each line; 1.20 x 22 / 122 = 0.2164, so 0.22.
        (order([with_tax("1", "0.40")] * 3, "1.20", tax="0.21"), Evidence.PER_LINE),
        (order([with_tax("1", "0.40")] * 3, "1.20", tax="0.22"), Evidence.PER_RATE),
        # Shipping is an amount as the lines are: 0.33 + 0.33 + 0.33.
        (order([line("1", "0.33")] * 2, "1.20", tax="0.21", shipping=(shipping("0.33"),)), Evidence.PER_LINE),
        (three("1.19", tax="0.20"), Evidence.NEITHER),
        (three("1.21"), Evidence.EITHER),
    ],
)
def test_an_orders_own_figures_tell(given: Order, says: Evidence) -> None:
    """The stated tax against both ways, with tax in the prices and without; no statement tells nothing."""
    assert evidence(given) is says


def test_what_a_shop_spreads_over_its_lines_tells_nothing() -> None:
    """A coupon on the whole order and two taxes on a line leave open how the shop split them."""
    coupon = three("1.09", tax="0.20", discounts=(Discount(amount=D("0.10")),))
    twice = order([line("1", "0.33", taxes=(Tax(rate=D(5)), Tax(rate=D(7))))] * 3, "1.10", tax="0.11")
    assert (evidence(coupon), evidence(twice)) == (Evidence.EITHER, Evidence.EITHER)


def surveyed(orders: Sequence[Order]) -> ShopRounding:
    """Survey orders in the organisation of the tests."""
    return survey(SHOP, [(one, PAID) for one in orders], facts=FACTS, connection=CONNECTION)


def test_the_share_is_what_the_mapping_can_book_under_one_setting_only() -> None:
    """Three orders per line, one per rate, six either way: whatever the organisation's setting of the moment."""
    per_line = three("1.20", tax_by_rate=stated(r22="0.21"))
    per_rate = three("1.21", tax_by_rate=stated(r22="0.22"))
    either = order([line("1", "10.00")], "12.20", tax="2.20")
    found = surveyed([*[per_line] * 3, per_rate, *[either] * 6])
    assert found.orders == 10
    assert found.told == Counter({Evidence.EITHER: 6, Evidence.PER_LINE: 3, Evidence.PER_RATE: 1})
    assert (found.only_per_line, found.only_per_rate) == (3, 1)
    assert (found.lost_under(TaxRounding.PER_RATE), found.lost_under(TaxRounding.PER_LINE)) == (3, 1)
    assert found.lost_under(TaxRounding.UNKNOWN) == 0
    assert found.needed is TaxRounding.PER_LINE


@pytest.mark.parametrize(
    ("per_rate", "per_line", "way"),
    [
        (10, 0, TaxRounding.PER_RATE),
        (0, 1, TaxRounding.PER_LINE),
        (10, 1, TaxRounding.PER_RATE),
        (9, 1, TaxRounding.UNKNOWN),
        (1, 10, TaxRounding.PER_LINE),
        (0, 0, TaxRounding.UNKNOWN),
    ],
)
def test_a_verdict_needs_nine_times_as_many_for_it(per_rate: int, per_line: int, way: TaxRounding) -> None:
    """A stray order does not change it; a shop that contradicts itself has none."""
    told = Counter({Evidence.PER_RATE: per_rate, Evidence.PER_LINE: per_line, Evidence.EITHER: 100})
    assert ShopRounding(shop_id="shop", orders=200, told=told).way is way


def test_where_the_figures_are_silent_what_can_be_booked_speaks() -> None:
    """Every order of the shop has a coupon, say."""
    silent = ShopRounding(shop_id="shop", orders=20, told=Counter({Evidence.EITHER: 20}), only_per_line=4)
    assert silent.way is TaxRounding.PER_LINE
    assert replace(silent, only_per_rate=4).needed is TaxRounding.UNKNOWN
