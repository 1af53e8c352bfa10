"""Two `booked run` processes of a world: whichever dies at its failpoint is started again, no longer armed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from time import monotonic

from sandbox.processes import Process
from tests.acceptance.waiting import until
from tests.chaos.rig import World, met

KILLED = 137
SIZE = 2
STOP_TURN_SECONDS = 0.5


class Crew:
    """The processes. ``crashed`` is set once one has died; ``restart_seconds`` lists how long progress then took.

    A process that ends otherwise than at its failpoint, or asked to, is told by ``strange``.
    """

    def __init__(self, world: World, *, failpoints: str) -> None:
        self._world = world
        self._failpoints = failpoints
        self._processes: dict[str, Process] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._returning: list[asyncio.Task[None]] = []
        self._stopping = False
        self.crashed = asyncio.Event()
        self.strange: list[str] = []
        self.restart_seconds: list[float] = []

    async def start(self) -> None:
        """Start all of them at once."""
        await asyncio.gather(*(self._start(f"booked-{number}", self._failpoints) for number in range(SIZE)))

    async def stop(self) -> None:
        """Stop all, also what is only being started. Raises what a watcher has raised."""
        self._stopping = True
        while not all(task.done() for task in self._watching):
            await asyncio.gather(*(process.stop() for process in list(self._processes.values())))
            # One that was being started meanwhile has a watcher of its own now, and is stopped in the next turn.
            await asyncio.wait(self._watching, timeout=STOP_TURN_SECONDS)
        for task in self._watching:
            task.result()

    async def back(self) -> None:
        """Wait until whoever died is up again and has been seen to go on. Raises what a start has raised."""
        await asyncio.gather(*self._returning)

    async def stop_one_after_another(self) -> None:
        """SIGTERM to one, and when it has ended to the next, until one has died at its failpoint."""
        for process in list(self._processes.values()):
            if self.crashed.is_set():
                return
            # Its end is what the watcher expects: killed at the point, or asked to.
            await process.stop()

    async def until_crash_or(self, work: Awaitable[None]) -> None:
        """Wait for this, or for the next crash if that comes first."""
        doing = asyncio.ensure_future(work)
        crash = asyncio.ensure_future(self.crashed.wait())
        try:
            await asyncio.wait({doing, crash}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
        finally:
            for task in (doing, crash):
                task.cancel()
            await asyncio.gather(doing, crash, return_exceptions=True)

    async def _start(self, name: str, failpoints: str = "") -> None:
        process = self._world.process(name, failpoints=failpoints)
        await process.start()
        self._processes[name] = process
        self._watching.append(asyncio.create_task(self._watch(name, process), name=f"watch {name}"))

    async def _watch(self, name: str, process: Process) -> None:
        code = await process.wait()
        point = met(process.log_since_start())
        if point is not None and code == KILLED:
            self._world.kills += 1
            self.crashed.set()
        elif code != 0:
            self.strange.append(f"{name} ended with {code}: {process.log_tail()}")
        if not self._stopping:
            self._returning.append(asyncio.create_task(self._again(name), name=f"{name} again"))
            await self._returning[-1]

    async def _again(self, name: str) -> None:
        before = await self._world.progress()
        await self._start(name)
        began = monotonic()
        with suppress(AssertionError):
            # Where nothing comes any more, `quiet` says so, and says why.
            await until(lambda: self._moved(before), bool, what="there is progress after the restart")
            if not self._stopping:
                self.restart_seconds.append(monotonic() - began)

    async def _moved(self, before: tuple[int, int, int]) -> bool:
        return self._stopping or await self._world.progress() != before or not await self._world.unrest()


@asynccontextmanager
async def crew(world: World, *, failpoints: str = "") -> AsyncIterator[Crew]:
    """Run the crew for the time of the block."""
    made = Crew(world, failpoints=failpoints)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
