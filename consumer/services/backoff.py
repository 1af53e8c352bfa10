"""How long to wait before trying again: growing, with jitter, and never beyond a cap."""

from collections.abc import Callable
from random import SystemRandom

_random = SystemRandom().random


def pause_seconds(attempts: int, jitter: Callable[[], float], *, first_seconds: float, most_seconds: float) -> float:
    """Give a pause: the first one doubled with each attempt up to the most, and of that between half and all.

    ``jitter`` gives 0 to 1.
    """
    # The exponent is bounded, since an outage may last for days and the power would outgrow a float.
    whole = min(first_seconds * 2.0 ** min(attempts, 30), most_seconds)
    return whole * (0.5 + 0.5 * jitter())


class Backoff:
    """Waits of one loop; ``reset`` after a success. Jitter keeps the processes from coming back all at once."""

    def __init__(
        self,
        *,
        first_seconds: float = 0.1,
        most_seconds: float = 5.0,
        jitter: Callable[[], float] = _random,
    ) -> None:
        self._first = first_seconds
        self._most = most_seconds
        self._jitter = jitter
        self.attempts = 0

    def next_seconds(self) -> float:
        """Give the next wait: between half and all of the first one doubled with each attempt."""
        seconds = pause_seconds(self.attempts, self._jitter, first_seconds=self._first, most_seconds=self._most)
        self.attempts += 1
        return seconds

    def reset(self) -> None:
        """Begin anew."""
        self.attempts = 0
