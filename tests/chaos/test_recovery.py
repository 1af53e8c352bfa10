"""When the pace is back is told from the ledger's own times: figures by hand, for 30 calls in 3 seconds."""

from tests.chaos.oracle import CallLimits
from tests.chaos.recovery import recovered_after

LIMITS = CallLimits(calls=30, window_seconds=3.0)


def test_the_first_window_with_24_calls_counts() -> None:
    """One call at a time for five seconds, then ten a second: the window begins with the first of the fast ones."""
    slow = [100.0 + second for second in range(5)]
    fast = [105.0 + call / 10 for call in range(40)]
    # The window from 104.0 holds one slow call and twenty fast ones; the one from 105.0 holds thirty.
    assert recovered_after([*slow, *fast], 98.0, LIMITS) == 7.0


def test_23_calls_in_a_window_are_not_enough() -> None:
    """Seven calls a second, at most 22 in three: never."""
    assert recovered_after([100.0 + call / 7 for call in range(100)], 100.0, LIMITS) is None


def test_a_pace_that_never_fell_is_back_at_once() -> None:
    """The first call after the end begins the window."""
    assert recovered_after([100.0 + call / 10 for call in range(40)], 100.0, LIMITS) == 0.0
