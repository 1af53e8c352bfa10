"""Refunds within a draft at their edges: VAT that no amount gives, several refunds, and what is refused."""

from dataclasses import replace

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.folding import Folding, folded
from consumer.domain.ledger import LedgerTax, TaxKind, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order, Refund, Tax
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import D, line, mapped, order, vat, with_rounding, with_tax
from tests.domain.test_crediting import NET, ORDER, PER_LINE, PER_RATE, UNKNOWN, a_refund, part, taken

WAY = Folding(label="Refund", adjustment_label="Rounding", digits=2, rounding=PER_RATE)


def left_of(refund: Refund, sold: Order = ORDER, rounding: TaxRounding = PER_RATE) -> Mapped:
    """Take a refund off that can be taken off."""
    left = taken(refund, mapped(sold, facts=with_rounding(rounding)), sold, rounding)
    assert isinstance(left, Mapped), left
    return left


def taxes(left: Mapped) -> dict[str, str]:
    """Give the VAT that is left by rate."""
    return {str(row.rate): str(row.tax) for row in left.expected.tax_by_rate}


def test_a_refund_of_nothing_does_not_hide_the_next_one() -> None:
    """0.00 and then 61.00 of 177.00."""
    refunds = [a_refund("0.00"), replace(a_refund("61.00", part("1", "61.00")), id="r2")]
    left = folded(mapped(NET), NET, refunds, WAY)
    assert isinstance(left, Mapped)
    assert (left.expected.total, left.folded) == (D("116.00"), ("r1", "r2"))


def test_of_a_draft_given_back_whole_no_tax_is_left_either() -> None:
    """Its total, its VAT, its VAT per rate; and the refund is accounted for."""
    left = left_of(a_refund("177.00"), NET)
    assert (left.expected.tax_total, left.expected.tax_by_rate, left.folded) == (D(0), (), ("r1",))


def test_what_an_amount_alone_took_of_a_line_is_taken_elsewhere_when_the_line_comes_back() -> None:
    """17.70 over all takes 12.20 and 5.50. All books come back for 55.00: 49.50 are left there, 5.50 go to 22 %.

    Of 177.00 there remain 122.00 - 12.20 - 5.50 = 104.30 at 22 %, of which 18.81 are VAT, and nothing at 10 %.
    """
    refunds = [a_refund("17.70"), replace(a_refund("55.00", part("2", "55.00")), id="r2")]
    left = folded(mapped(ORDER), ORDER, refunds, WAY)
    assert isinstance(left, Mapped)
    assert (left.expected.total, taxes(left)) == (D("104.30"), {"10": "0.00", "22": "18.81"})


def test_a_line_of_more_than_the_draft_ever_had_is_refused_by_its_rate() -> None:
    """60.00 of books, of which 55.00 were sold."""
    reason = taken(a_refund("60.00", part("2", "60.00")), mapped(ORDER), ORDER)
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.REFUND_EXCEEDS_INVOICE
    assert reason.message.startswith("At 10 %: ")


def test_vat_far_from_the_amounts_own_is_unclear() -> None:
    """61.00 at 22 % have 11.00 of VAT; 5.00 are said, and no line and no cent of balance gives that."""
    reason = taken(a_refund("61.00", part("1", "61.00", "5.00")), mapped(ORDER), ORDER)
    assert isinstance(reason, Reason)
    assert (reason.code, "r1" in reason.message) == (ReasonCode.REFUND_UNCLEAR, True)


@pytest.mark.parametrize(
    ("told", "vat_left", "line_off", "balance"),
    [
        ("18.05", "3.95", "-100.07", "0.07"),
        ("18.01", "3.99", "-99.90", "-0.10"),
        ("18.03", "3.97", "-100.00", "0"),
    ],
    ids=["more VAT", "less VAT", "its own VAT"],
)
def test_vat_that_the_rest_does_not_have_is_met_by_the_nearest_line_and_a_labelled_balance(
    told: str, vat_left: str, line_off: str, balance: str
) -> None:
    """100.00 of 122.00 with VAT as the shop says it; 22.00 and the rest of the 22.00 VAT remain at 22 %.

    22.00 hold 3.967. 3.95: 21.93 hold 3.9546 (21.94: 3.9564), so 100.07 go off and 0.07 come back. 3.99: 22.10 hold
    3.9852 (22.09: 3.9834), so 99.90 go off, and 0.10 more without VAT.
    """
    left = left_of(a_refund("100.00", part("1", "100.00", told)))
    assert (left.expected.total, taxes(left)["22"]) == (D("77.00"), vat_left)
    assert (str(left.draft.lines[-1].rate), left.draft.adjustment) == (line_off, D(balance))
    assert left.draft.adjustment_label == ("Rounding" if D(balance) else "")


def test_a_balance_that_the_draft_had_keeps_its_label_and_the_new_one_is_added() -> None:
    """A draft with 0.02 of "Round off" on it: 0.02 and 0.07 are 0.09, under its own words."""
    before = mapped(ORDER)
    draft = replace(before.draft, adjustment=D("0.02"), adjustment_label="Round off")
    expected = replace(before.expected, total=D("177.02"))
    left = taken(
        a_refund("100.00", part("1", "100.00", "18.05")), replace(before, draft=draft, expected=expected), ORDER
    )
    assert isinstance(left, Mapped)
    assert (left.draft.adjustment, left.draft.adjustment_label) == (D("0.09"), "Round off")
    assert left.expected.total == D("77.02")


TWO_PERCENT = order([with_tax("1", "10.20", "2", id="1")], "10.20")
AT_TWO_PERCENT = replace(with_rounding(PER_RATE), taxes=vat("2"))


def test_a_line_is_moved_by_sixty_units() -> None:
    """10.20 at 2 % hold 0.20; 4.93 with 0.08 of it leave 5.27 with 0.12, which are in 5.87 (0.1151) and more."""
    left = taken(
        a_refund("4.93", part("1", "4.93", "0.08", "2")), mapped(TWO_PERCENT, facts=AT_TWO_PERCENT), TWO_PERCENT
    )
    assert isinstance(left, Mapped)
    assert (str(left.draft.lines[-1].rate), left.draft.adjustment, left.expected.total) == (
        "-4.33",
        D("-0.60"),
        D("5.27"),
    )


def test_a_line_is_not_moved_by_more_than_sixty_units() -> None:
    """As before, with 5.26 left: it would be 61."""
    reason = taken(
        a_refund("4.94", part("1", "4.94", "0.08", "2")), mapped(TWO_PERCENT, facts=AT_TWO_PERCENT), TWO_PERCENT
    )
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.REFUND_UNCLEAR


def test_while_the_rounding_is_unknown_what_is_left_fits_both() -> None:
    """1.02 hold 0.18 (0.1839). 0.37 with 0.06 of it leave 0.65 with 0.12: that is so once per rate (0.1172).

    On a line of its own 0.37 have 0.0667, which is 0.07, so 0.36 (0.0649) go off and 0.01 without VAT; 0.66 have 0.119.
    """
    sold = order([with_tax("1", "1.02", id="1")], "1.02")
    left = left_of(a_refund("0.37", part("1", "0.37", "0.06")), sold, UNKNOWN)
    found = [compute(left.draft, 2, way) for way in (PER_RATE, PER_LINE)]
    assert [(str(each.total), str(each.tax_total)) for each in found] == [("0.65", "0.12")] * 2
    assert str(left.draft.lines[-1].rate) == "-0.36"


@pytest.mark.parametrize(
    ("sold", "amount", "vat_left"),
    [
        (order([with_tax("1", "1.22", id="1")], "1.22"), "1.20", {"22": "0.00"}),
        (order([with_tax("1", "122.00", id="1")], "122.00"), "0.02", {"22": "22.00"}),
        (order([with_tax("1", "122.00", id="2"), line("1", "10.00", None, id="1")], "132.00"), "4.00", {"22": "22.00"}),
    ],
    ids=["no VAT is left", "no VAT goes off", "it bears no tax"],
)
def test_an_amount_without_vat_of_its_own_is_plainly_taken_off(
    sold: Order, amount: str, vat_left: dict[str, str]
) -> None:
    """0.02 hold less than half a cent of VAT: one line of the refund's own amount, and nothing to balance."""
    left = left_of(a_refund(amount, part("1", amount)), sold)
    assert (str(left.draft.lines[-1].rate), left.draft.adjustment) == (f"-{amount}", D(0))
    assert taxes(left) == vat_left


def test_what_was_taken_off_is_said_beside_what_was_said_before() -> None:
    """One sentence for each refund, with its amount."""
    left = left_of(a_refund("61.00", part("1", "61.00")))
    assert left.notes == (*mapped(ORDER).notes, "Refund r1 of 61 EUR is taken off within the draft.")


def test_the_groups_of_a_draft_stay_known_with_a_refund_taken_off() -> None:
    """A ledger tells their members' VAT: without the group nobody could tell whose it is."""
    group = LedgerTax(tax_id="g", name="Both", rate=D(15), kind=TaxKind.GROUP, parts=(D(5), D(10)))
    taxes_ = (Tax(rate=D(5)), Tax(rate=D(10)))
    sold = order([line("1", "100.00", taxes=taxes_, id="1")], "115.00")
    left = taken(a_refund("57.50"), mapped(sold, facts=replace(with_rounding(PER_RATE), taxes=(group,))), sold)
    assert isinstance(left, Mapped)
    assert left.expected.group_rates == ((D(15), (D(5), D(10))),)
    assert (left.expected.total, taxes(left)) == (D("57.50"), {"5": "2.50", "10": "5.00"})
