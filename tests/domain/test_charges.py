"""What an order charges, read line by line: names, accounts, amounts, and what cannot be booked whatever it costs."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.charges import Charge, Position
from consumer.domain.ledger import Item, LedgerTax, TaxKind
from consumer.domain.orders import Customer, Discount, Fee, FeeKind, Line, Shipping, Tax
from consumer.domain.settings import AccountRow, MethodRow, TaxOverride
from consumer.domain.states import ReasonCode
from tests.domain.charges_reading import one, read, refused
from tests.domain.order_building import FACTS, SHOP, D, line, order, vat


def test_a_product_line_is_told_whole() -> None:
    """Two mugs of 5.00, less 1.00."""
    given = line("2", "5.00", id="7", sku="M1", description="Blue", unit="pcs", discount=D(1))
    assert one(given) == Position(
        charge=Charge.PRODUCT,
        label="Line 1 (Mug)",
        name="Mug",
        amount=D("10.00"),
        inclusive=False,
        tax=1,
        reduction=D(1),
        quantity=D(2),
        unit_price=D("5.00"),
        description="Blue\nSKU: M1",
        unit="pcs",
        line_id="7",
        stated_taxes=(Tax(rate=D(22)),),
    )


def test_a_line_is_named_by_what_it_has() -> None:
    """Its name, its SKU, its place."""
    assert one(line("1", "1", name="", sku="M1")).name == "M1"
    assert one(line("1", "1", name="", id="7")).name == "Line 1 (7)"


def test_shipping_and_fees_are_told_whole() -> None:
    """Each with its own label, and as a price of its own."""
    given = order(
        [],
        "0",
        shipping=(Shipping(amount=D("5.00"), method="Parcel", discount=D(1)), Shipping(amount=D("0.125"))),
        fees=(Fee(name="", kind=FeeKind.ROUNDING, amount=D("0.05")), Fee(name="", kind=FeeKind.TIP, amount=D(2))),
    )
    shop = replace(SHOP, rounding_label="Cents", methods=(MethodRow(name="parcel", item_id="4", label="Post"),))
    shipped = Position(
        charge=Charge.SHIPPING,
        label="shipping (Parcel)",
        name="Post",
        amount=D("5.00"),
        inclusive=False,
        tax=0,
        reduction=D(1),
        unit_price=D("5.00"),
        item_id="4",
    )
    fine = Position(
        charge=Charge.SHIPPING,
        label="shipping",
        name="Shipping",
        amount=D("0.125"),
        inclusive=False,
        tax=0,
        unit_price=D("0.125"),
        multiplies=False,
    )
    cents, tip = (
        Position(
            charge=Charge.FEE,
            label=f"fee ({name})",
            name=name,
            amount=D(amount),
            inclusive=False,
            tax=0,
            unit_price=D(amount),
        )
        for name, amount in (("Cents", "0.05"), ("Tip", "2"))
    )
    assert read(given, shop).positions == (shipped, fine, cents, tip)


def test_what_costs_nothing_is_left_out() -> None:
    """A fee of nought, shipping of nought, a line of none."""
    given = order(
        [line("1", "5.00"), line("0", "0.00")],
        "0",
        shipping=(Shipping(amount=D(0)),),
        fees=(Fee(name="x", amount=D(0)),),
        discounts=(Discount(amount=D(0)),),
    )
    found = read(given)
    assert (len(found.positions), found.reductions) == (1, ())
    assert found.notes == ("Line 2 (Mug) has quantity 0 and costs nothing: left out.",)


def test_an_order_of_nothing_is_one_line_of_nothing() -> None:
    """With its number."""
    found = read(order([], "0"))
    assert found.positions == (
        Position(charge=Charge.PRODUCT, label="order", name="Order 1001", amount=D(0), inclusive=False, tax=0),
    )


@pytest.mark.parametrize("given", [line("-1", "5.00"), line("0", "0.00", discount=D(1)), line("0", "0", total=D(1))])
def test_a_quantity_below_nought_or_of_nought_at_a_price_is_refused(given: Line) -> None:
    """By its place and name."""
    reason = refused(order([given], "0"))
    assert reason.code is ReasonCode.NEGATIVE_QUANTITY
    assert reason.message.startswith("Line 1 (Mug) has quantity ")


# ---- amounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "amount", "multiplies", "agrees"),
    [
        (line("2", "5.00"), "10.00", True, True),
        (line("1.25", "2.00"), "2.50", True, True),
        (line("1.125", "2.00"), "2.25", False, True),
        (line("3", "0.333"), "0.999", False, True),
        (line("1", "1.005", total=D("1.00")), "1.00", False, True),
        (line("3", "3.33", total=D("10.00")), "10.00", False, False),
        (line("1", "10.00", discount=D(-1)), "11.00", False, True),
    ],
    ids=[
        "whole",
        "a quantity of two decimals",
        "of three",
        "a price of three",
        "half a cent off",
        "a rounded price",
        "a discount below nought makes it dearer",
    ],
)
def test_an_amount_is_the_stated_one_where_there_is_one(
    given: Line,
    amount: str,
    multiplies: bool,  # noqa: FBT001 a parameter
    agrees: bool,  # noqa: FBT001 a parameter
) -> None:
    """And it is told whether quantity and price can be sent as they are, and whether they agree with it."""
    found = one(given)
    assert (found.amount, found.multiplies, found.agrees) == (D(amount), multiplies, agrees)
    assert found.reduction == D(0)


def test_a_price_is_rounded_first_only_where_the_shop_does_so() -> None:
    """3 x 0.333 is 0.999, and 3 x 0.33 is 0.99."""
    assert one(line("3", "0.333")).amount == D("0.999")
    assert one(line("3", "0.333"), per_unit=True).amount == D("0.99")


def test_a_line_that_does_not_follow_is_refused_with_its_figures() -> None:
    """More than half a cent, and no rounded price."""
    reason = refused(order([line("2", "5.00", discount=D(1), total=D("8.00"))], "0"))
    assert reason.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    assert reason.message == "Line 1 (Mug): 2 x 5 less 1 is 9, the shop states 8."
    assert refused(order([line("2", "1.00275", total=D("2.00"))], "0")).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


# ---- tables ----------------------------------------------------------------------------------------------------------

OWN = "{{ line.account }}"
KINDS = ("goods", "discount", "shipping", "fee", "tip")
DATA = {
    "lines": [{"account": "10"}, {"account": "11"}],
    "shipping": [{"account": "20", "item": "25"}, {"account": "21", "item": "26"}],
    "fees": [{"account": "30", "item": "35"}, {"account": "31", "item": "36"}],
    "discounts": [{"account": "40"}, {"account": "41"}],
}
FULL = order(
    [line("1", "5.00", discount=D(1)), line("1", "5.00", discount=D(1))],
    "0",
    shipping=(Shipping(amount=D(5), method="a", discount=D(1)), Shipping(amount=D(5), method="b", discount=D(1))),
    fees=(Fee(name="c", amount=D(1)), Fee(name="d", kind=FeeKind.TIP, amount=D(1))),
    discounts=(Discount(amount=D(1)), Discount(amount=D(1))),
    data=DATA,
)


def test_each_charge_takes_its_account_from_its_own_entry_of_the_order() -> None:
    """A product and its discount, shipping and its discount, a fee, a tip, a coupon: first and second."""
    shop = replace(SHOP, accounts=tuple(AccountRow(account_id=OWN, kind=kind) for kind in KINDS))
    found = read(FULL, shop)
    assert [(each.account_id, each.reduction_account_id) for each in found.positions] == [
        ("10", "10"),
        ("11", "11"),
        ("20", "20"),
        ("21", "21"),
        ("30", None),
        ("31", None),
    ]
    assert [each.account_id for each in found.reductions] == ["40", "41"]


def test_shipping_and_fees_take_their_item_from_their_own_entry() -> None:
    """By the table of methods."""
    rows = tuple(MethodRow(name=name, item_id="{{ line.item }}") for name in "abcd")
    found = read(FULL, replace(SHOP, methods=rows))
    assert [each.item_id for each in found.positions] == [None, None, "25", "26", "35", "36"]


def test_a_discount_has_the_account_of_its_lines_class_and_none_where_there_is_no_discount() -> None:
    """Of food 1, of all else 2."""
    rows = (
        AccountRow(account_id="1", kind="discount", tax_class="food"),
        AccountRow(account_id="2", kind="discount"),
    )
    lines = [line("1", "5", discount=D(1), tax_class="food"), line("1", "5", discount=D(1)), line("1", "5")]
    given = order(lines, "0", shipping=(Shipping(amount=D(5)),))
    found = read(given, replace(SHOP, accounts=rows))
    assert [each.reduction_account_id for each in found.positions] == ["1", "2", None, None]


def test_a_shop_that_books_by_items_refuses_a_line_without_one() -> None:
    """One without a SKU has no item, whatever the ledger has under no SKU."""
    shop = replace(SHOP, items_by_sku=True)
    items = {"M1": Item(item_id="i1", name="Mug", sku="M1"), "": Item(item_id="i2", name="Odd")}
    assert one(line("1", "1", sku="M1"), shop=shop, items=items).item_id == "i1"
    missing = refused(order([line("1", "1", sku="M2")], "0"), shop, items=items)
    assert (missing.code, missing.group_key) == (ReasonCode.ITEM_MISSING, "item_missing:M2")
    nothing = refused(order([line("1", "1")], "0"), shop, items=items)
    assert nothing.message == ("Line 1 (Mug) has no SKU; the ledger has no item for it, and the shop books by items.")


@pytest.mark.parametrize(
    ("code", "description", "name"),
    [
        ("", "", "Discount"),
        ("TEN", "", "Discount: TEN"),
        ("", "Ten off", "Discount: Ten off"),
        ("TEN", "TEN percent off", "Discount: TEN percent off"),
        ("TEN", "Ten off", "Discount: TEN (Ten off)"),
    ],
)
def test_a_coupon_is_named_by_code_and_words(code: str, description: str, name: str) -> None:
    """The code once."""
    coupon = Discount(amount=D(1), code=code, description=description)
    (reduction,) = read(order([line("1", "5")], "0", discounts=(coupon,))).reductions
    assert reduction.name == name


# ---- taxes -----------------------------------------------------------------------------------------------------------


def test_shipping_has_the_tax_of_shipping() -> None:
    """Where the organisation names one for it."""
    taxes = (*vat("22"), LedgerTax(tax_id="s", name="VAT shipping", rate=D(22)))
    shipped = Shipping(amount=D(5), taxes=(Tax(rate=D(22)),))
    found = read(order([line("1", "5")], "0", shipping=(shipped,)), facts=replace(FACTS, taxes=taxes))
    assert [found.taxes[each.tax].tax_id for each in found.positions] == ["t22", "s"]


def test_a_line_of_which_nothing_is_said_bears_no_tax() -> None:
    """Not even the organisation's tax of 0 %: the totals tell whether that is right."""
    found = read(order([line("1", "5", None)], "0"), facts=replace(FACTS, taxes=vat("0")))
    assert [found.taxes[each.tax].tax_id for each in found.positions] == [None]


def test_an_exempt_buyers_line_is_free_where_all_its_taxes_are_nothing() -> None:
    """Of two taxes one is charged: then both are as they are told. Of rates alone nothing is known."""
    group = LedgerTax(tax_id="g", name="Both", rate=D(15), kind=TaxKind.GROUP, parts=(D(5), D(10)))
    facts = replace(FACTS, taxes=(group, *vat("22", "0")))
    firm = Customer(name="Firm", tax_exempt=True)

    def chosen(*taxes: Tax, **more: Any) -> str | None:
        found = read(order([line("1", "5", taxes=taxes)], "0", customer=firm), facts=facts, **more)
        return found.taxes[found.positions[0].tax].tax_id

    assert chosen(Tax(rate=D(5), amount=D(0)), Tax(rate=D(10), amount=D("0.50"))) == "g"
    assert chosen(Tax(rate=D(5), amount=D(0)), Tax(rate=D(10), amount=D(0))) == "t0"
    assert chosen(Tax(rate=D(22))) == "t22"
    assert chosen(Tax(rate=D(22)), untaxed=True) == "t0"


def test_where_nothing_is_said_of_tax_the_buyer_and_the_shops_table_may() -> None:
    """An exempt buyer's line has the organisation's tax of 0 %; a row of the shop's decides where it fits."""
    facts = replace(FACTS, taxes=(*vat("0"), LedgerTax(tax_id="x", name="Other", rate=D(0))))
    firm = Customer(name="Firm", reverse_charge=True)
    plain = line("1", "5", None)

    def chosen(customer: Customer, *rows: TaxOverride) -> str | None:
        shop = replace(SHOP, tax_overrides=rows)
        found = read(order([plain], "0", customer=customer), shop, facts=facts)
        return found.taxes[found.positions[0].tax].tax_id

    nobody = Customer()
    alone = replace(facts, taxes=facts.taxes[:1])
    found = read(order([plain], "0", customer=firm), facts=alone)
    assert found.taxes[found.positions[0].tax].tax_id == "t0"
    assert chosen(firm, TaxOverride(tax_id="x")) == "x"
    assert chosen(nobody, TaxOverride(tax_id="x")) == "x"
    assert chosen(nobody, TaxOverride(tax_id="x", tax_class="food")) is None
    assert chosen(nobody) is None


@pytest.mark.parametrize(
    ("with_tax_in", "without", "default", "told"),
    [
        (1, 0, False, (True, False)),
        (0, 1, True, (False, False)),
        (1, 1, True, (True, True)),
        (1, 1, False, (False, True)),
        (2, 1, False, (True, True)),
        (1, 2, True, (False, True)),
        (2, 3, False, (False, True)),
        (0, 0, True, (False, False)),
    ],
)
def test_an_order_is_stated_as_most_of_its_taxed_lines_are(
    with_tax_in: int,
    without: int,
    default: bool,  # noqa: FBT001 a parameter
    told: tuple[bool, bool],
) -> None:
    """Of as many of both as the order says; without tax it makes no difference. Both kinds are mixed."""
    lines = [
        *[line("1", "5", prices_include_tax=True)] * with_tax_in,
        *[line("1", "5")] * without,
        line("1", "5", None, prices_include_tax=True),
    ]
    found = read(order(lines, "0", prices_include_tax=default))
    assert (found.inclusive, found.mixed) == told


def test_in_a_currency_without_decimals_whole_amounts_are_sent_as_they_are() -> None:
    """1,250 yen of shipping, and three of 100."""
    given = order([line("3", "100")], "0", shipping=(Shipping(amount=D(1250)),), currency="JPY")
    assert [each.multiplies for each in read(given, digits=0).positions] == [True, True]
