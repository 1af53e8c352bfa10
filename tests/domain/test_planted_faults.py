"""Faults are planted in the code, and the judge of the suite finds each: the sums are the hand's and the stand-in's.

The judge takes nothing of the mapping's own: not what it expects, not its arithmetic. Each fault is shown twice: with
it the judge complains, without it he does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest

from consumer.domain import arithmetic, bases, charges, fitting, layout, rendering, totals
from consumer.domain.charges import Charges, Reduction
from consumer.domain.ledger import InvoiceDraft, LedgerTax, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Discount, Order
from consumer.domain.settings import ShopSettings, TaxOverride
from consumer.domain.states import Reason
from consumer.domain.taxes import TaxChosen, TaxWanted, match_tax
from sandbox.zoho import arithmetic as stand_in
from tests.domain.order_building import SHOP, D, line, mapping_of, order, stated, with_tax
from tests.domain.test_against_stand_in import told

NO_BALANCING = ShopSettings(shop_id="shop", rounding_line_units_per_document=0)


@dataclass(frozen=True)
class Case:
    """An order with the figures that a person reckoned; without figures it contradicts itself and must be parked."""

    order: Order
    total: str = ""
    vat: Mapping[str, str] | None = None
    shop: ShopSettings = SHOP


def figures(draft: InvoiceDraft) -> tuple[Decimal, dict[Decimal, Decimal]]:
    """Let the stand-in reckon a draft: its total and VAT per rate."""
    bill = stand_in.Bill(
        lines=[told(each) for each in draft.lines],
        is_inclusive=draft.tax_inclusive,
        adjustment=draft.adjustment,
        digits=2,
    )
    found = stand_in.compute(bill)
    return found.total, {tax.percentage: tax.amount for tax in found.taxes if tax.amount}


def complaints(cases: Sequence[Case]) -> list[str]:
    """Judge the mapping of each order by the hand's figures and the stand-in's sums."""
    found = []
    for case in cases:
        result = mapping_of(case.order, shop=case.shop)
        if case.vat is None:
            found += [f"booked in spite of its contradiction: {case.order}"] if isinstance(result, Mapped) else []
        elif not isinstance(result, Mapped):
            found.append(f"parked: {result.message}")
        else:
            wanted = (D(case.total), {D(rate): D(tax) for rate, tax in case.vat.items()})
            found += [] if figures(result.draft) == wanted else [f"{figures(result.draft)} for {wanted}"]
    return found


# 0.60 at 7.5 % is 0.045, 12.60 is 0.945: half up 0.05 and 0.95. To even, and in floats (0.04499999...), 0.04 and 0.94.
HALVES = (
    Case(order([line("1", "0.60", "7.5")], "0.65", tax="0.05"), "0.65", {"7.5": "0.05"}),
    Case(order([line("1", "12.60", "7.5")], "13.55", tax="0.95"), "13.55", {"7.5": "0.95"}),
)
# 10.00 off 30.00 at 22 % and 60.00 at 10 %: 3.33 and 6.67; VAT 26.67 x 22 % = 5.8674, 53.33 x 10 % = 5.333.
TWO_RATES = [line("1", "30"), line("1", "60", "10")]
OFF = (Discount(amount=D(10)),)
SPREAD = (
    Case(order(TWO_RATES, "91.20", discounts=OFF), "91.20", {"22": "5.87", "10": "5.33"}),
    Case(order(TWO_RATES, "90.40", discounts=OFF)),  # as if all of it came off the 22 %: 4.40 + 6.00
)
# 4.04 + 0.44 + 0.40 = 4.88, of which a shop that rounds once makes 4.89: right, but this shop lets nothing be balanced.
TOO_MUCH = (
    Case(
        order([line("1", "2.02"), line("1", "2.02", "20")], "4.89", tax_by_rate=stated(r22="0.44", r20="0.40")),
        shop=NO_BALANCING,
    ),
)
# The organisation has no tax of 19 %: 12.20 with some other tax in it would be the same total and another VAT.
NO_SUCH_TAX = (Case(order([with_tax("1", "12.20", "19")], "12.20")),)


def to_even(amount: Decimal, digits: int) -> Decimal:
    """Round as banks do: a fault."""
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)


def in_floats(amount: Decimal, digits: int) -> Decimal:
    """Round what a float holds of the amount: a fault."""
    return Decimal(str(round(float(amount), digits)))


def to_even_in_units(numerator: int, denominator: int) -> int:
    """Round a fraction of minor units as banks do: the same fault in the search's core."""
    return int((Decimal(numerator) / denominator).to_integral_value(ROUND_HALF_EVEN))


def plant_rounding(monkeypatch: pytest.MonkeyPatch, rounding: Any) -> None:
    """Put a wrong rounding where the mapping rounds."""
    for module in (arithmetic, bases, charges, rendering, totals):
        monkeypatch.setattr(module, "round_half_up", rounding)
    monkeypatch.setattr(fitting, "_round", to_even_in_units)


def plant_bankers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halves go to the even neighbour."""
    plant_rounding(monkeypatch, to_even)


def plant_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts are rounded as binary fractions."""
    plant_rounding(monkeypatch, in_floats)


def plant_one_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole discount comes off the first tax, or the first position."""

    def off_first_tax(given: Charges, reduction: Reduction) -> dict[int, Decimal]:
        return {given.positions[reduction.positions[0]].tax: reduction.amount}

    def off_first_position(_: Charges, reduction: Reduction, **_whole: bool) -> dict[int, Decimal]:
        return {reduction.positions[0]: reduction.amount}

    for module in (layout, bases):
        monkeypatch.setattr(module, "over_taxes", off_first_tax)
        monkeypatch.setattr(module, "over_positions", off_first_position)


def plant_unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is missing is balanced."""
    monkeypatch.setattr(layout.Search, "_bound", lambda _: Decimal(10**9))


def plant_default_tax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no tax matches, the organisation's first one is taken."""

    def first_of_all(
        wanted: TaxWanted, taxes: Sequence[LedgerTax], overrides: Sequence[TaxOverride], *, is_told: bool
    ) -> TaxChosen | Reason:
        found = match_tax(wanted, taxes, overrides, is_told=is_told)
        return TaxChosen(tax_id=taxes[0].tax_id, rate=taxes[0].rate) if isinstance(found, Reason) else found

    monkeypatch.setattr(charges, "match_tax", first_of_all)


@pytest.mark.parametrize(
    ("plant", "cases"),
    [
        (plant_bankers, HALVES),
        (plant_floats, HALVES),
        (plant_one_rate, SPREAD),
        (plant_unbounded, TOO_MUCH),
        (plant_default_tax, NO_SUCH_TAX),
    ],
    ids=["bankers", "float", "discount_on_one_rate", "unbounded_adjustment", "default_tax"],
)
def test_a_planted_fault_is_found(monkeypatch: pytest.MonkeyPatch, plant: Any, cases: Sequence[Case]) -> None:
    """Sound code pleases the judge, the fault does not: each case of it is complained of."""
    assert complaints(cases) == []
    plant(monkeypatch)
    assert len(complaints(cases)) == len(cases)


@pytest.mark.parametrize("rounding", [to_even, in_floats], ids=["bankers", "float"])
def test_a_wrong_rounding_would_send_wrong_documents(monkeypatch: pytest.MonkeyPatch, rounding: Any) -> None:
    """0.04 of tax on 0.60 at 7.5 % is refused; with the fault it is sent, and the ledger makes 0.65 of it."""
    wrong = order([line("1", "0.60", "7.5")], "0.64", tax="0.04")
    # Halves may go down in a shop that rounds the net; the ledger's never do, so no layout has them.
    assert complaints([Case(wrong)]) == []
    plant_rounding(monkeypatch, rounding)
    result = mapping_of(wrong)
    assert isinstance(result, Mapped)
    assert figures(result.draft) == (D("0.65"), {D("7.5"): D("0.05")})
    assert result.expected.total == D("0.64")


def test_the_judge_sees_a_wrong_document() -> None:
    """He is no ornament: a draft whose line is a cent off displeases him."""
    case = Case(order([line("1", "10")], "12.20"), "12.21", {"22": "2.20"})
    assert len(complaints([case])) == 1


def test_both_levels_of_rounding_are_those_of_the_stand_in() -> None:
    """3 x 0.34 at 22 %: the stand-in makes 0.22 of it once and 0.21 on the lines; so does the model."""
    draft = mapping_of(order([line("1", "0.34")] * 3, "1.24", tax="0.22"))
    assert isinstance(draft, Mapped)
    assert figures(draft.draft)[1] == {D(22): D("0.22")}
    assert arithmetic.compute(draft.draft, 2, TaxRounding.PER_LINE).tax_total == D("0.21")
