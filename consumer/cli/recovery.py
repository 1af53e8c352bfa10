"""`booked look-first` and `booked positions`: what a person does after a restore, or to read a topic again."""

from typing import Annotated

import typer
from rich.table import Table

from consumer.adapters.kafka.topics import partitions_of
from consumer.bootstrap.parts import kafka_settings, open_stores
from consumer.cli.context import person, run_command
from consumer.cli.exits import console
from consumer.config import Settings
from consumer.ports.intake import Position, TopicPartition

positions = typer.Typer(no_args_is_help=True, help="How far each partition of the order topics was taken.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("look-first")(look_first)
    app.add_typer(positions, name="positions")


def look_first(
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Make every lane list what its ledger holds before it makes anything: for after a restore of the database."""

    async def work(settings: Settings) -> None:
        who = person(actor)
        async with open_stores(settings, name="booked-look-first") as stores:
            await stores.people.note(actor=who, action="look-first", details={})
            await stores.intake.note_committed_ahead(())

    run_command(work)
    console().print("Every lane looks first.")


@positions.callback()
def about() -> None:
    """How far each partition of the order topics was taken."""


@positions.command("list")
def list_positions() -> None:
    """Show the position of every partition, of the order topics and of those that shops have for themselves."""

    async def work(settings: Settings) -> dict[TopicPartition, Position]:
        async with open_stores(settings, name="booked-positions") as stores:
            own = [topic for shop in await stores.settings.shops() for topic in shop.topics]
            found = await partitions_of(kafka_settings(settings), {*settings.topics_in, *own})
            places = [TopicPartition(*place) for place in found]
            return dict(await stores.intake.positions(places))

    table = Table("Topic", "Partition", "Log", "Next offset")
    for place, position in sorted(run_command(work).items()):
        table.add_row(place.topic, str(place.partition), str(position.log), str(position.next_offset))
    console().print(table)


@positions.command("set")
def set_position(
    topic: Annotated[str, typer.Argument(help="The topic.")],
    partition: Annotated[int, typer.Argument(help="The partition.", min=0)],
    offset: Annotated[int, typer.Argument(help="The next offset to take.", min=0)],
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Move a position on purpose: backward to take records again (harmless), forward to skip them (noted as a gap)."""

    async def work(settings: Settings) -> Position:
        async with open_stores(settings, name="booked-positions") as stores:
            return await stores.intake.set_position(TopicPartition(topic, partition), offset, person(actor))

    moved = run_command(work)
    console().print(f"{topic}[{partition}]: log {moved.log}, next offset {moved.next_offset}", markup=False)
