"""`booked reconcile`: a period's orders against the ledger's documents, what differs with its fix, and the months."""

import json
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from consumer.bootstrap.parts import open_ledger_way, open_stores
from consumer.bootstrap.reconciling import open_comparison
from consumer.cli.context import person, run_command
from consumer.cli.exits import Exit, console
from consumer.cli.reconcile_output import as_csv, as_json, lines
from consumer.cli.reconcile_page import as_html
from consumer.config import Settings
from consumer.domain.reconciling.findings import Period
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.errors import ConfigurationError
from consumer.services.reconcile_report import ReconcileReport, ReconcileRequest
from consumer.services.reconciling import reconcile

_DAY = ["%Y-%m-%d"]
_MONTHS = 12


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile_command)


def reconcile_command(
    *,
    connection: Annotated[str | None, typer.Option(help="Of this connection only.")] = None,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
    month: Annotated[str | None, typer.Option(help="The days of a month, as 2026-10.")] = None,
    from_day: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="The first day.")] = None,
    to_day: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="The last day, included.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report for people to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row per shop, month and rate to this file.")] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="After a restore: take over documents that are not recorded; shows them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --adopt: do it.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a comparison that stopped.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Read also what somebody changed in the ledger without changing its total.")
    ] = False,
    share: Annotated[
        float | None, typer.Option(help="Share of the day's calls; by default the setting.", min=0, max=0.7)
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print it for a program.")] = False,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Compare a period's orders with the ledger's documents; name what differs, with its fix. Changes no document.

    Without days: this month until today. Ends with 0 where nothing was found, with 7 where something was, with 8
    where it stopped before its end (--resume goes on).
    """
    request = ReconcileRequest(
        period=period_of(month, from_day, to_day, today=datetime.now(UTC).date()),
        shop_id=shop,
        resume=resume,
        adopt=adopt and yes,
        strict=strict,
        share=None if share is None else Decimal(str(share)),
        actor=person(actor) if adopt and yes else "",
    )
    reports = run_command(lambda settings: _compare(settings, connection, request))
    made_at = datetime.now(UTC)
    if html is not None:
        html.write_text(as_html(reports, made_at=made_at), encoding="utf-8")
    if csv is not None:
        csv.write_text(as_csv(reports), encoding="utf-8", newline="")
    if as_json_:
        typer.echo(json.dumps([as_json(report) for report in reports], indent=2, ensure_ascii=False))
    else:
        for report in reports:
            for line in lines(report, adopting=adopt):
                console().print(line, markup=False)
    raise typer.Exit(exit_code(reports))


def exit_code(reports: list[ReconcileReport]) -> Exit:
    """Tell how the command ends: what stopped says more than what was found until then."""
    if any(report.stopped for report in reports):
        return Exit.STOPPED
    return Exit.FINDINGS if any(report.found for report in reports) else Exit.DONE


def period_of(month: str | None, from_day: datetime | None, to_day: datetime | None, *, today: date) -> Period:
    """Read the days. Raises BadParameter where they make no period."""
    if month is not None:
        if from_day is not None or to_day is not None:
            raise typer.BadParameter("give either --month or --from and --to")
        return _month(month)
    first = today.replace(day=1) if from_day is None else from_day.date()
    last = today if to_day is None else to_day.date()
    if first > last:
        raise typer.BadParameter(f"--to {last} lies before --from {first}")
    return Period(from_day=first, to_day=last)


def _month(text: str) -> Period:
    year, _, number = text.partition("-")
    if not (year.isdecimal() and number.isdecimal() and 1 <= int(number) <= _MONTHS and int(year) >= 1):
        raise typer.BadParameter(f"{text!r} is no month; write it as 2026-10")
    first = date(int(year), int(number), 1)
    return Period(from_day=first, to_day=first.replace(day=monthrange(first.year, first.month)[1]))


async def _compare(settings: Settings, connection: str | None, request: ReconcileRequest) -> list[ReconcileReport]:
    async with open_stores(settings, name="booked-reconcile") as stores, open_ledger_way(settings, stores) as way:
        names = _connections(await stores.settings.connections(), await stores.settings.shops(), connection, request)
        reports = []
        for name in names:
            async with open_comparison(stores, way, name) as (view, parts):
                reports.append(await reconcile(request, view, parts))
        return reports


def _connections(
    known: Sequence[ConnectionSettings], shops: Sequence[ShopSettings], wanted: str | None, request: ReconcileRequest
) -> list[str]:
    """Name the connections to compare: the one that was named, or the shop's, or all that are active."""
    if wanted is not None:
        if wanted not in {one.connection_id for one in known}:
            raise ConfigurationError("--connection", f"no connection of shops.yaml is called {wanted!r}")
        return [wanted]
    if request.shop_id is None:
        return [one.connection_id for one in known if one.active]
    mine = [one for one in shops if one.shop_id == request.shop_id]
    if not mine or mine[0].connection_id is None:
        raise ConfigurationError("--shop", f"no shop of shops.yaml that has a connection is called {request.shop_id!r}")
    return [mine[0].connection_id]
