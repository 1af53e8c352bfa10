"""The edges of what is given back: equal amounts, missing words, two taxes of one rate, and what is refused."""

from dataclasses import replace

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.credit_layout import BOTH_WAYS, credit_draft, ways_of
from consumer.domain.crediting import Given, all_of, given_of_refund, joined, key_of, rest_of, unclear
from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import Order, RefundLine, Shipping, Tax
from consumer.domain.states import ReasonCode
from tests.domain.order_building import D, order, shipping, with_tax
from tests.domain.test_crediting import BOTH, GROUP, HEADER, ORDER, T10, T22, UNKNOWN, a_refund, given, part, thing

NOTHING = TaxSum(tax_id=None, rate=D(0), gross=D(0), tax=D(0))
UNTAXED = TaxSum(tax_id=None, rate=D(0), gross=D("8.00"), tax=D(0))


def test_things_of_one_tax_are_joined_with_the_tax_of_all() -> None:
    """1.22 with 0.22 and 2.44 with 0.44 are 3.66 with 0.66; another tax stays by itself."""
    first, second, other = thing("1.22", "0.22"), thing("2.44", "0.44"), thing("1.10", "0.10", T10)
    assert joined([first, other, second]) == [thing("3.66", "0.66"), other]


@pytest.mark.parametrize(("one", "two"), [(None, "0.44"), ("0.22", None), (None, None)])
def test_a_tax_that_is_not_known_of_all_is_not_known(one: str | None, two: str | None) -> None:
    """Half an answer would be a wrong one."""
    assert joined([thing("1.22", one), thing("2.44", two)]) == [thing("3.66")]


def test_what_was_credited_under_a_tax_that_the_document_never_had_is_owed() -> None:
    """A group's 11.50 with 1.50 credited of a document without it: less than nothing is left, under the same group."""
    credited = replace(GROUP, gross=D("11.50"), tax=D("1.50"))
    assert rest_of([T22], [[credited]]) == (T22, replace(GROUP, gross=D("-11.50"), tax=D("-1.50")))


def test_all_that_is_left_is_given_back_with_what_bears_no_tax_and_without_what_is_used_up() -> None:
    """8.00 without a tax are given back, a tax of which nothing is left is not."""
    empty = replace(T10, gross=D(0), tax=D(0))
    assert all_of([T22, UNTAXED, empty], label="Refund") == [
        Given(name="Refund", key=key_of(T22), gross=D("122.00"), tax=D("22.00")),
        Given(name="Refund", key=key_of(UNTAXED), gross=D("8.00"), tax=D(0)),
    ]


def test_the_shops_reason_stands_behind_the_label() -> None:
    """It is what the customer reads on the credit note."""
    assert given(a_refund("177.00", reason="broken"))[0][0] == "Refund: broken"


def test_lines_that_say_nothing_are_passed_over_and_those_after_them_are_not() -> None:
    """No amount, an amount of nought, a line that the order has not: the books' 11.00 are theirs all the same."""
    silent = (RefundLine(line_id="1"), part("1", "0.00"), part("9", "3.00"))
    assert given(a_refund("11.00", *silent, part("2", "11.00"))) == [("Refund: Book", "t10", "11.00", None)]


def test_a_line_without_tax_gives_back_no_tax() -> None:
    """Of the 8.00 that bear no tax 3.00 are given back, with 0 of tax, said by the order and not by the refund."""
    sold = order([with_tax("1", "122.00", id="1"), with_tax("1", "8.00", None, id="3", name="Stamp")], "130.00")
    found = given_of_refund(sold, a_refund("3.00", part("3", "3.00")), (T22, UNTAXED), label="Refund", digits=2)
    assert found == [Given(name="Refund: Stamp", key=key_of(UNTAXED), gross=D("3.00"), tax=D(0))]


@pytest.mark.parametrize(
    ("name", "sku", "quantity", "words"),
    [
        ("Mug", "M-1", None, "Refund: Mug"),
        ("Mug", "M-1", "1", "Refund: Mug"),
        ("Mug", "M-1", "0", "Refund: Mug"),
        ("Mug", "M-1", "2", "Refund: 2 x Mug"),
        ("", "M-1", None, "Refund: M-1"),
        ("", "", None, "Refund: 1"),
    ],
)
def test_a_thing_is_named_by_what_is_known_of_it(name: str, sku: str, quantity: str | None, words: str) -> None:
    """Its name, else its article number, else its line; with how many where that is not one."""
    sold = order([with_tax("1", "122.00", id="1", name=name, sku=sku), with_tax("5", "11.00", "10", id="2")], "177.00")
    back = RefundLine(line_id="1", amount=D("12.20"), quantity=None if quantity is None else D(quantity))
    assert given(a_refund("12.20", back), of=sold)[0][0] == words


def sent(*ways: Shipping) -> Order:
    """Give the order with shipping."""
    return replace(ORDER, shipping=ways)


def test_shipping_without_a_name_has_the_label_alone() -> None:
    """Nothing stands behind the label where the shop says nothing."""
    nameless = replace(shipping("5.00"), method="")
    assert given(a_refund("5.00", shipping=D("5.00")), of=sent(nameless)) == [("Refund", "t22", "5.00", None)]


def test_shipping_at_two_rates_is_nobodys_and_goes_over_all() -> None:
    """17.70 of 177.00: a tenth of each tax, named by the label."""
    found = given(a_refund("17.70", shipping=D("17.70")), of=sent(shipping("9.00"), shipping("9.00", "10")))
    assert found == [("Refund", "t22", "12.20", None), ("Refund", "t10", "5.50", None)]


def test_shipping_that_the_order_has_not_goes_over_all() -> None:
    """As an amount alone does."""
    found = given(a_refund("17.70", shipping=D("17.70")))
    assert found == [("Refund", "t22", "12.20", None), ("Refund", "t10", "5.50", None)]


def test_shipping_of_which_nothing_is_refunded_is_not_named() -> None:
    """A refund of a line alone has one line."""
    assert given(a_refund("11.00", part("2", "11.00")), of=sent(shipping("5.00"))) == [
        ("Refund: Book", "t10", "11.00", None)
    ]


@pytest.mark.parametrize(("amount", "tax_id"), [("10.00", "first"), ("10.01", "second"), ("25.00", "first")])
def test_of_two_taxes_of_one_rate_the_first_with_enough_is_taken(amount: str, tax_id: str) -> None:
    """10.00 and 20.00 at 22 %: 10.00 fits the first, 10.01 the second; more than either has goes to the first."""
    left = (replace(T22, tax_id="first", gross=D("10.00"), tax=D("1.80")), replace(T22, tax_id="second", gross=D(20)))
    back = a_refund(amount, RefundLine(line_id="1", amount=D(amount)))
    found = given_of_refund(ORDER, back, left, label="Refund", digits=2)
    assert found[0].key[0] == tax_id


def test_a_line_at_a_rate_that_the_invoice_has_not_goes_over_all() -> None:
    """5 % is no tax of this invoice; its 17.70 are a tenth of each."""
    back = RefundLine(line_id="1", amount=D("17.70"), taxes=(Tax(rate=D(5)),))
    assert given(a_refund("17.70", back)) == [("Refund", "t22", "12.20", None), ("Refund", "t10", "5.50", None)]


def test_half_a_unit_beyond_what_is_left_goes_elsewhere_too() -> None:
    """Of the books 40.00 are left, 40.50 are asked: 0.50 go to 22 %; the mug before it is as it was."""
    left = (T22, replace(T10, gross=D("40.00"), tax=D("3.64")))
    assert given(a_refund("50.50", part("1", "10.00"), part("2", "40.50")), left) == [
        ("Refund: Mug", "t22", "10.00", None),
        ("Refund", "t22", "0.50", None),
        ("Refund: Book", "t10", "40.00", "3.64"),
    ]


def test_of_two_lines_of_one_tax_the_first_gives_way_and_then_the_second() -> None:
    """30.00 and 25.00 of books of which 20.00 are left: nothing of the first, 20.00 of the second, 35.00 elsewhere."""
    left = (T22, replace(T10, gross=D("20.00"), tax=D("1.82")))
    assert given(a_refund("55.00", part("2", "30.00"), part("2", "25.00")), left) == [
        ("Refund", "t22", "35.00", None),
        ("Refund: Book", "t10", "20.00", "1.82"),
    ]


def test_a_little_more_than_was_said_goes_over_what_is_left_beside_it() -> None:
    """10.50 with 10.00 for the mug: 0.50 over 112.00 and 55.00, which is 0.34 and 0.16."""
    assert given(a_refund("10.50", part("1", "10.00"))) == [
        ("Refund: Mug", "t22", "10.00", None),
        ("Refund", "t22", "0.34", None),
        ("Refund", "t10", "0.16", None),
    ]


def test_sums_that_no_layout_gives_are_said_with_their_taxes() -> None:
    """Each sum with its rate, and its tax where it is known."""
    reason = unclear("Refund r1", [thing("12.20", "9.00"), thing("5.50", None, T10)])
    assert (reason.code, bool(reason.fix)) == (ReasonCode.REFUND_UNCLEAR, True)
    assert "Refund r1" in reason.message
    assert "12.2 at 22 % (tax 9), 5.5 at 10 %." in reason.message


def test_an_unknown_rounding_is_both() -> None:
    """A layout has to fit under either; a known one stands for itself."""
    assert ways_of(UNKNOWN) == BOTH_WAYS
    assert ways_of(TaxRounding.PER_LINE) == (TaxRounding.PER_LINE,)


def test_while_the_rounding_is_unknown_a_layout_that_fits_one_of_both_is_not_taken() -> None:
    """Twice 0.42 with 0.15 of tax: within the prices 0.15 once, but 0.08 twice; 0.34 and 0.35 give it both ways."""
    draft = credit_draft(HEADER, [thing("0.42", "0.08"), thing("0.42", "0.07")], digits=2, rounding=UNKNOWN)
    assert draft is not None
    assert (draft.tax_inclusive, [line.rate for line in draft.lines]) == (False, [D("0.34"), D("0.35")])


def test_nothing_left_is_nothing_given() -> None:
    """A sum of nought without a tax is no line of a credit note."""
    assert all_of([NOTHING, *BOTH], label="")[0].key == key_of(T22)


# ---- no more tax than is left ----


def capped(tax_left: str, *parts: RefundLine) -> list[tuple[str, str | None]]:
    """Give gross and tax of what is given back while 100.00 with this tax are left at 22 %, and all of the books."""
    left = (T10, replace(T22, gross=D("100.00"), tax=D(tax_left)))
    amount = str(sum((each.amount or D(0) for each in parts), D(0)))
    found = given_of_refund(ORDER, a_refund(amount, *parts), left, label="Refund", digits=2)
    return [(str(one.gross), None if one.tax is None else str(one.tax)) for one in found]


@pytest.mark.parametrize(
    ("tax_left", "taxes", "came"),
    [
        # Told 0.25 twice; the ledger would make 0.44 of 2.44.
        ("0.50", ("0.25", "0.25"), [("1.22", "0.25"), ("1.22", "0.25")]),
        ("0.47", ("0.25", "0.25"), [("2.44", "0.47")]),
        # Told of one, 0.22 worked out for the other: 0.47, but 0.44 of the whole.
        ("0.47", ("0.25", None), [("1.22", "0.25"), ("1.22", None)]),
        ("0.45", ("0.25", None), [("2.44", "0.44")]),
        ("0.43", ("0.25", None), [("2.44", "0.43")]),
    ],
)
def test_told_taxes_are_cut_to_what_is_left(
    tax_left: str, taxes: tuple[str | None, str | None], came: list[tuple[str, str | None]]
) -> None:
    """Only where they exceed it, and then together; where not all was told, no more than the ledger would make."""
    assert capped(tax_left, *(part("1", "1.22", tax) for tax in taxes)) == came


def test_taxes_that_nobody_told_are_cut_to_that_of_the_whole() -> None:
    """Four times 0.42 is four times 0.08, but 1.68 bears 0.30, and 0.31 are left."""
    assert capped("0.31", *[part("1", "0.42")] * 4) == [("1.68", "0.30")]


def test_what_is_cut_to_nothing_gives_its_name_to_nothing() -> None:
    """Of 20.00 that are left at 10 % nothing is the book's and all is the map's: its name stands on the note."""
    sold = order(
        [
            with_tax("1", "122.00", id="1", name="Mug"),
            with_tax("1", "30.00", "10", id="2", name="Book"),
            with_tax("1", "25.00", "10", id="3", name="Map"),
        ],
        "177.00",
    )
    left = (T22, replace(T10, gross=D("20.00"), tax=D("1.82")))
    assert given(a_refund("55.00", part("2", "30.00"), part("3", "25.00")), left, sold) == [
        ("Refund", "t22", "35.00", None),
        ("Refund: Map", "t10", "20.00", "1.82"),
    ]


def test_a_told_tax_stays_with_all_that_is_left_while_a_fee_is_kept() -> None:
    """55.00 with 5.00 of tax are just what is left; 5.00 are kept for the return."""
    assert given(a_refund("50.00", part("2", "55.00", "5.00", "10"))) == [
        ("Refund: Book", "t10", "55.00", "5.00"),
        ("Refund", "t10", "-5.00", None),
    ]


def test_a_told_tax_is_not_that_of_a_part() -> None:
    """5.00 were told of 55.00; of the 40.00 that are left of it nobody has said anything."""
    left = (T22, replace(T10, gross=D("40.00"), tax=D("3.64")))
    assert given(a_refund("30.00", part("2", "55.00", "5.00", "10")), left) == [
        ("Refund: Book", "t10", "40.00", None),
        ("Refund", "t10", "-10.00", None),
    ]
