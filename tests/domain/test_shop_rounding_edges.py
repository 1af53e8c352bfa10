"""The edges of telling how a shop rounds: stated totals, discounts, and which setting a sample needs."""

from collections import Counter

import pytest

from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import Order, Shipping, Tax
from consumer.domain.settings import InvoiceDate
from consumer.domain.shop_rounding import Evidence, ShopRounding, evidence, survey
from tests.domain.order_building import CONNECTION, FACTS, PAID, SHOP, D, line, order


@pytest.mark.parametrize(
    "given",
    [
        order([line("1", "1.00", total=D("0.33"))] * 3, "1.20", tax="0.21"),
        order([line("1", "0.43", discount=D("0.10"))] * 3, "1.20", tax="0.21"),
        order(
            [line("1", "0.33")] * 2,
            "1.20",
            tax="0.21",
            shipping=(Shipping(amount=D("0.43"), discount=D("0.10"), taxes=(Tax(rate=D(22)),)),),
        ),
    ],
    ids=["the stated total", "less the line's discount", "less the shipping's discount"],
)
def test_what_is_taxed_is_the_amount_after_its_own_discount(given: Order) -> None:
    """Three of 0.33 at 22 %: 3 x 0.07 on the lines, and 0.22 once."""
    assert evidence(given) is Evidence.PER_LINE


def test_one_line_with_two_taxes_is_enough_to_tell_nothing() -> None:
    """Whatever the other lines say."""
    two = line("1", "0.33", taxes=(Tax(rate=D(5)), Tax(rate=D(7))))
    assert evidence(order([two, *[line("1", "0.33")] * 3], "1.60", tax="0.25")) is Evidence.EITHER


@pytest.mark.parametrize(
    ("told_rate", "told_line", "only_rate", "only_line", "way"),
    [(5, 5, 0, 9, TaxRounding.UNKNOWN), (0, 0, 9, 0, TaxRounding.PER_RATE), (1, 0, 0, 9, TaxRounding.PER_RATE)],
)
def test_what_can_be_booked_speaks_only_where_no_figure_does(
    told_rate: int, told_line: int, only_rate: int, only_line: int, way: TaxRounding
) -> None:
    """As many for the one as for the other are figures, too."""
    told = Counter({Evidence.PER_RATE: told_rate, Evidence.PER_LINE: told_line})
    found = ShopRounding(shop_id="shop", orders=20, told=told, only_per_rate=only_rate, only_per_line=only_line)
    assert found.way is way


@pytest.mark.parametrize(
    ("only_rate", "only_line", "needed"),
    [(2, 1, TaxRounding.PER_RATE), (1, 2, TaxRounding.PER_LINE), (1, 1, TaxRounding.UNKNOWN)],
)
def test_the_setting_that_books_more_is_needed(only_rate: int, only_line: int, needed: TaxRounding) -> None:
    """Of as many neither."""
    found = ShopRounding(shop_id="shop", orders=3, told=Counter(), only_per_rate=only_rate, only_per_line=only_line)
    assert found.needed is needed


def test_an_order_that_was_never_paid_is_surveyed_by_the_day_of_its_sample() -> None:
    """A shop that dates its invoices by the day of the booking: each order has the moment of its payment for it."""
    shop = SHOP.__class__(shop_id="shop", invoice_date=InvoiceDate.TODAY)
    per_line = order([line("1", "0.33")] * 3, "1.20", tax="0.21")
    found = survey(shop, [(per_line, PAID)], facts=FACTS, connection=CONNECTION)
    assert (found.only_per_line, found.only_per_rate, found.orders) == (1, 0, 1)
