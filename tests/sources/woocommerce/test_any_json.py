"""Whatever JSON comes: a translation, or the one error that is allowed."""

import copy
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.sources.platforms import NotTranslatedError, Translated
from consumer.sources.woocommerce import translate
from tests.sources.woocommerce.payloads import SHOP, charge, item, payload, tax_line

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(), st.floats(), st.text(max_size=20), st.integers().map(str)
)
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
WHOLE = payload(
    item("8.26", (1, "1.74"), (2, "0.50"), quantity=2, price="4.1301", subtotal="9.00", subtotal_tax="2.00"),
    total="22.00",
    tax="3.47",
    prices_include_tax=True,
    shipping_lines=[charge("10.00", (1, "1.32"), (2, "0.40"))],
    fee_lines=[charge("-1.00", (1, "-0.22"))],
    tax_lines=[tax_line(1, 21, "1.74", "1.32"), tax_line(2, None, "0.50", "0.40", compound=True)],
    coupon_lines=[{"code": "A", "discount": "1", "discount_type": "smart_coupon"}],
    gift_cards=[{"code": "A", "amount": "1"}],
    refunds=[{"id": 1, "total": "-1.00"}],
    meta_data=[{"key": "_ywgc_applied_gift_cards", "value": {"A": "1"}}],
    order_discount="1.00",
    shipping_tax="1.72",
)


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the way to every value of a JSON tree."""
    steps = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [found for step, inner in steps for found in ((*so_far, step), *paths(inner, (*so_far, step)))]


PATHS = paths(WHOLE)


def outcome(given_payload: dict[str, Any]) -> None:
    """Translate; any other error than the allowed one fails the test."""
    with suppress(NotTranslatedError):
        assert isinstance(translate(given_payload, SHOP), Translated)


@given(st.dictionaries(st.text(max_size=12), ANY, max_size=8))
def test_any_object_is_translated_or_refused(anything: dict[str, Any]) -> None:
    """Objects of no shape at all, bare and wrapped."""
    outcome(anything)
    outcome({"order": {"id": 1, **anything}})


@settings(max_examples=300)
@given(st.sampled_from(PATHS), ANY)
def test_an_order_with_anything_anywhere_is_translated_or_refused(path: tuple[Any, ...], value: object) -> None:
    """A whole order in which one value was replaced by any JSON."""
    order = copy.deepcopy(WHOLE)
    place: Any = order
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    outcome(order)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PATHS), st.decimals(allow_nan=False, allow_infinity=False)), max_size=4))
def test_an_order_of_any_figures_is_translated_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """Figures of any size where figures stand."""
    order = copy.deepcopy(WHOLE)
    for path, value in changes:
        place: Any = order
        for step in path[:-1]:
            place = place[step] if isinstance(place, dict | list) else {}
        if isinstance(place, dict | list) and not isinstance(place[path[-1]], dict | list):
            place[path[-1]] = value
    outcome(order)
