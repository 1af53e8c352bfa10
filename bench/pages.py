"""Writes measured figures into a page of the docs: under their heading, with commit, date, machine and command.

A section that was written so begins with a line that says where it comes from; `tests/docs` refuses one whose commit
this repository does not know, and `python -m bench.figures` makes all of them again.
"""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
MEASURED: Final = re.compile(
    r"^Measured at commit `(?P<commit>[0-9a-f]{12})`(?P<changed> and changes after it)?,"
    r" (?P<day>\d{4}-\d{2}-\d{2}), (?P<machine>[^,]+), by `(?P<command>[^`]+)`(?P<seed>, seed .+)?\.$",
    re.MULTILINE,
)
TARGET_MISSED: Final = 3  # the end of a run that has measured all, and some of it was not what is wanted
_GIT_SECONDS = 30
_TURNS: Final = 1_000_000


def write_section(*, page: Path, heading: str, body: str, command: str, seed: str | None = None) -> None:
    """Put ``body`` (Markdown, without headings of the first two levels) under ``## heading`` of the page.

    A section of that heading is replaced as a whole; without one it is added at the end, and a page that is missing
    is begun. ``command`` is what a reader types to have the figures again; ``seed`` is told where the command does not.
    """
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {page.stem.capitalize()}\n"
    section = f"## {heading}\n\n{_origin(command, seed)}\n\n{body.strip()}\n"
    before, found, rest = _parted(text, heading)
    after = f"\n{rest}" if found and rest else ""
    page.write_text(f"{before.rstrip()}\n\n{section}{after}", encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Give a page's sections of the second level: their text by their heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {heading.strip(): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def _parted(text: str, heading: str) -> tuple[str, bool, str]:
    """Part a page into what stands before a section and what comes after it."""
    begin = re.search(rf"^## {re.escape(heading)}$", text, re.MULTILINE)
    if begin is None:
        return text, False, ""
    end = re.compile(r"^## ", re.MULTILINE).search(text, begin.end())
    return text[: begin.start()], True, text[end.start() :] if end else ""


def _origin(command: str, seed: str | None) -> str:
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = " and changes after it" if _git("status", "--porcelain", "--", ":!docs") else ""
    day = datetime.now(UTC).date().isoformat()
    drawn = f", seed {seed}" if seed is not None else ""
    return f"Measured at commit `{commit}`{changed}, {day}, {_machine()}, by `{command}`{drawn}."


def _machine() -> str:
    python = f"Python {platform.python_version()}"
    return (
        f"{os.cpu_count()} cores {platform.machine()} with {python} ({_pace_seconds() * 1000:.0f} ms for a bare loop)"
    )


def _pace_seconds() -> float:
    """Time a million turns of a bare loop, at its best of three: by it figures of two machines can be compared."""
    best = float("inf")
    for _ in range(3):
        began = process_time()
        for turn in range(_TURNS):
            turn * turn
        best = min(best, process_time() - began)
    return best


def _git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # a fixed program; the arguments are ours
        ["git", *arguments],  # noqa: S607  # whichever git the developer has
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=_GIT_SECONDS,
    )
    return done.stdout.strip()
