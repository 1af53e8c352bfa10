"""`python -m tests.transactions.all`: every pair of the port's methods in all orders, counted and reported.

With ``--write`` the figures go into docs/reliability.md. ``--pair A B`` plays only pairs of these names.
"""

import argparse
import asyncio
import importlib
import random
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from consumer.adapters.postgres.migrations import migrate
from sandbox.postgres import create_database, drop_database, with_database
from tests.session_processes import session_process
from tests.transactions.pairing import Pair, Total, all_pairs
from tests.transactions.pairs import Theatre, open_theatre
from tests.transactions.scenarios.every import SCENARIOS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
HEADING = "Pairs of transactions"
COMMAND = "python -m tests.transactions.all --write"
EVERY_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 where every order ended like a sequence, 1 where one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.transactions.all", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/reliability.md")
    parser.add_argument("--pair", nargs=2, metavar="NAME", help="only these, as LaneStore.claim or LaneStore.claim/x")
    parser.add_argument("--part", type=int, nargs=2, metavar=("N", "OF"), help="only each OF-th pair, from the N-th on")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    with session_process(["-m", "sandbox", "postgres", "--until-input-ends"]) as announced:
        total = asyncio.run(_play(announced["database_url"], _wanted(given.pair, given.part)))
    body = "\n".join(total.table(time.monotonic() - begun))
    sys.stdout.write(f"{body}\n")
    if given.write and not total.problems:
        # Loaded here, because only this way of running writes pages.
        pages = importlib.import_module("bench.pages")
        pages.write_section(page=PAGE, heading=HEADING, body=body, command=COMMAND, seed=None)
    return 1 if total.problems else 0


def _wanted(names: Sequence[str] | None, part: Sequence[int] | None) -> list[Pair]:
    pairs = all_pairs(SCENARIOS)
    # So that a run that is broken off has seen a little of everything.
    random.Random(1).shuffle(pairs)  # noqa: S311 - no secret
    if part:
        pairs = pairs[part[0] - 1 :: part[1]]
    if names is None:
        return pairs
    return [pair for pair in pairs if _named(pair, names[0], names[1]) or _named(pair, names[1], names[0])]


def _named(pair: Pair, first: str, second: str) -> bool:
    return first in (pair[0].name, pair[0].method) and second in (pair[1].name, pair[1].method)


async def _play(admin_url: str, pairs: Sequence[Pair]) -> Total:
    name = f"transactions_{uuid.uuid4().hex}"
    url = await create_database(admin_url, name)
    await migrate(url)
    try:
        async with open_theatre(with_database(admin_url, name)) as theatre:
            return await _play_all(theatre, pairs)
    finally:
        await drop_database(admin_url, name)


async def _play_all(theatre: Theatre, pairs: Sequence[Pair]) -> Total:
    total, told = Total(), time.monotonic()
    for pair in pairs:
        found = await theatre.explore(pair)
        total.add(found)
        sys.stderr.write("".join(f"{problem}\n\n" for problem in found.problems))
        if time.monotonic() - told > EVERY_SECONDS:
            told = time.monotonic()
            sys.stderr.write(f"{total.pairs} of {len(pairs)} pairs, {total.orders} orders, {len(total.problems)} bad\n")
    return total


if __name__ == "__main__":
    sys.exit(main())
