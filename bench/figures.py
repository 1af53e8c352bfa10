"""`make figures`: measures everything the docs tell figures of, and writes it into the pages with its origin.

Each figure is one command. Some runs write their section themselves (they know more than they print); the output of
the others is written as it is. A whole round takes hours; `--only WORD` makes those whose page, heading or command
has that word.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from bench.pages import ROOT, TARGET_MISSED, write_section

LONGEST_SECONDS: Final = 4 * 3600
PERFORMANCE: Final = ROOT / "docs" / "performance.md"
MONEY: Final = ROOT / "docs" / "money.md"
RELIABILITY: Final = ROOT / "docs" / "reliability.md"


class Output(Enum):
    """What a command's output is to the page."""

    TEXT = "text"  # plain lines, shown as they were printed
    MARKDOWN = "markdown"  # tables that are Markdown already
    ITSELF = "itself"  # the run writes its sections, the output is for whoever looks on


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One run: the module's command and the headings, on one page, that its figures stand under.

    ``awaited``: it has not been run in full yet, so that no page has to have its figures.
    """

    page: Path
    headings: tuple[str, ...]
    command: str
    output: Output
    awaited: bool = False


FIGURES: Final = (
    Figure(page=PERFORMANCE, headings=("Mapping",), command="python -m bench.mapping", output=Output.TEXT),
    Figure(page=PERFORMANCE, headings=("Intake",), command="python -m bench.intake", output=Output.TEXT),
    Figure(
        page=PERFORMANCE,
        headings=("From event to invoice",),
        command="python -m bench.latency",
        output=Output.TEXT,
    ),
    Figure(
        page=PERFORMANCE,
        headings=("Memory behind a backlog",),
        command="python -m bench.memory --events 1000000",
        output=Output.TEXT,
    ),
    Figure(page=PERFORMANCE, headings=("Replay",), command="python -m bench.replay", output=Output.TEXT, awaited=True),
    Figure(page=PERFORMANCE, headings=("Claims",), command="python -m bench.claims", output=Output.TEXT, awaited=True),
    Figure(
        page=PERFORMANCE,
        headings=("Start and stop",),
        command="python -m bench.starting",
        output=Output.TEXT,
    ),
    Figure(
        page=PERFORMANCE,
        headings=("A rolling update",),
        command="python -m tests.rolling",
        output=Output.MARKDOWN,
    ),
    Figure(page=MONEY, headings=("Random orders",), command="python -m tests.money.million", output=Output.MARKDOWN),
    Figure(
        page=RELIABILITY,
        headings=("Random interleavings",),
        command="python -m tests.interleaving.many",
        output=Output.MARKDOWN,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Simulated schedules",),
        command="python -m tests.simulation --seeds 100000 --page docs/reliability.md",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Pairs of transactions",),
        command="python -m tests.transactions.all --write",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Crash points", "Faults"),
        command="python -m tests.chaos --seeds 20",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Soak", "Faults of the long run"),
        command="python -m tests.chaos.soak",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Recovery",),
        command="python -m tests.chaos.recovery",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Random inputs",),
        command="python -m tests.fuzz --page",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Planted bugs",),
        command="python -m tests.mutations.planted",
        output=Output.ITSELF,
    ),
    Figure(
        page=RELIABILITY,
        headings=("Mutants of the domain",),
        command="python -m tests.mutations.domain",
        output=Output.ITSELF,
    ),
)


def measure(figure: Figure) -> bool:
    """Run it and write its section; False where a target was missed, and, the page left as it was, where it failed."""
    sys.stderr.write(f"== {', '.join(figure.headings)}: {figure.command}\n")
    words = shlex.split(figure.command)
    printed = None if figure.output is Output.ITSELF else subprocess.PIPE
    done = subprocess.run(  # noqa: S603  # the commands are those above
        [sys.executable, *words[1:]],
        cwd=ROOT,
        check=False,
        stdout=printed,
        text=True,
        timeout=LONGEST_SECONDS,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    if done.returncode not in (0, TARGET_MISSED):
        sys.stderr.write(f"FAILED with {done.returncode}: {figure.command}\n{done.stdout or ''}")
        return False
    if figure.output is not Output.ITSELF:
        body = done.stdout if figure.output is Output.MARKDOWN else f"```text\n{done.stdout.rstrip()}\n```"
        write_section(page=figure.page, heading=figure.headings[0], body=body, command=figure.command)
    return done.returncode == 0


def chosen(word: str) -> tuple[Figure, ...]:
    """Give the figures whose page, heading or command has the word; all for an empty one."""
    low = word.lower()
    return tuple(one for one in FIGURES if low in " ".join((one.page.name, *one.headings, one.command)).lower())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 where every run succeeded."""
    parser = argparse.ArgumentParser(prog="python -m bench.figures", description=__doc__)
    parser.add_argument("--only", default="", help="a word of page, heading or command")
    figures = chosen(parser.parse_args(arguments).only)
    if not figures:
        parser.error("no figure has that word")
    # One that fails keeps none of the others from being measured.
    failed = [figure for figure in figures if not measure(figure)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
