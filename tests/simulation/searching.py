"""The search for the first schedule in which something is wrong: how long a planted fault stays hidden.

Seeds are played one after the other in one process, so that the count of schedules is the same each time; the small
chunks keep what died within them from filling the memory.
"""

import gc
import multiprocessing
from collections.abc import Callable

from tests.simulation.schedule import Sum, play, warm_up

CHUNK = 25


def until_failure(seeds: range, tell: Callable[[str], object]) -> bool:
    """Play until one fails and tell its seed, how many it took, and what was wrong; False where none fails."""
    # Forked for each chunk, as in the great run: what was imported is there, and what died ends with the process.
    warm_up()
    with multiprocessing.get_context("fork").Pool(1, gc.disable, maxtasksperchild=1) as pool:
        for start in range(0, len(seeds), CHUNK):
            found = pool.apply(_first_failure, (seeds[start : start + CHUNK],))
            if found is not None:
                seed, problem = found
                tell(f"FOUND seed {seed} after {seed - seeds[0] + 1} schedules: {problem}\n")
                return True
    tell(f"nothing in {len(seeds)} schedules\n")
    return False


def _first_failure(seeds: range) -> tuple[int, str] | None:
    for seed in seeds:
        problem = _problem(play(seed))
        if problem is not None:
            return seed, problem
    return None


def _problem(one: Sum) -> str | None:
    return " ".join(one.problems[0].split()) if one.problems else None
