"""All orders of two methods' steps, or all with few interruptions, by depth first: each order is played anew."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.transactions.stepping import DEADLINE_SECONDS, Actor, Stage

# Up to so many orders of a pair all are played; of a longer pair those in which either method is interrupted at each
# of its gaps, once or twice in all.
ORDERS_MAX = 70
INTERRUPTIONS_MAX = 2


@dataclass(slots=True, kw_only=True)
class Played:
    """One order as it was played: who went on at each choice, whether there was one, and what was seen."""

    choices: list[int] = field(default_factory=list)
    free: list[bool] = field(default_factory=list)  # the other could have gone on just as well
    steps: list[str] = field(default_factory=list)
    blocked: int = 0  # times that one waited for a lock of the other
    conflicts: int = 0  # deadlocks and conflicts that the product's own retry took care of
    results: list[Any] = field(default_factory=list)

    def interruptions(self) -> int:
        """Count how often one was left although it could have gone on."""
        return sum(1 for n in range(1, len(self.choices)) if self.choices[n] != self.choices[n - 1] and self.free[n])

    def story(self) -> str:
        """Tell the order in lines."""
        return "\n".join(self.steps)


Act = Callable[[Actor], Awaitable[Any]]


async def play(stage: Stage, actors: tuple[Actor, Actor], acts: tuple[Act, Act], prefix: list[int]) -> Played:
    """Play one order: by the prefix as far as it goes, then without any interruption that is not needed."""
    tasks = [asyncio.create_task(_act(actor, act)) for actor, act in zip(actors, acts, strict=True)]
    played = Played()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await _conduct(stage, actors, prefix, played)
            played.results = list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    played.conflicts = sum(actor.conflicts for actor in actors)
    return played


async def _act(actor: Actor, act: Act) -> Any:
    try:
        return await act(actor)
    except Exception as error:  # noqa: BLE001 - whatever a method raises is its result, to be compared
        return "raised", type(error).__name__, str(error) if type(error).__name__.startswith("Database") else ""
    finally:
        actor.finish()


async def _conduct(stage: Stage, actors: tuple[Actor, Actor], prefix: list[int], played: Played) -> None:
    waiting: set[int] = set()
    while True:
        able = []
        for number, actor in enumerate(actors):
            if actor.done:
                continue
            if await stage.settle(actor, waited=number in waiting):
                waiting.discard(number)
                if not actor.done:
                    able.append(number)
            elif number not in waiting:
                waiting.add(number)
                played.blocked += 1
        if all(actor.done for actor in actors):
            return
        if able:
            chosen = _choose(able, prefix, played)
            played.choices.append(chosen)
            played.free.append(len(able) > 1)
            played.steps.append(f"{'AB'[chosen]} {actors[chosen].name}: {actors[chosen].let_go()}")


def _choose(able: list[int], prefix: list[int], played: Played) -> int:
    place = len(played.choices)
    if place < len(prefix) and prefix[place] in able:
        return prefix[place]
    last = played.choices[-1] if played.choices else able[0]
    return last if last in able else able[0]


def following(played: Played, *, interruptions_max: int | None) -> list[int] | None:
    """Give the prefix of the next order, depth first; None when all have been played."""
    for place in range(len(played.choices) - 1, -1, -1):
        if not played.free[place] or played.choices[place] != _first(played, place):
            continue
        prefix = [*played.choices[:place], 1 - played.choices[place]]
        cut = Played(choices=prefix, free=played.free[: place + 1])
        if interruptions_max is None or cut.interruptions() <= interruptions_max:
            return prefix
    return None


def _first(played: Played, place: int) -> int:
    """Give what is tried first at a choice: whoever went on before; at the very beginning the first."""
    return played.choices[place - 1] if place else 0
