"""The `booked` command and its parts."""

from typing import Annotated

import typer

from consumer import __version__
from consumer.cli import (
    connecting,
    doctor,
    explaining,
    keys,
    ordering,
    people,
    previewing,
    privacy,
    reconciling,
    recovery,
    rejected,
    replaying,
    roles,
    running,
    setting_up,
)

app = typer.Typer(
    name="booked",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Turns every paid order of a shop into one correct invoice in Zoho Books, and keeps it correct.\n\n"
    "First time: [bold]booked migrate[/], write shops.yaml, [bold]booked apply shops.yaml[/], "
    "[bold]booked connect CONNECTION[/], [bold]booked doctor[/], [bold]booked run[/].",
    epilog="Settings are environment variables BOOKED_…: docs/configuration.md. Exit codes: docs/commands.md.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"booked {__version__}")
        raise typer.Exit


@app.callback()
def booked(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Turn paid orders into invoices."""


running.add_to(app)
setting_up.add_to(app)
connecting.add_to(app)
explaining.add_to(app)
previewing.add_to(app)
people.add_to(app)
ordering.add_to(app)
rejected.add_to(app)
doctor.add_to(app)
recovery.add_to(app)
replaying.add_to(app)
privacy.add_to(app)
reconciling.add_to(app)
keys.add_to(app)
roles.add_to(app)
