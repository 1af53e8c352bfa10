"""How a discount is spread: whole cents that add up, the odd one by rate and worth and never by the order of lines."""

import pytest

from consumer.domain.charges import Charge, Charges, Position, Reduction
from consumer.domain.splitting import over_positions, over_taxes
from consumer.domain.taxes import NO_TAX, TaxChosen
from tests.domain.order_building import D

FREE = TaxChosen(tax_id="460", rate=D(0))
FIRST, SECOND = TaxChosen(tax_id="1", rate=D(22)), TaxChosen(tax_id="2", rate=D(22))


def charges(*positions: tuple[str, int], taxes: tuple[TaxChosen, ...] = (NO_TAX, FIRST)) -> Charges:
    """Give positions of these amounts and places of their taxes."""
    return Charges(
        positions=tuple(
            Position(charge=Charge.PRODUCT, label=f"Line {at}", name="Mug", amount=D(amount), inclusive=False, tax=tax)
            for at, (amount, tax) in enumerate(positions)
        ),
        reductions=(),
        taxes=taxes,
        digits=2,
        inclusive=False,
        mixed=False,
    )


def off(amount: str, *positions: int) -> Reduction:
    """Give a discount of this amount off these positions."""
    return Reduction(name="Coupon", amount=D(amount), positions=positions, inclusive=False)


@pytest.mark.parametrize("places", [(0, 1), (1, 0)])
def test_the_odd_cent_of_two_positions_of_one_tax_goes_to_the_dearer_one(places: tuple[int, int]) -> None:
    """0.02 over 10.00 and 30.00 is half a cent and one and a half: 0.02 off the dearer, wherever it stands."""
    amounts = [("10.00", 1), ("30.00", 1)]
    of = charges(*[amounts[at] for at in places])
    assert over_positions(of, off("0.02", 0, 1)) == {places.index(1): D("0.02")}


def test_the_odd_cent_of_two_positions_goes_to_the_higher_rate() -> None:
    """0.01 over 10.00 without tax and 10.00 at 22 %: the second has it."""
    assert over_positions(charges(("10.00", 0), ("10.00", 1)), off("0.01", 0, 1)) == {1: D("0.01")}


def test_exact_shares_are_no_whole_cents() -> None:
    """0.03 over 10.00 and 30.00: 0.0075 and 0.0225."""
    found = over_positions(charges(("10.00", 1), ("30.00", 1)), off("0.03", 0, 1), whole=False)
    assert found == {0: D("0.0075"), 1: D("0.0225")}


def test_a_discount_of_a_part_of_a_cent_is_split_exactly() -> None:
    """0.005 over 10.00 without tax and 30.00 at 22 %: 0.00125 and 0.00375."""
    found = over_taxes(charges(("10.00", 0), ("30.00", 1)), off("0.005", 0, 1))
    assert found == {0: D("0.00125"), 1: D("0.00375")}


def test_a_discount_off_what_costs_nothing_is_split_evenly() -> None:
    """0.005 over two free positions of two taxes: half of it each."""
    found = over_taxes(charges(("0.00", 0), ("0.00", 1)), off("0.005", 0, 1))
    assert found == {0: D("0.0025"), 1: D("0.0025")}


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_taxes_of_one_rate_the_odd_cent_goes_by_their_ids(swapped: bool) -> None:  # noqa: FBT001 a parameter
    """0.01 over 10.00 under each: the one of the lower id has it, whichever the order of the lines met first."""
    taxes = (NO_TAX, SECOND, FIRST) if swapped else (NO_TAX, FIRST, SECOND)
    found = over_taxes(charges(("10.00", 1), ("10.00", 2), taxes=taxes), off("0.01", 0, 1))
    assert found == {2 if swapped else 1: D("0.01")}


@pytest.mark.parametrize("swapped", [False, True])
def test_what_bears_no_tax_comes_before_a_tax_of_nought(swapped: bool) -> None:  # noqa: FBT001 a parameter
    """0.01 over 10.00 without tax and 10.00 under an exemption, which has an id."""
    positions = [("10.00", 0), ("10.00", 1)]
    found = over_taxes(charges(*positions[:: -1 if swapped else 1], taxes=(NO_TAX, FREE)), off("0.01", 0, 1))
    assert found == {0: D("0.01")}
