"""The command: plays schedules in processes of its own, or one of them step by step, and tells what came of it.

Ends with 1 where an invariant was broken, and, from 20,000 schedules on, where the coverage is not whole.
"""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from multiprocessing.pool import Pool
from pathlib import Path

from bench.pages import write_section
from tests.simulation.aiming import aimed_at
from tests.simulation.coverage import CRASHES_MIN, DEMANDED_FROM, Coverage, coverage, excepted, lacking, missing, told
from tests.simulation.schedule import Sum, play, play_all, warm_up
from tests.simulation.searching import until_failure
from tests.simulation.sites import Site
from tests.simulation.tracing import Tracer

AIMED_AT_ONCE, AIMED_MOST = 12, 1000  # schedules for one place that is lacking: in a round, and in a run
CHUNK = 40  # schedules of one process; what died in it is never tidied up, so that it ends with it
EVERY_SECONDS = 30.0
HEADING = "Simulated schedules"
_HASH_SEED = "PYTHONHASHSEED"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 where everything held and was covered."""
    given = _parser().parse_args(arguments)
    if os.environ.get(_HASH_SEED) != "0":
        # Sets of words have another order in every process unless told so, and a seed must be the same again.
        again = [sys.executable, "-m", "tests.simulation", *(sys.argv[1:] if arguments is None else arguments)]
        os.execve(sys.executable, again, {**os.environ, _HASH_SEED: "0"})  # noqa: S606 ourselves
    if given.seed is not None:
        return _replay(given.seed, traced=given.trace)
    if given.until_failure:
        return 1 if until_failure(range(given.first, given.first + given.seeds), sys.stdout.write) else 0
    begun = time.monotonic()
    great = given.seeds >= DEMANDED_FROM
    seeds = range(given.first, given.first + given.seeds)
    whole = _in_processes(seeds, given.processes, given.crashes if great else 0)
    found = coverage(whole, given.crashes)
    body = "\n".join(table(whole, found, given.crashes, time.monotonic() - begun, given.processes))
    sys.stdout.write(body + "\n")
    for line in (*excepted(), *missing(found), *(f"FAILED: {problem}" for problem in whole.problems)):
        sys.stdout.write(line + "\n")
    if whole.problems or (great and not found.whole):
        return 1
    if given.page is not None:
        _write_page(given.page, body, given.first, given.seeds)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--crashes", type=int, default=CRASHES_MIN, help="at each await, for the coverage")
    parser.add_argument("--seed", type=int, help="play only this one, as a failure names it")
    parser.add_argument("--trace", action="store_true", help="with --seed: print each step")
    parser.add_argument("--until-failure", action="store_true", help="stop at the first one that fails, and name it")
    parser.add_argument("--page", type=Path, help="write the figures into this page, such as docs/reliability.md")
    return parser


def _replay(seed: int, *, traced: bool) -> int:
    one = play(seed, Tracer(sys.stdout.write).watch if traced else None)
    sys.stdout.write(f"seed {seed}: {one.steps} steps, {one.events} events, {one.crashes} crashes\n")
    sys.stdout.write("".join(f"met: {kind} ({count})\n" for kind, count in one.faults.most_common()))
    sys.stdout.write("".join(f"FAILED: {problem}\n" for problem in one.problems))
    return 1 if one.problems else 0


def _in_processes(seeds: range, processes: int, crashes_min: int = 0) -> Sum:
    """Play all; with ``crashes_min`` the last fifth goes first to places at which fewer processes died than that."""
    whole = Sum()
    kept = len(seeds) // 5 if crashes_min else 0
    # Forked, one process for each chunk: what was imported is there already, and what died goes with the process.
    warm_up()
    with multiprocessing.get_context("fork").Pool(processes, gc.disable, maxtasksperchild=1) as pool:
        _play_chunks(pool, seeds[: len(seeds) - kept], whole)
        tried: Counter[Site] = Counter()
        while kept and (numbers := list(islice(_aimed(whole, crashes_min, tried, seeds.start), kept))):
            _play_chunks(pool, numbers, whole)
            kept -= len(numbers)
        _play_chunks(pool, seeds[len(seeds) - kept :], whole)
    return whole


def _play_chunks(pool: Pool, numbers: Sequence[int], whole: Sum) -> None:
    told_at = time.monotonic()
    chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
    for part in pool.imap_unordered(play_all, chunks):
        whole.add(part)
        sys.stderr.writelines(f"FAILED: {problem}\n" for problem in part.problems)
        if time.monotonic() - told_at > EVERY_SECONDS:
            told_at = time.monotonic()
            sys.stderr.write(f"{whole.schedules} schedules, {len(whole.problems)} problems\n")


def _aimed(whole: Sum, crashes_min: int, tried: Counter[Site], first: int) -> Iterator[int]:
    """Give the numbers of a round of schedules for what is lacking: some for each place, more where more is."""
    for site, deaths in lacking(whole, crashes_min).items():
        for _ in range(min(AIMED_AT_ONCE, 1 + deaths // 4)):
            if tried[site] < AIMED_MOST:
                tried[site] += 1
                yield aimed_at(site, first // AIMED_MOST * AIMED_MOST + tried[site])


def table(whole: Sum, found: Coverage, crashes: int, seconds: float, processes: int) -> Iterator[str]:
    """Give the figures as Markdown."""
    yield "| what | figure |"
    yield "| --- | --- |"
    yield f"| schedules | {whole.schedules} |"
    yield f"| a second, in {processes} processes | {whole.schedules / seconds:.1f} |"
    yield f"| schedules in which an invariant was broken | {len(whole.failed)} |"
    yield f"| steps | {whole.steps} |"
    yield f"| events told (fewest in one schedule) | {whole.events} ({whole.fewest_events}) |"
    yield f"| processes killed | {whole.crashes} |"
    yield f"| faults met (fewest kinds in one schedule) | {sum(whole.faults.values())} ({whole.fewest_faults}) |"
    yield from told(found, crashes)
    for kind, count in whole.faults.most_common():
        yield f"| {kind} | {count} |"
    for name, count in whole.writes.most_common():
        yield f"| `{name}` that took effect | {count} |"
    for place, count in whole.ends.most_common():
        yield f"| orders that ended {place} | {count} |"


def _write_page(page: Path, body: str, first: int, seeds: int) -> None:
    command = f"python -m tests.simulation --seeds {seeds} --first {first} --page {page}"
    write_section(page=page, heading=HEADING, body=body, command=command, seed=f"{first} to {first + seeds - 1}")
