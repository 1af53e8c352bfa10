"""An event loop whose time passes only when nothing else is left to do, and that can be left standing at any step.

A wait of five minutes takes no time at all, a loop in which everybody waits for ever is an error instead of a test
that hangs, and a crash is a loop that is never run again: no ``finally`` of its tasks gets its turn.
"""

import asyncio
import ctypes
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
STEPS_MAX = 200_000

# What crashed must never be tidied up: closing a coroutine would run its ``finally``.
_graveyard: list[Any] = []
ctypes.pythonapi.Py_IncRef(ctypes.py_object(_graveyard))


class EverybodyWaitsError(AssertionError):
    """Nothing is ready and no time is awaited: the loop would stand still for ever."""


class CrashedError(Exception):
    """The loop was left standing at the step that was asked for."""


class _Selector(selectors.SelectSelector):
    """Waits by letting the loop's time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Look without waiting; what would have been waited for has passed."""
        if timeout is None:
            raise EverybodyWaitsError("every task waits, and for nothing that time brings")
        self.passed += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. ``steps`` counts its turns; ``on_step`` is called before each; ``crash_at`` leaves it standing."""

    def __init__(self, *, crash_at: int | None = None, on_step: Callable[[int], None] = lambda _: None) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self.steps = 0
        self.faults: list[dict[str, Any]] = []
        self._crash_at = crash_at
        self._on_step = on_step
        self.set_exception_handler(lambda _, context: self.faults.append(context))

    def time(self) -> float:
        """Give the time that has passed."""
        return self._virtual.passed

    def _run_once(self) -> None:
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise AssertionError(f"more than {STEPS_MAX} steps: something turns in a circle")
        if self.steps == self._crash_at:
            raise CrashedError
        self._on_step(self.steps)
        super()._run_once()  # type: ignore[misc] # the loop's own turn is not in its public interface


def run(
    work: Coroutine[Any, Any, T],
    *,
    crash_at: int | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> T:
    """Run to the end in a loop of its own. Raises CrashedError at the step ``crash_at``; nothing runs after that."""
    loop = VirtualLoop(crash_at=crash_at, on_step=on_step)
    try:
        result = loop.run_until_complete(work)
        loop.run_until_complete(_cancel_rest())
    except BaseException:
        _bury(loop)
        raise
    loop.close()
    assert not loop.faults, loop.faults
    return result


async def _cancel_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _bury(loop: VirtualLoop) -> None:
    """Keep everything that was under way as it stood."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # it is pending on purpose
    _graveyard.append((tasks, [task.get_coro() for task in tasks]))
    loop.close()
    asyncio.set_event_loop(None)


async def let_pass(seconds: float) -> None:
    """Let virtual time pass."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


async def until(holds: Callable[[], bool], *, within_seconds: float = 3600.0) -> None:
    """Wait until something holds, looked at after every step of the loop. Raises AssertionError when it is too late."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    deadline = begun + within_seconds
    while not holds():
        if loop.time() > deadline:
            raise AssertionError(f"it did not hold within {within_seconds} s")
        # Not at once: time passes only where nothing is ready, and a waiter that turns in a circle always is.
        await let_pass(0.01 if loop.time() < begun + 10.0 else 0.25)
