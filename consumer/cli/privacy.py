"""`booked retention`, `booked erase`, `booked export`: personal data kept no longer than needed, shown, and erased."""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from consumer.bootstrap.parts import Stores, open_stores
from consumer.bootstrap.privacy import retention_of
from consumer.cli.context import person, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.errors import ConfigurationError
from consumer.ports.privacy import Customer
from consumer.services.erasure import ErasureReport, ErasureTools, erase
from consumer.services.erasure_finding import customer_named
from consumer.services.export import OUTSIDE, export
from consumer.services.retention import RetentionReport

CustomerOption = Annotated[str, typer.Option("--customer", help="The e-mail address; with --shop its id of them.")]
ShopOption = Annotated[str | None, typer.Option("--shop", help="The shop whose id of the customer it is.")]
Who = Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")]
Json = Annotated[bool, typer.Option("--json", help="Print it for a program.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("retention")(retention)
    app.command("erase")(erase_customer)
    app.command("export")(export_customer)


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be removed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what is older than its setting says, and make the days to come; safe beside running services.

    For once a day, as the database's owner. It may be stopped at any moment; the next run goes on.
    """

    async def work(settings: Settings) -> RetentionReport:
        async with open_stores(settings, name="booked-retention") as stores:
            return await retention_of(settings, stores, dry_run=dry_run).run()

    report = run_command(work)
    if as_json:
        typer.echo(json.dumps(report.plain(), indent=2))
    else:
        _print_retention(report, dry_run=dry_run)


def _print_retention(report: RetentionReport, *, dry_run: bool) -> None:
    out = console()
    would = "would be " if dry_run else ""
    out.print(f"{report.days_made} days made ahead", markup=False)
    for name in report.days_dropped:
        out.print(f"{name} {would}dropped", markup=False)
    for name in report.days_busy:
        out.print(f"{name} is being read: the next run drops it", markup=False)
    for what, count in sorted(report.removed.items()):
        if count:
            out.print(f"{what}: {count} {would}removed", markup=False)
    if report.unsettled:
        out.print(
            f"{report.unsettled} orders as old are not settled and keep their content: booked parked", markup=False
        )
    if not report.days_dropped and not sum(report.removed.values()):
        out.print("nothing is old enough", markup=False)


def erase_customer(
    customer: CustomerOption,
    shop: ShopOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also orders that are not settled: they are ignored from then on.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    actor: Who = None,
    as_json: Json = False,
) -> None:
    """Erase what is kept of a customer; their orders' keys, figures and lines stay, without the person.

    Orders that are not settled refuse it. What the ledger holds is printed with its ids: the law keeps invoices, and
    the contact is yours to change there.
    """
    if not yes:
        typer.confirm("Erase all that is kept of this customer? It cannot be brought back.", abort=True)

    async def work(settings: Settings) -> ErasureReport:
        who, name = customer_named(customer, shop), person(actor)
        async with open_stores(settings, name="booked-erase") as stores:
            tools = ErasureTools(privacy=stores.privacy, people=stores.people)
            return await erase(tools, who, actor=name, force=force)

    report = run_command(work)
    if as_json:
        typer.echo(json.dumps({**report.plain(), "not_here": OUTSIDE}, indent=2, ensure_ascii=False))
    else:
        _print_erasure(report)
    code = exit_of_erasure(report)
    if code is not Exit.DONE:
        raise typer.Exit(code)


def exit_of_erasure(report: ErasureReport) -> Exit:
    """Tell the exit code: what is refused, and what still mentions the customer, is no success."""
    if report.is_refused:
        return Exit.REFUSED
    if report.is_nothing:
        return Exit.NOT_FOUND
    return Exit.FINDINGS if report.left else Exit.DONE


def _print_erasure(report: ErasureReport) -> None:
    out = console()
    for key, why in report.refused.items():
        complain(f"order {key.order_id} of shop {key.shop_id} {why}")
    for row_id in report.open_rejected:
        complain(f"rejected message {row_id} is open and mentions them: booked rejected show {row_id}")
    if report.is_refused and not report.erased:
        complain("nothing was erased: book or ignore these orders and retry or drop these messages first, or --force")
        return
    if report.is_nothing:
        complain("nothing is kept of this customer")
        return
    out.print(f"{len(report.erased)} orders erased", markup=False)
    for table, count in sorted(report.counts.items()):
        if count:
            out.print(f"  {table}: {count}", markup=False)
    _print_rest(report)


def _print_rest(report: ErasureReport) -> None:
    out = console()
    for table, count in sorted(report.left.items()):
        complain(f"{count} rows of {table} still mention them: run it again; what is on its way is not stored yet")
    for key in report.found.mentioned:
        out.print(
            f"order {key.order_id} of shop {key.shop_id} is another's and mentions them: look at it", markup=False
        )
    for shop_id, customer_id in report.found.customer_ids:
        out.print(f"known to shop {shop_id} as {customer_id}: other orders may stand under that id", markup=False)
    for one in report.documents:
        out.print(
            f"in the ledger ({one.connection_id}): {one.kind} {one.number} (id {one.ledger_id}) of contact "
            f"{one.contact_id or 'unknown'}; the law keeps it, and it is yours to see to",
            markup=False,
        )
    for line in OUTSIDE:
        out.print(line, markup=False)


def export_customer(
    customer: CustomerOption,
    shop: ShopOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write, readable by you alone; else standard output.")
    ] = None,
    actor: Who = None,
) -> None:
    """Write all that is kept of a customer as JSON: every row, and from which table and why it is there."""

    async def work(settings: Settings) -> int:
        who, name = customer_named(customer, shop), person(actor)
        async with open_stores(settings, name="booked-export") as stores:
            if output is None:
                return await _export(stores, who, name, sys.stdout.write)
            return await _to_file(output, lambda write: _export(stores, who, name, write))

    if not run_command(work):
        complain("nothing is kept of this customer")
        raise typer.Exit(Exit.NOT_FOUND)


async def _export(stores: Stores, who: Customer, actor: str, write: Callable[[str], Any]) -> int:
    _, counts = await export(stores.privacy, who, actor=actor, at=datetime.now(UTC), write=write)
    return sum(counts.values())


async def _to_file(path: Path, work: Callable[[Callable[[str], Any]], Awaitable[int]]) -> int:
    """Write a file that is there whole or not at all; what a killed run has left behind is written over."""
    part = path.with_name(path.name + ".part")
    try:
        with _private(part) as file:
            count = await work(file.write)
        part.replace(path)
    except OSError as error:
        raise ConfigurationError("--output", f"{path} cannot be written: {error.strerror}") from error
    return count


def _private(path: Path) -> TextIO:
    """Open a file that nobody else may read, from its first byte on."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
