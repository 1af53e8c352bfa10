"""What is said of an order that cannot be booked: what it is, and how it is put right."""

import pytest

from consumer.domain.orders import LineKind
from consumer.domain.refusals import (
    RefusedError,
    bad_quantity,
    expression_failed,
    item_missing,
    liability,
    line_does_not_follow,
    tax_would_be_lost,
)
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import D, line


def test_each_refusal_says_what_is_wrong_and_how_it_is_put_right() -> None:
    """In words that name the line, its figures and the setting."""
    assert bad_quantity(line("-1", "5"), "Line 1") == Reason(
        code=ReasonCode.NEGATIVE_QUANTITY,
        message="Line 1 has quantity -1; an invoice's line needs one above 0.",
        fix="Send what was taken back as a refund, or correct the quantity, and send the order again.",
    )
    assert line_does_not_follow(line("2", "5.00", total=D("9.90")), "Line 1", D("10.00")) == Reason(
        code=ReasonCode.TOTALS_DO_NOT_FOLLOW,
        message="Line 1: 2 x 5 less 0 is 10, the shop states 9.9.",
        fix="Correct the line in the shop and send the order again.",
    )
    assert tax_would_be_lost("The order states {tax} of tax.", D("2.20"), "EUR") == Reason(
        code=ReasonCode.TAX_WOULD_BE_LOST,
        message="The order states 2.2 EUR of tax.",
        fix="Send the tax rate with each line, or name a tax in the shop's tax_overrides.",
    )
    assert expression_failed("Text.", shop_id="north", setting="notes") == Reason(
        code=ReasonCode.EXPRESSION_FAILED,
        message="Text.",
        fix="Correct notes of the shop in shops.yaml and run `booked apply`, or correct the order.",
        group_key="expression_failed:north:notes",
    )


@pytest.mark.parametrize(("sku", "words"), [("M1", "SKU 'M1'"), ("", "no SKU")])
def test_a_line_without_an_item_is_named_by_its_sku(sku: str, words: str) -> None:
    """Or by its having none."""
    assert item_missing(line("1", "5", sku=sku), "Line 1") == Reason(
        code=ReasonCode.ITEM_MISSING,
        message=f"Line 1 has {words}; the ledger has no item for it, and the shop books by items.",
        fix="Create an item with this SKU in the ledger, or switch items_by_sku off for the shop.",
        group_key=f"item_missing:{sku}",
    )


@pytest.mark.parametrize(("kind", "what"), [(LineKind.GIFT_CARD, "a gift card"), (LineKind.DEPOSIT, "a deposit")])
def test_a_liability_without_an_account_is_named(kind: LineKind, what: str) -> None:
    """With the row that has to be added."""
    reason = liability(line("1", "5", kind=kind), "Line 1")
    assert reason == Reason(
        code=ReasonCode.NOT_SUPPORTED,
        message=f"Line 1 sells {what}: that is a liability and no revenue, and there is no account set for it.",
        fix=(
            f"Add a row of kind {kind.value} with the liability's account_id to accounts of the shop in shops.yaml "
            "and run `booked apply`; or book this order by hand and choose ignore for it."
        ),
        group_key=f"not_supported:{kind.value}",
    )
    assert str(RefusedError(reason)) == reason.message
