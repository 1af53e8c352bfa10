"""The exit codes of the `booked` command, and the turning of errors into them; listed in docs/commands.md."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer
from rich.console import Console
from rich.markup import escape

from consumer.errors import (
    BookedError,
    ConfigurationError,
    LedgerError,
    SecretError,
    UnavailableError,
)


class Exit(IntEnum):
    """What the command's exit code says."""

    DONE = 0  # it did what was asked
    FAILED = 1  # something went wrong that we do not know
    USAGE = 2  # the command's words are off
    CONFIGURATION = 3  # a setting or a file is wrong; the message names it
    UNAVAILABLE = 4  # Kafka, Postgres or the ledger does not answer; the same call may work later
    NOT_FOUND = 5  # there is no such order, shop or connection
    REFUSED = 6  # the ledger or its accounts server refused
    FINDINGS = 7  # the check found something to put right
    STOPPED = 8  # it stopped before its end, and can go on from there


def console() -> Console:
    """Give the console for what was asked for: standard output."""
    return Console(soft_wrap=True, highlight=False)


def complain(message: str) -> None:
    """Print an error to standard error."""
    # What is told may hold brackets: an order's id, a ledger's words. They are no markup.
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]error[/] {escape(message)}", markup=True)


@contextmanager
def exits() -> Iterator[None]:
    """Turn what is raised within into a message and an exit code."""
    try:
        yield
    except BookedError as error:
        complain(str(error))
        raise typer.Exit(exit_of(error)) from error
    except KeyboardInterrupt:
        sys.exit(130)


def exit_of(error: BookedError) -> Exit:
    """Give the exit code of an error."""
    match error:
        case ConfigurationError() | SecretError():
            return Exit.CONFIGURATION
        case UnavailableError():
            return Exit.UNAVAILABLE
        case LedgerError():
            return Exit.REFUSED
        case _:
            return Exit.FAILED
