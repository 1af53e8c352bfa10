"""`booked replay`: finds what was missed and puts it in; run every ten minutes, and by people for backfills."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from consumer.bootstrap.replaying import open_replay, replay_limits
from consumer.cli.context import run_command
from consumer.cli.exits import Exit, console
from consumer.config import Settings
from consumer.errors import ConfigurationError
from consumer.services.replay import replay
from consumer.services.replay_report import ReplayReport, ReplayRequest

_SHOWN = 20  # of each list, for a terminal; --json shows up to 1,000

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay_command)


def replay_command(
    since: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="A backfill: what came, or was paid, since then (UTC), at low priority."),
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=_FORMATS, help="And before then (UTC).")] = None,
    shop: Annotated[str | None, typer.Option(help="Of this shop only.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is missing, and put nothing in.")] = False,
    share: Annotated[
        float | None, typer.Option(help="Of a backfill: share of the calls that the day still leaves.", min=0, max=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report for a program.")] = False,
) -> None:
    """Compare topics and shops' own lists with what is recorded, put in what is missing, and wake what is stuck.

    Ends with 0 where it came to its end, with 7 where something is left or a shop's list could not be read.
    """
    request = ReplayRequest(since=_utc(since), until=_utc(until), shop_id=shop, dry_run=dry_run)

    async def work(settings: Settings) -> ReplayReport:
        _check(request)
        limits = replay_limits(settings)
        if share is not None:
            limits = replace(limits, share=Decimal(str(share)))
        async with open_replay(settings, limits) as parts:
            if shop is not None and shop not in {one.shop_id for one in parts.shops}:
                raise ConfigurationError("--shop", f"no shop of shops.yaml is called {shop!r}")
            return await replay(request, parts)

    report = run_command(work)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    else:
        show(report, console())
    raise typer.Exit(exit_code(report))


def exit_code(report: ReplayReport) -> Exit:
    """Tell how the command ends; another run at the same time is no fault: that one does the work."""
    return Exit.FINDINGS if report.left or report.list_problems else Exit.DONE


def show(report: ReplayReport, to: Console) -> None:
    """Print a report for a person; nothing in it is markup."""
    for line in lines(report):
        to.print(escape(line))


def lines(report: ReplayReport) -> list[str]:
    """Say in sentences what a run came to."""
    if report.busy:
        return ["Another replay is running; nothing was done."]
    told = [f"{report.records} records compared ({report.read_in_full} read in full) in {report.seconds:.1f} s."]
    done = "would be put in" if report.dry_run else "put in"
    told.append(f"{report.missing} were missing, and {done}." if report.missing else "Nothing was missing.")
    told += _named("missing", [str(key) for key in report.missing_orders])
    if report.refused:
        told.append(f"{report.refused} messages are no orders and were not known yet: see `booked rejected list`.")
    if report.kept_back:
        told.append(f"{report.kept_back} records are kept as rejected: `booked rejected retry` takes them in.")
    told.append(f"Lag of the intake: {report.lag} records. Gaps: {report.gaps_open} open, {report.gaps_closed} closed.")
    told += [_range_words(report, number) for number in range(min(_SHOWN, len(report.unverified)))]
    woken = report.woken
    told.append(
        f"Woken: {woken.leases} leases of the dead, {woken.intents} intents without outcome, {woken.outbox_rows} "
        f"messages unsent for long, {report.lanes_corrected} lanes without a next due."
    )
    told.append(
        f"{report.difference} paid orders are told of and not recorded; {report.settled} of earlier runs are by now."
    )
    told += _named("not recorded", [str(key) for key in report.unrecorded])
    told += _named("list asked", report.lists_asked)
    told += _named("list problem", report.list_problems)
    told += _named("not verifiable beyond the topic", report.not_verifiable)
    told += _named("left", report.left)
    return told


def _range_words(report: ReplayReport, number: int) -> str:
    one = report.unverified[number]
    end = "its end" if one.to_offset is None else str(one.to_offset)
    return f"  cannot be verified: {one.topic}[{one.partition}], log {one.log}, from {one.from_offset} to {end}"


def _named(what: str, names: list[str]) -> list[str]:
    shown = [f"  {what}: {name}" for name in names[:_SHOWN]]
    return shown if len(names) <= _SHOWN else [*shown, f"  {what}: … {len(names) - _SHOWN} more (--json names them)"]


def _check(request: ReplayRequest) -> None:
    if request.since is not None and request.until is not None and request.since >= request.until:
        raise ConfigurationError("--until", "it lies before --since, so there is nothing between them")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
