"""The crash points: for each one a scenario that kills a real process there, lets the others go on, and judges."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.failpoints import POINTS
from tests.acceptance.installation import CLIENT_ID
from tests.acceptance.waiting import until
from tests.chaos.crew import Crew, crew
from tests.chaos.playing import judged, killed_at, run_to_the_end
from tests.chaos.points_keeping import erased_half, exported_half, keys_rotated_half
from tests.chaos.registry import Scenario, Trial
from tests.chaos.rig import Rig, World
from tests.chaos.story import slices

ORDERS: Final = 7
PARTS: Final = 4
# Of a world about five writes make contacts and ten make, change or remove invoices; both shall be struck.
WRITES: Final = (3, 12)
MORE_MAX: Final = 8  # orders that are told beyond the story, one by one, until a point is met


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crash:
    """How a point of `booked run` is met. ``hits``: the passing is drawn from the first to the last of these."""

    point: str
    hits: tuple[int, int] = (1, 1)
    tokens_expire: bool = False

    async def __call__(self, rig: Rig, seed: int) -> Trial:
        async with rig.world(self.point, seed=seed) as world:
            nth = world.lot.randint(*self.hits)
            async with crew(world, failpoints=f"{self.point}=kill9@{nth}") as processes:
                await _tell_until_met(world, processes, tokens_expire=self.tokens_expire)
                await world.quiet()
                await processes.back()
            return await judged(self.point, seed, world, processes)


async def _tell_until_met(world: World, processes: Crew, *, tokens_expire: bool) -> None:
    """Tell the story in parts, each once the one before is booked or somebody has died; more, if nobody has."""
    story = [*world.shop.orders(ORDERS), [world.shop.nonsense()]]
    world.lot.shuffle(story)
    for part in slices(story, PARTS):
        if tokens_expire:
            await world.expire_tokens()
        await world.tell(part)
        await processes.until_crash_or(world.quiet())
    for _ in range(MORE_MAX):
        if processes.crashed.is_set():
            return
        if tokens_expire:
            await world.expire_tokens()
        await world.tell([world.shop.order()])
        await processes.until_crash_or(world.quiet())
    assert processes.crashed.is_set(), f"{world.name} was never met, in {len(world.log.sent)} events"


# ---- the points beside the usual way -----------------------------------------------------------------------------


async def drain_begun(rig: Rig, seed: int) -> Trial:
    """C16: SIGTERM, and the kill while lanes finish what they have in hand."""
    async with rig.world("drain_begun", seed=seed) as world:
        async with crew(world, failpoints="drain_begun=kill9") as processes:
            for _ in range(MORE_MAX):
                before = await world.progress()
                await world.tell(world.shop.orders(ORDERS))
                await _until_written(world, before[1])
                await processes.stop_one_after_another()
                if processes.crashed.is_set():
                    break
            assert processes.crashed.is_set(), "no process had a lane when it was asked to stop"
            await world.quiet()
            await processes.back()
        return await judged("drain_begun", seed, world, processes)


async def _until_written(world: World, writes: int) -> None:
    await until(world.progress, lambda now: now[1] > writes, what="a write was made")


async def _recorded_and_asleep(world: World) -> None:
    """Orders are recorded by an intake alone; then the wake-up of their lane is lost, as an old fault might."""
    async with world.process("intake", "intake"):
        await world.tell(world.shop.orders(ORDERS))
        await until(world.unrest, lambda unrest: unrest.startswith("0 of"), what="all is recorded")
    async with world.sql() as connection:
        await connection.execute("UPDATE lanes SET next_due = NULL")


async def _replay_again(world: World) -> None:
    """The killed run's lease has to run out first; a run that finds it taken says so and does nothing."""

    async def lease_is_over() -> bool:
        async with world.sql() as connection:
            held = "SELECT count(*) FROM leases WHERE name = 'replay' AND lease_until > clock_timestamp()"
            return not await connection.fetchval(held)

    await until(lease_is_over, bool, what="the killed replay's lease is over")
    code, printed = await world.command("replay", "--json")
    report = json.loads(printed[printed.index("{") :])
    assert (code, report["busy"], report["left"]) == (0, False, []), printed


async def sweep_found(rig: Rig, seed: int) -> Trial:
    """C18: a lane that sleeps although orders are due is found, and the finder dies before it is corrected."""
    async with rig.world("sweep_found", seed=seed) as world:
        await _recorded_and_asleep(world)
        await killed_at(world, "sweep_found", "replay")
        await _replay_again(world)
        return await run_to_the_end("sweep_found", seed, world)


async def stuck_found(rig: Rig, seed: int) -> Trial:
    """C18: the lease of a lane's dead owner is ended, and who ended it dies before the commit."""
    async with rig.world("stuck_found", seed=seed) as world:
        await _recorded_and_asleep(world)
        async with world.sql() as connection:
            await connection.execute(
                "UPDATE lanes SET owner = 'gone', lease_until = clock_timestamp() - interval '1 hour'"
            )
        await killed_at(world, "stuck_found", "replay")
        await _replay_again(world)
        return await run_to_the_end("stuck_found", seed, world)


async def _skipped(world: World) -> None:
    """Orders are published while nobody reads, and somebody moves the positions over them."""
    await world.tell([world.shop.order() for _ in range(ORDERS)])
    ends: dict[tuple[str, int], int] = {}
    for _, place in world.log.sent:
        spot = (place.topic, place.partition)
        ends[spot] = max(ends.get(spot, 0), place.offset + 1)
    for (topic, partition), end in ends.items():
        await world.installation.command("positions", "set", topic, str(partition), str(end), "--as", "tester")


def _in_replay(point: str) -> Scenario:
    async def run(rig: Rig, seed: int) -> Trial:
        async with rig.world(point, seed=seed) as world:
            await _skipped(world)
            await killed_at(world, point, "replay")
            await _replay_again(world)
            return await run_to_the_end(point, seed, world)

    return run


def _in_migration(point: str) -> Scenario:
    async def run(rig: Rig, seed: int) -> Trial:
        async with rig.world(point, seed=seed, prepared=False, migrated=False) as world:
            await killed_at(world, point, "migrate")
            # Two at once, as two processes that are deployed together would.
            ends = await asyncio.gather(world.command("migrate"), world.command("migrate"))
            assert [code for code, _ in ends] == [0, 0], ends
            await world.prepare()
            return await run_to_the_end(point, seed, world, more=ORDERS)

    return run


async def code_exchanged(rig: Rig, seed: int) -> Trial:
    """C19: the grant is given and lost with the process; orders wait, and a second connect lets them go on."""
    async with rig.world("code_exchanged", seed=seed, prepared=False) as world:
        await world.installation.apply()
        code = await world.ledger.create_code(client_id=CLIENT_ID)
        await killed_at(world, "code_exchanged", "connect", "books", "--self-client", code, "--as", "tester")
        await world.tell(world.shop.orders(ORDERS))
        await world.installation.connect()
        return await run_to_the_end("code_exchanged", seed, world)


def _crashes(hits: Mapping[str, tuple[int, int]]) -> dict[str, Scenario]:
    return {point: _Crash(point=point, hits=between) for point, between in hits.items()}


SCENARIOS: Final[Mapping[str, Scenario]] = {
    **_crashes(
        {
            "records_fetched": (1, 2),
            "batch_before_commit": (1, 2),
            "batch_committed": (1, 2),
            "offsets_committed": (1, 2),
            "lane_leased": (1, 1),
            "intent_committed": WRITES,
            "answer_unread": WRITES,
            "answer_read": WRITES,
            "outcome_before_commit": WRITES,
            "outcome_committed": WRITES,
            "messages_taken": (1, 3),
            "messages_acknowledged": (1, 3),
            "messages_before_commit": (1, 3),
        }
    ),
    "token_renewed": _Crash(point="token_renewed", tokens_expire=True),
    "replay_listed": _in_replay("replay_listed"),
    "replay_half_put_in": _in_replay("replay_half_put_in"),
    "drain_begun": drain_begun,
    "migration_before_commit": _in_migration("migration_before_commit"),
    "migration_committed": _in_migration("migration_committed"),
    "sweep_found": sweep_found,
    "stuck_found": stuck_found,
    "code_exchanged": code_exchanged,
    "keys_rotated_half": keys_rotated_half,
    "erased_half": erased_half,
    "exported_half": exported_half,
}
"""A scenario for each point of consumer.failpoints."""


def chosen(names: Sequence[str]) -> dict[str, Scenario]:
    """Give these points' scenarios; a name may be a C-number. Raises KeyError for one that there is not."""
    wanted = {point for point, number in POINTS.items() if point in names or number in names}
    unknown = set(names) - wanted - set(POINTS.values())
    if unknown:
        raise KeyError(f"no crash point: {', '.join(sorted(unknown))}; there are {', '.join(POINTS)}")
    return {name: scenario for name, scenario in SCENARIOS.items() if name in wanted}
