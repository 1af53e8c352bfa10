"""What a statement touches, told from its text: which tables it reads, and which it writes or locks.

Every statement of the port is a query with a name, in one plain style, so that a text is enough. Where it is not told
apart, a table counts as locked: then more orders are played than need be, never fewer.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from consumer.adapters.postgres.sql import load

TABLES_BY_DAY = frozenset({"events", "exchanges"})
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"
_WORD = re.compile(r"[a-z_]+")
_COMMENT = re.compile(r"--[^\n]*")
_WRITTEN = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM|LOCK TABLE|COPY)\s+([a-z_]+)")
_LOCKING = re.compile(r"\bFOR (?:NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)(?: OF ([a-z]+))?")
_BUILT = re.compile(r"\bEXECUTE format\b")
_QUOTED = re.compile(r"'[^']*'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Tables that are read, and those that are written or whose rows are locked."""

    read: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()

    def __or__(self, other: "Touched") -> "Touched":
        return Touched(read=self.read | other.read, locked=self.locked | other.locked)

    def notices(self, other: "Touched") -> bool:
        """Tell whether it matters which of the two comes first."""
        return bool(self.locked & (other.locked | other.read) or self.read & other.locked)


class Schema:
    """The tables of a database, and which tables the foreign keys of a table look at."""

    def __init__(self, tables: frozenset[str], referred: dict[str, frozenset[str]], functions: dict[str, str]) -> None:
        self.tables = tables
        self._functions = functions
        self._referred = referred
        self._known: dict[str, Touched] = {}

    def touched(self, statement: str) -> Touched:
        """Tell what a statement touches."""
        found = self._known.get(statement)
        if found is None:
            found = self._known[statement] = self._read(statement)
        return found

    def _read(self, statement: str) -> Touched:
        text = self.whole(statement)
        read = self.tables & set(_WORD.findall(text))
        locked = self.tables & set(_WRITTEN.findall(text))
        for match in _LOCKING.finditer(text):
            locked |= self._named(text, match[1], read)
        if _BUILT.search(text):
            # A statement that a function puts together itself: ours do it for the tables that are kept by day.
            locked |= TABLES_BY_DAY & self.tables
        for table in locked:
            read |= self._referred.get(table, frozenset())
        return Touched(read=frozenset(read), locked=frozenset(locked))

    def whole(self, statement: str) -> str:
        """Give a statement without comments and texts, and with the bodies of the functions that it calls."""
        called = [body for name, body in self._functions.items() if re.search(rf"\b{name}\(", statement)]
        return _QUOTED.sub("''", _COMMENT.sub("", "\n".join([statement, *called])))

    def locks(self, statement: str) -> bool:
        """Tell whether a statement writes, or keeps locks until the end of its transaction."""
        text = self.whole(statement)
        return bool(_WRITTEN.search(text) or _LOCKING.search(text) or _BUILT.search(text) or "advisory" in text)

    def _named(self, text: str, alias: str | None, read: set[str] | frozenset[str]) -> frozenset[str]:
        """Give the table behind ``FOR UPDATE OF x``; all that the statement reads where it does not say."""
        if alias is None:
            return frozenset(read)
        found = re.search(rf"\b([a-z_]+)(?: AS)? {alias}\b", text)
        return frozenset({found[1]} & self.tables) if found else frozenset(read)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    folder = files("consumer.adapters.postgres").joinpath("queries")
    sources = [file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql")]
    return {text: f"{source}.{name}" for source in sorted(sources) for name, text in load(source).items()}


def named(statement: str) -> str:
    """Give the name of a query by its text; of what is no query its first line."""
    return _names().get(statement) or statement.splitlines()[0]
