"""Clocks and lots of the simulation in place of the machine's: each process reads its own, and the seed decides all.

The services read most clocks through what they are given. What they and the adapters in memory take from the machine
itself (monotonic clock, wall clock, random ids, jitter) is put in its place here, by name, while a schedule is played.
"""

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from random import Random
from types import ModuleType
from typing import Any

from consumer.services import backoff
from tests.simulation.loop import OWNER, Owner, SimulatedLoop

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


class Clock:
    """A process's two clocks: ``steady`` in seconds, ``wall`` in dates. Jumps move them away from the world's time."""

    def __init__(self, loop: SimulatedLoop, owner: Owner) -> None:
        self._loop = loop
        self.steady_ahead = 0.0
        self.wall_ahead = 0.0
        _CLOCKS[owner] = self

    def steady(self) -> float:
        """Read the clock that is never set back; it may leap forward, as after a suspended machine."""
        return self._loop.time() + self.steady_ahead

    def wall(self) -> datetime:
        """Read the clock that people and time servers set."""
        return START + timedelta(seconds=self._loop.time() + self.wall_ahead)


_CLOCKS: dict[Owner, Clock] = {}


class _Machine:
    """What stands in for the machine: the clock of the process that asks, else the world's."""

    def __init__(self, loop: SimulatedLoop, chance: Random) -> None:
        self._loop = loop
        self._chance = chance

    def steady(self) -> float:
        owner = OWNER.get()
        return self._loop.time() if owner is None else _CLOCKS[owner].steady()

    def wall(self) -> datetime:
        owner = OWNER.get()
        return START + timedelta(seconds=self._loop.time()) if owner is None else _CLOCKS[owner].wall()

    def new_id(self) -> uuid.UUID:
        return uuid.UUID(int=self._chance.getrandbits(128), version=4)

    def jitter(self) -> float:
        return self._chance.random()


class _Dates(type):
    """Lets the stand-in for ``datetime`` make and recognise real ones."""

    machine: _Machine

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)

    def __call__(cls, *given: Any, **named: Any) -> Any:
        return datetime(*given, **named)  # noqa: DTZ001 as the caller says

    def __getattr__(cls, name: str) -> Any:
        return getattr(datetime, name)

    def now(cls, zone: tzinfo | None = None) -> datetime:
        """Read the wall clock."""
        return cls.machine.wall().astimezone(zone)


@contextmanager
def in_place(loop: SimulatedLoop, chance: Random) -> Iterator[None]:
    """Put the simulation's clocks, ids and jitter in the place of the machine's, everywhere in ``consumer``."""
    machine = _Machine(loop, chance)
    dates = _Dates("datetime", (), {})
    dates.machine = machine
    stand_ins: dict[int, Any] = {
        id(time.monotonic): machine.steady,
        id(time.perf_counter): machine.steady,
        id(uuid.uuid4): machine.new_id,
        id(datetime): dates,
    }
    jitter = backoff.Backoff.__init__.__kwdefaults__ or {}
    before = [(module, name, vars(module)[name]) for module, name in _places(len(sys.modules))]
    kept = dict(jitter)
    try:
        for module, name, value in before:
            setattr(module, name, stand_ins[id(value)])
        jitter["jitter"] = machine.jitter
        yield
    finally:
        jitter.update(kept)
        for module, name, value in before:
            setattr(module, name, value)
        _CLOCKS.clear()


def _modules() -> list[ModuleType]:
    """Give the modules that run in a simulated process."""
    inside = ("consumer.services", "consumer.lifecycle", "consumer.adapters.memory")
    return [module for name, module in sorted(sys.modules.items()) if name.startswith(inside)]


@cache
def _places(modules: int) -> list[tuple[ModuleType, str]]:
    """Find where these are named; ``modules`` is how many are loaded, since more may come."""
    del modules
    wanted = {id(time.monotonic), id(time.perf_counter), id(uuid.uuid4), id(datetime)}
    return [(one, name) for one in _modules() for name, value in vars(one).items() if id(value) in wanted]
