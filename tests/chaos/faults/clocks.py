"""F12: the wall clocks of the workers are wrong, and jump. Leases, limits and days go by the database's clock."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Final

import psutil

from sandbox.processes import Process
from tests.chaos.faults.stage import Goals, acquaint, calls_of, judged
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig, World

AHEAD_SECONDS: Final = 600.0
ROUNDS: Final = 3


@fault("F12", "one worker's clock ten minutes ahead, another's ten minutes behind, both set back by an hour", soak=True)
async def wrong_clocks(rig: Rig, seed: int) -> Trial:
    """No lease is taken early, the ledger's limits are kept, and the documents bear the days of their payments."""
    goals = Goals()
    async with (
        rig.world("F12", seed=seed) as world,
        world.process("one", ahead_seconds=AHEAD_SECONDS, BOOKED_LOG_LEVEL="debug") as one,
        world.process("two", ahead_seconds=-AHEAD_SECONDS, BOOKED_LOG_LEVEL="debug") as two,
    ):
        await acquaint(world)
        # The change of summer time and the leap day are the event's: its day is told by its own moment and zone.
        for _ in range(ROUNDS):
            for process in (one, two):
                _set_back(process)
            await world.tell(world.shop.orders(8))
            await world.quiet()
        calls = await calls_of(world)
        goals.at_most("calls_refused_for_want_of_budget", sum(row["status"] == 429 for row in calls), 0)
        goals.at_most("renewals_of_the_token", await _renewals(world), 2)
        for process in (one, two):
            said = [json.loads(line) for line in process.log_since_start().splitlines() if line.startswith("{")]
            goals.at_most(f"{process.name}_leases_lost", sum(line.get("end") == "fenced" for line in said), 0)
            by_its_clock = datetime.fromisoformat(said[-1]["timestamp"])
            goals.holds(
                f"the clock of {process.name} was not set back: {by_its_clock}",
                by_its_clock < datetime.now(UTC) - timedelta(hours=ROUNDS - 1),
            )
        return await judged(world, goals)


def _set_back(process: Process) -> None:
    psutil.Process(process.pid).send_signal(signal.SIGUSR2)


async def _renewals(world: World) -> int:
    async with world.sql() as connection:
        return int(await connection.fetchval("SELECT max(version) FROM tokens"))
