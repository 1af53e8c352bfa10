"""`booked rejected …`: messages that could not be orders: to be looked at, put in again, or dropped."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from consumer.bootstrap.actions import rejected_retry
from consumer.bootstrap.parts import Stores, open_stores
from consumer.cli.context import onlooker, person, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.ports.rejected import RejectedFilter, RejectedRow, RejectedState
from consumer.services.rejected import Outcome, Retried

ROWS_MAX = 10_000
_SHOWN_BYTES = 8192  # of a value, for a terminal

rejected = typer.Typer(no_args_is_help=True, help="Messages that could not be orders.")

Ids = Annotated[list[int] | None, typer.Argument(help="Ids, as booked rejected list shows them.")]
Shop = Annotated[str | None, typer.Option(help="Of this shop only, as far as it could be told.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Rejected for this reason only.")]
Since = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], help="Come in since then, UTC."),
]
Limit = Annotated[int, typer.Option(help="So many at most, the newest.", min=1, max=ROWS_MAX)]
Who = Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")]
Json = Annotated[bool, typer.Option("--json", help="Print it for a program.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(rejected, name="rejected")


@rejected.callback()
def about() -> None:
    """Messages that could not be orders."""


@rejected.command("list")
def list_rejected(
    shop: Shop = None,
    reason: ReasonOption = None,
    since: Since = None,
    state: Annotated[RejectedState, typer.Option(help="open, retried or dropped.")] = RejectedState.OPEN,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List rejected messages, the newest first, with what was found in each."""
    wanted = RejectedFilter(state=state, shop_id=shop, reason=reason, since=_utc(since))

    async def work(settings: Settings) -> Sequence[RejectedRow]:
        async with open_stores(settings, name="booked-rejected") as stores:
            return await stores.rejected.find(wanted, limit)

    rows = run_command(work)
    if as_json:
        typer.echo(json.dumps([plain_row(row) for row in rows], indent=2, default=str, ensure_ascii=False))
    else:
        print_rows(rows, state)


@rejected.command("show")
def show(
    row_id: Annotated[int, typer.Argument(metavar="ID", help="As booked rejected list shows it.")],
    as_json: Json = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write nothing but the value's own bytes.")] = False,
    actor: Who = None,
) -> None:
    """Show one rejected message, with the bytes that came; what no terminal should see is written as escapes."""

    async def work(settings: Settings) -> RejectedRow | None:
        async with open_stores(settings, name="booked-rejected") as stores:
            row = await stores.rejected.read(row_id)
            if row is not None:
                one = row.rejected
                await stores.privacy.note_access(
                    actor=onlooker(actor),
                    action="looked at",
                    shop_id=one.shop_id,
                    order_id=one.order_id,
                    details={"by": "rejected show", "id": row_id},
                )
            return row

    row = run_command(work)
    if row is None:
        complain(f"there is no rejected message {row_id}")
        raise typer.Exit(Exit.NOT_FOUND)
    if raw:
        typer.get_binary_stream("stdout").write(row.rejected.value or b"")
    elif as_json:
        typer.echo(json.dumps(plain_row(row), indent=2, default=str, ensure_ascii=False))
    else:
        print_row(row)


@rejected.command("retry")
def retry(
    ids: Ids = None,
    shop: Shop = None,
    reason: ReasonOption = None,
    since: Since = None,
    limit: Limit = 1000,
    actor: Who = None,
    as_json: Json = False,
) -> None:
    """Read messages again after a fix of schema or code, and put them in at the place and time of their coming."""
    wanted = _wanted(ids, shop, reason, since)

    async def work(settings: Settings) -> list[Retried]:
        who = person(actor)
        async with open_stores(settings, name="booked-rejected") as stores:
            way = await rejected_retry(settings, stores)
            return [await way.retry(row_id, actor=who) for row_id in await _chosen(stores, ids, wanted, limit)]

    results = run_command(work)
    if as_json:
        plain = [{"id": one.row_id, "result": one.outcome.value, "words": one.words} for one in results]
        typer.echo(json.dumps(plain, indent=2, ensure_ascii=False))
    else:
        _print_retried(results)
    code = exit_of_retries(results)
    if code is not Exit.DONE:
        raise typer.Exit(code)


@rejected.command("drop")
def drop(
    ids: Ids = None,
    shop: Shop = None,
    reason: ReasonOption = None,
    since: Since = None,
    limit: Limit = 1000,
    actor: Who = None,
    note: Annotated[str, typer.Option(help="Why, for the audit log.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Mark messages as not needed; they are kept until the retention ends, and counted no more."""
    wanted = _wanted(ids, shop, reason, since)

    async def look(settings: Settings) -> list[int]:
        async with open_stores(settings, name="booked-rejected") as stores:
            return await _chosen(stores, ids, wanted, limit)

    chosen = run_command(look)
    if not ids and not yes:
        typer.confirm(f"Drop {len(chosen)} messages?", abort=True)

    async def work(settings: Settings) -> int:
        who = person(actor)
        async with open_stores(settings, name="booked-rejected") as stores:
            done = [await stores.rejected.settle(i, RejectedState.DROPPED, actor=who, note=note) for i in chosen]
            return sum(done)

    dropped = run_command(work)
    console().print(f"{dropped} dropped", markup=False)
    if ids and dropped < len(chosen):
        complain(f"{len(chosen) - dropped} of these ids name no open message")
        raise typer.Exit(Exit.NOT_FOUND)


def _wanted(
    ids: Sequence[int] | None, shop: str | None, reason: str | None, since: datetime | None
) -> RejectedFilter | None:
    """Make the filter; None where ids are given. Raises BadParameter where both are, or neither."""
    filtered = (shop, reason, since) != (None, None, None)
    if bool(ids) == filtered:
        raise typer.BadParameter("give either ids, or some of --shop, --reason and --since")
    return None if ids else RejectedFilter(shop_id=shop, reason=reason, since=_utc(since))


async def _chosen(stores: Stores, ids: Sequence[int] | None, wanted: RejectedFilter | None, limit: int) -> list[int]:
    """Give the ids, the oldest first: as they came."""
    if wanted is None:
        return list(ids or ())
    return sorted(row.row_id for row in await stores.rejected.find(wanted, limit))


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def exit_of_retries(results: Sequence[Retried]) -> Exit:
    """Tell the exit code: what is still bad is a finding, an id that is none is not found."""
    outcomes = {one.outcome for one in results}
    if Outcome.STILL_BAD in outcomes:
        return Exit.FINDINGS
    return Exit.NOT_FOUND if Outcome.UNKNOWN in outcomes else Exit.DONE


def _print_retried(results: Sequence[Retried]) -> None:
    out = console()
    for one in results:
        out.print(f"{one.row_id}: {one.outcome.value.replace('_', ' ')}. {one.words}", markup=False)
    taken = sum(one.outcome is Outcome.TAKEN_IN for one in results)
    out.print(f"{taken} of {len(results)} taken in", markup=False)


def print_rows(rows: Sequence[RejectedRow], state: RejectedState) -> None:
    """Print a list of messages."""
    out = console()
    if not rows:
        out.print(f"No rejected message is {state.value}.", markup=False)
        return
    table = Table("Id", "Came in (UTC)", "Shop", "Order", "Where", "Reason", "What was found")
    for row in rows:
        one, origin = row.rejected, row.rejected.origin
        cells = (
            str(row.row_id),
            f"{row.received_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            one.shop_id,
            one.order_id,
            f"{origin.topic}[{origin.partition}]@{origin.offset}",
            one.reason,
            one.message,
        )
        table.add_row(*(escape(printable(cell)) for cell in cells))
    out.print(table)


def print_row(row: RejectedRow) -> None:
    """Print one message whole, or its first part where it is long."""
    out, one = console(), row.rejected
    origin, value = one.origin, one.value or b""
    lines = [
        f"Rejected message {row.row_id} ({row.state.value}), came in {row.received_at.astimezone(UTC):%F %T} UTC",
        f"Where: {origin.topic}[{origin.partition}]@{origin.offset}, log {origin.log}",
        f"Shop {one.shop_id or 'not told'}, order {one.order_id or 'not told'}",
        f"({one.reason}): {one.message}",
        f"Key: {text_of(one.record_key or b'')}",
        *(f"Header {name}: {text_of(header)}" for name, header in one.headers),
        f"Value, {one.size} bytes, SHA-256 {one.digest.hex()}:",
    ]
    for line in lines:
        out.print(printable(line), markup=False)
    out.print(text_of(value[:_SHOWN_BYTES]), markup=False)
    if len(value) > _SHOWN_BYTES:
        out.print(f"… and {len(value) - _SHOWN_BYTES} bytes more; --raw writes all of them", markup=False)


def text_of(value: bytes) -> str:
    """Give bytes as text for a terminal: what is no UTF-8, and every control character but a line's end, escaped."""
    text = value.decode("utf-8", "backslashreplace")
    return "\n".join(printable(line) for line in text.split("\n"))


def printable(text: str) -> str:
    """Write characters that would move a terminal's cursor, or colour it, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain_row(row: RejectedRow) -> dict[str, Any]:
    """Give a message as plain data; bytes as base64. A list has no values."""
    one = row.rejected
    return {
        "id": row.row_id,
        "state": row.state.value,
        "received_at": row.received_at.isoformat(),
        "topic": one.origin.topic,
        "log": one.origin.log,
        "partition": one.origin.partition,
        "offset": one.origin.offset,
        "shop_id": one.shop_id,
        "order_id": one.order_id,
        "reason": one.reason,
        "message": one.message,
        "size": one.size,
        "sha256": one.digest.hex(),
        "key": _base64(one.record_key),
        "headers": [[name, _base64(value)] for name, value in one.headers],
        "value": _base64(one.value),
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")
