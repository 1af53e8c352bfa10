"""`python -m tests.fuzz --inputs 1000000`: feeds spoilt inputs to every parser; ends with 1 where one falls over.

What did harm is written into a folder (`--keep`), to be looked at, cured, and put into the corpus.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.pages import ROOT, write_section
from tests.fuzz.trial import Trial, keep, play_apart, table

EVERY_SECONDS = 30.0
PAGE = ROOT / "docs" / "reliability.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Feed; 0 where nothing fell over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path(".sandbox") / "fuzz", help="where what did harm is written")
    parser.add_argument("--page", action="store_true", help="write the figures into docs/reliability.md")
    given = parser.parse_args(arguments)
    trial, begun, told = Trial(), time.monotonic(), time.monotonic()
    for part in play_apart(given.seed, given.inputs, given.processes):
        trial.add(part)
        if time.monotonic() - told > EVERY_SECONDS:
            told = time.monotonic()
            sys.stderr.write(f"{trial.inputs.total()} of {given.inputs}, {len(trial.problems)} problems\n")
    body = "\n".join(table(trial, time.monotonic() - begun))
    sys.stdout.write(body + "\n" + "".join(f"FAILED: {problem}\n" for problem in trial.problems))
    keep(trial.spoilers, given.keep)
    if given.page and not trial.problems:
        command = f"python -m tests.fuzz --inputs {given.inputs}"
        write_section(page=PAGE, heading="Random inputs", body=body, command=command, seed=str(given.seed))
    return 1 if trial.problems else 0


if __name__ == "__main__":
    sys.exit(main())
