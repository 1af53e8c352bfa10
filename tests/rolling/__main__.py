"""`python -m tests.rolling`: a rolling update with servers of its own; prints what was seen as a table.

Ends with 1 where anything was lost or done twice, or an order waited longer than is promised.
"""

import argparse
import asyncio
import sys

from sandbox.folders import sandbox_folder
from tests.chaos.rig import own_servers
from tests.rolling.release import next_release, this_release
from tests.rolling.update import P99_SECONDS, roll


async def play(*, seed: int, messages_between: int) -> int:
    """Update once and print; 0 where all is well."""
    with sandbox_folder() as folder:
        new = next_release(folder / "next")
        async with own_servers(folder) as servers, servers.rig.world("rolling", seed=seed) as world:
            rolled = await roll(world, this_release(), new, messages_between=messages_between)
            findings = await world.findings()
    sys.stdout.write(f"{rolled.table()}\n| lost, done twice or wrong, by the judge | {len(findings)} |\n")
    for finding in findings:
        sys.stderr.write(f"{finding}\n")
    return 0 if not findings and rolled.p99_seconds < P99_SECONDS else 1


def main() -> None:
    """Read the command line and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.rolling", description="A rolling update while orders come.")
    parser.add_argument("--seed", type=int, default=1, help="of the orders (default: 1)")
    parser.add_argument("--messages", type=int, default=30, help="sent between two steps (default: 30)")
    given = parser.parse_args()
    sys.exit(asyncio.run(play(seed=given.seed, messages_between=given.messages)))


if __name__ == "__main__":
    main()
