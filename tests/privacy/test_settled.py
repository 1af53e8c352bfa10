"""Content goes from an order only when nothing more is to be done for it."""

import pytest

from consumer.domain.erasing import is_settled
from consumer.domain.states import OrderState, Wish


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("wish", list(Wish))
def test_what_is_due_asked_or_under_way_is_never_settled(state: OrderState, wish: Wish) -> None:
    """Whatever its state and whatever a person wants of it."""
    for busy in ("due", "asked", "open_intent"):
        facts = {name: name == busy for name in ("due", "asked", "open_intent")}
        assert not is_settled(state, wish, **facts)


@pytest.mark.parametrize(
    ("state", "wish", "settled"),
    [
        (OrderState.BOOKED, Wish.AUTO, True),
        (OrderState.WITHDRAWN, Wish.AUTO, True),
        (OrderState.PARKED, Wish.AUTO, False),
        (OrderState.WAITING, Wish.AUTO, False),
        (OrderState.WAITING, Wish.HOLD, False),
        (OrderState.PARKED, Wish.IGNORE, True),
        (OrderState.UNCERTAIN, Wish.AUTO, False),
    ],
)
def test_a_resting_order_is_settled_by_its_end(state: OrderState, wish: Wish, *, settled: bool) -> None:
    """Booked, withdrawn, or wanted by nobody; what waits or is parked may yet be booked."""
    assert is_settled(state, wish, due=False, asked=False, open_intent=False) is settled
