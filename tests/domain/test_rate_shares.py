"""One shipping charge under several rates: told from a tax group by the amounts of its taxes alone."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.domain.ledger import LedgerTax, TaxKind
from consumer.domain.money import round_half_up
from consumer.domain.orders import Fee, Shipping, Tax
from consumer.domain.rate_shares import rate_shares
from consumer.domain.states import ReasonCode
from tests.domain.order_building import FACTS, D, amounts, line, mapped, order, parked, taxes_of, with_tax


def taxes(**told: str) -> tuple[Tax, ...]:
    """Give taxes with their amounts: ``taxes(r22="1.32", r10="0.40")``."""
    return tuple(Tax(rate=D(rate[1:]), amount=D(amount)) for rate, amount in told.items())


def test_shipping_is_split_over_its_rates_where_its_taxes_say_so() -> None:
    """10.00 with 1.32 at 22 % and 0.40 at 10 %: 6.00 and 4.00. The order: 60 + 40 + 10 + 14.52 + 4.40 = 128.92."""
    charge = Shipping(amount=D(10), method="Parcel", taxes=taxes(r22="1.32", r10="0.40"))
    result = mapped(order([line("1", "60"), line("1", "40", "10")], "128.92", shipping=(charge,)))
    assert amounts(result)[2:] == [("1", "6", "t22"), ("1", "4", "t10")]
    assert taxes_of(result) == {"10": "4.40", "22": "14.52"}
    assert [each.name for each in result.draft.lines[2:]] == ["Shipping: Parcel (22 %)", "Shipping: Parcel (10 %)"]
    assert any("split over its rates" in word and "6 at 22 %, 4 at 10 %" in word for word in result.notes)


def test_shipping_with_tax_in_it_is_split_too() -> None:
    """11.72 with 1.32 at 22 % and 0.40 at 10 % in it: 7.32 holds 1.32 and 4.40 holds 0.40, which is 11.72."""
    charge = Shipping(amount=D("11.72"), taxes=taxes(r22="1.32", r10="0.40"))
    given_order = order([with_tax("1", "12.20"), with_tax("1", "11.00", "10")], "34.92", shipping=(charge,))
    result = mapped(given_order)
    assert amounts(result)[2:] == [("1", "7.32", "t22"), ("1", "4.4", "t10")]
    assert taxes_of(result) == {"10": "1.40", "22": "3.52"}


def test_a_discount_on_split_shipping_is_split_with_it() -> None:
    """10.00 less 5.00 with 0.66 at 22 % and 0.20 at 10 %: 3.00 and 2.00 remain, of 6.00 and 4.00."""
    charge = Shipping(amount=D(10), discount=D(5), taxes=taxes(r22="0.66", r10="0.20"))
    result = mapped(order([line("1", "60"), line("1", "40", "10")], "123.06", shipping=(charge,)))
    assert amounts(result)[2:] == [("1", "6", "t22"), ("1", "-3", "t22"), ("1", "4", "t10"), ("1", "-2", "t10")]


def test_a_negative_fee_over_two_rates_is_split() -> None:
    """A rebate of -5.00 with -0.66 at 22 % and -0.20 at 10 %: -3.00 and -2.00; 100 - 5 + 12.54 + 3.80 = 111.34."""
    fee = Fee(name="Rebate", amount=D(-5), taxes=taxes(r22="-0.66", r10="-0.20"))
    result = mapped(order([line("1", "60"), line("1", "40", "10")], "111.34", fees=(fee,)))
    assert amounts(result)[2:] == [("1", "-3", "t22"), ("1", "-2", "t10")]


def test_a_group_stays_a_group_where_the_amounts_are_those_of_the_whole() -> None:
    """10.00 with 0.50 at 5 % and 1.00 at 10 %: both of 10.00. The group of the organisation is taken."""
    group = LedgerTax(tax_id="g", name="Both", rate=D(15), kind=TaxKind.GROUP, parts=(D(5), D(10)))
    charge = Shipping(amount=D(10), taxes=taxes(r5="0.50", r10="1.00"))
    result = mapped(order([line("1", "100", None)], "111.50", shipping=(charge,)), facts=replace(FACTS, taxes=(group,)))
    assert amounts(result)[1] == ("1", "10", "g")


@pytest.mark.parametrize("off", ["0.50", "1.40", "3.00"])
def test_amounts_that_fit_neither_reading_are_parked(off: str) -> None:
    """0.40 at 10 % and something at 22 % that with 4.00 does not make 10.00: neither shares nor a group."""
    charge = Shipping(amount=D(10), taxes=taxes(r22=off, r10="0.40"))
    total = str(D(100) + D("13.20") + D(4) + 10 + D(off) + D("0.40"))
    reason = parked(order([line("1", "60"), line("1", "40", "10")], total, shipping=(charge,)))
    assert reason.code is ReasonCode.TAX_MISSING  # the group of 10 % + 22 %


@pytest.mark.parametrize(
    "told",
    [
        (Tax(rate=D(22)), Tax(rate=D(10))),
        (Tax(rate=D(22), amount=D("1.32")),),
        (Tax(rate=D(22), amount=D("1.32")), Tax(rate=D(10), amount=D("0.40"), compound=True)),
        (Tax(rate=D(22), amount=D("1.32")), Tax(rate=D(10), amount=D("-0.40"))),
    ],
    ids=["rates alone", "one", "compound", "both signs"],
)
def test_without_amounts_of_one_sign_nothing_is_split(told: tuple[Tax, ...]) -> None:
    """Rates alone say nothing of shares, and a compound tax is one of a group by its nature."""
    assert rate_shares(told, amount=D(10), reduction=D(0), inclusive=False, digits=2) == ()


def test_where_both_readings_fit_it_is_the_group() -> None:
    """0.04 at 5 % and 10 % has no tax of a cent: shares of it would have none either, but a group it is."""
    none = (Tax(rate=D(5), amount=D(0)), Tax(rate=D(10), amount=D(0)))
    assert rate_shares(none, amount=D("0.04"), reduction=D(0), inclusive=False, digits=2) == ()


@settings(deadline=None)
@given(st.lists(st.integers(1, 50_000), min_size=2, max_size=4), st.booleans())
def test_shares_add_up_and_give_their_taxes(cents: list[int], inclusive: bool) -> None:  # noqa: FBT001 drawn by hypothesis
    """Whatever a shop spreads: the parts add up to the charge, and each gives the tax stated to the cent."""
    rates = [D(rate) for rate in ("22", "10", "5", "4")][: len(cents)]
    parts = [D(cent) / 100 for cent in cents]
    divisors = [100 + (rate if inclusive else 0) for rate in rates]
    stated = [round_half_up(part * rate / by, 2) for part, rate, by in zip(parts, rates, divisors, strict=True)]
    told = tuple(Tax(rate=rate, amount=tax) for rate, tax in zip(rates, stated, strict=True))
    found = rate_shares(told, amount=sum(parts, D(0)), reduction=D(0), inclusive=inclusive, digits=2)
    if not found:
        return  # the group's reading explains these small amounts
    assert sum((share.amount for share in found), D(0)) == sum(parts, D(0))
    for share in found:
        by = 100 + (share.tax.rate if inclusive else 0)
        exact = share.amount * share.tax.rate / by
        # The part is a whole cent, so its tax may be off by the rate's share of a cent beside the rounding's half.
        assert abs(exact - (share.tax.amount or Decimal(0))) <= D("0.005") + D("0.01") * share.tax.rate / by
