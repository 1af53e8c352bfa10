"""`booked preview`: what would be sent for an order, to the letter, without sending it."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from consumer.adapters.zoho.requests import Surroundings, build
from consumer.bootstrap.parts import Stores, open_stores
from consumer.cli.context import onlooker, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.cli.preview_output import as_data, print_preview
from consumer.config import Settings
from consumer.domain.ledger import LedgerFacts, Operation
from consumer.domain.orders import Order, OrderKey
from consumer.domain.records import OrderRecord
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.errors import ConfigurationError
from consumer.services.previewing import Describe, Grounds, Preview, Sending, preview
from consumer.sources.files import UnreadableFileError, record_of_file
from consumer.sources.own import to_order
from consumer.sources.translators import TRANSLATORS
from schemas.json_text import SIZE_MAX_BYTES

STANDARD_INPUT = "-"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview_order)


class _MissingError(Exception):
    """Something that the preview needs is not there; carries the exit code."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


def preview_order(
    shop: Annotated[str, typer.Argument(help="The shop's id.")],
    order: Annotated[
        str, typer.Argument(help="The order's id, or a JSON file with one order; - reads standard input.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print it for a program.")] = False,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Show what would be sent for an order: each request to the letter, the totals, the customer; or why it parks.

    Nothing is sent, and nothing is written but who looked: it goes by what Booked has stored of the ledger. A file
    holds one order as the shop publishes it. Ends with 7 where the order would be parked.
    """
    content = _read(order)

    async def work(settings: Settings) -> Preview:
        async with open_stores(settings, name="booked-preview") as stores:
            shown = await _preview(stores, shop, order, content)
            if content is None:
                name, details = onlooker(actor), {"by": "preview"}
                await stores.privacy.note_access(
                    actor=name, action="looked at", shop_id=shop, order_id=order, details=details
                )
            return shown

    try:
        shown = run_command(work)
    except (_MissingError, UnreadableFileError) as error:
        complain(str(error))
        raise typer.Exit(error.code if isinstance(error, _MissingError) else Exit.CONFIGURATION) from error
    if as_json:
        typer.echo(json.dumps(as_data(shown), indent=2, ensure_ascii=False))
    else:
        print_preview(shown, console())
    if shown.reason is not None:
        raise typer.Exit(Exit.FINDINGS)


async def _preview(stores: Stores, shop_id: str, target: str, content: bytes | None) -> Preview:
    shop = await _shop(stores, shop_id)
    record, order = await _order(stores, shop, target, content)
    connection_id = record.connection_id or shop.connection_id
    if connection_id is None:
        raise ConfigurationError(shop_id, "the shop names no connection; name one in shops.yaml and run booked apply")
    view = await stores.lanes.view(connection_id)
    if view.facts is None:
        raise _MissingError(
            Exit.UNAVAILABLE,
            f"the taxes and currencies of connection {connection_id} are not known yet: `booked doctor` reads them, or "
            "says what keeps it from doing so; `booked run` does with the first order that is due",
        )
    grounds = Grounds(
        shop=shop,
        connection=view.connection,
        facts=view.facts,
        lanes=stores.lanes,
        contacts=stores.contacts,
        describe=describer(view.connection, view.facts),
        now=lambda: datetime.now(UTC),
    )
    return await preview(order, record, grounds)


async def _shop(stores: Stores, shop_id: str) -> ShopSettings:
    for shop in await stores.settings.shops():
        if shop.shop_id == shop_id:
            return shop
    raise _MissingError(Exit.NOT_FOUND, f"there is no shop {shop_id}; add it to shops.yaml and run booked apply")


async def _order(stores: Stores, shop: ShopSettings, target: str, content: bytes | None) -> tuple[OrderRecord, Order]:
    if content is not None:
        fresh = record_of_file(content, shop, now=datetime.now(UTC), translators=TRANSLATORS)
        known = await stores.bookings.read(fresh.key)
        # What the order was booked as before decides what would be sent now: its number, its reference, its invoice.
        record = (
            fresh
            if known is None
            else replace(known, content=fresh.content, content_hash=fresh.content_hash, facts=fresh.facts)
        )
    else:
        found = await stores.bookings.read(OrderKey(shop.shop_id, target))
        if found is None:
            raise _MissingError(Exit.NOT_FOUND, f"nothing is known of order {target} of shop {shop.shop_id}")
        record = found
    if record.personal_removed:
        raise _MissingError(Exit.NOT_FOUND, f"the content of order {target} was removed with its personal data")
    if record.content is None:
        raise _MissingError(Exit.NOT_FOUND, f"only a bare message is known of order {target}: nothing can be mapped")
    return record, to_order(record.content, shop.time_zone)


def _read(target: str) -> bytes | None:
    """Read the file, one byte further than an order may be long: the reader then says that it is too long.

    None where there is no such file: then it is an order's id.
    """
    if target == STANDARD_INPUT:
        return sys.stdin.buffer.read(SIZE_MAX_BYTES + 1)
    path = Path(target)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(SIZE_MAX_BYTES + 1)


def describer(connection: ConnectionSettings, facts: LedgerFacts) -> Describe:
    """Give the function that writes an operation's request as the adapter of this connection would send it."""
    around = Surroundings(
        organization_id=connection.organization_id,
        currency_ids={currency.code: currency.currency_id for currency in facts.currencies if currency.currency_id},
    )

    def describe(operation: Operation) -> Sending:
        made = build(operation, around)
        return Sending(
            operation=operation.name, method=made.method, path=made.path, query=dict(made.query), body=made.body
        )

    return describe
