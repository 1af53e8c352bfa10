"""The check without models is the models' own: the same orders pass, and the same findings are told of the others."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.checking import checker
from schemas.orders import ORDER_MODELS, OrderKind, OrderPaid
from tests.schemas.samples import full_order, small_order

CHECK = checker(OrderPaid)


def test_all_that_is_there_is_given_and_nothing_else() -> None:
    """Known and unknown fields at every level; amounts stay texts, codes are in capitals, times are times."""
    order = full_order() | {"colour": "red", "currency": "eur"}
    checked = CHECK(order)
    assert checked.keys() == order.keys()
    assert checked["currency"] == "EUR"
    assert checked["totals"]["grand_total"] == order["totals"]["grand_total"]
    assert checked["paid_at"] == OrderPaid.model_validate(order).paid_at
    assert [line.keys() for line in checked["lines"]] == [line.keys() for line in order["lines"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"totals": {"tax": "1"}},
        {"totals": {"grand_total": "1,50"}},
        {"lines": [{"name": "Mug", "quantity": None, "unit_price": True}]},
        {"lines": ["Mug"]},
        {"customer": []},
        {"refunds": [{"amount": "1"}]},
        {"paid_at": "2026-02-30T00:00:00Z", "version": 2.5, "shop_id": "a b"},
        {"billing_address": {"country": "DEU"}, "meta": 3, "order_id": ""},
    ],
)
@pytest.mark.parametrize("kind", OrderKind)
def test_the_same_findings_as_the_models(kind: OrderKind, changes: dict[str, Any]) -> None:
    """Place and kind of every finding agree, but for the word for something that is no object."""
    order = small_order() | changes
    with pytest.raises(ValidationError) as by_model:
        ORDER_MODELS[kind].model_validate(order)
    with pytest.raises(ValidationError) as by_check:
        checker(ORDER_MODELS[kind])(order)
    expected = [(one["loc"], one["type"].replace("model_type", "dict_type")) for one in by_model.value.errors()]
    assert [(one["loc"], one["type"]) for one in by_check.value.errors()] == expected
