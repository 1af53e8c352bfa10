"""A page is taken apart without touching its orders: what comes out is what stood there, or nothing comes out."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.shops.pages import NoPageError, page_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ORDERS = st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=5)
SPACING = st.sampled_from([None, 0, 3])


@settings(max_examples=300, deadline=None)
@given(ORDERS, st.dictionaries(TEXT, VALUES, max_size=3), SPACING, st.booleans())
def test_every_order_comes_out_as_its_own_text(
    orders: list[Any],
    beside: dict[str, Any],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 drawn by hypothesis
) -> None:
    """Whatever is in them and beside them: the texts of the orders, in their order, and the rest parsed."""
    whole = {name: value for name, value in beside.items() if name != "orders"} | {"orders": orders}
    body = json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode()
    page = page_of(body, under="orders")
    assert [json.loads(one) for one in page.orders] == orders
    assert all(one in body for one in page.orders)
    assert {**page.rest, "orders": orders} == whole
    bare = json.dumps(orders, indent=indent, ensure_ascii=ascii_only).encode()
    assert [json.loads(one) for one in page_of(bare, under=None).orders] == orders


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:0a\\ orders', max_size=40).map(str.encode))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """A page, or NoPageError; and what is given as a page is one to any parser."""
    for under in ("orders", None):
        try:
            page = page_of(body, under=under)
        except NoPageError:
            continue
        assert json.loads(body.decode("utf-8-sig")) is not None
        assert all(isinstance(json.loads(one), dict) for one in page.orders)


@pytest.mark.parametrize(
    ("body", "under", "says"),
    [
        (b"", None, "nothing"),
        (b"null", "orders", "null instead"),
        (b'"x"', None, "a text instead of a list"),
        (b"[{}]x", None, "more after the end"),
        (b"[{},]", None, "nothing|something else|as order 2"),
        (b"[{} {}]", None, "not JSON"),
        (b"[null]", None, "null as order 1"),
        (b"[{}", None, "not JSON"),
        (b'{"orders":[]', "orders", "not JSON"),
        (b'{"orders":[],}', "orders", "not JSON"),
        (b'{1:2,"orders":[]}', "orders", "not JSON"),
        (b'{"a":1,"a":2,"orders":[]}', "orders", "'a' twice"),
        (b'{"n":' + b"9" * 5000 + b',"orders":[]}', "orders", "thousands of digits"),
        (b"<!doctype html>", "orders", "a page for people"),
    ],
)  # fmt: skip
def test_what_is_no_page_is_said_in_words(body: bytes, under: str | None, says: str) -> None:
    """Without quoting it."""
    with pytest.raises(NoPageError, match=says):
        page_of(body, under=under)
