"""Random refunds of random orders, in turn: each to the cent, all together exactly the invoice, VAT per rate included.

The judge is the stand-in's arithmetic. Every order is tried in both settings of an organisation, once credited on its
sent invoice and once taken off its draft.
"""

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.money.generator import make_order
from tests.money.refund_trial import RefundTrial, run
from tests.money.refunds import REFUNDS_MAX, give_back

ORDERS = 800
REFUSED_AT_MOST = Decimal("0.01")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def trial() -> RefundTrial:
    """Try some hundreds of orders, each with up to five refunds, in both settings."""
    return run(20_261_122, range(ORDERS))


def test_credit_notes_come_to_their_refunds_and_together_to_the_invoice(trial: RefundTrial) -> None:
    """By the stand-in's figures: each is its refund's amount, no rate goes beyond the invoice, the last closes it."""
    assert trial.credited.wrong == []
    assert trial.credited.refunds > 3 * ORDERS
    assert trial.credited.closed > ORDERS


def test_a_draft_less_its_refunds_is_the_order_less_them(trial: RefundTrial) -> None:
    """By the stand-in's figures, and to the cent, whatever the rounding."""
    assert trial.folded.wrong == []
    assert trial.folded.closed > ORDERS


def test_hardly_a_refund_needs_a_person(trial: RefundTrial) -> None:
    """Under one in a hundred is refused, and only such as contradict their invoice: none for want of a layout."""
    for part in (trial.credited, trial.folded):
        assert part.share_refused < REFUSED_AT_MOST, part.examples
        assert part.refused["refund_unclear"] <= part.refunds // 1000, part.examples


def test_cents_of_vat_that_were_rounded_before_are_made_good_by_an_adjustment(trial: RefundTrial) -> None:
    """It happens often enough to matter, and stays the exception."""
    assert 0 < trial.credited.adjusted < trial.credited.refunds // 8


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_whatever_the_seed_no_figure_is_wrong(seed: int, index: int) -> None:
    """Any order with any refunds."""
    found = run(seed, [index])
    assert (found.credited.wrong, found.folded.wrong) == ([], [])


@pytest.mark.parametrize("index", range(40))
def test_the_refunds_of_an_order_are_all_of_it(index: int) -> None:
    """The generator gives back every unit, in at most five refunds, and the same each time."""
    made = make_order(3, index)
    case = give_back(made, index)
    assert (
        sum((Decimal(refund["amount"]) for refund in case.refunds), Decimal(0)) == Decimal(max(made.total, 0)) / 10**7
    )
    assert len(case.refunds) <= REFUNDS_MAX
    assert give_back(made, index).refunds == case.refunds


def test_the_generator_of_refunds_shares_no_code_with_what_it_judges() -> None:
    """It imports the standard library and the tests' own figures."""
    tree = ast.parse((HERE / "refunds.py").read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [module for module in modules if module.split(".")[0] in {"consumer", "sandbox", "schemas"}]
