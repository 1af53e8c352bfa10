"""`python -m tests.interleaving.many`: a hundred thousand interleavings, seeded and counted.

Prints what was played as Markdown and every problem with the name of its world; ends with 1 where there was one.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

from tests.interleaving.trial import Trial, names_of, play_apart
from tests.interleaving.world import COPIES, HISTORIES

CHUNK_WORLDS = 20
EVERY_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 where every interleaving ended as its newest revision asks, 1 where one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.interleaving.many", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="of interleavings, at least")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--world", help="play only the world of this name, as a problem states it")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    worlds = -(-given.count // (HISTORIES * COPIES))
    names = [given.world] if given.world else names_of(given.seed, range(worlds))
    trial = _in_processes(names, given.processes)
    sys.stdout.write("\n".join(table(trial, time.monotonic() - begun)) + "\n")
    sys.stdout.write("".join(f"FAILED: {problem}\n" for problem in trial.problems))
    return 1 if trial.problems else 0


def _in_processes(names: Sequence[str], processes: int) -> Trial:
    chunks = [names[n : n + CHUNK_WORLDS] for n in range(0, len(names), CHUNK_WORLDS)]
    trial, told = Trial(), time.monotonic()
    for part in play_apart(chunks, processes):
        trial.add(part)
        if time.monotonic() - told > EVERY_SECONDS:
            told = time.monotonic()
            sys.stderr.write(f"{trial.worlds} of {len(names)} worlds, {len(trial.problems)} problems\n")
    return trial


def table(trial: Trial, seconds: float) -> Iterator[str]:
    """Give the table's lines: what was played, what was written, and where the orders stand."""
    yield "| what | count |"
    yield "| --- | --- |"
    yield f"| interleavings (orders, each told in an order of its own) | {trial.interleavings} |"
    yield f"| worlds | {trial.worlds} |"
    yield f"| messages | {trial.messages} |"
    yield f"| processes killed | {trial.deaths} |"
    for name, count in trial.writes.most_common():
        yield f"| `{name}` that took effect | {count} |"
    for place, count in trial.ends.most_common():
        yield f"| orders that ended {place} | {count} |"
    yield f"| problems | {len(trial.problems)} |"
    yield f"| seconds | {seconds:.0f} |"


if __name__ == "__main__":
    sys.exit(main())
