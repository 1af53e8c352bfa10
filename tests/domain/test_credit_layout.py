"""How what is given back is written: which layout is taken, and that it comes to the cent under either rounding."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.domain.arithmetic import TaxSum, sums_by_tax
from consumer.domain.credit_layout import credit_draft, credited_sums, tax_line
from consumer.domain.crediting import Given, key_of
from consumer.domain.ledger import InvoiceDraft, InvoiceLine
from tests.domain.order_building import D
from tests.domain.test_crediting import GROUP, HEADER, PER_LINE, PER_RATE, T10, UNKNOWN, thing


def written(*things: Given, same_as: InvoiceDraft | None = None) -> InvoiceDraft:
    """Give the credit note of these things under one rounding per rate."""
    draft = credit_draft(HEADER, things, digits=2, rounding=PER_RATE, same_as=same_as)
    assert draft is not None
    return draft


def test_all_of_an_invoice_is_written_as_the_invoice_was() -> None:
    """Its lines, its prices without tax, its discount after tax, its adjustment with its label: 122 - 2 + 0.01."""
    invoice = replace(
        HEADER,
        reference="invoice",
        lines=(InvoiceLine(name="Mug", quantity=D(4), rate=D(25), tax_id="t22", tax_rate=D(22)),),
        tax_inclusive=False,
        discount=D(2),
        discount_before_tax=False,
        adjustment=D("0.01"),
        adjustment_label="Cents",
    )
    untaxed = Given(name="Rest", key=(None, D(0), ()), gross=D("-1.99"), tax=D(0))
    draft = written(thing("122.00", "22.00"), untaxed, same_as=invoice)
    assert draft == replace(invoice, reference="r")


def test_an_invoice_of_prices_with_tax_is_credited_with_prices_with_tax() -> None:
    """122.00 with tax in it, as the invoice had it."""
    lines = (InvoiceLine(name="Mug", quantity=D(2), rate=D(61), tax_id="t22", tax_rate=D(22)),)
    invoice = replace(HEADER, lines=lines, tax_inclusive=True)
    draft = written(thing("122.00", "22.00"), same_as=invoice)
    assert (draft.tax_inclusive, draft.lines) == (True, lines)


def test_an_invoice_that_came_to_something_else_is_no_pattern() -> None:
    """Only 61.00 are given back: the invoice's lines are not taken."""
    lines = (InvoiceLine(name="Mug", quantity=D(2), rate=D(61), tax_id="t22", tax_rate=D(22)),)
    draft = written(thing("61.00", "11.00"), same_as=replace(HEADER, lines=lines, tax_inclusive=True))
    assert [(line.name, line.rate) for line in draft.lines] == [("Refund", D("61.00"))]


def test_a_groups_members_stand_on_its_line() -> None:
    """Without them the ledger's tax of the line could not be foretold."""
    line = tax_line("Refund", key_of(GROUP), D("10"))
    assert (line.tax_id, line.tax_rate, line.tax_parts) == ("g", D("14.975"), (D(5), D("9.975")))
    assert (line.quantity, line.rate) == (D(1), D(10))


def test_cents_of_two_lines_come_to_their_sum() -> None:
    """0.42 with 0.08 and 0.42 with 0.07 come to 0.84 with 0.15 of tax, which is what the ledger makes of 0.84."""
    draft = written(thing("0.42", "0.08"), thing("0.42", "0.07"))
    found = sums_by_tax(draft, 2, PER_RATE)
    assert [(one.gross, one.tax) for one in found] == [(D("0.84"), D("0.15"))]


def test_a_sum_without_tax_is_a_line_like_any_other() -> None:
    """8.00 that bear no tax, beside 12.20 that do."""
    untaxed = Given(name="Stamp", key=(None, D(0), ()), gross=D("8.00"), tax=D(0))
    draft = written(thing("12.20", "2.20"), untaxed)
    assert [(line.tax_id, line.rate) for line in draft.lines] == [("t22", D("12.20")), (None, D("8.00"))]


def test_every_tax_must_come_to_its_sum() -> None:
    """12.20 at 22 % fits as it is; no 5.50 at 10 % bears 0.51: that line is moved, and balanced."""
    draft = written(thing("12.20", "2.20"), thing("5.50", "0.51", T10))
    assert draft.tax_inclusive is True
    assert draft.lines[0].rate == D("12.20")
    assert sum(line.rate for line in draft.lines) + draft.adjustment == D("17.70")
    by_tax = {one.tax_id: one.tax for one in sums_by_tax(draft, 2, PER_RATE)}
    assert (by_tax["t22"], by_tax["t10"]) == (D("2.20"), D("0.51"))


def test_two_moved_amounts_are_balanced_by_one_adjustment_of_both() -> None:
    """5.50 with 0.51 (5.56 is the nearest that bears it) and 12.20 with 2.21 (12.23): 0.09 together go back."""
    draft = written(thing("12.20", "2.21"), thing("5.50", "0.51", T10))
    assert [line.rate for line in draft.lines] == [D("12.23"), D("5.56")]
    assert (draft.adjustment, draft.adjustment_label) == (D("-0.09"), "Rounding")


def test_a_tax_below_that_of_the_amount_moves_it_down() -> None:
    """5.50 with 0.49: 5.44 at 10 % bears 0.4945, and 5.45 bears 0.4955."""
    draft = written(thing("5.50", "0.49", T10))
    assert [line.rate for line in draft.lines] == [D("5.44")]
    assert draft.adjustment == D("0.06")


def test_where_nothing_is_moved_there_is_no_label() -> None:
    """A label without an adjustment would be printed all the same."""
    plain = replace(HEADER, adjustment_label="Rounding")
    draft = credit_draft(plain, [thing("0.42", "0.08"), thing("5.00", "0.90")], digits=2, rounding=PER_LINE)
    assert draft is not None
    assert (draft.adjustment, draft.lines[0].rate) == (D(0), D("0.42"))


@pytest.mark.parametrize(("tax", "exists"), [("0.05", True), ("0.06", False)])
def test_an_amount_is_moved_by_60_units_and_no_further(tax: str, exists: bool) -> None:  # noqa: FBT001 a column of the table
    """At 10 % 0.50 bears 0.05, and 0.60 would; 0.06 needs 0.61, which is 61 units above nothing."""
    given = thing("0.00", tax, T10)
    assert (credit_draft(HEADER, [given], digits=2, rounding=UNKNOWN) is not None) == exists


def test_what_was_meant_is_what_a_note_stands_for_and_else_the_ledgers_tax() -> None:
    """12.20 were said to have 2.19 of tax; of 5.50 nobody said, so it is the ledger's 0.50; nought is left out."""
    things = [thing("12.20", "2.19"), thing("5.50", None, T10), thing("0.00", "0.00", GROUP)]
    draft = replace(HEADER, tax_inclusive=True, lines=tuple(tax_line(one.name, one.key, one.gross) for one in things))
    assert credited_sums(draft, things, 2, PER_RATE) == (
        TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.19")),
        TaxSum(tax_id="t10", rate=D(10), gross=D("5.50"), tax=D("0.50")),
    )


def test_a_groups_credit_keeps_its_members() -> None:
    """Else the next refund would not find it among what is left."""
    one = thing("11.50", "1.50", GROUP)
    draft = replace(HEADER, tax_inclusive=True, lines=(tax_line("Refund", one.key, one.gross),))
    assert [found.parts for found in credited_sums(draft, [one], 2, PER_RATE)] == [(Decimal(5), Decimal("9.975"))]


# ---- where tax is rounded on each line ----

T50 = TaxSum(tax_id="t50", rate=D(50), gross=D("3.00"), tax=D("1.00"))


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        # 0.10 at 22 % bears 0.02; 0.07 and 0.03 bear 0.0154 and 0.0066, so 0.03.
        (thing("0.13", "0.03"), ["0.07", "0.03"]),
        # 0.02 at 50 % bears 0.01; twice 0.01 bear twice 0.005, so 0.02.
        (thing("0.04", "0.02", T50), ["0.01", "0.01"]),
        # 0.03 at 50 % bears 0.02, in two lines too; three lines of 0.01 bear 0.03.
        (thing("0.06", "0.03", T50), ["0.01", "0.01", "0.01"]),
    ],
)
@pytest.mark.parametrize("inclusive", [False, True])
def test_a_sum_is_split_into_the_fewest_lines_that_bear_its_tax(
    given: Given,
    rates: list[str],
    inclusive: bool,  # noqa: FBT001 a column of the table
) -> None:
    """Without tax in the prices, whatever the head of the note said before."""
    draft = credit_draft(replace(HEADER, tax_inclusive=inclusive), [given], digits=2, rounding=PER_LINE)
    assert draft is not None
    assert (draft.tax_inclusive, [line.rate for line in draft.lines]) == (False, [D(rate) for rate in rates])


def test_nets_are_without_tax_whatever_the_head_said_before() -> None:
    """0.34 and 0.35 are nets; as prices with tax they would be another note."""
    things = [thing("0.42", "0.08"), thing("0.42", "0.07")]
    draft = credit_draft(replace(HEADER, tax_inclusive=True), things, digits=2, rounding=UNKNOWN)
    assert draft is not None
    assert (draft.tax_inclusive, [line.rate for line in draft.lines]) == (False, [D("0.34"), D("0.35")])


def test_a_tax_that_no_split_bears_is_met_by_a_moved_amount() -> None:
    """0.02 at 50 % never bears 0.03; 0.08 with tax in it does, and 0.03 go back."""
    draft = credit_draft(HEADER, [thing("0.05", "0.03", T50)], digits=2, rounding=PER_LINE)
    assert draft is not None
    assert ([line.rate for line in draft.lines], draft.adjustment) == ([D("0.08")], D("-0.03"))


def test_an_amount_is_moved_by_all_of_60_units() -> None:
    """0.10 of tax at 19 % is first borne by 0.60: 0.595 times 19/119 is 0.095."""
    t19 = TaxSum(tax_id="t19", rate=D(19), gross=D("119.00"), tax=D("19.00"))
    draft = credit_draft(HEADER, [thing("0.00", "0.10", t19)], digits=2, rounding=UNKNOWN)
    assert draft is not None
    assert draft.lines[0].rate == D("0.60")
