"""`python -m tests.mutations.planted`: plants each bug into a copy of the tree and shows which test catches it.

Ends with 1 where one was not caught, or was no fair trial. `--only WORD` tries those whose name has the word;
`--sound` runs the same tests without the bugs, which must all pass.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from bench.pages import ROOT, write_section
from tests.mutations.planted.bug import Bug, all_bugs
from tests.mutations.planted.workshop import Verdict, Workshop

PAGE = ROOT / "docs" / "reliability.md"
COMMAND = "python -m tests.mutations.planted"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try them; 0 where each was caught."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--only", default="", help="a word of the bug's name")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sound", action="store_true", help="run the tests without the bugs; they must pass")
    given = parser.parse_args(arguments)
    bugs = [bug for bug in all_bugs() if given.only in bug.name]
    verdicts = []
    for verdict in _try_all(bugs, given.processes, sound=given.sound):
        verdicts.append(verdict)
        sys.stdout.write(f"{verdict.bug.name}: {_said(verdict, sound=given.sound)} ({verdict.seconds:.0f} s)\n")
        sys.stdout.flush()
    bad = [one for one in verdicts if one.trouble or not (one.caught_by or given.sound)]
    sys.stdout.write(f"{len(verdicts) - len(bad)} of {len(verdicts)}\n")
    if not (given.only or given.sound or bad):
        write_section(page=PAGE, heading="Planted bugs", body="\n".join(table(verdicts)), command=COMMAND)
    return 1 if bad or not verdicts else 0


def _try_all(bugs: Sequence[Bug], processes: int, *, sound: bool) -> Iterator[Verdict]:
    """Try several at a time, each in a copy of the tree of its own."""
    with tempfile.TemporaryDirectory(prefix="booked-bugs-") as folder, ThreadPoolExecutor(processes) as pool:
        free: Queue[Workshop] = Queue()
        for number in range(processes):
            place = Path(folder) / str(number)
            place.mkdir()
            free.put(Workshop(place))

        def one(bug: Bug) -> Verdict:
            workshop = free.get()
            try:
                return workshop.try_sound(bug) if sound else workshop.try_bug(bug)
            finally:
                free.put(workshop)

        yield from pool.map(one, bugs)


def _said(verdict: Verdict, *, sound: bool) -> str:
    if verdict.trouble:
        return f"NO FAIR TRIAL: {verdict.trouble}"
    if sound:
        return "its tests pass without it"
    return f"caught by {verdict.caught_by}" if verdict.caught_by else "NOT CAUGHT"


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Give the page's table: each bug, what it breaks, and who noticed."""
    caught = sum(bool(one.caught_by) for one in verdicts)
    yield f"{caught} of {len(verdicts)} caught."
    yield ""
    yield "| bug | promise | service | what it does | caught by |"
    yield "| --- | --- | --- | --- | --- |"
    for one in verdicts:
        bug = one.bug
        by = one.caught_by.replace("|", "/") or "NOT CAUGHT"
        by = f"`{by}`" if by.startswith("tests/") else by
        yield f"| `{bug.name}`{' (named)' if bug.named else ''} | {bug.promise} | {bug.service} | {bug.breaks} | {by} |"


if __name__ == "__main__":
    sys.exit(main())
