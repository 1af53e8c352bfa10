"""Many worlds, one after the other, each from a name of its own: what was played, and what was wrong."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from structlog.typing import EventDict, WrappedLogger

from tests.interleaving.world import World
from tests.services.sync.virtual_time import run

_HASH_SEED = "PYTHONHASHSEED"
PROBLEMS_SHOWN = 5  # of one world; the rest mostly says the same


@dataclass(kw_only=True)
class Trial:
    """The sum of some worlds. ``problems`` name their world, which ``many --world NAME`` plays again."""

    worlds: int = 0
    interleavings: int = 0  # orders, each told in an order of its own
    messages: int = 0
    deaths: int = 0  # of processes
    writes: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)  # where the orders stand
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Trial") -> None:
        """Add what another has seen."""
        self.worlds += other.worlds
        self.interleavings += other.interleavings
        self.messages += other.messages
        self.deaths += other.deaths
        self.writes += other.writes
        self.ends += other.ends
        self.problems += other.problems


def play(names: Iterable[str]) -> Trial:
    """Play the worlds of these names."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        trial = Trial()
        for name in names:
            trial.add(_play(name))
        return trial
    finally:
        structlog.configure(**before)


def play_apart(chunks: Sequence[Sequence[str]], processes: int) -> Iterator[Trial]:
    """Play in processes of their own, whose sets are in the same order every time: a name is the same world again."""
    before = os.environ.get(_HASH_SEED)
    os.environ[_HASH_SEED] = "0"
    try:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            yield from pool.imap_unordered(play, chunks)
    finally:
        if before is None:
            del os.environ[_HASH_SEED]
        else:
            os.environ[_HASH_SEED] = before


def names_of(seed: str, numbers: Iterable[int]) -> list[str]:
    """Name the worlds of a seed."""
    return [f"{seed}/{number}" for number in numbers]


def _play(name: str) -> Trial:
    world = World(name)
    try:
        run(world.live())
    except AssertionError as error:
        world.judge.problems.append(f"{type(error).__name__}: {error}")
    problems = [f"world {name} ({world.setting}): {problem}" for problem in world.judge.problems[:PROBLEMS_SHOWN]]
    return Trial(
        worlds=1,
        interleavings=len(world.orders),
        messages=world.messages,
        deaths=world.deaths,
        writes=Counter(operation.name for operation in world.book.commits),
        ends=Counter(world.judge.place(order_id) for order_id in world.orders),
        problems=problems,
    )


def _drop(_logger: WrappedLogger, _name: str, _event: EventDict) -> EventDict:
    raise structlog.DropEvent
