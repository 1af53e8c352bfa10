"""`booked order …`: what a person does to one order, with its result."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from consumer.adapters.postgres.wakeups import PostgresWakeups
from consumer.bootstrap.actions import action_tools
from consumer.bootstrap.parts import open_stores
from consumer.cli.context import onlooker, person, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.domain.asking import Mark, Reception
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document, OrderRecord
from consumer.domain.states import Ask, Reason
from consumer.errors import ConfigurationError
from consumer.ports.wakeups import WakeKind
from consumer.services.actions import WAIT_SECONDS, WAIT_SECONDS_MAX, ActionResult, act

BODY_BYTES_MAX = 1024 * 1024

orders = typer.Typer(no_args_is_help=True, help="What a person does to one order.")

Shop = Annotated[str, typer.Argument(help="The shop's id.")]
Order = Annotated[str, typer.Argument(help="The order's id.")]
Who = Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")]
Note = Annotated[str, typer.Option(help="Why, for the audit log.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for the result.", min=0, max=WAIT_SECONDS_MAX)]
Json = Annotated[bool, typer.Option("--json", help="Print it for a program.")]
Body = Annotated[
    Path | None,
    typer.Option(help="File with the order as the shop has it, as JSON; - reads standard input."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(orders, name="order")


@orders.callback()
def about() -> None:
    """What a person does to one order."""


@orders.command("show")
def show(shop: Shop, order: Order, as_json: Json = False, actor: Who = None) -> None:
    """Show where an order stands, its documents, and what was asked of it last."""

    async def work(settings: Settings) -> OrderRecord | None:
        async with open_stores(settings, name="booked-order") as stores:
            record = await stores.bookings.read(OrderKey(shop, order))
            if record is not None:
                await stores.privacy.note_access(
                    actor=onlooker(actor),
                    action="looked at",
                    shop_id=shop,
                    order_id=order,
                    details={"by": "order show"},
                )
            return record

    record = run_command(work)
    if record is None:
        complain(f"nothing is known of order {order} of shop {shop}")
        raise typer.Exit(Exit.NOT_FOUND)
    if as_json:
        typer.echo(json.dumps(_plain_order(record), indent=2, default=str, ensure_ascii=False))
    else:
        _print_order(record)


@orders.command("generate")
def generate(
    shop: Shop,
    order: Order,
    body: Body = None,
    actor: Who = None,
    note: Note = "",
    wait: Wait = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Make an order's document now, whatever the settings hold back; of a booked one show the document there is."""
    _act(OrderKey(shop, order), Ask.GENERATE, actor=actor, note=note, wait=wait, as_json=as_json, body=body)


@orders.command("update")
def update(
    shop: Shop,
    order: Order,
    body: Body = None,
    actor: Who = None,
    note: Note = "",
    wait: Wait = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Bring an order's document up to date now, also over what somebody has edited in the ledger by hand."""
    _act(OrderKey(shop, order), Ask.UPDATE, actor=actor, note=note, wait=wait, as_json=as_json, body=body)


@orders.command("delete")
def delete(
    shop: Shop,
    order: Order,
    sent: Annotated[
        bool, typer.Option("--sent", help="Also one that was sent: it goes as that of a cancelled order.")
    ] = False,
    actor: Who = None,
    note: Note = "",
    wait: Wait = WAIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Take an order's document down in the ledger; none is made again by itself."""
    ask = Ask.DELETE_SENT if sent else Ask.DELETE
    _act(OrderKey(shop, order), ask, actor=actor, note=note, wait=wait, as_json=as_json)


@orders.command("hold")
def hold(shop: Shop, order: Order, actor: Who = None, note: Note = "", as_json: Json = False) -> None:
    """Let nothing be written for an order until it is released."""
    _act(OrderKey(shop, order), Mark.HOLD, actor=actor, note=note, as_json=as_json)


@orders.command("release")
def release(
    shop: Shop, order: Order, actor: Who = None, note: Note = "", wait: Wait = WAIT_SECONDS, as_json: Json = False
) -> None:
    """Let an order go on that waits, is held or ignored, or is parked."""
    _act(OrderKey(shop, order), Mark.RELEASE, actor=actor, note=note, wait=wait, as_json=as_json)


@orders.command("retry")
def retry(
    shop: Shop, order: Order, actor: Who = None, note: Note = "", wait: Wait = WAIT_SECONDS, as_json: Json = False
) -> None:
    """Try a parked order again now, after what its fix names was done."""
    _act(OrderKey(shop, order), Mark.RETRY, actor=actor, note=note, wait=wait, as_json=as_json)


@orders.command("ignore")
def ignore(
    shop: Shop,
    order: Order,
    note: Annotated[str, typer.Option(help="Why it is never to be booked; needed.")],
    actor: Who = None,
    as_json: Json = False,
) -> None:
    """Never book an order, whatever comes; a document that it has stays as it is."""
    _act(OrderKey(shop, order), Mark.IGNORE, actor=actor, note=note, as_json=as_json)


def _act(
    key: OrderKey,
    what: Ask | Mark,
    *,
    actor: str | None,
    note: str,
    wait: float = WAIT_SECONDS,
    as_json: bool,
    body: Path | None = None,
) -> None:
    """Do it, print what came of it, and end with the exit code that says so."""

    async def work(settings: Settings) -> ActionResult:
        who, content = person(actor), None if body is None else read_body(body)
        url = settings.database_url.get_secret_value()
        async with open_stores(settings, name="booked-order") as stores, PostgresWakeups(url) as wakeups:
            tools = action_tools(settings, stores, lambda lane: wakeups.wake(WakeKind.LANES, [lane]))
            return await act(key, what, tools=tools, actor=who, note=note, body=content, wait_seconds=wait)

    result = run_command(work)
    if as_json:
        typer.echo(json.dumps(plain_result(key, result), indent=2, default=str, ensure_ascii=False))
    else:
        print_result(key, result)
    code = exit_of_result(result)
    if code is not Exit.DONE:
        raise typer.Exit(code)


def read_body(path: Path) -> bytes:
    """Read the order of a call. Raises ConfigurationError for a file that cannot be read or is too large."""
    try:
        if str(path) == "-":
            found = sys.stdin.buffer.read(BODY_BYTES_MAX + 1)
        else:
            with path.open("rb") as file:
                found = file.read(BODY_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError("--body", f"{path} cannot be read: {error.strerror}") from error
    if len(found) > BODY_BYTES_MAX:
        raise ConfigurationError("--body", f"{path} is longer than {BODY_BYTES_MAX} bytes, the most that an order has")
    return found


def exit_of_result(result: ActionResult) -> Exit:
    """Tell the exit code: what is accepted goes on by itself, and is no error."""
    match result.reception:
        case Reception.UNKNOWN:
            return Exit.NOT_FOUND
        case Reception.REFUSED:
            return Exit.REFUSED
        case _:
            return Exit.DONE if result.done or result.accepted else Exit.FINDINGS


def plain_result(key: OrderKey, result: ActionResult) -> dict[str, Any]:
    """Give the result as plain data."""
    return {
        "shop_id": key.shop_id,
        "order_id": key.order_id,
        "result": "accepted" if result.accepted else ("done" if result.done else _undone(result)),
        "answer": result.answer,
        "state": result.state,
        "reason": _plain_reason(result.reason),
        "document": None if result.document is None else _plain_document(result.document),
    }


def _undone(result: ActionResult) -> str:
    return result.reception.value if result.reception in (Reception.REFUSED, Reception.UNKNOWN) else "not_done"


def print_result(key: OrderKey, result: ActionResult) -> None:
    """Print what came of it: errors to standard error, as of every command."""
    if result.reception in (Reception.REFUSED, Reception.UNKNOWN):
        complain(result.answer)
        return
    out = console()
    state = "" if result.state is None else f" is {result.state.value}"
    out.print(f"Order {key.order_id} of shop {key.shop_id}{state}. {result.answer}".rstrip(), markup=False)
    if result.reason is not None and not result.accepted and result.reason.message not in result.answer:
        out.print(f"({result.reason.code.value}): {result.reason.message}", markup=False)
        out.print(f"Fix: {result.reason.fix}", markup=False)
    if result.document is not None:
        out.print(_document_line(result.document), markup=False)


def _print_order(record: OrderRecord) -> None:
    out = console()
    out.print(f"Order {record.number or record.key.order_id} of shop {record.key.shop_id}", markup=False)
    out.print(f"State: {record.state.value}, wish: {record.facts.wish.value}", markup=False)
    if record.reason is not None:
        out.print(f"({record.reason.code.value}): {record.reason.message}", markup=False)
        out.print(f"Fix: {record.reason.fix}", markup=False)
    for document in record.documents:
        out.print(_document_line(document), markup=False)
    if record.facts.asked is not None:
        out.print(f"Asked for and not done yet: {record.facts.asked.value}", markup=False)
    if record.answer:
        out.print(f"Answer to what was asked last: {record.answer}", markup=False)


def _document_line(document: Document) -> str:
    live = "" if document.live else ", not live"
    return (
        f"{document.kind.value} {document.number} ({document.status}{live}), {document.total} {document.currency} "
        f"{document.url}".rstrip()
    )


def _plain_order(record: OrderRecord) -> dict[str, Any]:
    return {
        "shop_id": record.key.shop_id,
        "order_id": record.key.order_id,
        "number": record.number,
        "state": record.state,
        "wish": record.facts.wish,
        "asked": record.facts.asked,
        "answer": record.answer,
        "reason": _plain_reason(record.reason),
        "documents": [_plain_document(document) for document in record.documents],
    }


def _plain_reason(reason: Reason | None) -> dict[str, str] | None:
    if reason is None:
        return None
    return {"code": reason.code.value, "message": reason.message, "fix": reason.fix, "group": reason.group}


def _plain_document(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind.value,
        "number": document.number,
        "status": document.status,
        "live": document.live,
        "total": str(document.total),
        "currency": document.currency,
        "url": document.url,
    }
