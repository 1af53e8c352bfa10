"""`booked doctor`: checks everything a booking needs, and says what to fix; `booked resume`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from consumer.adapters.kafka.topics import list_topics, verify_topics
from consumer.adapters.postgres.direct import Directness, look
from consumer.adapters.postgres.migrations import HEAD
from consumer.bootstrap.parts import LedgerWay, Stores, kafka_settings, open_ledger_way, open_stores, steady_clock
from consumer.cli.context import person, run_command
from consumer.cli.doctor_kafka import acl_lines, create_topics, rights, shop_topics
from consumer.cli.exits import Exit, console
from consumer.config import Settings
from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState
from consumer.errors import BookedError, ConfigurationError, LedgerError
from consumer.ports.lanes import LaneView
from consumer.services.asking import asking
from consumer.services.calling import Caller, PutBackError
from consumer.services.checkup import Finding, Grade, check_connection, check_groups, check_shops, try_out
from consumer.services.preparing import Preparing
from consumer.services.rounding_checkup import RoundingCheckup
from consumer.sources.own import to_order

MARKS = {Grade.GOOD: "[green]good[/]   ", Grade.WARNING: "[yellow]look at[/]", Grade.WRONG: "[red]wrong[/]  "}
KAFKA_FIX = (
    "Check BOOKED_KAFKA_SERVERS; make missing topics (booked doctor --create-topics), or let us see them "
    "(booked doctor --acls)."
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("doctor")(doctor)
    app.command("resume")(resume)


def doctor(
    topics: Annotated[
        bool,
        typer.Option("--create-topics", help="Make the topics that are missing; tell how the others differ, and end."),
    ] = False,
    acls: Annotated[
        bool, typer.Option("--acls", help="Print the rights that we need at a broker that asks for them, and end.")
    ] = False,
    principal: Annotated[str, typer.Option(help="With --acls: whose rights, as the broker names us.")] = "User:booked",
) -> None:
    """Check Kafka, Postgres, schema, tokens, organisations, taxes, rounding and shops; say what to fix.

    It changes nothing in the ledger. What the organisation's own invoices show of how it rounds VAT is kept,
    and its taxes and currencies where they are not known yet.
    """
    if acls:
        _print_rights(principal)
        return
    findings = run_command(_make_topics if topics else _examine)
    out = console()
    print_findings(findings)
    wrong = sum(finding.grade is Grade.WRONG for finding in findings)
    out.print(f"{len(findings)} checks, {wrong} wrong", markup=False)
    if wrong:
        raise typer.Exit(Exit.FINDINGS)


async def _make_topics(settings: Settings) -> list[Finding]:
    own, missing = await shop_topics(settings)
    findings = await create_topics(settings, _topics(settings) | own)
    if missing:
        fix = "Run it again when Postgres answers, if shops have topics of their own."
        findings.append(Finding(about="topics", grade=Grade.WARNING, text=missing, fix=fix))
    return findings


def _print_rights(principal: str) -> None:
    """Print the calls plain, so that they can be copied and piped."""

    async def work(settings: Settings) -> None:
        run, make, missing = await rights(settings)
        typer.echo("# To run:")
        for line in acl_lines(run, principal, settings):
            typer.echo(line)
        typer.echo("# Besides, for booked doctor --create-topics:")
        for line in acl_lines(make, principal, settings):
            typer.echo(line)
        if missing:
            typer.echo(f"# {missing}")

    run_command(work)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings, each with its grade and its fix."""
    out = console()
    for finding in findings:
        out.print(MARKS[finding.grade], end=" ")
        out.print(f"{finding.about}: {finding.text}", markup=False)
        if finding.fix and finding.grade is not Grade.GOOD:
            out.print(f"        fix: {finding.fix}", markup=False)


def resume(
    connection: Annotated[str, typer.Argument(help="The connection's name.")],
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Let a stopped connection go on, after what stopped it was put right."""

    async def work(settings: Settings) -> None:
        who = person(actor)
        async with open_stores(settings, name="booked-resume") as stores:
            if connection not in {c.connection_id for c in await stores.settings.connections()}:
                raise ConfigurationError(connection, "there is no such connection")
            # Before it is done: what a person was about to do is known, whatever happens then.
            await stores.people.note(actor=who, action="resume", details={"connection": connection})
            await stores.lanes.resume_connection(connection)

    run_command(work)
    console().print(f"Connection {connection} goes on.", markup=False)


async def _examine(settings: Settings) -> list[Finding]:
    findings = [await try_out("kafka", lambda: _kafka(settings), KAFKA_FIX)]
    try:
        async with open_stores(settings, name="booked-doctor") as stores, open_ledger_way(settings, stores) as way:
            return [*findings, *await _of_database(settings, stores, way)]
    except BookedError as error:
        fix = "Check BOOKED_DATABASE_URL and whether Postgres runs."
        return [*findings, Finding(about="postgres", grade=Grade.WRONG, text=str(error), fix=fix)]


async def _kafka(settings: Settings) -> str:
    topics = _topics(settings)
    await verify_topics(kafka_settings(settings, name="booked-doctor"), topics)
    return f"it answers, and has the {len(topics)} topics"


def check_directness(seen: Directness) -> list[Finding]:
    """Tell of a pooler between us and Postgres, and of wake-ups that do not come through it."""
    about = "postgres wake-ups"
    if not seen.heard:
        text = (
            "A wake-up (NOTIFY) does not arrive: a pooler that deals connections by the transaction stands between, or "
            "something else that does not pass it on. Orders are booked all the same, seconds later."
        )
        fix = "Let BOOKED_DATABASE_URL name Postgres itself; see docs/kafka-and-postgres.md."
        return [Finding(about=about, grade=Grade.WRONG, text=text, fix=fix)]
    if not seen.direct:
        text = "They arrive, through a pooler. It has to keep to one connection for one client (session pooling)."
        fix = "Let BOOKED_DATABASE_URL name Postgres itself: we have a pool of our own."
        return [Finding(about=about, grade=Grade.WARNING, text=text, fix=fix)]
    return [Finding(about=about, grade=Grade.GOOD, text="they arrive, and nothing stands between")]


def _topics(settings: Settings) -> frozenset[str]:
    return frozenset((*settings.topics_in, settings.topic_invoice_synced, settings.topic_order_rejected))


async def _of_database(settings: Settings, stores: Stores, way: LedgerWay) -> list[Finding]:
    version = await stores.health.schema_version()
    if version != HEAD:
        text = f"The schema is at {version or 'nothing'}, this program needs {HEAD}."
        return [Finding(about="postgres", grade=Grade.WRONG, text=text, fix="Run: booked migrate")]
    findings = [Finding(about="postgres", grade=Grade.GOOD, text=f"it answers, schema {version}")]
    findings += check_directness(await look(settings.database_url.get_secret_value()))
    for connection in await stores.settings.connections():
        if connection.active:
            view = await stores.lanes.view(connection.connection_id)
            findings += await _of_connection(stores, way, view)
    shops = list(await stores.settings.shops())
    findings += [*check_shops(shops), *await _of_shop_topics(settings, shops)]
    return [*findings, *check_groups(list(await stores.people.groups(OrderState.PARKED)))]


async def _of_shop_topics(settings: Settings, shops: Sequence[ShopSettings]) -> list[Finding]:
    """Tell whether the topics that shops have for themselves are there, and theirs alone."""
    wanted = {topic: shop.shop_id for shop in shops if shop.active for topic in shop.topics}
    if not wanted:
        return []
    try:
        there = await list_topics(kafka_settings(settings, name="booked-doctor"))
    except BookedError:
        return []  # said already, of Kafka itself
    return [_shop_topic(settings, topic, shop_id, topic in there) for topic, shop_id in sorted(wanted.items())]


def _shop_topic(settings: Settings, topic: str, shop_id: str, exists: bool) -> Finding:
    about = f"shop {shop_id}"
    if topic in _topics(settings):
        text = f"Its topic {topic} is one of the installation's own, so it is not read as the shop's."
        return Finding(about=about, grade=Grade.WRONG, text=text, fix="Give the shop a topic of its own, and apply.")
    if not exists:
        text = f"Its topic {topic} does not exist; its orders are waited for, those of other topics are taken."
        return Finding(about=about, grade=Grade.WRONG, text=text, fix=f"Create the topic {topic}.")
    return Finding(about=about, grade=Grade.GOOD, text=f"its topic {topic} is there")


async def _of_connection(stores: Stores, way: LedgerWay, view: LaneView) -> list[Finding]:
    async with asking(
        view, open_ledger=way.open, bookings=stores.bookings, calls=stores.calls, steady=steady_clock
    ) as caller:
        view = await with_facts(stores, view, caller)
        return [*await check_connection(view, caller), *await rounding_checkup(stores).check(view, caller)]


async def with_facts(stores: Stores, view: LaneView, caller: Caller) -> LaneView:
    """Read and keep the organisation's taxes and currencies where no lane has yet: `booked preview` goes by them."""
    if view.facts is not None or not view.connection.organization_id:
        return view
    preparing = Preparing(connection=view.connection, caller=caller, lanes=stores.lanes, contacts=stores.contacts)
    try:
        await preparing.facts(view)
    except (LedgerError, PutBackError):
        return view  # the checks that follow say what is wrong
    return await stores.lanes.view(view.connection.connection_id)


def rounding_checkup(stores: Stores) -> RoundingCheckup:
    """Give the checkup of rounding over these stores."""
    return RoundingCheckup(
        lanes=stores.lanes,
        people=stores.people,
        read_order=lambda record, shop: to_order(record.content or b"", shop.time_zone, record.kept_refunds),
    )
