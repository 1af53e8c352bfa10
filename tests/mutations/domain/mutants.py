"""A mutant: one small change to one place of a module of the domain, and the names under which it is found again."""

import difflib
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change to one module.

    ``module`` is the path below ``consumer/domain`` without ``.py`` ("deciding/new"); ``function`` the qualified name
    of the top-level function or method ("Budget.take"). ``before`` and ``after`` are the changed lines without what is
    the same in both, joined by one space: with the function they name the mutant for a person and for the list of
    survivors, whatever is added elsewhere in the file. ``ordinal`` (from 1) tells apart the same change made twice in
    one function. ``line`` and ``last_line`` are where the changed expression stands, ``function_lines`` where its
    function does (from 1); ``in_default`` says that it stands in a parameter's default. ``text`` is the whole mutated
    module.
    """

    module: str
    function: str
    before: str
    after: str
    ordinal: int
    line: int
    last_line: int
    function_lines: tuple[int, int]
    in_default: bool
    text: str

    @property
    def name(self) -> str:
        """What names the mutant in lists and in the record of what was tried."""
        number = f" #{self.ordinal}" if self.ordinal > 1 else ""
        return f"{self.module} {self.function}: {self.before} => {self.after}{number}"


def digest(text: str) -> str:
    """Tell one text of a module from another: what was found out of one holds for that one only."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changed_lines(original: str, mutated: str) -> tuple[str, str]:
    """Give the lines that differ, of each text, stripped and joined: what a person reads as the mutation."""
    old, new = original.splitlines(), mutated.splitlines()
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return _joined(old[first : len(old) - last]), _joined(new[first : len(new) - last])


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def shown(mutant: Mutant) -> str:
    """Give the mutant as a short difference for a person's eyes."""
    return "\n".join(line for line in difflib.ndiff([mutant.before], [mutant.after]) if not line.startswith("?"))
