"""The whole `booked` command, every module of it imported: for the docs and the tests. A start takes commands.py."""

from typing import Final

import typer

from consumer.cli.commands import booked_app

app: Final[typer.Typer] = booked_app()
