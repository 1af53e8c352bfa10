"""The edges of telling shares from a group: small charges that both readings nearly explain, and half a cent."""

import pytest

from consumer.domain.orders import Tax
from consumer.domain.rate_shares import rate_shares
from tests.domain.order_building import D


def shares(
    amount: str, taxes: dict[str, str], *, inclusive: bool = False, reduction: str = "0"
) -> list[tuple[str, str]]:
    """Give rate and amount of each share of a charge; ``taxes`` are amounts by rate."""
    told = tuple(Tax(rate=D(rate), amount=D(tax)) for rate, tax in taxes.items())
    found = rate_shares(told, amount=D(amount), reduction=D(reduction), inclusive=inclusive, digits=2)
    return [(str(share.tax.rate), str(share.amount)) for share in found]


def test_a_rate_of_one_percent_and_less_is_a_rate() -> None:
    """10.00 with 1.32 at 22 % and 0.04 at 1 %: 6.00 and 4.00; with 0.02 at half a percent too."""
    assert shares("10.00", {"22": "1.32", "1": "0.04"}) == [("22", "6.00"), ("1", "4.00")]
    assert shares("10.00", {"22": "1.32", "0.5": "0.02"}) == [("22", "6.00"), ("0.5", "4.00")]


def test_a_rate_of_nought_beside_others_says_nothing() -> None:
    """Shops list an exemption with an amount of nought beside the taxes: 6.00 at 22 % and 4.00 at 10 %."""
    assert shares("10.00", {"22": "1.32", "10": "0.40", "0": "0.00"}) == [("22", "6.00"), ("10", "4.00")]


def test_a_charge_of_less_than_one_is_split_as_any_other() -> None:
    """0.90 with 0.11 at 22 % and 0.04 at 10 %: 0.50 and 0.40."""
    assert shares("0.90", {"22": "0.11", "10": "0.04"}) == [("22", "0.50"), ("10", "0.40")]


def test_a_tax_of_nought_is_a_share_of_nothing() -> None:
    """10.00 with 2.20 at 22 % and 0.00 at 10 %: all of it is at 22 %; as a group it would have 1.00 at 10 %."""
    assert shares("10.00", {"22": "2.20", "10": "0.00"}) == [("22", "10.00")]


def test_taxes_of_both_signs_are_no_shares_though_they_add_up() -> None:
    """10.00 with 3.08 at 22 % and -0.40 at 10 % would be 14.00 and -4.00, which no charge has."""
    assert shares("10.00", {"22": "3.08", "10": "-0.40"}) == []


def test_half_a_cent_rounded_down_is_still_the_tax_of_the_whole() -> None:
    """0.50 has 0.005 at 1 % and 0.010 at 2 %: told as 0.00 and 0.01 they are those of a group."""
    assert shares("0.50", {"1": "0.00", "2": "0.01"}) == []


def test_more_than_half_a_cent_is_not() -> None:
    """0.60 has 0.006 at 1 %: told as 0.00 it is no group's.

    As shares the taxes tell nothing and 0.50; the 0.10 that lack go by play, of which 1 % has twice as much.
    """
    assert shares("0.60", {"1": "0.00", "2": "0.01"}) == [("1", "0.07"), ("2", "0.53")]


def test_the_whole_play_may_be_needed() -> None:
    """0.15 at 10 % and 0.01 at 50 %: 0.015 and 0.005, both rounded up. 0.02 tells 0.20 and 0.01 tells 0.02.

    Of a charge of 0.15 that is a cent more than rounding explains.
    """
    assert shares("0.16", {"10": "0.02", "50": "0.01"}) == [("10", "0.15"), ("50", "0.01")]
    assert shares("0.15", {"10": "0.02", "50": "0.01"}) == []


@pytest.mark.parametrize(
    ("inclusive", "found"), [(True, []), (False, [("22", "0.03"), ("20", "0.04")])], ids=["with tax", "without"]
)
def test_a_groups_tax_lies_within_the_amount_where_prices_contain_it(
    inclusive: bool,  # noqa: FBT001 a parameter
    found: list[tuple[str, str]],
) -> None:
    """Of 0.07 with both taxes in it (142 %) 22 % are 0.0108 and 20 % are 0.0099: a group's 0.01 and 0.01.

    On top of 0.07 the 22 % are 0.0154, which is no 0.01: the taxes tell 0.0455 and 0.05, which is 0.0255 too much;
    taken off by play (10 : 11) there are 0.0333 and 0.0367 left.
    """
    assert shares("0.07", {"22": "0.01", "20": "0.01"}, inclusive=inclusive) == found


def test_a_charge_of_a_part_of_a_cent_is_split_exactly() -> None:
    """0.905 with 0.11 at 22 % and 0.04 at 10 %: 0.50 and 0.40, and 0.005 by play: 1/22 to 1/10, which is 10 to 22."""
    told = (Tax(rate=D(22), amount=D("0.11")), Tax(rate=D(10), amount=D("0.04")))
    found = rate_shares(told, amount=D("0.905"), reduction=D(0), inclusive=False, digits=2)
    assert [round(share.amount, 9) for share in found] == [D("0.5015625"), D("0.4034375")]
