"""Memory that nobody needs goes back to the machine, so that a peak after an outage is not kept for ever.

The calm collector (collector.py) looks through young objects after 20,000 new ones, through older ones hours or days
later where little is to do. Whatever holds itself in a circle (a call that was given up, with its traceback) and has
lived through one look would stay so long: 10 MB an hour under faults, measured. So all is looked through once a minute,
which takes some twenty milliseconds.

The C library keeps freed pages for later use between those in use. After a day of outages, each followed by larger
batches, a process held a fifth more than it needed; once a minute is often enough, and costs milliseconds.
"""

import ctypes
import gc
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
    """Collects garbage and gives freed memory back, at most once a minute.

    ``trim`` keeps so many bytes at the heap's end; None where the C library has no such way.
    """

    def __init__(self, trim: Trim | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._trim = trim
        self._clock = clock
        self._due_at = clock() + EVERY_SECONDS

    def give_back(self) -> bool:
        """Give back what nobody needs, where it is time; tells whether it was."""
        if self._clock() < self._due_at:
            return False
        self._due_at = self._clock() + EVERY_SECONDS
        gc.collect()
        if self._trim is not None:
            self._trim(0)
        return True
