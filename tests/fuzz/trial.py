"""Many inputs, drawn from seeds: what was fed to whom, and what anybody may not do with it."""

import hashlib
import multiprocessing
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from tests.fuzz.standin import StandIn
from tests.fuzz.targets import TARGETS, Target

CORPUS: Final = Path(__file__).parent / "corpus"
LONGEST_SECONDS: Final = 5  # for one input; far more than any needs, far less than an operator would wait
STAND_IN: Final = "stand-in"
STAND_IN_SHARE: Final = 1  # beside the targets' shares: it is thirty times as slow as the others
PROBLEMS_KEPT: Final = 20


class TooSlowError(AssertionError):
    """One input takes longer than any may."""


@dataclass(kw_only=True)
class Trial:
    """The sum of some inputs. ``problems`` has target, seed and what happened, ``spoilers`` the inputs themselves."""

    inputs: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    spoilers: list[tuple[str, bytes]] = field(default_factory=list)
    slowest_seconds: float = 0.0

    def add(self, other: "Trial") -> None:
        """Add what another has seen."""
        self.inputs += other.inputs
        self.problems = (self.problems + other.problems)[:PROBLEMS_KEPT]
        self.spoilers = (self.spoilers + other.spoilers)[:PROBLEMS_KEPT]
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)


def play(chunk: tuple[int, int, int]) -> Trial:
    """Feed the inputs of a seed with these numbers, each to the target that its number draws."""
    seed, begin, end = chunk
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    stand_in = StandIn()
    try:
        targets, shares = _drawn(stand_in)
        trial = Trial()
        for number in range(begin, end):
            chance = Random(f"{seed}/{number}")  # noqa: S311 # to be drawn again, not to be kept secret
            target = chance.choices(targets, shares)[0]
            _one(target, target.make(chance), f"seed {seed}, number {number}", trial)
        return trial
    finally:
        stand_in.close()
        structlog.configure(**before)


def play_kept() -> Trial:
    """Feed the corpus: what once did harm, and what is odd in a way of its own."""
    stand_in = StandIn()
    try:
        by_name = {target.name: target for target in _drawn(stand_in)[0]}
        trial = Trial()
        for file in sorted(CORPUS.glob("*/*.bin")):
            target = by_name[file.parent.name.replace("_", " ")]
            _one(target, file.read_bytes(), f"{file.parent.name}/{file.name}", trial)
        return trial
    finally:
        stand_in.close()


def play_apart(seed: int, inputs: int, processes: int, at_once: int = 2_000) -> Iterator[Trial]:
    """Play in processes of their own."""
    chunks = [(seed, begin, min(begin + at_once, inputs)) for begin in range(0, inputs, at_once)]
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=20) as pool:
        yield from pool.imap_unordered(play, chunks)


def _drawn(stand_in: StandIn) -> tuple[Sequence[Target], Sequence[int]]:
    ours = Target(name=STAND_IN, make=stand_in.make, feed=stand_in.feed, share=STAND_IN_SHARE)
    targets = (*TARGETS, ours)
    return targets, [target.share for target in targets]


def _one(target: Target, given: bytes, name: str, trial: Trial) -> None:
    trial.inputs[target.name] += 1
    begun = time.perf_counter()
    # Pure code in a circle cannot be told to stop; a signal is what interrupts it.
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(LONGEST_SECONDS)
    try:
        target.feed(given)
    except Exception as error:  # noqa: BLE001 # whatever it is, that is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        trial.problems.append(f"{target.name} ({name}): {type(error).__name__} at {place}: {str(error)[:200]}")
        trial.spoilers.append((target.name, given))
    finally:
        signal.alarm(0)
    trial.slowest_seconds = max(trial.slowest_seconds, time.perf_counter() - begun)


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TooSlowError(f"it takes longer than {LONGEST_SECONDS} s")


def _drop(_logger: WrappedLogger, _name: str, _event: EventDict) -> EventDict:
    raise structlog.DropEvent


def keep(spoilers: Sequence[tuple[str, bytes]], folder: Path) -> None:
    """Write inputs that did harm, named by their content, so that they can be put into the corpus."""
    for name, given in spoilers:
        place = folder / name.replace(" ", "_")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{hashlib.blake2b(given, digest_size=8).hexdigest()}.bin").write_bytes(given)


def table(trial: Trial, seconds: float) -> Iterator[str]:
    """Give the figures as Markdown."""
    yield "| fed to | inputs |"
    yield "| --- | --- |"
    for name, count in sorted(trial.inputs.items()):
        yield f"| {name} | {count:,} |"
    yield f"| all | {trial.inputs.total():,} |"
    yield ""
    yield (
        f"Unhandled errors: {len(trial.problems)}. The slowest input took {trial.slowest_seconds:.2f} s, the whole "
        f"{seconds:.0f} s."
    )
