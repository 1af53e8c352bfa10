"""Two shops of one connection must never be able to write the same reference."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consumer.domain.reference_patterns import patterns_could_meet


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ("{order_id}", "{order_id}", True),
        ("{order_id}", "{number}", True),
        ("{shop_id}/{order_id}", "{shop_id}/{order_id}", False),
        ("{order_id}", "{shop_id}/{order_id}", True),  # an order's id may begin with the other shop's
        ("N-{order_id}", "S-{order_id}", False),
        ("N-{order_id}", "N-{number}", True),
        ("{order_id}-N", "{order_id}-S", False),
        ("A{order_id}", "AB{order_id}", True),  # A with the order B1, AB with the order 1
        ("A-{order_id}-N", "{number}-N", True),
        ("{order_id}/{shop_id}", "{order_id}/{shop_id}", False),
    ],
)
def test_patterns_meet_unless_a_fixed_beginning_or_end_keeps_them_apart(first: str, second: str, meet: bool) -> None:  # noqa: FBT001 the table's answer
    """Orders' ids and numbers can be anything."""
    assert patterns_could_meet("north", first, "south", second) is meet
    assert patterns_could_meet("south", second, "north", first) is meet


def test_shops_whose_names_begin_alike_are_told_apart_only_by_what_follows() -> None:
    """``a{order_id}`` of shop a and ab: the order b1 of a would be the order 1 of ab."""
    assert patterns_could_meet("a", "{shop_id}{order_id}", "ab", "{shop_id}{order_id}")
    assert not patterns_could_meet("a", "{shop_id}/{order_id}", "ab", "{shop_id}/{order_id}")


TEXT = st.text("ab/", max_size=3)


@settings(max_examples=500, deadline=None)
@given(TEXT, TEXT, TEXT, TEXT, st.text("ab/", min_size=1, max_size=6), st.text("ab/", min_size=1, max_size=6))
def test_patterns_that_are_said_to_be_apart_never_write_the_same(
    before: str, after: str, other_before: str, other_after: str, order: str, other_order: str
) -> None:
    """Whatever the orders are called."""
    first, second = f"{before}{{order_id}}{after}", f"{other_before}{{order_id}}{other_after}"
    assume(not patterns_could_meet("x", first, "y", second))
    assert first.replace("{order_id}", order) != second.replace("{order_id}", other_order)
