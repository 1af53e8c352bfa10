"""A schedule told step by step: virtual time, process, task, and the place of the services where it waits then."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.loop import Owner
from tests.simulation.sites import standing

if TYPE_CHECKING:
    from tests.simulation.world import World


class Tracer:
    """Writes one line for each step of a process, for each fault, and for each thing that reached a ledger."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._world: World | None = None
        self._faults = 0
        self._effects = 0
        self._names: dict[int, str] = {}

    def watch(self, world: "World") -> None:
        """Begin to tell this world."""
        self._world = world
        before = world.loop.after_step

        def after_step(owner: Owner, task: "asyncio.Task[object]") -> None:
            self._step(owner, task)
            if before is not None:
                before(owner, task)

        world.loop.after_step = after_step

    def _step(self, owner: Owner, task: "asyncio.Task[object]") -> None:
        world = self._world
        if world is None:
            return
        for at, kind in world.faults.met[self._faults :]:
            self._write(f"{at:9.4f} FAULT {kind.value}\n")
        self._faults = len(world.faults.met)
        effects = [effect for server in world.servers.values() for effect in server.effects]
        for effect in sorted(effects, key=lambda one: one.at)[self._effects :]:
            self._write(f"{effect.at:9.4f} LEDGER {effect.name} {effect.operation}\n")
        self._effects = len(effects)
        sites = [*map(str, standing(task))]
        site = sites[-1] if sites else "ended" if task.done() else "outside of the services"
        # The name that the machine gives tasks counts on from schedule to schedule: it is no part of the seed.
        name = task.get_name() if not task.get_name().startswith("Task-") else "task"
        self._write(f"{world.loop.time():9.4f} {owner.name:12} {name:32} {site}\n")
