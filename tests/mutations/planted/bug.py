"""The planted bugs: what each breaks, where, and who has to notice. One file each in `bugs/`, named after the bug."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[3]
BUGS: Final = Path(__file__).parent / "bugs"
LINES_MAX: Final = 10
PROMISES: Final = range(1, 9)  # as the design counts them: docs/mutations.md lists them


class StaleBugError(Exception):
    """The text that a bug changes does not stand in its file, or stands there twice: the code has moved on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One piece of text in one file, and the wrong text in its place."""

    file: str
    right: str
    wrong: str

    def applied_to(self, text: str) -> str:
        """Give the file's text with the bug in it. Raises StaleBugError where its place is not found exactly once."""
        if text.count(self.right) != 1:
            raise StaleBugError(f"{self.file}: found {text.count(self.right)} times instead of once:\n{self.right}")
        return text.replace(self.right, self.wrong)

    @property
    def lines(self) -> int:
        """Count the lines that it takes away and adds."""
        compared = difflib.ndiff(self.right.splitlines(), self.wrong.splitlines())
        return sum(line.startswith(("- ", "+ ")) for line in compared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One bug. ``tests`` are what pytest is given; ``schedules`` is how many the simulator may need, 0 for none.

    ``named`` says that the project's list of bugs every suite should find has it.
    """

    name: str
    promise: int
    service: str
    breaks: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...] = ()
    schedules: int = 0
    named: bool = False

    @property
    def lines(self) -> int:
        """Count the lines that it changes, one that is altered once."""
        return max(sum(change.lines for change in self.changes) - sum(_altered(change) for change in self.changes), 1)

    def plant(self, root: Path) -> None:
        """Put the bug into the tree at ``root``, which must not be the one that is worked in."""
        for change in self.changes:
            file = root / change.file
            file.write_text(change.applied_to(file.read_text(encoding="utf-8")), encoding="utf-8")


def _altered(change: Change) -> int:
    """Count the lines that were neither only added nor only taken away."""
    compared = [line[:2] for line in difflib.ndiff(change.right.splitlines(), change.wrong.splitlines())]
    return min(compared.count("- "), compared.count("+ "))


def all_bugs() -> Sequence[Bug]:
    """Read them, in the order of their names."""
    return [_read(path) for path in sorted(BUGS.glob("*.toml"))]


def _read(path: Path) -> Bug:
    told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    changes = tuple(Change(file=one["file"], right=one["right"], wrong=one["wrong"]) for one in told.pop("change"))
    told["tests"] = tuple(told.get("tests", ()))
    return Bug(name=path.stem, changes=changes, **told)
