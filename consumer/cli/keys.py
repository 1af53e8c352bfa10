"""`booked keys`: keys that seal tokens at rest: a new one, the change to it, and the proof that an old one is gone."""

import secrets as random_source
from collections.abc import Sequence
from typing import Annotated

import typer

from consumer.bootstrap.parts import open_stores
from consumer.cli.context import person, run_command
from consumer.cli.exits import Exit, complain, console
from consumer.config import Settings
from consumer.ports.keys import SealedCount
from consumer.secrets import KEYS_SETTING, Keyring, generate_key
from consumer.services.key_rotation import BATCH_ROWS, KeyCheck, Rotation, check_keys, rotate_keys

keys = typer.Typer(no_args_is_help=True, help="Keys that seal the tokens at rest.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys, name="keys")


@keys.callback()
def about() -> None:
    """Keys that seal the tokens at rest."""


@keys.command("new")
def new(
    key_id: Annotated[str | None, typer.Option("--id", help="The key's id; by default a random one.")] = None,
) -> None:
    """Print a new key for BOOKED_SECRET_KEYS: behind the old one first, then before it (booked keys rotate)."""
    typer.echo(f"{key_id or 'k' + random_source.token_hex(3)}:{generate_key()}")


@keys.command("rotate")
def rotate(
    batch: Annotated[int, typer.Option(help="Connections of one transaction.", min=1, max=1000)] = BATCH_ROWS,
    actor: Annotated[str | None, typer.Option("--as", help="Who you are, for the audit log.")] = None,
) -> None:
    """Seal every stored secret again with the first key of BOOKED_SECRET_KEYS, while the services run.

    Every process has to know the new key before this: first add it behind the old one everywhere and restart, then put
    it first and restart, then run this. Killed in the middle it goes on when it is started again.
    """

    async def work(settings: Settings) -> Rotation:
        keyring = _keyring(settings)
        who = person(actor)
        async with open_stores(settings, name="booked-keys") as stores:
            await stores.people.note(actor=who, action="keys rotate", details={"to": keyring.key_ids[0]})
            return await rotate_keys(stores.sealed, keyring, batch_rows=batch)

    done = run_command(work)
    console().print(f"{done.sealed_again} secrets sealed again with key {done.check.writing}.", markup=False)
    for failure in done.failed:
        complain(failure)
    _tell(done.check)


@keys.command("check")
def check() -> None:
    """Count what each key seals, and say which old keys may be removed because nothing is under them any more."""

    async def work(settings: Settings) -> KeyCheck:
        async with open_stores(settings, name="booked-keys") as stores:
            return await check_keys(stores.sealed, _keyring(settings))

    _tell(run_command(work))


def _keyring(settings: Settings) -> Keyring:
    return Keyring.parse(settings.secret_keys.get_secret_value())


def _tell(check: KeyCheck) -> None:
    """Print what each key seals; ends with FINDINGS where not all is under the writing key."""
    out = console()
    out.print(f"Key {check.writing} writes; it seals {_sum(check.current)} secrets.", markup=False)
    for key_id in check.removable:
        out.print(
            f"Key {key_id} seals nothing any more: take it out of {KEYS_SETTING}, once no process writes with it.",
            markup=False,
        )
    for count in check.old:
        complain(
            f"{count.count} of {count.table}.{count.column} are still under key {count.key_id}: booked keys rotate"
        )
    for count in check.unknown:
        complain(_unknown(count))
    if not check.clean:
        raise typer.Exit(Exit.FINDINGS)


def _unknown(count: SealedCount) -> str:
    where = f"{count.count} of {count.table}.{count.column}"
    if not count.key_id:
        return f"{where} are no sealed secrets: booked connect these connections again"
    return (
        f"{where} are under key {count.key_id}, which {KEYS_SETTING} does not hold: add that key behind the others "
        "and run booked keys rotate, or connect these connections again"
    )


def _sum(counts: Sequence[SealedCount]) -> int:
    return sum(count.count for count in counts)
