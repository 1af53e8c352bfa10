"""The commands of `booked`, each with the module that it stands in: a start imports that of the command called alone.

What a command needs differs by a second of a start, which every CronJob, every `keys new` and every help text would
wait for. The other commands are there by name and first sentence only, for the help and for what is misspelt.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Final

import typer

from consumer import __version__

# By the command's first word: its module in this package, and the first sentence of its help. In the help's sequence.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": (
        "running",
        "Run the services until SIGTERM or Ctrl-C: intake, sync and relay, with health and metrics over HTTP.",
    ),
    "figures": (
        "running",
        "Show the database's figures as metrics over HTTP, until SIGTERM or Ctrl-C; nothing else.",
    ),
    "migrate": (
        "running",
        (
            "Bring the database's schema and the rights of its roles up to date; safe to run again, "
            "and by several at once."
        ),
    ),
    "health": (
        "running",
        "Ask the service on this machine whether it is alive.",
    ),
    "apply": (
        "setting_up",
        "Make connections and shops as the file says.",
    ),
    "connect": (
        "connecting",
        "Authorise a connection: prints the address to open, waits for the browser, and stores the sealed token.",
    ),
    "explain": (
        "explaining",
        "Tell what came in for an order, what was decided and why, what was sent, and what was answered.",
    ),
    "preview": (
        "previewing",
        "Show what would be sent for an order: each request to the letter, the totals, the customer; or why it parks.",
    ),
    "orders": (
        "people",
        "Count and sum the orders of a state by shop and reason, with the fix of each.",
    ),
    "parked": (
        "people",
        "Show the parked orders by cause, over all shops: count, sum, oldest and fix; then booked release GROUP.",
    ),
    "release": (
        "people",
        "Let a group of orders go on, of one shop or all; count and sum are shown first. Also: SHOP --reason, --order.",
    ),
    "doctor": (
        "doctor",
        "Check Kafka, Postgres, schema, tokens, organisations, taxes, rounding and shops; say what to fix.",
    ),
    "resume": (
        "doctor",
        "Let a stopped connection go on, after what stopped it was put right.",
    ),
    "look-first": (
        "recovery",
        "Make every lane list what its ledger holds before it makes anything: for after a restore of the database.",
    ),
    "replay": (
        "replaying",
        "Compare topics and shops' own lists with what is recorded, put in what is missing, and wake what is stuck.",
    ),
    "retention": (
        "privacy",
        "Remove what is older than its setting says, and make the days to come; safe beside running services.",
    ),
    "erase": (
        "privacy",
        "Erase what is kept of a customer; their orders' keys, figures and lines stay, without the person.",
    ),
    "export": (
        "privacy",
        "Write all that is kept of a customer as JSON: every row, and from which table and why it is there.",
    ),
    "reconcile": (
        "reconciling",
        "Compare a period's orders with the ledger's documents; name what differs, with its fix. Changes no document.",
    ),
    "positions": (
        "recovery",
        "How far each partition of the order topics was taken.",
    ),
    "order": (
        "ordering",
        "What a person does to one order.",
    ),
    "rejected": (
        "rejected",
        "Messages that could not be orders.",
    ),
    "keys": (
        "keys",
        "Keys that seal the tokens at rest.",
    ),
    "roles": (
        "roles",
        "Roles of the database: SQL for its administrator.",
    ),
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"booked {__version__}")
        raise typer.Exit


def booked_app(words: Sequence[str] | None = None) -> typer.Typer:
    """Give the command for these words of the command line; for None with every module, whatever is called."""
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
    app.callback()(_booked)
    called = None if words is None else COMMANDS.get(next(iter(words), ""), ("", ""))[0]
    added: set[str] = set()
    for name, (module, sentence) in COMMANDS.items():
        if called is not None and module != called:
            app.command(name, help=sentence)(_not_called)
        elif module not in added:
            added.add(module)
            import_module(f"consumer.cli.{module}").add_to(app)
    return app


def _booked(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Turn paid orders into invoices."""


def _not_called() -> None:
    """Stand for a command that another one was called instead of."""
    raise AssertionError("a command was called that the table of commands does not lead to")
