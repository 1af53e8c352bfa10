"""What a backfill may put in: a share of the day's calls, less what earlier backfills have not used yet."""

from decimal import Decimal

import pytest

from consumer.domain.replay import allowance, from_budgets

HALF = Decimal("0.5")


@pytest.mark.parametrize(
    ("left", "waiting", "share", "orders"),
    [
        (10_000, 0, HALF, 1_250),
        (10_000, 1_000, HALF, 250),
        (10_000, 2_000, HALF, 0),
        (0, 0, HALF, 0),
        (7, 0, HALF, 0),
        (8, 0, HALF, 1),
        (10_000, 0, Decimal(1), 2_500),
    ],
)
def test_the_share_of_what_is_left(left: int, waiting: int, share: Decimal, orders: int) -> None:
    """Four calls an order; what waits counts as used."""
    assert allowance(left, waiting, share) == orders


def test_each_connection_has_its_own() -> None:
    """One connection's is spent; another's is not touched; an order without a connection makes no call."""
    allowances = from_budgets({"a": (8, 0), "b": (16, 0)}, HALF)
    assert [allowances.take("a"), allowances.take("a"), allowances.take("b"), allowances.take(None)] == [
        True,
        False,
        True,
        True,
    ]
