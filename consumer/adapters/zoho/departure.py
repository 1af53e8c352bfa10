"""Whether a request has left us: the difference between "for certain not sent" and "nobody knows".

httpx tells the moment just before the first byte of the headers is written, and an exception raised there stops the
call. So a call that waited too long for a connection can still be held back, and what was held back was never sent.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

_LEAVES: Final = "http11.send_request_headers.started"


class HeldBackError(Exception):
    """The request did not leave: it came too late, or nobody waits for it any more."""


def unstopped_seconds() -> float:
    """Read a clock that also runs while the machine is suspended, where there is one."""
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_clock is None else time.clock_gettime(boot_clock)


class Departure:
    """The gate of one call. ``left`` is True from the moment at which the request may have reached the ledger."""

    def __init__(self, *, within_seconds: float, clock: Callable[[], float] = unstopped_seconds) -> None:
        self._clock = clock
        self._within_seconds = within_seconds
        self._until = clock() + within_seconds
        self._closed = False
        self.left = False

    def close(self) -> None:
        """Let nothing leave from now on; what has left has left."""
        self._closed = True

    def undone(self) -> None:
        """Note that the answer said for certain that nothing was done (401): the call has not left."""
        self.left = False

    def begin_again(self) -> None:
        """Count the time anew, for the one repetition with a new token, which has a slot of its own."""
        self._until = self._clock() + self._within_seconds

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        """Listen to httpx (its ``trace`` extension). Raises HeldBackError at the moment of leaving, if it must not."""
        if event != _LEAVES:
            return
        if self._closed:
            raise HeldBackError("nobody waits for it any more")
        if self._clock() > self._until:
            raise HeldBackError(f"it could not leave within {self._within_seconds:g} s")
        self.left = True
