"""How the sandbox says what it is doing: sentences, and bars for downloads."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

Advance = Callable[[int], None]
"""Takes the number of bytes that have arrived since the last call."""


class Narrator(Protocol):
    """Who is told what the sandbox does."""

    def say(self, sentence: str) -> None:
        """One thing that happens now, for a person to read."""
        ...

    def download(self, name: str, total_bytes: int) -> contextlib.AbstractContextManager[Advance]:
        """A download from its first to its last byte."""
        ...


class Silent:
    """Tells nobody; for tests."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    @contextlib.contextmanager
    def download(self, name: str, total_bytes: int) -> Iterator[Advance]:
        """Nothing."""
        del name, total_bytes
        yield lambda _count: None


class OnConsole:
    """Prints on a console: sentences, and one bar per download where the console is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, sentence: str) -> None:
        """Print the sentence."""
        self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def download(self, name: str, total_bytes: int) -> Iterator[Advance]:
        """A bar that is gone once the file is there; without a terminal, one line."""
        if not self._console.is_terminal:
            self.say(f"  {name}, {total_bytes / 1e6:.1f} MB")
        columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self._console, transient=True) as bars:
            bar = bars.add_task(name, total=total_bytes)
            yield lambda count: bars.update(bar, advance=count)
