"""Memory that was freed goes back to the machine, so that a peak after an outage is not kept for ever.

The C library keeps freed pages for later use between those in use. After a day of outages, each followed by larger
batches, a process held a fifth more than it needed; once a minute is often enough, and costs milliseconds.
"""

import ctypes
import time
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 60.0
Trim = Callable[[int], object]


def library_trim() -> Trim | None:
    """Give the C library's own way of doing it; None where it has none (macOS, musl)."""
    try:
        found: Trim | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    except OSError:
        return None
    return found


class FreedMemory:
    """Gives freed memory back, at most once a minute. ``trim`` keeps so many bytes at the heap's end."""

    def __init__(self, trim: Trim | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._trim = trim
        self._clock = clock
        self._due_at = clock() + EVERY_SECONDS

    def give_back(self) -> bool:
        """Give back what is free, where it is time; tells whether it was."""
        if self._trim is None or self._clock() < self._due_at:
            return False
        self._due_at = self._clock() + EVERY_SECONDS
        self._trim(0)
        return True
