"""What shops really send, case by case, each with a sum that was reckoned by hand beside it."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.ledger import LedgerFacts, LedgerTax, TaxKind
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Address, Customer, Discount, Fee, FeeKind, Payment, Tax
from consumer.domain.states import ReasonCode
from tests.domain.order_building import (
    FACTS,
    D,
    amounts,
    line,
    mapped,
    mapping_of,
    order,
    parked,
    shipping,
    stated,
    taxes_of,
    with_tax,
)


def with_taxes(*taxes: LedgerTax) -> LedgerFacts:
    """Give the organisation of the tests with these taxes alone."""
    return replace(FACTS, taxes=taxes)


def tax(tax_id: str, rate: str, name: str = "VAT", **more: Any) -> LedgerTax:
    """Give a tax of the organisation."""
    return LedgerTax(tax_id=tax_id, name=name, rate=D(rate), **more)


def lines_of(result: Mapped) -> list[tuple[str, str]]:
    """Give what each line comes to, with its tax, as text."""
    return [(format((row.quantity * row.rate).normalize(), "f"), row.tax_id or "-") for row in result.draft.lines]


# ---- prices ----------------------------------------------------------------------------------------------------------


def test_prices_with_and_without_tax_in_one_order() -> None:
    """12.20 with 22 % in it, 11.00 with 10 % in it, 20.00 without, at 22 %: 12.20 + 11.00 + 24.40 = 47.60.

    VAT: 2.20 + 4.40 at 22 %, 1.00 at 10 %. Two of three prices have tax in them, so the document has.
    """
    given = order([with_tax("1", "12.20"), with_tax("1", "11", "10"), line("1", "20")], "47.60")
    result = mapped(given)
    assert result.draft.tax_inclusive
    assert lines_of(result) == [("12.2", "t22"), ("11", "t10"), ("24.4", "t22")]
    assert taxes_of(result) == {"10": "1.00", "22": "6.60"}
    assert "mixes" in " ".join(result.words)


def test_unit_prices_of_four_decimals_are_one_piece() -> None:
    """1,000 x 0.0123 is 12.30; with 22 % 2.706: 2.71, together 15.01."""
    result = mapped(order([line("1000", "0.0123", name="Screw")], "15.01"))
    assert lines_of(result) == [("12.3", "t22")]
    assert result.draft.lines[0].name == "1000 \u00d7 Screw"
    assert "1000 \u00d7 0.0123" in result.draft.lines[0].description


def test_a_quarter_of_a_kilogram() -> None:
    """0.250 kg at 12.00 is 3.00; with 10 % 3.30."""
    result = mapped(order([line("0.250", "12.00", "10", unit="kg")], "3.30"))
    assert amounts(result) == [("0.25", "12", "t10")]


# ---- discounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("discount", "total", "vat"),
    [
        ("5.00", "48.80", {"22": "8.80"}),  # 45.00 less 5.00 is 40.00
        ("15.00", "36.60", {"22": "6.60"}),  # the line itself is 10.00: it comes to -5.00, the order to 30.00
        ("45.00", "0", {}),  # all of it: the line comes to -35.00
    ],
)
def test_a_lines_discount_may_be_larger_than_the_line(discount: str, total: str, vat: dict[str, str]) -> None:
    """10.00 and 35.00 at 22 %, the discount on the line of 10.00: a negative line of its own, whatever its size."""
    given = order([line("1", "10", discount=D(discount)), line("1", "35")], total)
    result = mapped(given)
    assert [row.rate for row in result.draft.lines] == [D(10), -D(discount), D(35)]
    assert {rate: told for rate, told in taxes_of(result).items() if D(told)} == vat


def test_a_coupon_larger_than_the_line_it_is_for() -> None:
    """8.00 off a line of 5.00 at 10 %, beside 20.00 at 22 %: 17.00 + 4.40 - 0.30 = 21.10."""
    lines = [line("1", "20", id="a"), line("1", "5", "10", id="b")]
    given = order(lines, "21.10", discounts=(Discount(amount=D(8), line_ids=("b",)),))
    result = mapped(given)
    assert lines_of(result) == [("20", "t22"), ("5", "t10"), ("-8", "t10")]
    assert taxes_of(result) == {"10": "-0.30", "22": "4.40"}


def test_a_hundred_percent_off_some_lines_and_off_all() -> None:
    """A free mug beside one that is paid: 12.20. All free: an invoice of 0.00."""
    half = order([line("1", "10", discount=D(10)), line("1", "10")], "12.20")
    assert taxes_of(mapped(half)) == {"22": "2.20"}
    free = mapped(order([line("3", "10"), line("1", "7", "10")], "0", discounts=(Discount(amount=D(37)),)))
    assert lines_of(free) == [("30", "t22"), ("7", "t10"), ("-30", "t22"), ("-7", "t10")]
    assert free.expected.total == 0


def test_buy_one_get_one_as_a_discount_and_as_a_free_line() -> None:
    """Two of 10.00 with one of them off, or one of 10.00 and one of 0.00: 10.00 + 2.20 either way."""
    off = mapped(order([line("2", "10", discount=D(10))], "12.20"))
    free = mapped(order([line("1", "10"), line("1", "0")], "12.20"))
    assert lines_of(off) == [("20", "t22"), ("-10", "t22")]
    assert lines_of(free) == [("10", "t22"), ("0", "t22")]
    assert off.expected == free.expected


def test_a_bundle_keeps_its_children_at_nothing() -> None:
    """A set of 50.00 at 22 % with three children of 0.00: 61.00, and every child is on the document."""
    children = [line("1", "0", None, id=str(at), parent_id="set", name=f"Part {at}") for at in range(3)]
    result = mapped(order([line("1", "50", id="set"), *children], "61.00"))
    assert [row.name for row in result.draft.lines] == ["Mug", "Part 0", "Part 1", "Part 2"]
    assert result.expected.tax_total == D(11)


def test_percent_off_prices_with_tax_over_three_rates() -> None:
    """10 % off 12.20 (22 %), 11.00 (10 %) and 24.00 (20 %): 4.72 off 47.20, of it 1.22, 1.10 and 2.40.

    10.98 holds 1.98, 9.90 holds 0.90, 21.60 holds 3.60.
    """
    lines = [with_tax("1", "12.20"), with_tax("1", "11", "10"), with_tax("1", "24", "20")]
    result = mapped(order(lines, "42.48", discounts=(Discount(amount=D("4.72"), code="TEN"),)))
    assert lines_of(result)[3:] == [("-1.22", "t22"), ("-1.1", "t10"), ("-2.4", "t20")]
    assert taxes_of(result) == {"10": "0.90", "20": "3.60", "22": "1.98"}


def test_a_discount_after_tax_leaves_the_vat() -> None:
    """100.00 at 22 % is 122.00, less 12.20 after tax is 109.80, and VAT stays 22.00."""
    given = order([line("1", "100")], "109.80", discounts=(Discount(amount=D("12.20"), before_tax=False),))
    result = mapped(given)
    assert (lines_of(result), taxes_of(result)) == ([("100", "t22"), ("-12.2", "-")], {"22": "22.00"})


def test_line_discount_and_two_coupons_at_once() -> None:
    """30.00 less 3.00 at 22 % and 27.00 at 10 %; coupons of 5.40 and 2.70: 45.90 is left, 22.95 at each rate.

    VAT 5.049: 5.05, and 2.295: 2.30; together 53.25.
    """
    lines = [line("1", "30", discount=D(3)), line("1", "27", "10")]
    coupons = (Discount(amount=D("5.40"), code="A"), Discount(amount=D("2.70"), code="B"))
    result = mapped(order(lines, "53.25", discounts=coupons))
    negative = [row for row in lines_of(result) if row[0].startswith("-")]
    assert negative == [("-3", "t22"), ("-2.7", "t22"), ("-2.7", "t10"), ("-1.35", "t22"), ("-1.35", "t10")]
    assert taxes_of(result) == {"10": "2.30", "22": "5.05"}


# ---- shipping, fees, payments ----------------------------------------------------------------------------------------


def test_free_shipping_is_no_line_and_shipping_given_back_is_two() -> None:
    """Shipping of 0.00 says nothing; 5.00 less 5.00 shows both."""
    none = mapped(order([line("1", "10")], "12.20", shipping=(shipping("0"),)))
    both = mapped(order([line("1", "10")], "12.20", shipping=(shipping("5", "10", discount=D(5)),)))
    assert lines_of(none) == [("10", "t22")]
    assert lines_of(both)[1:] == [("5", "t10"), ("-5", "t10")]


def test_shipping_in_two_parts_at_two_rates() -> None:
    """3.00 at 22 % and 2.00 at 10 %, told as two: 10.00 + 5.00 + 2.86 + 0.20 = 18.06."""
    result = mapped(order([line("1", "10")], "18.06", shipping=(shipping("3"), shipping("2", "10"))))
    assert taxes_of(result) == {"10": "0.20", "22": "2.86"}


def test_fees_tips_and_surcharges_have_their_own_vat() -> None:
    """10.00, a fee of 2.00 at 22 %, a surcharge of 1.00 at 10 %, a tip of 3.00 without: 16.00 + 2.64 + 0.10 = 18.74."""
    fees = (
        Fee(name="Wrap", amount=D(2), taxes=(Tax(rate=D(22)),)),
        Fee(name="Card", kind=FeeKind.SURCHARGE, amount=D(1), taxes=(Tax(rate=D(10)),)),
        Fee(name="", kind=FeeKind.TIP, amount=D(3)),
    )
    result = mapped(order([line("1", "10")], "18.74", fees=fees))
    assert [row.name for row in result.draft.lines] == ["Mug", "Wrap", "Card", "Tip"]
    assert taxes_of(result) == {"10": "0.10", "22": "2.64"}


@pytest.mark.parametrize("kind", ["gift_card", "store_credit"])
def test_paying_by_gift_card_or_credit_is_no_discount(kind: str) -> None:
    """All 12.20 by card: the invoice is 12.20 still."""
    paid = order([line("1", "10")], "12.20", payments=(Payment(method=kind, amount=D("12.20"), kind=kind),))
    assert mapped(paid).expected.total == D("12.20")


# ---- taxes -----------------------------------------------------------------------------------------------------------


def test_several_taxes_on_a_line_are_the_group_of_them() -> None:
    """100.00 at 5 % and 9.975 %: 5.00 and 9.98 (9.975), 114.98."""
    group = tax("g", "14.975", kind=TaxKind.GROUP, parts=(D(5), D("9.975")))
    both = (Tax(rate=D(5)), Tax(rate=D("9.975")))
    result = mapped(order([line("1", "100", taxes=both)], "114.98"), facts=with_taxes(group))
    assert (lines_of(result), taxes_of(result)) == ([("100", "g")], {"5": "5.00", "9.975": "9.98"})


def test_a_compound_tax_is_taken_of_the_net_and_the_tax_before_it() -> None:
    """100.00 at 5 %, then 8.5 % of 105.00: 5.00 and 8.93 (8.925), 113.93."""
    group = tax("g", "13.925", kind=TaxKind.GROUP, parts=(D(5), D("8.5")))
    both = (Tax(rate=D(5)), Tax(rate=D("8.5"), compound=True))
    result = mapped(order([line("1", "100", taxes=both)], "113.93"), facts=with_taxes(group))
    assert taxes_of(result) == {"5": "5.00", "8.5": "8.93"}


@pytest.mark.parametrize(
    ("customer", "wanted"),
    [
        (Customer(tax_exempt=True), "exempt"),
        (Customer(reverse_charge=True, tax_number="ATU12345678"), "reverse"),
        (Customer(), "zero"),
    ],
)
def test_exempt_reverse_charge_and_zero_rated_are_three_taxes(customer: Customer, wanted: str) -> None:
    """Each of 0 %, told apart by their names."""
    zero = with_taxes(
        tax("exempt", "0", "Exempt"), tax("reverse", "0", "Reverse charge"), tax("zero", "0", "Zero rate")
    )
    given = order([line("1", "10", "0")], "10", customer=customer)
    assert lines_of(mapped(given, facts=zero)) == [("10", wanted)]


def test_an_exempt_buyers_lines_may_still_name_their_rate() -> None:
    """Rates of 22 % without an amount, and 10.00 in all: nothing was charged."""
    zero = with_taxes(tax("exempt", "0", "Exempt"), tax("t22", "22"))
    given = order([line("1", "10")], "10", customer=Customer(tax_exempt=True), tax="0")
    assert lines_of(mapped(given, facts=zero)) == [("10", "exempt")]


@pytest.mark.parametrize(("country", "wanted"), [("AT", "at"), ("FR", "fr"), ("IT", "home"), ("", "home")])
def test_the_same_rate_in_two_countries_and_at_home(country: str, wanted: str) -> None:
    """20 % is Austria's and France's; the tax that names no country is at home. Another country's is never taken."""
    facts = with_taxes(tax("home", "20"), tax("at", "20", "OSS", country="AT"), tax("fr", "20", "OSS", country="FR"))
    given = order([line("1", "10", "20")], "12.00", shipping_address=Address(country=country))
    result = mapping_of(given, facts=facts)
    if country == "":
        assert not isinstance(result, Mapped)  # nobody knows where it was sent: all three could be meant
        assert result.code is ReasonCode.TAX_AMBIGUOUS
        return
    assert isinstance(result, Mapped)
    assert lines_of(result) == [("10", wanted)]


def test_a_rate_of_another_country_alone_is_missing() -> None:
    """Only Austria's 20 % is there, and it was sent to France: parked under France's group."""
    facts = with_taxes(tax("at", "20", country="AT"))
    reason = parked(order([line("1", "10", "20")], "12.00", shipping_address=Address(country="FR")), facts=facts)
    assert (reason.code, reason.group) == (ReasonCode.TAX_MISSING, "tax_missing:FR:20")


# ---- tax that would be lost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lost",
    [
        (Tax(rate=D(0), amount=D("2.20")),),
        (Tax(rate=D(0), amount=D("2.20")), Tax(rate=D(0), amount=D("0.10"))),
        (Tax(rate=D(22), amount=D("2.20")), Tax(rate=D(0), amount=D("0.50"))),
    ],
)
@pytest.mark.parametrize("discounts", [(), (Discount(amount=D(1)),)], ids=["plain", "discounted"])
def test_a_line_that_states_tax_is_never_booked_without_it(lost: tuple[Tax, ...], discounts: Any) -> None:
    """Beside a taxed line, and with a coupon that could hide it: refused, and the line is named."""
    given = order([line("1", "10"), line("1", "10", taxes=lost, name="Cap")], "24.40", discounts=discounts)
    reason = parked(given)
    assert reason.code is ReasonCode.TAX_WOULD_BE_LOST
    assert "Line 2 (Cap)" in reason.message


def test_shipping_and_fees_that_state_tax_are_never_booked_without_it() -> None:
    """1.10 of tax on shipping, and on a fee, at a rate of 0 %."""
    at_nothing = (Tax(rate=D(0), amount=D("1.10")),)
    sent = order([line("1", "10")], "18.30", shipping=(replace(shipping("5"), taxes=at_nothing),))
    paid = order([line("1", "10")], "18.30", fees=(Fee(name="Card", amount=D(5), taxes=at_nothing),))
    assert {parked(each).code for each in (sent, paid)} == {ReasonCode.TAX_WOULD_BE_LOST}


def test_tax_of_the_whole_order_beyond_its_lines_is_refused() -> None:
    """The lines have 2.20, the order states 4.40, or a second rate that no line has."""
    twice = order([line("1", "10"), line("1", "10", None)], "24.40", tax="4.40")
    other = order([line("1", "10"), line("1", "10", None)], "23.20", tax_by_rate=stated(r22="2.20", r10="1.00"))
    assert {parked(each).code for each in (twice, other)} == {ReasonCode.TOTALS_DO_NOT_FOLLOW}


# ---- size and words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["\u05e9\u05dc\u05d5\u05dd " * 60, "\U0001f600" * 300, "e\u0301" * 300, "N" * 300])
def test_names_of_any_script_are_cut_to_what_the_ledger_takes(name: str) -> None:
    """Right to left, emoji, combining accents: at most 100 characters, the whole in the description."""
    row = mapped(order([line("1", "10", name=name)], "12.20")).draft.lines[0]
    assert len(row.name) <= 100
    assert row.description.startswith(" ".join(name.split())[:90])


def test_hundreds_of_lines() -> None:
    """400 lines of 0.99 at 22 % and 10 % in turn: 198.00 + 43.56 and 198.00 + 19.80, together 459.36."""
    result = mapped(order([line("1", "0.99", "22" if at % 2 else "10") for at in range(400)], "459.36"))
    assert len(result.draft.lines) == 400
    assert taxes_of(result) == {"10": "19.80", "22": "43.56"}


def test_foreign_currency_with_the_rate_of_the_record() -> None:
    """500 yen of which 45 are tax at 10 %, with the shop's own rate of exchange."""
    given = order([with_tax("1", "500", "10")], "500", currency="JPY", exchange_rate=D("0.0061"))
    result = mapped(given)
    assert (taxes_of(result), result.draft.exchange_rate) == ({"10": "45"}, D("0.0061"))
