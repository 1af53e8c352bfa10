"""What a release does to an order: through what holds it back, as far as settings allow at all."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.placing import Place, Ties
from consumer.domain.releasing import Held, may_be_released, priority_of_release, released_place
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, Priority, Reason, ReasonCode, Wish
from tests.domain.test_asking import CONNECTION, FIRST, NOW, OPEN, PARKED, SHOP

W, D, U, B, P, N = OrderState


def because(code: ReasonCode) -> Reason:
    """Give a reason."""
    return Reason(code=code, message="")


@pytest.mark.parametrize(
    ("state", "reason", "named", "expected"),
    [
        (W, None, False, True),
        (P, because(ReasonCode.DIFFERENCE), False, True),
        (D, None, True, False),
        (B, because(ReasonCode.IGNORED), True, False),
        (N, because(ReasonCode.IGNORED), True, True),
        (N, because(ReasonCode.NOT_WANTED), True, True),
        (N, because(ReasonCode.IGNORED), False, False),
        (N, because(ReasonCode.CANCELLED), True, False),
        (N, None, True, False),
    ],
)
def test_what_waits_or_is_parked_is_released_and_what_was_ignored_by_name_only(
    state: OrderState,
    reason: Reason | None,
    named: bool,  # noqa: FBT001 a parameter
    expected: bool,  # noqa: FBT001 a parameter
) -> None:
    """A release of many does not take back what somebody chose for one."""
    assert may_be_released(state, reason, named=named) is expected


def test_ten_are_served_at_once_and_more_go_behind_the_live_orders() -> None:
    """A person waits for a few, nobody for thousands."""
    assert (priority_of_release(10), priority_of_release(11)) == (Priority.PERSON, Priority.BACKFILL)


def released(of: Place = PARKED, **more: Any) -> Place:
    """Release an order; ``ties``, ``announced``, ``shop``, ``connection``, else its facts."""
    ties, announced = more.pop("ties", Ties()), more.pop("announced", False)
    shop, connection = more.pop("shop", SHOP), more.pop("connection", CONNECTION)
    facts = Facts(**{"paid": True, "paid_moment": NOW, "cancelled": False, **more})
    held = Held(place=of, facts=facts, ties=ties, announced=announced)
    return released_place(held, shop, connection, Priority.PERSON, NOW)


def test_a_released_order_begins_anew() -> None:
    """Due now, at the front, on its shop's connection; its counts are forgotten and its wish with them."""
    assert released() == FIRST
    assert released(wish=Wish.IGNORE) == FIRST
    assert released(shop=replace(SHOP, automatic=False)) == FIRST


def test_what_no_release_cures_goes_on_waiting() -> None:
    """Without a connection: at its own priority, with nothing to do."""
    found = released(connection=None)
    assert found.reason is not None
    assert found.reason.code is ReasonCode.NO_CONNECTION
    assert found == replace(FIRST, state=W, reason=found.reason, due_at=None, priority=PARKED.priority)


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"cancelled": True}, N),
        ({"cancelled": True, "announced": True}, D),
        ({"announced": True}, D),
        ({"announced": True, "connection": None}, W),
        ({"ties": OPEN, "connection": None}, D),
    ],
    ids=["cancelled", "cancelled and told", "told", "told and without a connection", "a write under way"],
)
def test_who_was_told_is_told_the_end_and_a_doubt_is_resolved_first(more: dict[str, Any], state: OrderState) -> None:
    """By the lane, for which it has to be due."""
    assert released(**more).state is state
