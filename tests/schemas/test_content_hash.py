"""The content hash changes with everything that a document may show, and with nothing else."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from schemas.canonical import content_hash
from schemas.reading import ReadEvent
from schemas.rejections import Rejection
from tests.schemas.samples import event_of, full_order, read, small_order

TIMES = {"updated_at", "placed_at", "paid_at", "cancelled_at", "created_at"}
NO_CONTENT = {"version", "meta"} | TIMES
OTHER_VALUES = {
    "currency": "USD",
    "country": "FR",
    "kind": {"goods": "service", "fee": "tip", "gift_card": "store_credit", "money": "store_credit"},
    "target": {"order": "shipping"},
}


def _hash(order: object, **how: Any) -> bytes:
    return event_of(order, key=None, **how).content_hash


def _leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every single value."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    below = [leaf for step, value in children for leaf in _leaves(value, (*path, step))]
    yield from below or [path]


def _at(node: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        node = node[step]
    return node


def _other(name: str, value: Any) -> Any:
    """Make another value of the same field that is valid too."""
    other = OTHER_VALUES.get(name)
    if other is not None:
        return other[value] if isinstance(other, dict) else other
    if isinstance(value, bool):
        return not value
    return f"1{value}"


ORDER = full_order() | {"discounts": [{"code": "A", "description": "B", "amount": "1", "target": "order",
                                       "line_ids": ["1"], "before_tax": True}]}  # fmt: skip
CONTENT = [path for path in _leaves(ORDER) if not NO_CONTENT & set(path)]


@pytest.mark.parametrize("path", CONTENT, ids=[".".join(map(str, path)) for path in CONTENT])
def test_any_change_of_a_known_field_changes_the_hash(path: tuple[Any, ...]) -> None:
    """Every single value of an order that has every field counts."""
    order = copy.deepcopy(ORDER)
    _at(order, path[:-1])[path[-1]] = _other(str([s for s in path if isinstance(s, str)][-1]), _at(ORDER, path))
    assert order != ORDER
    assert _hash(order) != _hash(ORDER)


@pytest.mark.parametrize("path", CONTENT, ids=[".".join(map(str, path)) for path in CONTENT])
def test_no_part_of_the_content_can_vanish_unseen(path: tuple[Any, ...]) -> None:
    """A field that is taken away changes the hash, or makes the message no order."""
    order = copy.deepcopy(ORDER)
    del _at(order, path[:-1])[path[-1]]
    result = read(order, key=None)
    if isinstance(result, Rejection):
        assert result.reason == "missing_field"
    else:
        assert isinstance(result, ReadEvent)
        assert result.content_hash != _hash(ORDER)


def test_version_times_meta_and_unknown_fields_do_not_count() -> None:
    """What says nothing about the document moves the revision and makes nothing due."""
    order = copy.deepcopy(ORDER)
    order |= {"version": 99, "meta": {"other": 1}, "colour": "red"}
    order |= dict.fromkeys(("updated_at", "placed_at", "paid_at", "cancelled_at"), "2026-12-01T00:00:00Z")
    order["payments"][0]["paid_at"] = order["refunds"][0]["created_at"] = "2026-12-01T00:00:00Z"
    order["lines"][0]["weight"] = "3"
    assert _hash(order) == _hash(ORDER)
    for name in ("version", "updated_at", "placed_at", "paid_at", "cancelled_at", "meta"):
        del order[name]
    assert _hash(order) == _hash(ORDER)


def test_numbers_count_by_their_value() -> None:
    """10, 10.0, "10", "10.00" and 1E+1 are one price; "-0.00" and 0 are one, and "100" is another."""
    prices: list[Any] = [10, 10.0, "10", "10.0", "10.0000000000"]
    orders = [small_order(lines=[{"name": "Mug", "quantity": 1, "unit_price": price}]) for price in prices]
    assert len({_hash(order) for order in orders}) == 1
    scientific = json.dumps(orders[0]).replace('"unit_price": 10', '"unit_price": 1E+1').encode()
    assert _hash(scientific) == _hash(orders[0])
    assert _hash(small_order(lines=[{"name": "Mug", "quantity": 1, "unit_price": "100"}])) != _hash(orders[0])
    assert _hash(small_order(totals={"grand_total": "-0.00"})) == _hash(small_order(totals={"grand_total": 0}))


def test_absent_null_and_empty_are_one_but_false_and_zero_are_something() -> None:
    """A line's `prices_include_tax: false` overrides the order's true; leaving it out does not."""
    assert _hash(small_order(note="", customer={}, discounts=[])) == _hash(small_order(note=None))
    line = {"name": "Mug", "quantity": "1", "unit_price": "1"}
    inherits = small_order(prices_include_tax=True, lines=[line])
    says_no = small_order(prices_include_tax=True, lines=[line | {"prices_include_tax": False}])
    assert _hash(inherits) != _hash(says_no)


def test_the_order_of_fields_does_not_count_and_that_of_lines_does() -> None:
    """JSON objects have no order, lists have one."""
    turned = json.loads(json.dumps(ORDER), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    event, other = event_of(ORDER, key=None), event_of(turned, key=None)
    assert (event.content, event.content_hash) == (other.content, other.content_hash)
    assert _hash(ORDER | {"lines": ORDER["lines"][::-1]}) != event.content_hash


@pytest.mark.parametrize(
    ("named", "changes"),
    [
        ("meta", {"meta": {"po": "2", "x": 1}}),
        ("meta.po", {"meta": {"po": "2", "x": 1}}),
        ("colour", {"colour": {"name": "red"}}),
        ("colour.name", {"colour": {"name": "red"}}),
        ("paid_at", {"paid_at": "2026-12-01T00:00:00Z"}),
        ("lines.weight", {"lines": [{"name": "Mug", "quantity": "1", "unit_price": "1", "weight": 2}]}),
    ],
)
def test_what_an_expression_reads_counts(named: str, changes: dict[str, Any]) -> None:
    """Named fields are content for this shop, and the hash can be computed anew from the stored bytes."""
    line = {"name": "Mug", "quantity": "1", "unit_price": "1", "weight": 1}
    before, after = (small_order(meta={"po": "1", "x": 1}, lines=[line]) | more for more in ({}, changes))
    assert _hash(before) == _hash(after)
    assert _hash(before, also_hashed=[named]) != _hash(after, also_hashed=[named])
    assert content_hash(event_of(after).content, [named]) == _hash(after, also_hashed=[named])


def test_fields_beside_the_named_one_still_do_not_count() -> None:
    """meta.po is content, meta.x beside it is not."""
    first, second = small_order(meta={"po": "1", "x": 1}), small_order(meta={"po": "1", "x": 2})
    assert _hash(first, also_hashed=["meta.po"]) == _hash(second, also_hashed=["meta.po"])


def test_the_canonical_form_is_stable() -> None:
    """It is kept for years and compared with what comes later, so its bytes are written down here by hand."""
    order = small_order(version=2, note='é"\n', meta={"b": [1, 2.50, None], "a": True})
    assert event_of(order).content.decode() == (
        '{"currency":"EUR","lines":[{"name":"Mug","quantity":"1","taxes":[{"rate":"21"}],"unit_price":"10"}],'
        '"meta":{"a":true,"b":[1,"2.5",null]},"note":"é\\"\\n","order_id":"1001","shop_id":"nl",'
        '"totals":{"grand_total":"12.1"},"version":2}'
    )
    # By sha256sum, of the text above without version, note and meta.
    assert (
        event_of(small_order()).content_hash.hex() == "3666a448ccba7b2ad5d71b975ffb5bfa77964b81ed404329fbc2c01aa13353dd"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(JSON)
def test_the_encoder_writes_what_the_standard_library_would(value: Any) -> None:
    """The bytes are those of json.dumps without blanks, so that any other program can compute them."""
    assert to_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
