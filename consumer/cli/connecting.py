"""`booked connect`: authorise a connection at Zoho, from a terminal."""

import asyncio
from typing import Annotated

import typer

from consumer.bootstrap.parts import LedgerWay, Stores, steady_clock
from consumer.cli.callback import Callback, wait_for_callback
from consumer.cli.context import person, run_command, stores_and_ledgers
from consumer.cli.doctor import print_findings, rounding_checkup, with_facts
from consumer.cli.exits import console
from consumer.config import Settings
from consumer.domain.settings import ConnectionSettings
from consumer.errors import ConfigurationError, ConnectionStoppedError, StopCause
from consumer.failpoints import failpoint
from consumer.ports.ledger import ClientCredentials, Grant
from consumer.services.asking import asking
from consumer.services.checkup import Finding

WAIT_SECONDS = 600.0


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("connect")(connect)


def connect(
    connection: Annotated[str, typer.Argument(help="The connection's name in shops.yaml.")],
    self_client: Annotated[
        str | None,
        typer.Option("--self-client", help="A code from the API console's Self Client, instead of a browser."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of this machine that the browser is sent back to.")] = 8788,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Authorise a connection: prints the address to open, waits for the browser, and stores the sealed token.

    BOOKED_ZOHO_CLIENT_ID and BOOKED_ZOHO_CLIENT_SECRET are those of Zoho's API console; the address
    http://127.0.0.1:PORT/callback has to be among the client's redirect addresses there.
    """

    async def work(settings: Settings) -> None:
        async with stores_and_ledgers(settings) as (stores, way):
            named = await _connection(stores, connection)
            client = _client(settings)
            grant = await _grant(way, named, client, self_client, port)
            failpoint("code_exchanged")
            await _store(stores, named, client, grant, person(actor))
            console().print(f"Connection {connection} is authorised. Next: booked doctor", markup=False)
            print_findings(await _rounding(stores, way, connection))

    run_command(work)


async def _rounding(stores: Stores, way: LedgerWay, connection: str) -> list[Finding]:
    """Tell how shops and organisation round, where orders are known already: before the first booking is the time."""
    view = await stores.lanes.view(connection)
    async with asking(
        view, open_ledger=way.open, bookings=stores.bookings, calls=stores.calls, steady=steady_clock
    ) as caller:
        return await rounding_checkup(stores).check(await with_facts(stores, view, caller), caller)


async def _connection(stores: Stores, connection_id: str) -> ConnectionSettings:
    for connection in await stores.settings.connections():
        if connection.connection_id == connection_id:
            return connection
    raise ConfigurationError(connection_id, "there is no such connection; add it to shops.yaml and run booked apply")


def _client(settings: Settings) -> ClientCredentials:
    if not settings.zoho_client_id:
        raise ConfigurationError("BOOKED_ZOHO_CLIENT_ID", "it is needed to connect; take it from Zoho's API console")
    if settings.zoho_client_secret is None:
        raise ConfigurationError("BOOKED_ZOHO_CLIENT_SECRET", "it is needed to connect")
    return ClientCredentials(
        client_id=settings.zoho_client_id, client_secret=settings.zoho_client_secret.get_secret_value()
    )


async def _grant(
    way: LedgerWay, connection: ConnectionSettings, client: ClientCredentials, code: str | None, port: int
) -> Grant:
    if code is not None:
        return await way.accounts.exchange_code(connection.data_center, client, code, None)
    accounts_host = way.data_centers.get(connection.data_center).accounts
    callback = Callback(accounts_server=accounts_host)
    redirect = f"http://127.0.0.1:{port}/callback"
    address = way.accounts.authorize_url(connection.data_center, client.client_id, redirect, callback.state)
    console().print(f"Open this address in a browser and allow the access:\n\n{address}\n", markup=False)
    try:
        received = await asyncio.wait_for(wait_for_callback(callback, port), WAIT_SECONDS)
    except TimeoutError as error:
        message = f"No answer came from the browser within {WAIT_SECONDS / 60:.0f} minutes; start again."
        raise ConnectionStoppedError(message, StopCause.NOT_CONNECTED) from error
    return await way.accounts.exchange_code(connection.data_center, client, received, redirect)


async def _store(
    stores: Stores, connection: ConnectionSettings, client: ClientCredentials, grant: Grant, actor: str
) -> None:
    await stores.tokens.save_grant(
        connection.connection_id,
        client_id=client.client_id,
        client_secret=client.client_secret,
        refresh_token=grant.refresh_token,
        access_token=grant.access_token,
        expires_in_seconds=grant.expires_in_seconds,
        actor=actor,
    )
    await stores.lanes.resume_connection(connection.connection_id)
