"""Whatever JSON comes: a translation, or the one error that is allowed."""

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.sources.platforms import NotTranslatedError, Translated
from consumer.sources.shopify import translate
from tests.sources.shopify.payloads import SHOP, item, payload, tax

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(), st.floats(), st.text(max_size=20), st.integers().map(str)
)
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def whole() -> dict[str, Any]:
    """Give an order that has all the parts which are read."""
    money_set = {"shop_money": {"amount": "1.00", "currency_code": "EUR"}}
    line = item("10.00", 2, off="1.00", id=1, current_quantity=1, tax_lines=[tax(0.2, "3.80")])
    line |= {"duties": [{"price": "1.00", "tax_lines": [tax(0.2, "0.20")]}], "properties": [{"name": "a", "value": 1}]}
    back = {"line_item_id": 1, "quantity": 1, "subtotal": "9.50", "total_tax": "1.90", "restock_type": "cancel"}
    adjustment = {"kind": "shipping_refund", "amount": "-1", "tax_amount": "0"}
    return payload(
        line,
        total="22.80",
        tax_total="3.80",
        current_total_price="11.40",
        total_tip_received="1.00",
        original_total_duties_set=money_set,
        shipping_lines=[{"title": "a", "price": "1", "discounted_price": "1", "tax_lines": [tax(0.2, "0.2")]}],
        refunds=[{"id": 1, "refund_line_items": [back], "order_adjustments": [adjustment], "transactions": []}],
        discount_codes=[{"code": "A", "amount": "1", "type": "shipping"}],
        customer={"id": 1, "default_address": {"company": "A"}, "tax_exemptions": ["A"], "metafields": [{"key": "a"}]},
        transactions=[{"kind": "sale", "status": "success", "amount": "1", "gateway": "gift_card"}],
        note_attributes=[{"name": "vat", "value": "a"}],
        tax_lines=[tax(0.2, "3.8")],
    )


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the way to every value of a JSON tree."""
    steps: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    return [found for step, inner in steps for found in ((*so_far, step), *paths(inner, (*so_far, step)))]


PATHS = paths(whole())


def outcome(payload_given: dict[str, Any]) -> None:
    """Translate; any other error than the allowed one fails the test."""
    with suppress(NotTranslatedError):
        assert isinstance(translate(payload_given, SHOP), Translated)


@given(st.dictionaries(st.text(max_size=12), ANY, max_size=8))
def test_any_object_is_translated_or_refused(anything: dict[str, Any]) -> None:
    """Objects of no shape at all."""
    outcome(anything)


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANY), min_size=1, max_size=3))
def test_an_order_with_anything_anywhere_is_translated_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """A whole order in which some values were replaced by any JSON."""
    order = whole()
    for path, value in changes:
        place: Any = order
        for step in path[:-1]:
            try:
                place = place[step]
            except (KeyError, IndexError, TypeError):
                break  # an earlier change took the place away
        else:
            if isinstance(place, dict) or (isinstance(place, list) and path[-1] in range(len(place))):
                place[path[-1]] = value
    outcome(order)
