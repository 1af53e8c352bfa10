"""`booked explain`: the whole story of one order."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from consumer.bootstrap.parts import open_stores
from consumer.cli.context import onlooker, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.domain.orders import OrderKey
from consumer.domain.records import OrderRecord
from consumer.domain.states import OrderState
from consumer.ports.lanes import LaneView
from consumer.ports.people import Story


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    shop: Annotated[str, typer.Argument(help="The shop's id.")],
    order: Annotated[str, typer.Argument(help="The order's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it for a program.")] = False,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Tell what came in for an order, what was decided and why, what was sent, and what was answered."""

    async def work(settings: Settings) -> tuple[Story | None, LaneView | None]:
        async with open_stores(settings, name="booked-explain") as stores:
            story = await stores.people.story(OrderKey(shop, order))
            if story is not None:
                await stores.privacy.note_access(
                    actor=onlooker(actor), action="looked at", shop_id=shop, order_id=order, details={"by": "explain"}
                )
            if story is None or story.order.connection_id is None:
                return story, None
            return story, await stores.lanes.view(story.order.connection_id)

    story, lane = run_command(work)
    if story is None:
        complain(f"nothing is known of order {order} of shop {shop}")
        raise typer.Exit(Exit.NOT_FOUND)
    if as_json:
        typer.echo(json.dumps(_plain(story), indent=2, default=str, ensure_ascii=False))
    else:
        _print(story, lane)


def _plain(story: Story) -> dict[str, object]:
    record = story.order
    return {
        "shop_id": record.key.shop_id,
        "order_id": record.key.order_id,
        "state": record.state,
        "reason": None
        if record.reason is None
        else {"code": record.reason.code, "message": record.reason.message, "fix": record.reason.fix},
        "documents": [
            {"kind": d.kind, "number": d.number, "status": d.status, "total": d.total} for d in record.documents
        ],
        "lines": story.layout,
        "story": [
            {"at": line.at, "kind": line.kind, "text": line.text, "details": line.details} for line in story.lines
        ],
    }


def _print(story: Story, lane: LaneView | None) -> None:
    out = console()
    record = story.order
    # Whatever came from outside may hold brackets, which are no markup.
    out.print(f"[bold]Order {escape(record.number or record.key.order_id)}[/] of shop {escape(record.key.shop_id)}")
    out.print(f"State: [bold]{record.state.value}[/]", escape(_standing(record, lane)))
    if record.reason is not None and record.reason.fix:
        out.print(f"Fix: {record.reason.fix}", markup=False)
    for document in record.documents:
        agreed = "agrees with the order" if document.agreed else "does not agree with the order"
        live = "" if document.live else ", not live"
        out.print(
            f"{document.kind.value} {document.number} ({document.status}{live}), {document.total} {document.currency}, "
            f"{agreed} {document.url}",
            markup=False,
        )
    if record.personal_removed:
        out.print("Its content was removed with its personal data; --json shows the lines that are kept.", markup=False)
    table = Table("When (UTC)", "What", "Story", show_lines=False)
    for line in story.lines:
        table.add_row(f"{line.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], line.kind, escape(line.text))
    out.print(table)


def _standing(record: OrderRecord, lane: LaneView | None) -> str:
    if record.reason is not None:
        return f"({record.reason.code.value}): {record.reason.message}"
    if lane is not None and lane.stopped is not None:
        return f"(its connection is stopped: {lane.stopped.value}; run booked doctor)"
    waits = record.state in (OrderState.DUE, OrderState.UNCERTAIN)
    until = None if lane is None else lane.rests_until.get(record.priority)
    if waits and until is not None:
        return f"(it waits for the ledger's limits until {until:%Y-%m-%d %H:%M:%S %Z})"
    return ""
