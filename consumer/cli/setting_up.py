"""`booked apply`: connections, shops and their settings from a YAML file."""

import os
from pathlib import Path
from typing import Annotated

import typer

from consumer.bootstrap.parts import open_stores
from consumer.cli.context import person, run_command
from consumer.cli.exits import console
from consumer.cli.shops_file import read_shops_file
from consumer.config import Settings
from consumer.ports.settings import Applied


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("apply")(apply)


def apply(
    file: Annotated[Path, typer.Argument(help="The YAML file of connections and shops.", metavar="FILE")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Make connections and shops as the file says.

    What the file does not name becomes inactive; nothing is deleted. Orders that waited for a setting go on.
    """

    async def work(settings: Settings) -> Applied:
        plan = read_shops_file(file, os.environ)
        async with open_stores(settings, name="booked-apply") as stores:
            return await stores.settings.apply(plan.connections, plan.shops, actor=person(actor), dry_run=dry_run)

    applied = run_command(work)
    out = console()
    for change in applied.changes:
        out.print(f"  {change}", markup=False)
    done = "would change" if dry_run else "changed"
    out.print(f"{len(applied.changes) or 'nothing'} {done}; orders that are due by it: {applied.orders_due}")
