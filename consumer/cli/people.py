"""`booked orders`, `booked release`: what people see and let through."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from consumer.bootstrap.parts import open_stores
from consumer.cli.context import person, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.people import GroupSum

RELEASE_MAX = 100_000


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("orders")(orders)
    app.command("release")(release)


def orders(
    state: Annotated[OrderState, typer.Argument(help="waiting, parked, …")] = OrderState.PARKED,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
) -> None:
    """Count and sum the orders of a state by reason, with the fix of each."""

    async def work(settings: Settings) -> list[GroupSum]:
        async with open_stores(settings, name="booked-orders") as stores:
            return list(await stores.people.groups(state, shop))

    _print(run_command(work), state)


def release(
    shop: Annotated[str, typer.Argument(help="The shop's id.")],
    order: Annotated[str | None, typer.Option(help="Of this order only.")] = None,
    reason: Annotated[ReasonCode | None, typer.Option(help="All orders that wait or are parked for this.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Let orders through that wait, or try parked ones again; count and sum are shown first."""
    if (order is None) == (reason is None):
        raise typer.BadParameter("give either --order or --reason")

    async def look(settings: Settings) -> list[GroupSum]:
        async with open_stores(settings, name="booked-release") as stores:
            both = [g for s in (OrderState.WAITING, OrderState.PARKED) for g in await stores.people.groups(s, shop)]
            return [group for group in both if group.reason_code is reason]

    async def let_through(settings: Settings) -> int:
        async with open_stores(settings, name="booked-release") as stores:
            return await stores.people.release(
                actor=person(actor), shop_id=shop, order_id=order, reason=reason, limit=RELEASE_MAX
            )

    if reason is not None:
        _print(run_command(look), OrderState.WAITING)
        if not yes:
            typer.confirm("Release all of these?", abort=True)
    released = run_command(let_through)
    if order is not None and released == 0:
        complain(f"order {order} of shop {shop} is not known, or neither waits nor is parked")
        raise typer.Exit(Exit.NOT_FOUND)
    console().print(f"{released} released", markup=False)


def _print(groups: list[GroupSum], state: OrderState) -> None:
    out = console()
    if not groups:
        out.print(f"No order is {state.value}.", markup=False)
        return
    table = Table("Shop", "Reason", "Orders", "Sum", "Oldest", "Fix")
    for group in groups:
        sums = ", ".join(f"{amount} {currency}" for currency, amount in sorted(group.sums.items()))
        oldest = "" if group.oldest is None else f"{group.oldest:%Y-%m-%d %H:%M}"
        code = "" if group.reason_code is None else group.reason_code.value
        cells = (group.shop_id, group.group_key or code, str(group.count), sums, oldest, group.fix)
        table.add_row(*map(escape, cells))
    out.print(table)
