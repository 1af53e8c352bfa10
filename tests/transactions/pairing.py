"""Which pairs there are, a sample of them by seed, and what came of many."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

from tests.transactions.pairs import Explored, Theatre
from tests.transactions.scenarios.scenario import Scenario

Pair = tuple[Scenario, Scenario]


@dataclass(slots=True, kw_only=True)
class Total:
    """What came of many pairs."""

    pairs: int = 0
    met: int = 0  # pairs of which one method could notice the other
    whole: int = 0  # of those, pairs of which every order was played
    orders: int = 0
    waits: int = 0
    conflicts: int = 0
    problems: list[str] = field(default_factory=list)
    by_method: Counter[str] = field(default_factory=Counter)

    def add(self, found: Explored) -> None:
        """Count a pair in."""
        self.pairs += 1
        self.met += found.orders > 0
        self.whole += found.orders > 0 and found.whole
        self.orders += found.orders
        self.waits += found.blocked
        self.conflicts += found.conflicts
        self.problems += found.problems
        for name in {name.split("/")[0] for name in found.pair}:
            self.by_method[name] += found.orders

    def table(self, seconds: float) -> Iterator[str]:
        """Give the lines of a table."""
        yield "| what | count |"
        yield "| --- | --- |"
        yield f"| methods of the port | {len(self.by_method)} |"
        yield f"| pairs of calls | {self.pairs} |"
        yield f"| of them pairs in which one could notice the other | {self.met} |"
        yield f"| of them played in every order of their statements | {self.whole} |"
        yield f"| orders played | {self.orders} |"
        yield f"| times that one waited for a lock of the other | {self.waits} |"
        yield f"| deadlocks and conflicts, all cured by the product's own repetition | {self.conflicts} |"
        yield f"| orders that ended like no sequence of the two | {len(self.problems)} |"
        yield f"| seconds | {seconds:.0f} |"


def all_pairs(scenarios: Sequence[Scenario]) -> list[Pair]:
    """Give every pair, each with itself too."""
    return list(combinations_with_replacement(scenarios, 2))


async def sample(theatre: Theatre, scenarios: Sequence[Scenario], seed: str, orders: int) -> Total:
    """Play pairs by chance until so many orders have been played. The same seed plays the same pairs."""
    pairs = all_pairs(scenarios)
    random.Random(seed).shuffle(pairs)  # noqa: S311 - a seed for a test, no secret
    total = Total()
    for pair in pairs:
        if total.orders >= orders:
            break
        total.add(await theatre.explore(pair))
    return total
