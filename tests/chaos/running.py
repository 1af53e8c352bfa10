"""Runs trials of points and faults, several at a time, and sums them up for a page of the docs."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from tests.chaos.oracle import INVARIANTS
from tests.chaos.registry import Scenario, Trial
from tests.chaos.rig import Rig

ALL: Final = "all"
THOUSAND: Final = 1000  # from here on figures are told in whole units
TRIAL_SECONDS: Final = 600.0
Job = tuple[str, Scenario, int]
"""A name, what to run, and the seed."""


async def run_all(rig: Rig, jobs: Iterable[Job], *, at_once: int) -> AsyncIterator[Trial]:
    """Run trials, so many at a time, and give each when it has ended. One that fails to end so is a miss."""
    waiting = iter(jobs)
    running: set[asyncio.Task[Trial]] = set()
    try:
        while True:
            for name, scenario, seed in waiting:
                running.add(asyncio.create_task(_run(rig, name, scenario, seed), name=f"{name} {seed}"))
                if len(running) >= at_once:
                    break
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run(rig: Rig, name: str, scenario: Scenario, seed: int) -> Trial:
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            return await scenario(rig, seed)
    except Exception as error:  # noqa: BLE001 - the edge of one trial: its failure is told, and the others go on
        return Trial(name=name, seed=seed, missed=(f"{type(error).__name__}: {error}",))


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of the values does not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def table(trials: Sequence[Trial], titles: Mapping[str, str]) -> str:
    """Write a Markdown table: one row per point or fault, then what it came to in all.

    Columns: trials, those without violation or miss, violations, the times from restart to progress, and the medians of
    what else was measured.
    """
    lines = [
        "| | what | trials | passed | violations | restart to progress, p50 | p99 | measured |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    names = dict.fromkeys(trial.name for trial in trials)
    lines += [_row(name, titles.get(name, ""), [trial for trial in trials if trial.name == name]) for name in names]
    lines.append(_row(ALL, "", trials))
    return "\n".join([*lines, "", _violations(trials), *_misses(trials)])


def _row(name: str, title: str, trials: Sequence[Trial]) -> str:
    run = [trial for trial in trials if not trial.skipped]
    found = sum(len(trial.findings) for trial in run)
    seconds = [second for trial in run for second in trial.restart_seconds]
    times = [f"{percentile(seconds, share):.2f} s" if seconds else "" for share in (0.5, 0.99)]
    passed = sum(trial.passed for trial in run)
    measured = "" if name == ALL else _medians(run)
    return f"| {name} | {title} | {len(run)} | {passed} | {found} | {times[0]} | {times[1]} | {measured} |"


def _medians(trials: Sequence[Trial]) -> str:
    names = dict.fromkeys(figure for trial in trials for figure in trial.figures)
    found = {name: [trial.figures[name] for trial in trials if name in trial.figures] for name in names}
    return ", ".join(f"{name.replace('_', ' ')} {_figure(percentile(values, 0.5))}" for name, values in found.items())


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= THOUSAND else f"{value:.4g}"


def _violations(trials: Sequence[Trial]) -> str:
    counts = Counter(finding.invariant for trial in trials for finding in trial.findings)
    return "Violations: " + ", ".join(f"{invariant} {counts[invariant]}" for invariant in INVARIANTS) + "."


def _misses(trials: Sequence[Trial]) -> list[str]:
    """List, one line each, every seed that did not pass and every trial that this machine cannot make."""
    lines = []
    for trial in trials:
        if not trial.passed:
            first = [str(finding) for finding in trial.findings] + list(trial.missed)
            lines.append(f"- {trial.name}, seed {trial.seed}: {_one_line(first[0])}")
    for name, why in dict.fromkeys((trial.name, trial.skipped) for trial in trials if trial.skipped):
        lines.append(f"- {name} was not run: {why}")
    return ["", *lines] if lines else []


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
