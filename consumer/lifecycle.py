"""What runs for long: services with start, started and stop, their supervised tasks, and the heartbeats for /livez.

A service's background tasks are named and supervised: when one of them dies, the service has failed, and
``run_services`` stops everything and raises. Nothing is restarted in place: a new process starts from what is stored.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from consumer.errors import BookedError

_RELEASE_SECONDS = 2.0  # for letting go of what is held, after the deadline for the work in hand


class ServiceDiedError(BookedError):
    """A background task of a service ended that should have gone on; the cause is its own error."""

    def __init__(self, service: str, task: str, cause: BaseException | None) -> None:
        ended = f"died: {type(cause).__name__}: {cause}" if cause else "ended by itself"
        super().__init__(f"service {service}: its task {task} {ended}; the process stops, start it again")
        self.service = service
        self.task = task
        self.__cause__ = cause


class Heartbeat:
    """One loop's sign of life; its age is told by a clock that does not jump, in seconds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._last = monotonic()

    @property
    def last(self) -> float:
        """Give the moment of the last beat, by that clock."""
        return self._last

    def beat(self) -> None:
        """Say that the loop has come round."""
        self._last = monotonic()

    def age_seconds(self) -> float:
        """Tell how long ago the loop came round."""
        return monotonic() - self._last


class Service(ABC):
    """Something that runs until it is stopped.

    Life: ``start`` once; ``started`` is set when it does its work; ``stop`` any number of times, also before or
    without ``start`` (then a later ``start`` does nothing). A subclass spawns its loops in ``_begin``, finishes what is
    in hand in ``_finish`` (cancelled at the deadline), and lets go of what it holds in ``_release`` (always called).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = asyncio.Event()
        self.stopping = asyncio.Event()
        self.heartbeats: list[Heartbeat] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed = asyncio.Event()
        self._failure: ServiceDiedError | None = None
        self._begun = False
        self._end: asyncio.Task[None] | None = None

    @property
    def failure(self) -> ServiceDiedError | None:
        """Give what the service has died of; None while it lives."""
        return self._failure

    async def start(self) -> None:
        """Begin; a second call, and a call after ``stop``, do nothing. Raises what ``_begin`` raises."""
        if self._begun or self.stopping.is_set():
            return
        self._begun = True
        await self._begin()

    async def stop(self, deadline_seconds: float) -> None:
        """Take no new work, finish what is in hand within the deadline, then cancel. Later calls wait for the first."""
        if self._end is None:
            self.stopping.set()
            self._end = asyncio.create_task(self._stop(deadline_seconds), name=f"{self.name}: stop")
        # Shielded: a caller that gives up must not leave the service half stopped for the next caller.
        await asyncio.shield(self._end)

    async def wait_failed(self) -> ServiceDiedError:
        """Wait until a task has died, and tell what of."""
        await self._failed.wait()
        if self._failure is None:
            raise RuntimeError(f"service {self.name} failed without a failure")
        return self._failure

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a loop under supervision, until the service stops."""
        task = asyncio.create_task(work, name=f"{self.name}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def heartbeat(self, name: str) -> Heartbeat:
        """Make the heartbeat of one loop, watched by /livez from now on."""
        beat = Heartbeat(f"{self.name}.{name}")
        self.heartbeats.append(beat)
        return beat

    async def nap(self, seconds: float) -> None:
        """Wait, or return at once when the service is to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()

    @abstractmethod
    async def _begin(self) -> None:
        """Open what is needed and spawn the loops."""

    async def _finish(self, deadline_seconds: float) -> None:  # noqa: B027 a hook, not a duty
        """Finish what is in hand; cancelled at the deadline."""

    async def _release(self) -> None:  # noqa: B027 a hook, not a duty
        """Let go of what is held, whatever happened before; two seconds at most."""

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        cause = None if task.cancelled() else task.exception()
        if self._failure is not None or (self.stopping.is_set() and cause is None):
            return
        self._failure = ServiceDiedError(self.name, task.get_name().partition(": ")[2], cause)
        self._failed.set()

    async def _stop(self, deadline_seconds: float) -> None:
        if not self._begun:
            return
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline_seconds):
                    await self._finish(deadline_seconds)
                    await self._ends()
        finally:
            await self._cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._release()

    async def _ends(self) -> None:
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _cancel(self) -> None:
        for task in set(self._tasks):
            task.cancel()
        if self._tasks:
            # A task that swallows its cancellation is left behind rather than waited for.
            await asyncio.wait(set(self._tasks), timeout=_RELEASE_SECONDS)


async def run_services(services: Sequence[Service], stop: asyncio.Event, *, deadline_seconds: float) -> None:
    """Run all until ``stop`` is set or one dies; then stop all at the same time, each within the deadline.

    Raises ServiceDiedError of the first that died, and whatever a start raised; what was started is stopped first.
    """
    begun: list[Service] = []
    try:
        for service in services:
            begun.append(service)
            await service.start()
        died = await _first_death(services, stop)
    finally:
        # All at once, not one after the other: the deadlines would add up beyond the pod's grace period.
        await asyncio.gather(*(service.stop(deadline_seconds) for service in begun))
    died = died or next((service.failure for service in services if service.failure), None)
    if died is not None:
        raise died


async def _first_death(services: Sequence[Service], stop: asyncio.Event) -> ServiceDiedError | None:
    deaths = [asyncio.create_task(service.wait_failed()) for service in services]
    stopped = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({*deaths, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return next((task.result() for task in deaths if task in done), None)
    finally:
        for task in (*deaths, stopped):
            task.cancel()


def oldest_heartbeat(services: Iterable[Service]) -> Heartbeat | None:
    """Find the loop that came round longest ago; None where no loop beats."""
    beats = [beat for service in services for beat in service.heartbeats]
    return min(beats, key=lambda beat: beat.last, default=None)
