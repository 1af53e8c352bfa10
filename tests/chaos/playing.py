"""What scenarios of crash points are played with: a command that has to die, a crew that finishes, and the verdict."""

from typing import Final

from tests.chaos.crew import Crew, crew
from tests.chaos.registry import Trial
from tests.chaos.rig import World, met

KILLED_COMMAND: Final = -9


async def judged(point: str, seed: int, world: World, processes: Crew) -> Trial:
    """Collect the evidence and judge it; a process that ended otherwise than expected is a miss."""
    return Trial(
        name=point,
        seed=seed,
        findings=await world.findings(),
        missed=tuple(processes.strange),
        restart_seconds=tuple(processes.restart_seconds),
        figures={"kills": float(world.kills)},
    )


async def killed_at(world: World, point: str, *words: str) -> None:
    """Run a command that has to die at the point."""
    code, printed = await world.command(*words, failpoints=f"{point}=kill9")
    assert (code, met(printed)) == (KILLED_COMMAND, point), f"{' '.join(words)} was not killed at {point}: {printed}"
    world.kills += 1


async def run_to_the_end(point: str, seed: int, world: World, more: int = 2) -> Trial:
    """Let an unarmed crew finish whatever is left, and some new orders, and judge."""
    async with crew(world) as processes:
        await world.tell(world.shop.orders(more))
        await world.quiet()
    return await judged(point, seed, world, processes)
