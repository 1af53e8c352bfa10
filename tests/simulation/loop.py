"""An event loop with virtual time and a seeded scheduler, whose tasks belong to processes that die, pause and wake.

The lot decides which ready handle runs next. A process that has died is never stepped again: its handles are thrown
away and its coroutines are kept as they stood, so that no ``finally`` and no ``except`` of theirs ever runs. A paused
process keeps its handles until it is woken. Time passes where nobody can run, and a little with each step.
"""

import asyncio
import ctypes
import heapq
import selectors
import sys
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
STEPS_MAX = 400_000

# What died must never be tidied up, not even at the interpreter's end: closing a coroutine runs its ``finally``.
# Python's own set of all tasks has had another name since 3.12.
_SET_OF_TASKS = "_scheduled_tasks" if sys.version_info >= (3, 12) else "_all_tasks"
_every_task: "weakref.WeakSet[asyncio.Task[Any]]" = vars(asyncio.tasks)[_SET_OF_TASKS]
_graveyard: list[Any] = []
ctypes.pythonapi.Py_IncRef(ctypes.py_object(_graveyard))


class EverybodyWaitsError(AssertionError):
    """Nothing can run and no time is awaited: the simulation would stand still for ever."""


class Owner:
    """Whom tasks and timers belong to: a process. ``dead`` and ``paused`` are changed by the loop alone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.paused = False
        self.tasks: set[asyncio.Task[Any]] = set()
        self.held: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(OWNER.set, self)


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
_OUTSIDE = Context()


class SimulatedTask(asyncio.Task[Any]):
    """A task that sorts into sets by its number: by its address the same seed would give another order each time."""

    def __init__(self, work: Coroutine[Any, Any, Any], *, loop: "SimulatedLoop", **named: Any) -> None:
        # Before all else: the machine's set of all tasks takes the hash at once, and keeps to it.
        self.number = loop.next_number()
        super().__init__(work, loop=loop, **named)

    def __hash__(self) -> int:
        return self.number


class SimulatedFuture(asyncio.Future[Any]):
    """A future that sorts into sets by its number, as the tasks do."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class _NoWaiting(selectors.SelectSelector):
    """Looks without waiting; time is the loop's own matter."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        del timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """See the module. ``wildness`` is the share of steps at which the lot chooses; else the oldest handle runs.

    ``step_seconds`` is about how long a step takes. ``after_step`` is called with the task that has just been
    stepped, where it was one of a living process; it may kill.
    """

    _ready: "deque[asyncio.Handle]"
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, chance: Random, *, wildness: float = 1.0, step_seconds: float = 0.0) -> None:
        super().__init__(_NoWaiting())
        self._chance = chance
        self._wildness = wildness
        self._step_seconds = step_seconds
        self._passed = 0.0
        self._count = 0
        self.steps = 0
        self.faults: list[dict[str, Any]] = []
        self.after_step: Callable[[Owner, asyncio.Task[Any]], None] | None = None
        self.on_step: Callable[[Owner | None, asyncio.Handle], None] | None = None
        self.set_exception_handler(lambda _, context: self.faults.append(context))
        self.set_task_factory(_make_task)  # type: ignore[arg-type] # a subclass of tasks is one

    def time(self) -> float:
        """Give the time that has passed."""
        return self._passed

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future with a number of its own."""
        future = SimulatedFuture(loop=self)
        future.number = self.next_number()
        return future

    def next_number(self) -> int:
        """Count what is made."""
        self._count += 1
        return self._count

    # ---- processes

    def start(self, owner: Owner, work: Coroutine[Any, Any, T], name: str | None = None) -> "asyncio.Task[T]":
        """Run something as a part of this process."""
        return owner.context.copy().run(self.create_task, work, name=name)

    def soon(self, owner: Owner, callback: Callable[..., object], *given: object) -> None:
        """Call something within this process at its next turn."""
        self.call_soon(callback, *given, context=owner.context)

    def outside(self, seconds: float, callback: Callable[..., object], *given: object) -> None:
        """Call something later that belongs to no process: a server, the network."""
        self.call_later(seconds, callback, *given, context=_OUTSIDE)

    def start_outside(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something that belongs to no process; who awaits it may die, it goes on."""
        return _OUTSIDE.copy().run(self.create_task, work)

    def kill(self, owner: Owner) -> None:
        """Kill -9: nothing of this process is ever run again, and nothing of it is tidied up."""
        owner.dead = True
        for task in owner.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined] # it is pending on purpose
        _graveyard.append((owner, [task.get_coro() for task in owner.tasks]))
        owner.held.clear()

    def pause(self, owner: Owner) -> None:
        """SIGSTOP: nothing of this process runs until it is woken; time passes on."""
        owner.paused = True

    def wake(self, owner: Owner) -> None:
        """SIGCONT: what has become due meanwhile runs now."""
        owner.paused = False
        self._ready.extend(owner.held)
        owner.held.clear()

    def bury(self) -> None:
        """Leave everything standing as it is, for good."""
        # Those that are done as well: numbers begin anew with each loop, and in the machine's one set of all tasks
        # the tasks of many loops, which are kept, would collide more with each schedule.
        tasks = [task for task in list(_every_task) if task.get_loop() is self]
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined] # it is pending on purpose
            _every_task.discard(task)
        _graveyard.append((tasks, [task.get_coro() for task in tasks], list(self._ready), list(self._scheduled)))
        self.close()
        asyncio.set_event_loop(None)

    # ---- the scheduler

    def _run_once(self) -> None:
        self._pass()
        handle = self._choose()
        if handle is None:
            return
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise AssertionError(f"more than {STEPS_MAX} steps: something turns in a circle")
        owner = owner_of(handle)
        if self.on_step is not None:
            self.on_step(owner, handle)
        task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined] # a handle tells no one else
        handle._run()
        if self.after_step is not None and owner is not None and not owner.dead and isinstance(task, asyncio.Task):
            self.after_step(owner, task)

    def _pass(self) -> None:
        """Let time pass: to the next timer where nothing can run, else a little."""
        timers = self._scheduled
        while timers and (timers[0].cancelled() or _is_dead(timers[0])):
            _unscheduled(heapq.heappop(timers))
        if not self._ready:
            if not timers:
                raise EverybodyWaitsError("every task waits, and for nothing that time brings")
            self._passed = max(self._passed, timers[0].when())
        elif self._step_seconds:
            self._passed += self._step_seconds * self._chance.random()
        while timers and timers[0].when() <= self._passed:
            self._ready.append(_unscheduled(heapq.heappop(timers)))

    def _choose(self) -> asyncio.Handle | None:
        """Take a handle that may run; what belongs to the dead is thrown away, to the paused is held back."""
        ready = self._ready
        while ready:
            if len(ready) > 1 and self._chance.random() < self._wildness:
                ready.rotate(-self._chance.randrange(len(ready)))
            handle = ready.popleft()
            if handle.cancelled():
                continue
            owner = owner_of(handle)
            if owner is None or not (owner.dead or owner.paused):
                return handle
            if owner.dead:
                _graveyard.append(handle)
            else:
                owner.held.append(handle)
        return None


def owner_of(handle: asyncio.Handle) -> Owner | None:
    """Tell which process a handle belongs to; None: to the world around the processes."""
    context: Context = handle._context  # type: ignore[attr-defined] # it has no public name
    return context.get(OWNER)


def _unscheduled(timer: asyncio.TimerHandle) -> asyncio.TimerHandle:
    """Note that a timer is in the heap no more, as the loop's own turn does: its cancelling counts by it."""
    timer._scheduled = False  # type: ignore[attr-defined] # it has no public name
    return timer


def _is_dead(handle: asyncio.Handle) -> bool:
    owner = owner_of(handle)
    return owner is not None and owner.dead


def _make_task(loop: "SimulatedLoop", work: Coroutine[Any, Any, Any], /, **named: Any) -> "asyncio.Task[Any]":
    task = SimulatedTask(work, loop=loop, **named)
    owner = OWNER.get()
    if owner is not None:
        owner.tasks.add(task)
        task.add_done_callback(owner.tasks.discard)
    return task


def run(loop: SimulatedLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run to the end of the work, and leave everything else standing as it is then."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.bury()
