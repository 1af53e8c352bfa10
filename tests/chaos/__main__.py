"""``python -m tests.chaos``: every crash point with 20 seeds, then the faults; writes docs/reliability.md."""

import argparse
import asyncio
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bench.pages import ROOT, write_section
from consumer.failpoints import POINTS
from sandbox.folders import sandbox_folder
from tests.chaos.points import SCENARIOS, chosen
from tests.chaos.registry import Fault, Trial, all_faults
from tests.chaos.rig import Rig, own_servers
from tests.chaos.running import Job, run_all, table

INTRODUCTION = (
    "Two `booked run` processes, a real Kafka and Postgres, and the stand-in over HTTP; a process is killed at the "
    "point, at a passing drawn from the seed, and started again. Judged from outside: docs/chaos.md. The time from "
    "restart to progress begins when the process serves its health again."
)
PAGE = ROOT / "docs" / "reliability.md"
NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What to run. ``minutes`` ends a run early; what was done by then is reported."""

    points: Sequence[Job]
    faults: Sequence[Job]
    at_once: int
    minutes: float


def main() -> int:
    """Run, print, write the page; 1 where anything was violated or missed."""
    options = _options()
    first = random.SystemRandom().randrange(1_000_000) if options.first is None else options.first
    faults = {} if options.faults == [NONE] else _faults(options.faults)
    points = {} if options.points == [NONE] else chosen(options.points) if options.points else dict(SCENARIOS)
    run = _Run(
        # By seed first: a run that is ended early has tried every point.
        points=[(name, points[name], first + n) for n in range(options.seeds) for name in points],
        faults=[(name, faults[name].run, first) for name in faults],
        at_once=options.at_once,
        minutes=options.minutes,
    )
    _say(f"first seed {first}; {len(run.points)} trials of crash points, {len(run.faults)} of faults")
    of_points, of_faults = asyncio.run(_run(run))
    if options.write:
        _write(PAGE, of_points, of_faults, faults, first)
    trials = [*of_points, *of_faults]
    failed = [trial for trial in trials if not trial.passed]
    _say(f"{len(trials)} trials, {len(failed)} not passed; first seed {first}")
    return 1 if failed or not trials else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of each crash point")
    parser.add_argument("--first", type=int, help="the first seed; drawn where it is not given")
    parser.add_argument("--points", nargs="*", default=[], help="these points alone (names or C-numbers), or none")
    parser.add_argument("--faults", nargs="*", default=[], help="these faults alone (F-numbers), or none")
    parser.add_argument("--at-once", type=int, default=3, help="crash points at a time; faults run one by one")
    parser.add_argument("--minutes", type=float, default=180.0, help="begin nothing new after this")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/reliability.md as it is")
    return parser.parse_args()


def _faults(numbers: Sequence[str]) -> dict[str, Fault]:
    registered = all_faults()
    unknown = [number for number in numbers if number not in registered]
    if unknown:
        raise SystemExit(f"no fault {', '.join(unknown)}; there are {', '.join(registered)}")
    return {name: one for name, one in registered.items() if (name in numbers) or (not numbers and not one.soak)}


async def _run(run: _Run) -> tuple[list[Trial], list[Trial]]:
    ends = monotonic() + run.minutes * 60
    with sandbox_folder() as folder:
        async with own_servers(folder) as servers:
            of_points = await _some(servers.rig, run.points, run.at_once, ends)
            return of_points, await _some(servers.rig, run.faults, 1, ends)


async def _some(rig: Rig, jobs: Sequence[Job], at_once: int, ends: float) -> list[Trial]:
    in_time = (job for job in jobs if monotonic() < ends)
    trials = []
    async for trial in run_all(rig, in_time, at_once=at_once):
        trials.append(trial)
        _say(f"{len(trials):4} {trial.name}, seed {trial.seed}: {_said(trial)}")
    return trials


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _said(trial: Trial) -> str:
    if trial.skipped:
        return f"not run: {trial.skipped}"
    return "; ".join([*map(str, trial.findings), *trial.missed]) or "ok"


def _write(
    page: Path, of_points: Sequence[Trial], of_faults: Sequence[Trial], faults: Mapping[str, Fault], first: int
) -> None:
    """Write a section for what was run; none where anything failed, which is told by its seed instead."""
    seeds = len({trial.seed for trial in of_points})
    titles = {number: one.title for number, one in faults.items()}
    sections = (
        ("Crash points", of_points, POINTS, f"{INTRODUCTION}\n\n", f"--seeds {seeds} --faults none"),
        ("Faults", of_faults, titles, "", "--points none"),
    )
    for heading, trials, names, introduction, options in sections:
        if trials and all(trial.passed for trial in trials):
            body = f"{introduction}{table(trials, names)}"
            command = f"python -m tests.chaos {options} --first {first}"
            write_section(page=page, heading=heading, body=body, command=command)


if __name__ == "__main__":
    sys.exit(main())
