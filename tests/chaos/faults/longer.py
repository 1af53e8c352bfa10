"""F10, F11, F23, F24, F26, F28 and F30: most are for the long run alone: they take long, or need tools and rights."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from sandbox.postgres import Postgres, create_database, drop_database
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import Goals, acquaint, health, judged, pair, pass_time, until_ready
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig, World
from tests.chaos.story import Saying

DISK_MEGABYTES: Final = 400
BLOCK_BYTES: Final = 1024 * 1024
SPACE_SECONDS: Final = 60.0
CHURN: Final = 20_000
PINNED_TIMES_MAX: Final = 3.0
BLOCKED_SECONDS: Final = 10
LIVENESS_SECONDS: Final = 15.0
MOUNT_SECONDS: Final = 10
WRITTEN_SECONDS: Final = 1.0  # after which the ledger's clock shows another second


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    """Mount a small disk in memory; None where the machine does not let us."""
    folder = Path(tempfile.mkdtemp(prefix="booked-disk-"))
    options = f"size={DISK_MEGABYTES}m"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, timeout=MOUNT_SECONDS).returncode == 0  # noqa: S603 - fixed words and a folder of our own
    try:
        if mounted:
            folder.chmod(0o755)
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True, timeout=MOUNT_SECONDS)  # noqa: S603, S607 - fixed words and a folder of our own, wherever the program lies
        shutil.rmtree(folder, ignore_errors=True)


@fault("F10", "the database's disk full, with its log", soak=True)
async def disk_full(rig: Rig, seed: int) -> Trial:
    """The intake pauses, no process ends, and all goes on within a minute of there being space again."""
    goals = Goals()
    with _small_disk() as disk:
        if disk is None:
            return Trial(name="F10", seed=seed, skipped="this machine lets us mount no tmpfs: it needs root's rights")
        async with Postgres(folder=disk / "postgres") as postgres:
            mine = Rig(
                kafka_servers=rig.kafka_servers,
                postgres_admin_url=postgres.url,
                ledger_url=rig.ledger_url,
                folder=rig.folder,
            )
            async with mine.world("F10", seed=seed) as world, world.process("one") as one:
                await until_ready(one)
                await world.tell(world.shop.orders(4))
                filler = disk / "filler"
                await asyncio.to_thread(_fill, filler)
                await world.tell(world.shop.orders(30))
                await pass_time(8.0)
                goals.holds("the process ended", one.running)
                filler.unlink()
                if not postgres.process.running:
                    # A server whose log has no space ends itself; whoever runs it starts it again.
                    await postgres.start()
                goals.at_most("ready_after_space_seconds", await until_ready(one), SPACE_SECONDS)
                await world.quiet()
                return await judged(world, goals)


def _fill(file: Path) -> None:
    try:
        with file.open("wb") as filling:
            while True:
                filling.write(b"\0" * BLOCK_BYTES)
                filling.flush()
    except OSError:
        return  # full, as it was meant


@fault("F11", "a snapshot held open, vacuum off, and thousands of dead rows at the head of the queue", soak=True)
async def pinned_snapshot(rig: Rig, seed: int) -> Trial:
    """A claim takes at most three times as long as without."""
    goals = Goals()
    async with rig.world("F11", seed=seed) as world, world.process("one"):
        await acquaint(world)
        calm = await _claim_seconds(world)
        async with world.sql() as pinning, pinning.transaction(isolation="repeatable_read"):
            await pinning.fetchval("SELECT count(*) FROM orders")
            await _churn(world)
            rough = await _claim_seconds(world)
            await world.tell(world.shop.orders(6))
            await world.quiet()
        goals.note("claim_milliseconds", calm * 1000)
        goals.at_most("claim_times_as_long", rough / calm, PINNED_TIMES_MAX)
        return await judged(world, goals)


async def _churn(world: World) -> None:
    """Change the rows that every claim looks at, again and again, so that dead ones lie before the live ones."""
    async with world.sql() as connection:
        for table in ("lanes", "orders"):
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        for _ in range(CHURN // 100):
            await connection.execute("UPDATE orders SET takes = takes WHERE state = 'booked'")
            for _ in range(20):
                await connection.execute("UPDATE lanes SET calls_total = calls_total")


async def _claim_seconds(world: World) -> float:
    """Time the look for due lanes and orders, as the median of many."""
    taken: list[float] = []
    async with world.sql() as connection:
        for _ in range(200):
            began = monotonic()
            await connection.fetch(
                "SELECT connection_id FROM lanes WHERE next_due <= clock_timestamp() ORDER BY next_due LIMIT 8"
            )
            await connection.fetch(
                "SELECT order_id FROM orders WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 4"
            )
            taken.append(monotonic() - began)
    return sorted(taken)[len(taken) // 2]


@fault("F23", "an invoice edited by hand in the ledger before the order changes", soak=True)
async def changed_by_hand(rig: Rig, seed: int) -> Trial:
    """What a person wrote is not overwritten: the order is parked."""
    goals = Goals()
    async with rig.world("F23", seed=seed) as world, world.process("one"):
        await acquaint(world)
        order = world.shop.order("changed")
        await world.publish(order[:1])
        await world.quiet()
        (invoice,) = (await world.installation.live_invoices())[order[0].order_id]
        # The ledger tells whole seconds: an edit of words alone within the second of our write is not noticed.
        await pass_time(WRITTEN_SECONDS)
        await world.ledger.by_hand(world.organization_id, invoice["invoice_id"], notes="By hand")
        await world.publish(order[1:])
        await world.quiet()
        (after,) = (await world.installation.live_invoices())[order[0].order_id]
        goals.holds(f"the person's note is now {after['notes']!r}", after["notes"] == "By hand")
        goals.holds("the order is not parked", await _state(world, order[0]) == "parked")
        return await judged(world, goals)


async def _state(world: World, saying: Saying) -> str | None:
    async with world.sql() as connection:
        found: str | None = await connection.fetchval("SELECT state FROM orders WHERE order_id = $1", saying.order_id)
    return found


@fault("F24", "two replays at once beside live traffic, one of them killed halfway", soak=True)
async def replays(rig: Rig, seed: int) -> Trial:
    """Nothing is put in twice, and the one after them finds nothing more to do."""
    goals = Goals()
    async with rig.world("F24", seed=seed) as world, pair(world):
        await world.tell(world.shop.orders(12))
        first, second, _, _ = await asyncio.gather(
            world.command("replay"),
            world.command("replay"),
            world.command("replay", failpoints="replay_listed=kill9@1"),
            world.tell(world.shop.orders(12)),
        )
        goals.note("replays_that_ran", sum(code == 0 for code, _ in (first, second)))
        await world.quiet()
        await pass_time(10.0)  # the lease of the killed one, four of the short ones
        code, printed = await world.command("replay")
        goals.holds(f"the replay after them ended with {code}: {printed[-300:]}", code == 0)
        await world.quiet()
        return await judged(world, goals)


@fault("F28", "the event loop blocked for ten seconds", soak=True)
async def blocked_loop(rig: Rig, seed: int) -> Trial:
    """/livez fails within 15 s, the other process goes on, and the blocked one is alive again afterwards."""
    goals = Goals()
    async with rig.world("F28", seed=seed) as world:
        blocked = world.process("blocked", failpoints=f"answer_read=sleep:{BLOCKED_SECONDS}@3")
        async with blocked:
            await until_ready(blocked)
            await world.tell(world.shop.orders(8))
            began = monotonic()
            await until(lambda: health(blocked, "/livez", timeout_seconds=2.0), _is_dead, what="not alive")
            goals.at_most("liveness_tripped_seconds", monotonic() - began, LIVENESS_SECONDS)
            await until(lambda: health(blocked, "/livez"), lambda one: one[0] == 200, what="alive again")
            await world.quiet()
            goals.holds("the process ended", blocked.running)
        return await judged(world, goals)


def _is_dead(answer: tuple[int, str]) -> bool:
    return answer[0] != 200


@fault("F30", "a restored backup: the database forgets an hour, the broker and the ledger do not", soak=True)
async def restored_backup(rig: Rig, seed: int) -> Trial:
    """What the backup lacks is read again, and what the ledger has is found there, not made a second time."""
    async with rig.world("F30", seed=seed) as world:
        async with pair(world):
            await world.tell(world.shop.orders(5))
            await world.quiet()
        name = world.installation.database_url.rpartition("/")[2]
        backup = f"{name}_backup"
        await create_database(rig.postgres_admin_url, backup, template=name)
        try:
            async with pair(world):
                await world.tell(world.shop.orders(8))
                await world.quiet()
            await drop_database(rig.postgres_admin_url, name)
            await create_database(rig.postgres_admin_url, name, template=backup)
        finally:
            await drop_database(rig.postgres_admin_url, backup)
        async with pair(world):
            await world.tell(world.shop.orders(2))
            await world.quiet(120)
        trial = await judged(world)
        # The database has forgotten the ids of what it told after the backup: the shop is told again, under new ones.
        ours = [one for one in trial.findings if "two event ids" not in one.what]
        figures = {"told_again_under_another_id": float(len(trial.findings) - len(ours))}
        return Trial(name="F30", seed=seed, findings=ours, missed=trial.missed, figures=figures)


@fault("F26", "processes replaced one after the other, with `migrate` beside them, under load")
async def replaced(rig: Rig, seed: int) -> Trial:
    """As a deploy does it. Of one version: there is none before this one yet whose code could run beside it."""
    goals = Goals()
    async with rig.world("F26", seed=seed) as world, pair(world) as processes:
        for process in processes:
            await world.tell(world.shop.orders(6))
            await process.stop()
            code, printed = await world.command("migrate")
            goals.holds(f"migrate beside running processes ended with {code}: {printed[-200:]}", code == 0)
            await process.start()
            goals.at_most("ready_seconds", await until_ready(process), 60)
        await world.quiet()
        return await judged(world, goals)
