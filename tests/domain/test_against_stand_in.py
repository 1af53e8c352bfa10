"""The model of the ledger and the stand-in's own arithmetic, written apart, give the same figures."""

from datetime import date
from decimal import Decimal
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import InvoiceDraft, InvoiceLine, TaxRounding
from sandbox.zoho import arithmetic as stand_in
from tests.domain.order_building import D

DAY = date(2026, 3, 14)
LEVELS: dict[TaxRounding, Literal["entity_level", "item_level"]] = {
    TaxRounding.PER_RATE: "entity_level",
    TaxRounding.PER_LINE: "item_level",
}
NO_TAX = (None, D(0), ())
TAXES = (
    NO_TAX,
    ("t22", D(22), ()),
    ("t10", D(10), ()),
    ("t7.5", D("7.5"), ()),
    ("t0", D(0), ()),
    ("group", D("14.975"), (D(5), D("9.975"))),
    ("compound", D("13.925"), (D(5), D("8.5"))),
)


@st.composite
def invoice_lines(draw: st.DrawFn) -> InvoiceLine:
    """Make a line of any tax, one in four below zero, one in four with a discount of its own."""
    tax_id, rate, parts = draw(st.sampled_from(TAXES))
    price = draw(st.decimals("0.001", "999.999", places=3))
    quantity = draw(st.decimals("0.25", "20", places=2))
    negative, discounted = draw(st.tuples(st.sampled_from([False] * 3 + [True]), st.sampled_from([False] * 3 + [True])))
    return InvoiceLine(
        name="Mug",
        quantity=quantity,
        rate=-price if negative else price,
        tax_id=tax_id,
        tax_rate=rate,
        tax_parts=parts,
        discount=D(int(price * quantity) // 2) if discounted and not negative else D(0),
    )


def told(line: InvoiceLine) -> stand_in.Line:
    """Say the same line in the stand-in's words."""
    rates = line.tax_parts or (line.tax_rate,)
    compound = sum(line.tax_parts, D(0)) != line.tax_rate and bool(line.tax_parts)
    parts = tuple(
        stand_in.TaxPart(
            tax_id=f"{line.tax_id}-{at}",
            name=str(rate),
            percentage=rate,
            is_compound=compound and at == len(rates) - 1,
        )
        for at, rate in enumerate(rates)
    )
    tax = stand_in.Tax(tax_id=line.tax_id, name="", parts=parts, is_group=len(parts) > 1) if line.tax_id else None
    return stand_in.Line(
        rate=line.rate, quantity=line.quantity, discount=stand_in.Discount(value=line.discount), tax=tax
    )


@settings(deadline=None)
@given(
    st.lists(invoice_lines(), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from([0, 2, 3]),
    st.sampled_from(list(LEVELS)),
    st.sampled_from([D(0), D("1"), D("-2")]),
)
def test_model_and_stand_in_agree(
    lines: list[InvoiceLine],
    inclusive: bool,  # noqa: FBT001 drawn by hypothesis
    digits: int,
    rounding: TaxRounding,
    adjustment: Decimal,
) -> None:
    """Total, tax and tax per rate, of any mixture of taxes, groups, discounts and negative lines."""
    draft = InvoiceDraft(
        contact_id="",
        reference="1",
        issued_on=DAY,
        due_on=DAY,
        currency="EUR",
        lines=tuple(lines),
        tax_inclusive=inclusive,
        adjustment=adjustment,
    )
    bill = stand_in.Bill(
        lines=[told(line) for line in lines],
        is_inclusive=inclusive,
        adjustment=adjustment,
        digits=digits,
        rounding=LEVELS[rounding],
    )
    ours, theirs = compute(draft, digits, rounding), stand_in.compute(bill)
    by_rate: dict[Decimal, Decimal] = {}
    for tax in theirs.taxes:
        by_rate[tax.percentage] = by_rate.get(tax.percentage, D(0)) + tax.amount
    assert {row.rate: row.tax for row in ours.tax_by_rate if row.tax} == {r: t for r, t in by_rate.items() if t}
    assert (ours.tax_total, ours.total) == (theirs.tax_total, theirs.total)
