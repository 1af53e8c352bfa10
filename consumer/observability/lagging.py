"""How long a partition has been behind, in seconds: by when the log was first seen to reach beyond what was taken.

A count of records does not tell whether somebody waits a second or an hour, and the records' own times are their
senders'. Ends of the log as this process has seen them, with the moment, tell it.
"""

from collections import deque

SAMPLE_SECONDS = 1.0
SAMPLES_MAX = 1000  # then every second one is dropped: an old backlog is told a little too young, never too old


class Behind:
    """One partition. Moments are seconds of a clock that goes on; offsets are the next ones."""

    def __init__(self) -> None:
        self._ends: deque[tuple[float, int]] = deque()

    def look(self, moment: float, *, taken: int, end: int) -> float:
        """Note that the log ends here now and was taken so far; the seconds since when something is not taken."""
        while self._ends and self._ends[0][1] <= taken:
            self._ends.popleft()
        if end > taken:
            self._note(moment, end)
        return moment - self._ends[0][0] if self._ends else 0.0

    def _note(self, moment: float, end: int) -> None:
        if self._ends and (end <= self._ends[-1][1] or moment - self._ends[-1][0] < SAMPLE_SECONDS):
            return
        self._ends.append((moment, end))
        if len(self._ends) > SAMPLES_MAX:
            self._ends = deque(sample for place, sample in enumerate(self._ends) if place % 2 == 0)
