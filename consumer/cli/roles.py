"""`booked roles`: the SQL that makes the roles of the database, and logins that read one shop's rows."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from consumer.adapters.postgres.roles import Roles, reader_sql, roles_sql
from consumer.cli.context import settings_now
from consumer.cli.exits import exits
from consumer.config import Settings

roles = typer.Typer(no_args_is_help=True, help="Roles of the database: SQL for its administrator.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(roles, name="roles")


def roles_of(settings: Settings) -> Roles:
    """Give the names of the roles, as they are set."""
    return Roles(services=settings.database_services_role, reader=settings.database_reader_role)


@roles.callback()
def about() -> None:
    """Print SQL for the database's administrator; it changes nothing itself."""


@roles.command("sql")
def sql() -> None:
    """Print the SQL that makes the services' role and the shops' reading role; then run booked migrate."""
    with exits():
        settings = settings_now()
        typer.echo(roles_sql(roles_of(settings), database=_database(settings)), nl=False)


@roles.command("reader")
def reader(
    login: Annotated[str, typer.Argument(help="The login to make, such as shop_a_reader.")],
    shop: Annotated[str, typer.Option(help="The shop whose rows it may read.")],
) -> None:
    """Print the SQL that makes a login which reads one shop's orders, documents, decisions and events, no more."""
    with exits():
        typer.echo(reader_sql(roles_of(settings_now()), login=login, shop_id=shop), nl=False)


def _database(settings: Settings) -> str:
    parts = urlsplit(settings.database_url.get_secret_value())
    return unquote(parts.path.lstrip("/")) or unquote(parts.username or "")
