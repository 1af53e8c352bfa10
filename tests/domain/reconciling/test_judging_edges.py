"""What a finding weighs, when it happened and who explains it; and how an order's own figures are read."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from consumer.domain.orders import Order, Refund, RefundLine
from consumer.domain.reconciling.findings import About
from consumer.domain.reconciling.judging import judge
from consumer.domain.reconciling.rates import Rates, RateSum
from consumer.domain.reconciling.shop_figures import ShopGrounds, aligned, refund_rates, shop_rates
from consumer.domain.states import OrderState
from tests.domain.deciding.building import SHOP
from tests.domain.order_building import FACTS, D, line, order, stated, with_tax
from tests.domain.reconciling.test_judging import DAY, GROUNDS, LISTED, LIVE, SECOND, SOLD, WHOLE, case

LATER = date(2026, 3, 15)


def row(rate: str | None, net: str, tax: str = "0") -> RateSum:
    """Give a row."""
    return RateSum(rate=None if rate is None else D(rate), net=D(net), tax=D(tax))


# ---- findings --------------------------------------------------------------------------------------------------------


def test_money_is_in_question_once_however_much_is_different() -> None:
    """Of 12.20 and 13.00 it is 0.80, though customer, day and status differ as well."""
    other = replace(LISTED, total=D(13), rates=(row(None, "13"),), contact_id="c2", issued_on=LATER, status="draft")
    findings = judge(case(LIVE, listed=(other,))).findings
    assert [(one.about, one.money) for one in findings] == [
        (About.TOTAL, D("0.80")),
        (About.CUSTOMER, D(0)),
        (About.DATE, D(0)),
        (About.STATUS, D(0)),
    ]


def test_vat_weighs_what_each_rate_is_off() -> None:
    """2.20 and 2.00 at 22 %: 0.20."""
    (finding,) = judge(case(LIVE, listed=(replace(LISTED, rates=(row("22", "10.20", "2.00"),)),))).findings
    assert (finding.about, finding.money) == (About.VAT, D("0.20"))


def test_a_finding_is_of_the_day_that_the_ledger_has() -> None:
    """Where it tells none, of the day that is recorded."""
    told = replace(LISTED, rates=WHOLE, contact_id="c2")
    for day, expected in ((LATER, LATER), (None, DAY)):
        findings = judge(case(LIVE, listed=(replace(told, issued_on=day),))).findings
        assert {one.day for one in findings} == {expected}
    (second,) = judge(case(LIVE, listed=(LISTED, replace(SECOND, issued_on=LATER)))).findings
    assert second.day == LATER


@pytest.mark.parametrize(
    ("state", "explained"),
    [
        (OrderState.DUE, True),
        (OrderState.UNCERTAIN, True),
        (OrderState.PARKED, True),
        (OrderState.WAITING, True),
        (OrderState.BOOKED, False),
    ],
)
def test_an_order_in_work_explains_its_differences(state: OrderState, explained: bool) -> None:  # noqa: FBT001 a parameter
    """It names the fix itself."""
    (finding,) = judge(case(LIVE, listed=(replace(LISTED, rates=WHOLE, contact_id="c2"),), state=state)).findings
    assert finding.explained is explained


def test_an_invoice_is_judged_without_the_orders_content() -> None:
    """Its recorded figures stand for it, and no refund is known."""
    judged = judge(case(LIVE, listed=(LISTED,), given=None))
    assert (judged.findings, [one.shop for one in judged.entries]) == ((), [WHOLE])


def test_what_is_recorded_as_void_comes_to_nothing_in_the_shop() -> None:
    """Though it is the order's invoice still."""
    void = replace(LIVE, status="void")
    (entry,) = judge(case(void, listed=(replace(LISTED, status="void"),))).entries
    assert (entry.shop, entry.ledger) == ((), ())


def test_a_second_document_is_said_to_be_one_and_a_forgotten_one_to_be_forgotten() -> None:
    """What to do about them is not the same."""
    (doubled,) = judge(case(LIVE, listed=(LISTED, SECOND))).findings
    assert "is a second document of this order beside" in doubled.words
    assert doubled.fix.startswith("Compare both, and delete or void INV-2")
    (forgotten,) = judge(case(listed=(SECOND,))).findings
    assert forgotten.words.endswith("is in the ledger under this order, and not recorded.")


# ---- the shop's own figures ------------------------------------------------------------------------------------------

FIRM = replace(SOLD.customer, tax_exempt=True)
FINE = [line("100", "0.3333")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (order(FINE, "40.66", customer=FIRM), (row("22", "33.33", "7.33"),)),
        (order(FINE, "33.33", customer=FIRM), (row("0", "33.33"),)),
        (order([line("10", "3.336", "10")], "36.74", customer=FIRM), (row("10", "33.40", "3.34"),)),
    ],
    ids=["as stated", "without its taxes", "each price rounded first"],
)
def test_an_exempt_buyers_order_is_read_in_each_of_the_ways_that_shops_write_it(given: Order, expected: Rates) -> None:
    """100 x 0.3333 is 33.33, at 22 % 7.33, or free of it; 10 x 3.336 as 10 x 3.34 is 33.40, at 10 % 3.34."""
    assert shop_rates(given, GROUNDS) == expected


def test_an_order_of_a_shop_that_books_by_items_is_read_without_the_ledgers_items() -> None:
    """What they are called makes no figure."""
    grounds = replace(GROUNDS, shop=replace(SHOP, items_by_sku=True))
    assert shop_rates(order([line("1", "10.00", sku="M1")], "12.20"), grounds) == WHOLE


def test_an_order_that_cannot_be_booked_stands_as_its_shop_states_it() -> None:
    """At 5 %, which the organisation has not."""
    assert shop_rates(order([line("1", "10.00", "5")], "10.50", tax="0.50"), GROUNDS) == (row(None, "10.00", "0.50"),)


def test_vat_that_the_shop_rounds_otherwise_moves_no_net_of_prices_without_it() -> None:
    """Three times 0.34 at 22 %, each 0.07: 1.02 and 0.21, where 1.02 would bear 0.22."""
    given = order([line("1", "0.34")] * 3, "1.23", tax_by_rate=stated(r22="0.21"))
    assert shop_rates(given, GROUNDS) == (row("22", "1.02", "0.21"),)


def test_another_split_is_taken_only_where_no_rate_is_further_off() -> None:
    """One rate is the same, and two are ten cents off. Of nothing there is nothing to align."""
    ours = (row("22", "10.00", "2.20"), row("10", "5.00", "0.50"), row("0", "3.00"))
    other = (ours[0], row("10", "5.10", "0.50"), row("0", "2.90"))
    assert aligned(ours, other, 2) == ours
    assert aligned((), (), 2) == ()


# ---- refunds ---------------------------------------------------------------------------------------------------------

EARLY, LATE = datetime(2026, 3, 15, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC)
TWO_RATES = (row("22", "10.00", "2.20"), row("10", "10.00", "1.00"))


def refunded(*refunds: Refund) -> Order:
    """Give an order of 12.20 at 22 % and 11.00 at 10 % with these refunds."""
    lines = [with_tax("1", "12.20", id="a"), with_tax("1", "11.00", "10", id="b")]
    return order(lines, "23.20", refunds=refunds)


def test_refunds_are_taken_in_the_sequence_in_which_they_were_made() -> None:
    """Whatever their ids are."""
    given = refunded(Refund(id="a", amount=D(1), created_at=LATE), Refund(id="z", amount=D(1), created_at=EARLY))
    assert list(refund_rates(given, TWO_RATES, GROUNDS)) == ["z", "a"]


def test_two_refunds_of_the_same_id_and_moment_stop_no_comparison() -> None:
    """A shop may number them all alike."""
    twice = [Refund(id="", amount=amount, created_at=EARLY) for amount in (D("12.20"), D("11.00"))]
    assert list(refund_rates(refunded(*twice), TWO_RATES, GROUNDS)) == [""]


def test_a_lines_refund_takes_elsewhere_what_another_has_taken_of_its_rate() -> None:
    """Half of all is gone: 6.10 of 12.20 and 5.50 of 11.00. 10.00 for the first line are 6.10 of it and 3.90 beside."""
    lines = (RefundLine(line_id="a", amount=D(10)),)
    given = refunded(
        Refund(id="half", amount=D("11.60"), created_at=EARLY),
        Refund(id="line", amount=D(10), created_at=LATE, lines=lines),
    )
    found = refund_rates(given, TWO_RATES, GROUNDS)
    assert found["half"] == (row("22", "5.00", "1.10"), row("10", "5.00", "0.50"))
    assert found["line"] == (row("22", "5.00", "1.10"), row("10", "3.55", "0.35"))


def test_a_refund_of_all_gives_back_the_vat_that_was_charged() -> None:
    """2.19 in 12.20, as the shop rounded it: not the 2.20 that 22 % of it would be."""
    whole = (row("22", "10.01", "2.19"),)
    given = replace(SOLD, refunds=(Refund(id="r", amount=D("12.20")),))
    assert refund_rates(given, whole, ShopGrounds(shop=SHOP, facts=FACTS)) == {"r": whole}
