"""`booked run`, `booked figures`, `booked health`, `booked migrate`."""

import asyncio
import os
from typing import Annotated

import typer

from consumer.adapters.postgres.migrations import migrate as migrate_database
from consumer.bootstrap.collector import calm_collector
from consumer.bootstrap.figures import run_figures
from consumer.bootstrap.process import Part, run_process
from consumer.cli.context import run_command, settings_now
from consumer.cli.exits import Exit, complain, console, exits
from consumer.cli.roles import roles_of
from consumer.config import Settings
from consumer.web.probe import ask


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("figures")(figures)
    app.command("migrate")(migrate)
    app.command("health")(health)


def run(
    only: Annotated[
        list[Part] | None, typer.Option("--only", help="Run this part alone; may be given several times.")
    ] = None,
) -> None:
    """Run the services until SIGTERM or Ctrl-C: intake, sync and relay, with health and metrics over HTTP."""
    with exits():
        settings = settings_now(quiet=False)
        calm_collector()
        asyncio.run(run_process(settings, frozenset(only or Part)))


def figures() -> None:
    """Show the database's figures as metrics over HTTP, until SIGTERM or Ctrl-C; nothing else.

    A small process of its own that outlives the others: it still tells how old the oldest unbooked order is.
    """
    with exits():
        asyncio.run(run_figures(settings_now(quiet=False)))


def migrate() -> None:
    """Bring the database's schema and the rights of its roles up to date; safe to run again, and by several at once.

    With the address of the role that owns the tables; the services need another one only (booked roles sql).
    """

    async def work(settings: Settings) -> list[str]:
        return await migrate_database(settings.database_url.get_secret_value(), roles=roles_of(settings))

    missing = run_command(work)
    console().print("The schema is up to date.")
    if missing:
        names = " and ".join(missing)
        console().print(f"The server has no role {names}; booked roles sql shows how to make them.", markup=False)


def health() -> None:
    """Ask the service on this machine whether it is alive."""
    alive, text = ask(int(os.environ.get("BOOKED_HTTP_PORT", "8080")))
    if not alive:
        complain(text)
        raise typer.Exit(Exit.UNAVAILABLE)
    console().print(text, markup=False)
