"""Where an order's charges turn on one word or figure: country, cause, class, a tax that nothing bears, a target."""

from dataclasses import replace

import pytest

from consumer.domain.ledger import LedgerTax
from consumer.domain.orders import Address, Customer, Discount, Fee, Line, LineKind, RateFigures, Shipping, Tax
from consumer.domain.settings import AccountRow, TaxOverride
from consumer.domain.states import ReasonCode
from tests.domain.charges_reading import one, read, refused
from tests.domain.order_building import FACTS, SHOP, D, line, order, vat

# ---- taxes and accounts ----------------------------------------------------------------------------------------------


def test_the_country_of_the_order_decides_about_tax_and_account() -> None:
    """Sent to Italy: the Italian rows, and nobody else's."""
    given = order([line("1", "5")], "0", shipping_address=Address(country="it"), billing_address=Address(country="FR"))
    shop = replace(
        SHOP,
        tax_overrides=(TaxOverride(tax_id="t22", country="FR"), TaxOverride(tax_id="it", country="IT")),
        accounts=(AccountRow(account_id="1", country="FR"), AccountRow(account_id="2", country="IT")),
    )
    facts = replace(FACTS, taxes=(*vat("22"), LedgerTax(tax_id="it", name="IVA", rate=D(22))))
    found = read(given, shop, facts=facts)
    assert found.taxes[found.positions[0].tax].tax_id == "it"
    assert found.positions[0].account_id == "2"


@pytest.mark.parametrize(
    ("buyer", "tax_id"),
    [
        (Customer(name="Firm", reverse_charge=True), "r"),
        (Customer(name="Firm", tax_exempt=True), "e"),
        (Customer(name="Firm"), "n"),
    ],
)
def test_the_tax_of_nothing_is_that_of_its_cause(buyer: Customer, tax_id: str) -> None:
    """Reverse charge, exemption, and neither have each their own tax of 0 %."""
    named = {"n": "Nothing", "r": "Reverse charge", "e": "Exempt"}
    taxes = tuple(LedgerTax(tax_id=one, name=name, rate=D(0)) for one, name in named.items())
    given = order([line("1", "5", "0")], "0", customer=buyer)
    found = read(given, facts=replace(FACTS, taxes=taxes))
    assert found.taxes[found.positions[0].tax].tax_id == tax_id


def test_a_line_has_the_account_of_its_class() -> None:
    """Of food 1; what has no class has none."""
    shop = replace(SHOP, accounts=(AccountRow(account_id="1", kind="goods", tax_class="food"),))
    found = read(order([line("1", "5", tax_class="food"), line("1", "5")], "0"), shop)
    assert [each.account_id for each in found.positions] == ["1", None]


CARD = {"kind": LineKind.GIFT_CARD}


@pytest.mark.parametrize(
    "card",
    [line("1", "10", None, **CARD), line("1", "10", None, discount=D(10), total=D(0), **CARD)],
    ids=["without a total", "given away"],
)
def test_a_gift_card_that_has_a_price_needs_an_account(card: Line) -> None:
    """Its price makes it a liability, whatever was paid for it in the end."""
    reason = refused(order([card], "0"))
    assert (reason.code, reason.group_key) == (ReasonCode.NOT_SUPPORTED, "not_supported:gift_card")
    shop = replace(SHOP, accounts=(AccountRow(account_id="7", kind="gift_card"),))
    assert one(card, shop=shop).account_id == "7"


def test_a_gift_card_without_a_price_needs_no_account() -> None:
    """Nothing is owed for it."""
    assert one(line("1", "0", None, **CARD)).account_id is None


# ---- amounts and names -----------------------------------------------------------------------------------------------


def test_a_stated_total_is_after_the_lines_discount() -> None:
    """2 x 5.00 less 1.00 is 9.00: before the discount 10.00."""
    found = one(line("2", "5.00", discount=D(1), total=D("9.00")))
    assert (found.amount, found.reduction, found.multiplies, found.agrees) == (D(10), D(1), True, True)


def test_shipping_without_a_row_of_its_own_is_named_by_its_method() -> None:
    """The shop's word for shipping, and the method where there is one."""
    given = order([], "0", shipping=(Shipping(amount=D(5), method="Parcel"), Shipping(amount=D(5))))
    assert [each.name for each in read(given).positions] == ["Shipping: Parcel", "Shipping"]


def test_a_fee_bears_the_tax_that_it_states() -> None:
    """5.00 of packing at 22 %, and of postage at 10 %."""
    fees = (Fee(name="Packing", amount=D(5), taxes=(Tax(rate=D(22)),)), Fee(name="Post", amount=D(5)))
    found = read(order([], "0", fees=fees))
    assert [found.taxes[each.tax].tax_id for each in found.positions] == ["t22", None]
    assert [each.stated_taxes for each in found.positions] == [(Tax(rate=D(22)),), ()]


def test_shipping_that_its_taxes_share_is_a_position_for_each() -> None:
    """10.00 less 5.00 with 0.66 at 22 % and 0.20 at 10 %: of the 5.00 left 3.00 and 2.00, of the discount the same."""
    taxes = (Tax(rate=D(22), amount=D("0.66")), Tax(rate=D(10), amount=D("0.20")))
    found = read(order([], "0", shipping=(Shipping(amount=D(10), method="Parcel", discount=D(5), taxes=taxes),)))
    assert [(each.name, each.amount, each.reduction, each.unit_price) for each in found.positions] == [
        ("Shipping: Parcel (22 %)", D(6), D(3), D(6)),
        ("Shipping: Parcel (10 %)", D(4), D(2), D(4)),
    ]
    assert [found.taxes[each.tax].tax_id for each in found.positions] == ["t22", "t10"]
    assert [each.stated_taxes for each in found.positions] == [taxes[:1], taxes[1:]]
    assert found.notes == (
        "shipping (Parcel): split over its rates, as the amounts of its taxes say: 6 at 22 %, 4 at 10 %.",
    )


def test_a_line_without_words_of_its_own_has_no_description() -> None:
    """Its words, its SKU, both, or neither."""
    lines = [line("1", "1"), line("1", "1", sku="M1"), line("1", "1", description="Blue")]
    assert [each.description for each in read(order(lines, "0")).positions] == ["", "SKU: M1", "Blue"]


# ---- discounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("discount", "places"),
    [
        (Discount(amount=D(1)), (0, 1)),
        (Discount(amount=D(1), target="shipping"), (2,)),
        (Discount(amount=D(1), line_ids=("b",)), (1,)),
        (Discount(amount=D(1), line_ids=("gone",)), (0, 1)),
    ],
    ids=["the lines", "shipping", "a line named", "a line that is not there"],
)
def test_a_discount_comes_off_what_it_is_for(discount: Discount, places: tuple[int, ...]) -> None:
    """Two lines, shipping, and a fee: a discount of the order comes off the lines."""
    given = order(
        [line("1", "5", id="a"), line("1", "5", id="b")],
        "0",
        shipping=(Shipping(amount=D(5)),),
        fees=(Fee(name="Packing", amount=D(1)),),
        discounts=(discount,),
    )
    (reduction,) = read(given).reductions
    assert reduction.positions == places


def test_a_discount_on_what_is_not_there_comes_off_all() -> None:
    """Without a line, and without shipping."""
    fees = (Fee(name="Packing", amount=D(1)), Fee(name="Post", amount=D(1)))
    for discount in (Discount(amount=D(1)), Discount(amount=D(1), target="shipping")):
        (reduction,) = read(order([], "0", fees=fees, discounts=(discount,))).reductions
        assert reduction.positions == (0, 1)


def test_a_discount_is_before_tax_unless_it_says_otherwise() -> None:
    """A voucher leaves VAT alone, a price cut does not."""
    given = order([line("1", "5")], "0", discounts=(Discount(amount=D(1)), Discount(amount=D(1), before_tax=False)))
    assert [each.after_tax for each in read(given).reductions] == [False, True]


# ---- tax that nothing bears ------------------------------------------------------------------------------------------


def test_tax_at_a_rate_of_nothing_is_refused_beside_one_that_has_a_rate() -> None:
    """1.10 at 22 % is borne, 0.50 at 0 % is not."""
    taxes = (Tax(rate=D(22), amount=D("1.10")), Tax(rate=D(0), amount=D("0.50")))
    reason = refused(order([line("1", "5", taxes=taxes)], "0"))
    assert reason.code is ReasonCode.TAX_WOULD_BE_LOST
    assert reason.message == "Line 1 (Mug) states 0.5 EUR of tax at a rate of 0 %."


def test_tax_on_a_line_that_is_booked_without_is_refused() -> None:
    """An exempt buyer's line, read as not charged, states 1.10 all the same."""
    firm = Customer(name="Firm", tax_exempt=True)
    given = order([line("1", "5", taxes=(Tax(rate=D(22), amount=D("1.10")),))], "0", customer=firm)
    reason = refused(given, untaxed=True)
    assert reason.message == "Line 1 (Mug) states 1.1 EUR of tax at a rate of 0 %."


def test_tax_of_an_order_whose_lines_have_no_rate_is_refused() -> None:
    """Stated as a sum, or per rate."""
    by_rate = (RateFigures(rate=D(22), net=None, tax=D("1.10")),)
    for told in ({"tax": "1.10"}, {"tax_by_rate": by_rate}, {"tax": "0", "tax_by_rate": by_rate}):
        reason = refused(order([line("1", "5", None)], "0", **told))
        assert reason.code is ReasonCode.TAX_WOULD_BE_LOST
        assert reason.message == "The order states 1.1 EUR of tax, but none of its lines has a rate."


def test_tax_of_an_order_is_borne_by_any_line_that_has_a_rate() -> None:
    """A line at 22 % beside one without."""
    assert len(read(order([line("1", "5"), line("1", "5", None)], "0", tax="1.10")).positions) == 2
