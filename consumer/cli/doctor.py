"""`booked doctor`: checks everything a booking needs, and says what to fix; `booked resume`."""

from typing import Annotated

import typer

from consumer.adapters.kafka.topics import verify_topics
from consumer.adapters.postgres.migrations import HEAD
from consumer.bootstrap.parts import LedgerWay, Stores, kafka_settings, open_ledger_way, open_stores, steady_clock
from consumer.cli.context import run_command
from consumer.cli.exits import Exit, console
from consumer.config import Settings
from consumer.domain.states import OrderState
from consumer.errors import BookedError, ConfigurationError
from consumer.ports.lanes import LaneView
from consumer.services.asking import asking
from consumer.services.checkup import Finding, Grade, check_connection, check_groups, check_shops, try_out

MARKS = {Grade.GOOD: "[green]good[/]   ", Grade.WARNING: "[yellow]look at[/]", Grade.WRONG: "[red]wrong[/]  "}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("doctor")(doctor)
    app.command("resume")(resume)


def doctor() -> None:
    """Check Kafka, Postgres, schema, tokens, organisations, taxes and shops; say what to fix. Changes nothing."""
    findings = run_command(_examine)
    out = console()
    for finding in findings:
        out.print(MARKS[finding.grade], end=" ")
        out.print(f"{finding.about}: {finding.text}", markup=False)
        if finding.fix and finding.grade is not Grade.GOOD:
            out.print(f"        fix: {finding.fix}", markup=False)
    wrong = sum(finding.grade is Grade.WRONG for finding in findings)
    out.print(f"{len(findings)} checks, {wrong} wrong", markup=False)
    if wrong:
        raise typer.Exit(Exit.FINDINGS)


def resume(connection: Annotated[str, typer.Argument(help="The connection's name.")]) -> None:
    """Let a stopped connection go on, after what stopped it was put right."""

    async def work(settings: Settings) -> None:
        async with open_stores(settings, name="booked-resume") as stores:
            if connection not in {c.connection_id for c in await stores.settings.connections()}:
                raise ConfigurationError(connection, "there is no such connection")
            await stores.lanes.resume_connection(connection)

    run_command(work)
    console().print(f"Connection {connection} goes on.", markup=False)


async def _examine(settings: Settings) -> list[Finding]:
    findings = [await try_out("kafka", lambda: _kafka(settings), "Check BOOKED_KAFKA_SERVERS; create missing topics.")]
    try:
        async with open_stores(settings, name="booked-doctor") as stores, open_ledger_way(settings, stores) as way:
            return [*findings, *await _of_database(stores, way)]
    except BookedError as error:
        fix = "Check BOOKED_DATABASE_URL and whether Postgres runs."
        return [*findings, Finding(about="postgres", grade=Grade.WRONG, text=str(error), fix=fix)]


async def _kafka(settings: Settings) -> str:
    topics = {*settings.topics_in, settings.topic_invoice_synced, settings.topic_order_rejected}
    await verify_topics(kafka_settings(settings, name="booked-doctor"), topics)
    return f"it answers, and has the {len(topics)} topics"


async def _of_database(stores: Stores, way: LedgerWay) -> list[Finding]:
    version = await stores.health.schema_version()
    if version != HEAD:
        text = f"The schema is at {version or 'nothing'}, this program needs {HEAD}."
        return [Finding(about="postgres", grade=Grade.WRONG, text=text, fix="Run: booked migrate")]
    findings = [Finding(about="postgres", grade=Grade.GOOD, text=f"it answers, schema {version}")]
    for connection in await stores.settings.connections():
        if connection.active:
            view = await stores.lanes.view(connection.connection_id)
            findings += await _of_connection(stores, way, view)
    findings += check_shops(list(await stores.settings.shops()))
    return [*findings, *check_groups(list(await stores.people.groups(OrderState.PARKED)))]


async def _of_connection(stores: Stores, way: LedgerWay, view: LaneView) -> list[Finding]:
    async with asking(
        view, open_ledger=way.open, bookings=stores.bookings, calls=stores.calls, steady=steady_clock
    ) as caller:
        return await check_connection(view, caller)
