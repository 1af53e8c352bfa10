"""`booked orders`, `booked parked`, `booked release`: what people see of many orders, and let through."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from consumer.bootstrap.parts import open_stores
from consumer.cli.context import person, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.people import GroupSum
from consumer.services.groups import RELEASE_MAX, CauseSum, by_cause, group_of, held_groups, release_group

_SHOPS_SHOWN = 3


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("orders")(orders)
    app.command("parked")(parked)
    app.command("release")(release)


def orders(
    state: Annotated[OrderState, typer.Argument(help="waiting, parked, …")] = OrderState.PARKED,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
) -> None:
    """Count and sum the orders of a state by shop and reason, with the fix of each."""

    async def work(settings: Settings) -> list[GroupSum]:
        async with open_stores(settings, name="booked-orders") as stores:
            return list(await stores.people.groups(state, shop))

    _print(run_command(work), state)


def parked(
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for a program.")] = False,
) -> None:
    """Show the parked orders by cause, over all shops: count, sum, oldest and fix; then booked release GROUP."""

    async def work(settings: Settings) -> list[CauseSum]:
        async with open_stores(settings, name="booked-parked") as stores:
            return by_cause(await stores.people.groups(OrderState.PARKED, shop))

    causes = run_command(work)
    if as_json:
        typer.echo(json.dumps([_plain(cause) for cause in causes], indent=2, default=str, ensure_ascii=False))
    else:
        print_causes(causes, "No order is parked.")


def release(
    name: Annotated[
        str, typer.Argument(metavar="GROUP", help="A group of booked parked; with --order or --reason a shop's id.")
    ],
    order: Annotated[str | None, typer.Option(help="Of the shop named: this order only.")] = None,
    reason: Annotated[
        ReasonCode | None, typer.Option(help="Of the shop named: all that wait or are parked for this.")
    ] = None,
    shop: Annotated[str | None, typer.Option(help="Of a group: of this shop only.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Let a group of orders go on, of one shop or all; count and sum are shown first. Also: SHOP --reason, --order."""
    if order is not None and reason is not None:
        raise typer.BadParameter("give either --order or --reason")
    if order is None and reason is None:
        _release_group(name, shop, actor, yes=yes)
        return
    if shop is not None:
        raise typer.BadParameter(f"with --order or --reason the shop is named first: booked release {shop} …")
    _release_of_shop(name, order, reason, actor, yes=yes)


def _release_group(group: str, shop: str | None, actor: str | None, *, yes: bool) -> None:
    if not is_group(group):
        raise typer.BadParameter(
            f"{group} is no group; give one as booked parked shows it, or a shop with --order or --reason"
        )

    async def look(settings: Settings) -> list[CauseSum]:
        async with open_stores(settings, name="booked-release") as stores:
            return [cause for cause in await held_groups(stores.people, shop) if cause.group == group]

    async def let_through(settings: Settings) -> int:
        async with open_stores(settings, name="booked-release") as stores:
            return await release_group(stores.people, group, actor=person(actor), shop_id=shop)

    found = run_command(look)
    if not found:
        complain(f"no order waits or is parked for {group}; booked parked shows the groups")
        raise typer.Exit(Exit.NOT_FOUND)
    print_causes(found, "")
    if not yes:
        typer.confirm("Release all of these?", abort=True)
    console().print(f"{run_command(let_through)} released", markup=False)


def is_group(name: str) -> bool:
    """Tell whether this may be a group's name: it begins with the code of a reason."""
    return name.partition(":")[0] in {code.value for code in ReasonCode}


def _release_of_shop(shop: str, order: str | None, reason: ReasonCode | None, actor: str | None, *, yes: bool) -> None:
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
        cells = (group.shop_id, group_of(group), str(group.count), sums, oldest, group.fix)
        table.add_row(*map(escape, cells))
    out.print(table)


def print_causes(causes: Sequence[CauseSum], nothing: str) -> None:
    """Print groups of orders by cause."""
    out = console()
    if not causes:
        out.print(nothing, markup=False)
        return
    table = Table("Group", "Shops", "Orders", "Sum", "Oldest", "Fix")
    for cause in causes:
        sums = ", ".join(f"{amount} {currency}" for currency, amount in cause.sums.items())
        oldest = "" if cause.oldest is None else f"{cause.oldest:%Y-%m-%d %H:%M}"
        cells = (cause.group, _shops(cause.shops), str(cause.count), sums, oldest, cause.fix)
        table.add_row(*map(escape, cells))
    out.print(table)


def _shops(shops: Sequence[str]) -> str:
    more = len(shops) - _SHOPS_SHOWN
    return ", ".join(shops[:_SHOPS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _plain(cause: CauseSum) -> dict[str, Any]:
    return {
        "group": cause.group,
        "reason": cause.reason_code,
        "shops": list(cause.shops),
        "count": cause.count,
        "sums": {currency: str(amount) for currency, amount in cause.sums.items()},
        "oldest": cause.oldest,
        "fix": cause.fix,
    }
