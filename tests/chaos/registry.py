"""What `python -m tests.chaos` and `make test` run: crash points and faults, each a function over the rig and a seed.

A fault is added by ``@fault("F14", "answers lost after the commit")`` above ``async def …(rig, seed) -> Trial``; the
modules of tests/chaos/faults are imported by `all_faults`. ``worst=True`` puts it among those that `make test` runs,
``soak=True`` among those that only `make soak` runs.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.oracle import Finding
from tests.chaos.rig import Rig

FAULTS_PACKAGE: Final = "tests.chaos.faults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one run of a point or fault came to. ``figures`` are for the report, with their units in their names.

    ``restart_seconds`` lists, per restart, the time from a process's being up again to the next progress of the world.
    ``missed`` says what numeric goal was not met, ``skipped`` what the machine lacks.
    """

    name: str
    seed: int
    findings: Sequence[Finding] = ()
    missed: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict)
    restart_seconds: Sequence[float] = ()
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether no invariant was violated and every goal was met."""
        return not self.findings and not self.missed


Scenario = Callable[[Rig, int], Awaitable[Trial]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of the list F1 to F30."""

    number: str
    title: str
    run: Scenario
    worst: bool = False
    soak: bool = False


_faults: dict[str, Fault] = {}


def fault(number: str, title: str, *, worst: bool = False, soak: bool = False) -> Callable[[Scenario], Scenario]:
    """Register a fault. Raises ValueError for a number that is taken; a part of one is written "F8 locks"."""

    def register(run: Scenario) -> Scenario:
        if number in _faults and _faults[number].run.__qualname__ != run.__qualname__:
            raise ValueError(f"{number} is registered twice")
        _faults[number] = Fault(number=number, title=title, run=run, worst=worst, soak=soak)
        return run

    return register


def all_faults() -> Mapping[str, Fault]:
    """Import every module of tests/chaos/faults that is no test, and give what they have registered, by number."""
    package = importlib.import_module(FAULTS_PACKAGE)
    for found in pkgutil.iter_modules(package.__path__):
        if not found.name.startswith("test_") and found.name != "conftest":
            importlib.import_module(f"{FAULTS_PACKAGE}.{found.name}")
    return dict(sorted(_faults.items(), key=lambda item: (int(item[0].split()[0][1:]), item[0])))
