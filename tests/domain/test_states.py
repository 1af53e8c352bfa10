"""The states of an order: which steps there are, and that a step that is not in the table is a fault."""

import pytest

from consumer.domain.states import (
    TRANSITIONS,
    OrderState,
    Priority,
    Reason,
    ReasonCode,
    TransitionError,
    check_transition,
)

W, D, U, B, P, N = OrderState
# Written by hand from the design, section 1; rows: from, columns: to, in the order above.
ALLOWED = {
    W: "WD   N",
    D: "WDUBPN",
    U: " DUBPN",
    B: "WD BP ",
    P: "WD  PN",
    N: "WD   N",
}


@pytest.mark.parametrize("before", list(OrderState))
@pytest.mark.parametrize("after", list(OrderState))
def test_each_step_is_allowed_or_refused_as_the_table_says(before: OrderState, after: OrderState) -> None:
    """36 steps."""
    place = list(OrderState).index(after)
    if ALLOWED[before][place] != " ":
        check_transition(before, after)
    else:
        with pytest.raises(TransitionError, match=f"from {before} to {after}"):
            check_transition(before, after)


def test_an_uncertain_order_is_never_put_to_wait() -> None:
    """It has to be asked about first, whatever people and settings say."""
    assert OrderState.WAITING not in TRANSITIONS[OrderState.UNCERTAIN]


def test_every_state_leads_back_to_due() -> None:
    """A new revision makes every order due again."""
    assert all(OrderState.DUE in after for after in TRANSITIONS.values())


def test_people_come_before_live_orders_and_these_before_the_backfill() -> None:
    """The ranks are those of the table's index."""
    assert [(priority, priority.rank) for priority in Priority] == [
        (Priority.PERSON, 0),
        (Priority.LIVE, 1),
        (Priority.BACKFILL, 2),
    ]


def test_a_reason_without_a_group_of_its_own_is_grouped_by_its_code() -> None:
    """One fix helps all of a group."""
    assert Reason(code=ReasonCode.HELD, message="").group == "held"
    assert Reason(code=ReasonCode.TAX_MISSING, message="", group_key="tax_missing:22").group == "tax_missing:22"
