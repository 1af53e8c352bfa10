"""How long a process of `booked run` takes from its start to ready, and from SIGTERM to its end while orders come in.

``python -m bench.starting [--times N]``: whole processes. Ready is what Kubernetes takes for it: /readyz says 200, so
the group is joined, the database is there, and every service does its work. The commands that a person or a CronJob
starts are timed too: what they take is what their imports take.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

import httpx

from bench.pages import TARGET_MISSED
from bench.running import whole_installation
from sandbox.processes import Process, json_line
from tests.acceptance.installation import Installation
from tests.acceptance.proof import created_invoices, orders_of_returning_customers
from tests.acceptance.waiting import until

TARGET_START_SECONDS = 5.0
STOP_SECONDS = 25.0  # BOOKED_STOP_SECONDS, as it is by default
LONGEST_SECONDS = 120
ORDERS_A_TIME = 200
INVOICES_BEFORE_STOP = 20
POLL_SECONDS = 0.02
COMMANDS = ("--version", "--help", "run --help", "replay --help")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One process: seconds to ready, seconds from SIGTERM to its end, and its exit code."""

    start_seconds: float
    stop_seconds: float
    exit_code: int


async def until_ready(process: Process) -> None:
    """Wait, without end, until a process says at /readyz that every service does its work; for use as ``ready``."""
    address = (await json_line(process, "listens"))["listens"]
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=10, trust_env=False) as client:
        while True:
            # Where it has ended meanwhile whoever started it sees that, and says why.
            with suppress(httpx.TransportError):
                if (await client.get("/readyz")).is_success:
                    return
            # The address does not tell of the change; whoever waits for it asks again.
            await asyncio.sleep(POLL_SECONDS)


async def measure(times: int) -> list[Timing]:
    """Start and stop so often, each time in the middle of new orders."""
    async with whole_installation() as installation:
        await installation.apply()
        await installation.connect()
        orders = orders_of_returning_customers(times * ORDERS_A_TIME)
        slices = [orders[begin : begin + ORDERS_A_TIME] for begin in range(0, len(orders), ORDERS_A_TIME)]
        return [await _one(installation, f"start-{number}", part) for number, part in enumerate(slices, 1)]


async def _one(installation: Installation, name: str, orders: Sequence[dict[str, object]]) -> Timing:
    process = Process(
        name=name,
        command=[sys.executable, "-m", "consumer", "run"],
        log_file=installation.folder / f"{name}.log",
        environment=installation.environment,
        ready=until_ready,
        start_timeout_seconds=LONGEST_SECONDS,
        stop_timeout_seconds=LONGEST_SECONDS,
    )
    begun = perf_counter()
    async with process:
        start_seconds = perf_counter() - begun
        before = await created_invoices(installation)
        await installation.publish("paid", orders)
        await until(
            lambda: created_invoices(installation),
            lambda made: made >= before + INVOICES_BEFORE_STOP,
            what=f"{INVOICES_BEFORE_STOP} invoices made",
        )
        begun = perf_counter()
        await process.stop()
        return Timing(start_seconds=start_seconds, stop_seconds=perf_counter() - begun, exit_code=await process.wait())


async def command_seconds(words: str) -> float:
    """Time one command that asks no server."""
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "consumer", *words.split()), stdout=asyncio.subprocess.DEVNULL
    )
    code = await process.wait()
    assert code == 0, f"booked {words} ended with {code}"
    return perf_counter() - begun


async def measure_commands(times: int) -> dict[str, float]:
    """Give the median of each command."""
    return {words: statistics.median([await command_seconds(words) for _ in range(times)]) for words in COMMANDS}


def report(timings: Sequence[Timing], commands: dict[str, float]) -> bool:
    """Print the figures; tells whether the targets are met."""
    starts, stops = [one.start_seconds for one in timings], [one.stop_seconds for one in timings]
    print(f"booked run, from its start to ready:       {_seconds(starts)} ({len(starts)} starts)")
    print(f"from SIGTERM to its end, in midst of work: {_seconds(stops)} ({len(stops)} stops)")
    for words, seconds in commands.items():
        print(f"booked {words:<36}median {seconds:6.2f} s")
    good = max(starts) < TARGET_START_SECONDS and max(stops) < STOP_SECONDS
    good = good and all(one.exit_code == 0 for one in timings)
    print(f"targets: ready within {TARGET_START_SECONDS:g} s, ended in order within {STOP_SECONDS:g} s:", end=" ")
    print("met" if good else "MISSED")
    return good


def _seconds(values: Sequence[float]) -> str:
    return f"median {statistics.median(values):6.2f} s, longest {max(values):6.2f} s"


def main() -> None:
    """Read the command line, measure, and say in the end's number whether a target is missed."""
    parser = argparse.ArgumentParser(description="Time start and stop of booked run.")
    parser.add_argument("--times", type=int, default=10, help="how often (default: 10)")
    given = parser.parse_args()
    timings = asyncio.run(measure(given.times))
    sys.exit(0 if report(timings, asyncio.run(measure_commands(given.times))) else TARGET_MISSED)


if __name__ == "__main__":
    main()
