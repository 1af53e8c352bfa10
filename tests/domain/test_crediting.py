"""What is given back under each tax, and how it is written: simple cases, each reckoned by hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from consumer.domain.arithmetic import TaxSum, compute
from consumer.domain.credit_layout import credit_draft, credited_sums
from consumer.domain.crediting import (
    Given,
    UnclearError,
    check_within,
    given_of_refund,
    key_of,
    read_sums,
    rest_of,
    sums_text,
    tax_within,
)
from consumer.domain.folding import Folding, folded
from consumer.domain.ledger import InvoiceDraft, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order, Refund, RefundLine, Tax
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import D, line, mapped, order, shipping, with_rounding, with_tax

T22 = TaxSum(tax_id="t22", rate=D(22), gross=D("122.00"), tax=D("22.00"))
T10 = TaxSum(tax_id="t10", rate=D(10), gross=D("55.00"), tax=D("5.00"))
GROUP = TaxSum(tax_id="g", rate=D("14.975"), gross=D("114.98"), tax=D("14.98"), parts=(D(5), D("9.975")))
BOTH = (T22, T10)
ORDER = order(
    [with_tax("1", "122.00", id="1", name="Mug"), with_tax("5", "11.00", "10", id="2", name="Book")], "177.00"
)
HEADER = InvoiceDraft(
    contact_id="c1",
    reference="r",
    issued_on=date(2026, 3, 20),
    due_on=date(2026, 3, 20),
    currency="EUR",
    lines=(),
    adjustment_label="Rounding",
)
PER_RATE, PER_LINE, UNKNOWN = TaxRounding.PER_RATE, TaxRounding.PER_LINE, TaxRounding.UNKNOWN


def a_refund(amount: str, *lines: RefundLine, **more: object) -> Refund:
    """Give a refund."""
    return Refund(id="r1", amount=D(amount), lines=lines, **more)  # type: ignore[arg-type] # named parts of a refund


def part(line_id: str, amount: str, tax: str | None = None, rate: str = "22") -> RefundLine:
    """Give a line of a refund."""
    taxes = () if tax is None else (Tax(rate=D(rate), amount=D(tax)),)
    return RefundLine(line_id=line_id, amount=D(amount), taxes=taxes)


def given(refund: Refund, rest: tuple[TaxSum, ...] = BOTH, of: Order = ORDER) -> list[tuple[str, str, str, str | None]]:
    """Give what is given back: name, tax, gross and tax of it."""
    found = given_of_refund(of, refund, rest, label="Refund", digits=2, whole=BOTH)
    return [(one.name, str(one.key[0]), str(one.gross), None if one.tax is None else str(one.tax)) for one in found]


# ---- what a refund gives back ----


def test_an_amount_alone_goes_over_all_taxes_in_proportion() -> None:
    """17.70 of 177.00: a tenth of each."""
    assert given(a_refund("17.70")) == [("Refund", "t22", "12.20", None), ("Refund", "t10", "5.50", None)]


def test_a_line_goes_to_its_own_tax_and_is_named() -> None:
    """Two books of 11.00, whose VAT the shop states."""
    one = replace(part("2", "22.00", "2.00", "10"), quantity=D(2))
    assert given(a_refund("22.00", one)) == [("Refund: 2 x Book", "t10", "22.00", "2.00")]


def test_more_than_the_lines_goes_over_what_is_left_beside_them() -> None:
    """A book and 16.60 more, over 122.00 and 44.00: 12.20 and 4.40."""
    assert given(a_refund("27.60", part("2", "11.00"))) == [
        ("Refund: Book", "t10", "11.00", None),
        ("Refund", "t22", "12.20", None),
        ("Refund", "t10", "4.40", None),
    ]


def test_less_than_the_lines_is_a_fee_taken_off_them() -> None:
    """122.00 came back and 100.00 were given."""
    assert given(a_refund("100.00", part("1", "122.00"))) == [
        ("Refund: Mug", "t22", "122.00", None),
        ("Refund", "t22", "-22.00", None),
    ]


def test_shipping_goes_to_the_tax_of_shipping() -> None:
    """By the method's name."""
    sent = replace(ORDER, shipping=(shipping("10.00", "10"),))
    assert given(a_refund("5.00", shipping=D("5.00")), of=sent) == [("Refund: Parcel", "t10", "5.00", None)]


def test_the_last_refund_takes_what_is_left_of_each_tax_to_the_cent() -> None:
    """Whatever it says of lines: 0.01 that was rounded before is in it."""
    left = (replace(T22, gross=D("100.00"), tax=D("18.04")), replace(T10, gross=D(0), tax=D(0)))
    assert given(a_refund("100.00", part("2", "11.00")), left) == [("Refund", "t22", "100.00", "18.04")]


def test_a_tax_that_is_given_back_whole_is_closed_though_others_are_not() -> None:
    """All books: their VAT is the rest of the VAT at 10 %, not what the line says."""
    assert given(a_refund("55.00", part("2", "55.00", "5.01", "10"))) == [("Refund: Book", "t10", "55.00", "5.00")]


def test_no_more_tax_is_given_back_than_is_left_of_it() -> None:
    """Rounded up before, 0.00 is left of the VAT in 0.05."""
    left = (replace(T22, gross=D("0.05"), tax=D("0.00")), T10)
    assert given(a_refund("0.03", part("1", "0.03")), left) == [("Refund: Mug", "t22", "0.03", "0.00")]


def test_a_line_of_which_an_amount_alone_has_taken_gives_the_rest_elsewhere() -> None:
    """Of the books' 55.00 an earlier amount took 15.00: 40.00 are left there, 15.00 go to 22 %."""
    left = (T22, replace(T10, gross=D("40.00"), tax=D("3.64")))
    assert given(a_refund("55.00", part("2", "55.00")), left) == [
        ("Refund", "t22", "15.00", None),
        ("Refund: Book", "t10", "40.00", "3.64"),
    ]


def test_a_line_of_more_than_the_invoice_ever_had_is_refused() -> None:
    """Nothing is moved: then the refund contradicts the invoice."""
    refund = a_refund("60.00", part("2", "60.00"))
    found = given_of_refund(ORDER, refund, BOTH, label="Refund", digits=2, whole=BOTH)
    reason = check_within(ORDER, refund.id, found, BOTH)
    assert reason is not None
    assert (reason.code, "At 10 %" in reason.message) == (ReasonCode.REFUND_EXCEEDS_INVOICE, True)


@pytest.mark.parametrize(
    ("refund", "code"),
    [
        (a_refund("177.01"), ReasonCode.REFUND_EXCEEDS_INVOICE),
        (a_refund("1.005"), ReasonCode.REFUND_UNCLEAR),
        (a_refund("-1.00"), ReasonCode.REFUND_UNCLEAR),
        (a_refund("1.00", part("1", "0.333")), ReasonCode.REFUND_UNCLEAR),
    ],
    ids=["more than is left", "a fraction of a cent", "below nought", "a fraction in a line"],
)
def test_what_cannot_be_given_back_says_why(refund: Refund, code: ReasonCode) -> None:
    """With what to do about it."""
    with pytest.raises(UnclearError) as caught:
        given(refund)
    assert (caught.value.reason.code, bool(caught.value.reason.fix)) == (code, True)


def test_a_compound_tax_is_found_by_what_it_comes_to() -> None:
    """5 % and 8.5 % on top of it are 13.925 % of the net."""
    compound = TaxSum(tax_id="c", rate=D("13.925"), gross=D("113.93"), tax=D("13.93"), parts=(D(5), D("8.5")))
    taxes = (Tax(rate=D(5)), Tax(rate=D("8.5"), compound=True))
    sold = order([with_tax("1", "113.93", None, id="1", taxes=taxes)], "113.93")
    found = given_of_refund(sold, a_refund("10.00", part("1", "10.00")), (compound, T10), label="", digits=2)
    assert [one.key[0] for one in found] == ["c"]


def test_the_tax_within_a_groups_amount_is_rounded_member_by_member() -> None:
    """10.00 at 5 % and 9.975 %: 0.4349 and 0.8676."""
    assert tax_within(D("10.00"), key_of(GROUP), 2) == D("1.30")


def test_sums_are_the_same_after_they_were_kept_as_text() -> None:
    """A group's members, a tax of nought and what bears none."""
    sums = (T22, GROUP, TaxSum(tax_id=None, rate=D(0), gross=D("-0.01"), tax=D(0)))
    assert read_sums(sums_text(sums)) == sums
    assert read_sums("") == ()


def test_what_is_left_is_the_document_less_all_that_was_credited() -> None:
    """Per tax; one of which nothing is left stays, so that nothing can be credited under it."""
    note = (replace(T22, gross=D("22.00"), tax=D("3.97")), T10)
    assert [(one.gross, one.tax) for one in rest_of(BOTH, [note])] == [(D("100.00"), D("18.03")), (D(0), D(0))]


# ---- credit notes ----


def drafted(*things: Given, rounding: TaxRounding = PER_RATE) -> InvoiceDraft:
    """Draft a credit note that there must be."""
    draft = credit_draft(HEADER, things, digits=2, rounding=rounding)
    assert draft is not None
    return draft


def thing(gross: str, tax: str | None = None, of: TaxSum = T22) -> Given:
    """Give something given back."""
    return Given(name="Refund", key=key_of(of), gross=D(gross), tax=None if tax is None else D(tax))


@pytest.mark.parametrize("rounding", list(TaxRounding))
def test_a_plain_refund_is_one_line_with_the_tax_in_it(rounding: TaxRounding) -> None:
    """100.00, of which 18.03 are VAT; no adjustment."""
    draft = drafted(thing("100.00"), rounding=rounding)
    assert (draft.tax_inclusive, [str(one.rate) for one in draft.lines], draft.adjustment) == (True, ["100.00"], D(0))
    assert compute(draft, 2, PER_RATE).tax_total == D("18.03")


def test_vat_that_no_amount_gives_is_met_by_a_labelled_adjustment() -> None:
    """100.00 with 18.05 of VAT: 100.06 have that (100.06 x 22 / 122 = 18.0436, 100.07: 18.0454), less 0.07."""
    draft = drafted(thing("100.00", "18.05"))
    figures = compute(draft, 2, PER_RATE)
    assert (figures.total, figures.tax_total) == (D("100.00"), D("18.05"))
    assert (draft.adjustment, draft.adjustment_label) == (D("-0.07"), "Rounding")
    assert credited_sums(draft, [thing("100.00", "18.05")], 2, PER_RATE) == (
        replace(T22, gross=D("100.00"), tax=D("18.05")),
    ), "what it stands for is what was meant; the adjustment is no credit of its own"


def test_vat_far_from_the_amounts_own_is_refused() -> None:
    """100.00 with 15.00 of VAT is not 22 %."""
    assert credit_draft(HEADER, [thing("100.00", "15.00")], digits=2, rounding=PER_RATE) is None


def test_where_lines_are_rounded_each_the_tax_is_met_by_splitting() -> None:
    """100.00 with 18.04: two lines whose taxes are rounded apart; no adjustment is needed."""
    draft = drafted(thing("100.00", "18.04"), rounding=PER_LINE)
    figures = compute(draft, 2, PER_LINE)
    assert (figures.total, figures.tax_total, draft.adjustment) == (D("100.00"), D("18.04"), D(0))
    assert len(draft.lines) > 1


def test_an_unknown_rounding_is_met_under_both() -> None:
    """Two things of one tax, of 0.33 each, become one line, since 0.06 + 0.06 is not the VAT of 0.66 in both."""
    draft = drafted(thing("0.35"), thing("0.35"), thing("0.35"), rounding=UNKNOWN)
    assert {compute(draft, 2, way).total for way in (PER_RATE, PER_LINE)} == {D("1.05")}


# ---- within a draft ----


def taken(refund: Refund, of: Mapped, sold: Order, rounding: TaxRounding = PER_RATE) -> Mapped | Reason:
    """Take a refund off."""
    return folded(of, sold, [refund], Folding(label="Refund", adjustment_label="Rounding", digits=2, rounding=rounding))


NET = order([line("1", "100.00", id="1"), line("1", "50.00", "10", id="2")], "177.00")


@pytest.mark.parametrize("rounding", [PER_RATE, PER_LINE])
def test_what_is_left_of_a_draft_is_the_order_less_its_refund(rounding: TaxRounding) -> None:
    """122.00 and 55.00 without tax in the prices; 61.00 of the first are given back: VAT 11.00 and 5.00 are left."""
    left = taken(a_refund("61.00", part("1", "61.00")), mapped(NET, facts=with_rounding(rounding)), NET, rounding)
    assert isinstance(left, Mapped)
    assert (left.expected.total, left.folded) == (D("116.00"), ("r1",))
    assert [(str(row.rate), str(row.tax)) for row in left.expected.tax_by_rate] == [("10", "5.00"), ("22", "11.00")]
    assert str(left.draft.lines[-1].rate) == "-50.00"


def test_all_of_a_draft_given_back_leaves_nought() -> None:
    """Which nobody writes."""
    left = taken(a_refund("177.00"), mapped(NET), NET)
    assert isinstance(left, Mapped)
    assert left.expected.total == Decimal(0)


def test_a_refund_of_nothing_changes_nothing() -> None:
    """It is only known as accounted for."""
    before = mapped(NET)
    left = taken(a_refund("0.00"), before, NET)
    assert isinstance(left, Mapped)
    assert (left.draft, left.folded) == (before.draft, ("r1",))


def test_a_refund_beyond_the_draft_says_so() -> None:
    """177.01 of 177.00."""
    left = taken(a_refund("177.01"), mapped(NET), NET)
    assert isinstance(left, Reason)
    assert left.code is ReasonCode.REFUND_EXCEEDS_INVOICE


def test_nothing_is_left_for_a_refund_after_one_of_all() -> None:
    """177.00 and then 10.00 of 177.00: the lines of the draft stand as they were, and are no room for the second."""
    way = Folding(label="Refund", adjustment_label="Rounding", digits=2, rounding=PER_RATE)
    left = folded(mapped(NET), NET, [a_refund("177.00"), replace(a_refund("10.00"), id="r2")], way)
    assert isinstance(left, Reason)
    assert left.code is ReasonCode.REFUND_EXCEEDS_INVOICE
