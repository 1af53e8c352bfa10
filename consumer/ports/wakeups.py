"""Wake-ups: hints that there is work, so that nobody has to poll often. Losing one only makes things slower."""

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

REMEMBERED_MAX = 10_000  # targets; of those that are forgotten the polling takes care


class WakeKind(StrEnum):
    """Who is woken."""

    LANES = "lanes"  # ids are connections
    OUTBOX = "outbox"  # without ids


class Wakeups(Protocol):
    """Signals within a process at once, and between processes soon."""

    def wake(self, kind: WakeKind, ids: Iterable[str] = ()) -> None:
        """Say that there is work, after the commit that made it; never waits and never fails."""
        ...

    async def wait(self, kind: WakeKind, timeout_seconds: float, *, of: str | None = None) -> bool:
        """Wait for a wake-up of the kind, or of one id; False where none came in time.

        A wake-up since the last wait is remembered, so that none is lost between a look and the wait. It may be in
        vain, and it is meant for one waiter at a time: the process has one relay and one lane per connection.
        """
        ...


class Signals:
    """Wake-ups within one process; every implementation has them inside. Use it from one event loop only.

    What is woken while nobody waits is remembered for the next who does.
    """

    def __init__(self) -> None:
        self._remembered: set[tuple[WakeKind, str | None]] = set()
        self._waiting: dict[tuple[WakeKind, str | None], set[asyncio.Future[None]]] = {}

    def wake(self, kind: WakeKind, ids: Iterable[str] = ()) -> None:
        """See Wakeups."""
        for target in (None, *ids):
            self._signal((kind, target))

    def wake_all(self, kind: WakeKind) -> None:
        """Wake everybody who waits for the kind, whatever the id: wake-ups may have been lost."""
        for target in [target for target in self._waiting if target[0] is kind]:
            self._signal(target)
        self._signal((kind, None))

    def _signal(self, target: tuple[WakeKind, str | None]) -> None:
        waiting = self._waiting.get(target)
        if not waiting:
            if len(self._remembered) < REMEMBERED_MAX:
                self._remembered.add(target)
            return
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait(self, kind: WakeKind, timeout_seconds: float, *, of: str | None = None) -> bool:
        """See Wakeups."""
        target = (kind, of)
        if target in self._remembered:
            self._remembered.discard(target)
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(target, set()).add(future)
        try:
            async with asyncio.timeout(timeout_seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting[target].discard(future)
            if not self._waiting[target]:
                del self._waiting[target]
        return True
