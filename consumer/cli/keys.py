"""`booked keys new`: a key that seals tokens at rest."""

import secrets as random_source
from typing import Annotated

import typer

from consumer.secrets import generate_key

keys = typer.Typer(no_args_is_help=True, help="Keys that seal the tokens at rest.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")


@keys.callback()
def about() -> None:
    """Keys that seal the tokens at rest."""


@keys.command("new")
def new(
    key_id: Annotated[str | None, typer.Option("--id", help="The key's id; by default a random one.")] = None,
) -> None:
    """Print a new key for BOOKED_SECRET_KEYS; put it before the old ones, which go on reading."""
    typer.echo(f"{key_id or 'k' + random_source.token_hex(3)}:{generate_key()}")
