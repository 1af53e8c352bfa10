"""Every place in the services where a coroutine may wait, and which of them a dying process stood at.

The places are read from the source: each ``await``, ``async with`` and ``async for``. Where a task stands is read from
its chain of coroutines, down to the innermost.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import _AsyncGeneratorContextManager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any

from tests.simulation.loop import Owner

SERVICES = Path(__file__).parents[2] / "consumer" / "services"
_INSIDE = str(SERVICES) + "/"
_CONTEXT_CODES = frozenset(
    id(getattr(_AsyncGeneratorContextManager, name).__code__) for name in ("__aenter__", "__aexit__")
)


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """One place: file, line, column (which tells two awaits of one line apart), function, and the code itself."""

    file: str
    line: int
    column: int
    function: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.code}"


@cache
def all_sites() -> tuple[Site, ...]:
    """Read the services' source, and give its sites in the order of files and lines."""
    return tuple(sorted(site for path in sorted(SERVICES.glob("*.py")) for site in _sites(path)))


def _sites(path: Path) -> Iterator[Site]:
    yield from _walk(ast.parse(path.read_text(encoding="utf-8")), path.name, "")


def _walk(node: ast.AST, file: str, function: str) -> Iterator[Site]:
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{function}.{child.name}".lstrip(".")
        if isinstance(child, ast.Await | ast.AsyncWith | ast.AsyncFor):
            code = ast.unparse(child).splitlines()[0][:80]
            yield Site(file, child.lineno, child.col_offset, inside, code)
        yield from _walk(child, file, inside)


@cache
def _by_place() -> dict[tuple[str, int, int], Site]:
    return {(site.file, site.line, site.column): site for site in all_sites()}


@cache
def _by_line() -> dict[tuple[str, int], Site]:
    return {(site.file, site.line): site for site in all_sites()}


def site_of(frame: FrameType) -> Site | None:
    """Tell at which place of the services a waiting frame stands; None for a frame of anybody else."""
    # By the code's address: to hash a code anew each time takes longer than all the rest.
    place = (id(frame.f_code), frame.f_lasti)
    if place not in _SEEN:
        _SEEN[place] = (frame.f_code, _site_at(frame.f_code, frame.f_lasti))
    return _SEEN[place][1]


_SEEN: dict[tuple[int, int], tuple[CodeType, Site | None]] = {}  # the code is kept, so that its address stays its own


def _site_at(code: CodeType, instruction: int) -> Site | None:
    if not code.co_filename.startswith(_INSIDE):
        return None
    file = code.co_filename.removeprefix(_INSIDE)
    line, _, column, _ = list(code.co_positions())[instruction // 2]
    exact = _by_place().get((file, line or 0, column or 0))
    # An ``async with`` waits where its expression stands, which is on its first line.
    return exact or _by_line().get((file, line or 0))


def standing(task: Any) -> Iterator[Site]:
    """Give the places at which a waiting task stands, from the outermost coroutine to the innermost."""
    waiting = task.get_coro()
    while waiting is not None:
        if (site := _site_of(waiting)) is not None:
            yield site
        waiting = _inner(waiting)


def _site_of(waiting: Any) -> Site | None:
    # An innermost thing that is no coroutine (a future's iterator, a generator's step) has no frame.
    frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
    return None if frame is None else site_of(frame)


def _inner(waiting: Any) -> Any:
    if isinstance(waiting, CoroutineType):
        if id(waiting.cr_code) in _CONTEXT_CODES and waiting.cr_frame is not None:
            # The generator behind a context manager is reached by no attribute of what awaits it.
            return waiting.cr_frame.f_locals["self"].gen
        return waiting.cr_await
    for name in ("ag_await", "gi_yieldfrom"):
        if hasattr(waiting, name):
            return getattr(waiting, name)
    return None


def sites_of(owner: Owner) -> frozenset[Site]:
    """Give all places at which a process's tasks stand."""
    return frozenset(site for task in owner.tasks for site in standing(task))


@dataclass(slots=True)
class Aims:
    """At which places a schedule wants processes to die: at which visit of each, and how often at most.

    ``first`` is the place that the schedule is there for; at the ``others`` fewer die, so that it is reached.
    """

    first: Site
    visits: int
    others: Mapping[Site, int] = field(default_factory=dict)
    first_deaths: int = 4
    other_deaths: int = 1
    _left: dict[Site, int] = field(default_factory=dict)
    _functions: frozenset[tuple[str, str]] = frozenset()
    _aimed: dict[int, bool] = field(default_factory=dict)  # by a code's address: whether it has such a place

    def __post_init__(self) -> None:
        self._left = {**self.others, self.first: self.visits}
        self._functions = frozenset((site.file, site.function.rpartition(".")[2]) for site in self._left)

    def hit(self, task: Any, *, others: bool = True) -> bool:
        """Tell whether the task, just stepped, stands at such a place, and this visit is the wanted one."""
        # This is asked after every step of every task, and nearly all frames are none of these functions.
        waiting = task.get_coro()
        while waiting is not None:
            code = getattr(waiting, "cr_code", None) or getattr(waiting, "ag_code", None)
            if code is None:
                return False
            aimed = self._aimed.get(id(code))
            if aimed is None:
                aimed = self._aimed[id(code)] = _function(code) in self._functions
            if aimed and self._hit_at(_site_of(waiting), others=others):
                return True
            waiting = _inner(waiting)
        return False

    def _hit_at(self, site: Site | None, *, others: bool) -> bool:
        if site is None or not (others or site == self.first):
            return False
        left = self._left.get(site)
        if left is None:
            return False
        if left > 1:
            self._left[site] = left - 1
            return False
        if site == self.first:
            self._left[site] = self.visits
            self.first_deaths -= 1
            return self.first_deaths >= 0
        del self._left[site]
        self.other_deaths -= 1
        return self.other_deaths >= 0


def _function(code: CodeType) -> tuple[str, str] | None:
    if not code.co_filename.startswith(_INSIDE):
        return None
    return code.co_filename.removeprefix(_INSIDE), code.co_name
