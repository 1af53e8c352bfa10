"""Live progress: one bar per part on a terminal, a line now and then elsewhere."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

QUARTERS = 4


class Show(Protocol):
    """Who is told how far a part is."""

    def __call__(self, title: str, done: int) -> None:
        """So many orders of the part have their end."""
        ...


@contextlib.contextmanager
def progress(console: Console, totals: Mapping[str, int]) -> Iterator[Show]:
    """Show progress while the block lasts; ``totals`` is how many orders each part has, by its title."""
    if not console.is_terminal:
        yield _Lines(console, totals)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {title: bars.add_task(title, total=total) for title, total in totals.items()}
        yield lambda title, done: bars.update(tasks[title], completed=done)


class _Lines:
    """A line at each quarter: a log is not to be flooded."""

    def __init__(self, console: Console, totals: Mapping[str, int]) -> None:
        self._console = console
        self._totals = totals
        self._said: dict[str, int] = {}

    def __call__(self, title: str, done: int) -> None:
        total = self._totals[title]
        quarter = done * QUARTERS // max(1, total)
        if quarter > self._said.get(title, 0):
            self._said[title] = quarter
            self._console.print(f"{title}: {done} of {total} have their end", highlight=False, markup=False)
