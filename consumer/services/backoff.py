"""How long to wait before trying again: growing, with jitter, and never beyond a cap."""

from collections.abc import Callable
from random import SystemRandom

_random = SystemRandom().random


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
        # The exponent is bounded, since an outage may last for days and the power would outgrow a float.
        whole = min(self._first * 2.0 ** min(self.attempts, 30), self._most)
        self.attempts += 1
        return whole * (0.5 + 0.5 * self._jitter())

    def reset(self) -> None:
        """Begin anew."""
        self.attempts = 0
