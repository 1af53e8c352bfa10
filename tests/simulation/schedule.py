"""One schedule played, and the sum of many."""

import gc
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from consumer.domain.states import OrderState
from tests.interleaving.telling import lot
from tests.simulation.clocks import in_place
from tests.simulation.judging import judge
from tests.simulation.loop import SimulatedLoop, run
from tests.simulation.plan import make_plan
from tests.simulation.sites import Site
from tests.simulation.world import World

PROBLEMS_SHOWN = 5
Trace = Callable[[World], None]


@dataclass(kw_only=True)
class Sum:
    """What some schedules came to. ``problems`` name their seed, which ``--seed`` plays again."""

    schedules: int = 0
    steps: int = 0
    events: int = 0
    crashes: int = 0
    crashed_at: Counter[Site] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    pairs: Counter[frozenset[str]] = field(default_factory=Counter)
    cells: Counter[tuple[str, OrderState]] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    fewest_faults: int = 1000
    fewest_events: int = 1000
    problems: list[str] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def add(self, other: "Sum") -> None:
        """Add what another has seen."""
        for name in ("schedules", "steps", "events", "crashes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("crashed_at", "faults", "pairs", "cells", "writes", "ends"):
            getattr(self, name).update(getattr(other, name))
        self.fewest_faults = min(self.fewest_faults, other.fewest_faults)
        self.fewest_events = min(self.fewest_events, other.fewest_events)
        self.problems += other.problems
        self.failed += other.failed


def play(number: int, watch: Trace | None = None) -> Sum:
    """Play the schedule of this number. ``watch`` is given the world before it begins."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    try:
        return _play(number, watch)
    finally:
        structlog.configure(**before)


def play_all(numbers: Iterable[int]) -> Sum:
    """Play many, one after the other."""
    whole = Sum()
    for number in numbers:
        whole.add(play(number))
    return whole


def warm_up() -> None:
    """Play one schedule that does not count, so that processes forked after it need not read and build it all again.

    Nothing of what died may be tidied up anyway: who plays a chunk and ends with it needs no collecting of garbage.
    """
    play(0)
    gc.collect()
    gc.freeze()


def _play(number: int, watch: Trace | None) -> Sum:
    scenario, plan, aims = make_plan(number)
    loop = SimulatedLoop(lot(f"loop {number}"), wildness=plan.wildness, step_seconds=plan.step_seconds)
    world: World | None = None
    problems: list[str] = []

    async def live() -> None:
        nonlocal world
        world = World(loop, scenario, plan, aims)
        if watch is not None:
            watch(world)
        await world.live()

    try:
        with in_place(loop, lot(f"machine {number}")):
            run(loop, live())
    except Exception as error:  # noqa: BLE001 the edge of a schedule: the others are played all the same
        problems.append(f"{type(error).__name__}: {error}")
    assert world is not None
    problems += world.problems + _faults_of(loop)
    if not problems:
        problems += judge(world)
    return _sum(number, world, loop, problems)


def _faults_of(loop: SimulatedLoop) -> list[str]:
    return [f"nobody took an error: {one.get('message')}: {one.get('exception')!r}" for one in loop.faults]


def _sum(number: int, world: World, loop: SimulatedLoop, problems: list[str]) -> Sum:
    met = world.faults
    told = sum(len(order.tellings) for order in world.scenario.orders if order not in world.plan.unpublished)
    return Sum(
        schedules=1,
        steps=loop.steps,
        events=told,
        crashes=len(world.crashed),
        crashed_at=Counter(site for sites in world.crashed for site in sites),
        faults=Counter(kind.value for _, kind in met.met),
        pairs=Counter(frozenset(one.value for one in pair) for pair in met.pairs()),
        cells=Counter(world.cells.reached),
        writes=Counter(effect.name for server in world.servers.values() for effect in server.effects),
        ends=Counter(_place(row) for row in world.database.orders.values()),
        fewest_faults=len(met.kinds),
        fewest_events=told,
        problems=[f"seed {number}: {problem}" for problem in problems[:PROBLEMS_SHOWN]],
        failed=[number] if problems else [],
    )


def _place(row: Any) -> str:
    return str(row.state.value) if row.reason is None else f"{row.state.value}, {row.reason.code.value}"


def _drop(_logger: WrappedLogger, _name: str, _event: EventDict) -> EventDict:
    raise structlog.DropEvent
