"""Ids as Zoho makes them: strings of 18 digits, growing."""

import time

_PREFIX = 460_000_000_000_000_000
"""Makes every id 18 digits long for the next thousands of years."""


class Ids:
    """Hands out ids that no earlier run of the process can have used.

    A run starts at its own milliseconds times 1,000. To collide with a later run it would have to hand out more than a
    thousand ids in every millisecond of its life, so nothing need be stored.
    """

    def __init__(self, *, started_at: float | None = None) -> None:
        started = time.time() if started_at is None else started_at
        self._next = _PREFIX + int(started * 1000) * 1000

    def take(self) -> str:
        """Give the next id."""
        self._next += 1
        return str(self._next)
