"""``python -m tests.chaos.soak``: the long run: load with a random fault every half minute, and a look at what grows.

Two `booked run` processes through proxies, orders all the time within the ledger's limits, and every 30 seconds a fault
drawn from the seed. Meanwhile it is measured what the processes and the database hold: memory, sockets, file
descriptors, threads, tasks, connections, dead rows. At the end all comes to rest, the judge looks, and the
slope of each line by least squares, over the last two thirds of the run (an hour of the ninety minutes that it lasts
unless told otherwise), has to be below one percent an hour. Before it, the faults that only this run
tries (``--minutes 0`` tries them alone, ``--no-faults`` leaves them out).
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

import httpx
import psutil

from bench.pages import ROOT, write_section
from sandbox.folders import sandbox_folder
from sandbox.processes import Process
from tests.acceptance.installation import metric
from tests.chaos.faults.stage import Proxied, health, judged, pass_time, proxied_servers, until_ready
from tests.chaos.registry import Trial, all_faults
from tests.chaos.rig import World
from tests.chaos.running import run_all, table
from tests.chaos.slopes import Sample, Slope, slope_of
from tests.chaos.soak_harms import LASTS_SECONDS, harms_of

FAULT_EVERY_SECONDS: Final = 30.0
SAMPLE_EVERY_SECONDS: Final = 5.0
HTTP_OK: Final = 200
ORDERS_EVERY_SECONDS: Final = 2.0
WARM_UP_SHARE: Final = 1 / 3  # of the run: caches fill and pools open, for half an hour as seen; that is no leak
SLOPE_MAX: Final = 0.01
PAGE: Final = ROOT / "docs" / "reliability.md"


@dataclass(slots=True, kw_only=True)
class Soak:
    """What one long run has seen."""

    samples: list[Sample] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    not_alive: int = 0
    longest_recovery_seconds: float = 0.0


def main() -> int:
    """Run, print, write the page; 1 where something was violated, missed, or grows."""
    options = _options()
    seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    _say(f"seed {seed}")
    command = f"python -m tests.chaos.soak --minutes {options.minutes:g}{'' if options.faults else ' --no-faults'}"
    of_faults = asyncio.run(_faults(seed)) if options.faults else []
    failed = [trial for trial in of_faults if not trial.passed]
    if of_faults and options.write:
        titles = {name: one.title for name, one in all_faults().items()}
        _section("Faults of the long run", table(of_faults, titles), command, seed)
    if options.minutes > 0:
        soak, trial = asyncio.run(_soak(options.minutes, seed, options.series))
        growing = _growing(soak, options.minutes)
        body = _report(soak, trial, options.minutes, growing)
        _say(body)
        if options.write:
            _section("Soak", body, command, seed)
        failed += [] if trial.passed and not growing else [trial]
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=90.0, help="how long the load lasts; 0: only the faults")
    parser.add_argument("--seed", type=int, help="of all draws; drawn where it is not given")
    parser.add_argument("--no-faults", dest="faults", action="store_false", help="leave the single faults out")
    parser.add_argument("--series", type=Path, help="a file to which each measurement is added as a line of JSON")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/reliability.md as it is")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _section(heading: str, body: str, command: str, seed: int) -> None:
    write_section(page=PAGE, heading=heading, body=body, command=command, seed=str(seed))


async def _faults(seed: int) -> list[Trial]:
    """Try each fault that belongs to the long run alone, one by one."""
    jobs = [(name, one.run, seed) for name, one in all_faults().items() if one.soak]
    trials: list[Trial] = []
    with sandbox_folder() as folder:
        async with proxied_servers(folder, python=sys.executable) as servers:
            async for trial in run_all(servers.rig, jobs, at_once=1):
                trials.append(trial)
                said = trial.skipped or "; ".join([*map(str, trial.findings), *trial.missed]) or "ok"
                _say(f"{trial.name}, seed {seed}: {said}; {dict(trial.figures)}")
    return trials


async def _soak(minutes: float, seed: int, series: Path | None) -> tuple[Soak, Trial]:
    soak = Soak()
    with sandbox_folder() as folder:
        async with (
            proxied_servers(folder, python=sys.executable) as servers,
            servers.rig.world("soak", seed=seed, via=servers.via) as world,
            world.process("one") as one,
            world.process("two") as two,
        ):
            await asyncio.gather(until_ready(one), until_ready(two))
            await _under_load(soak, world, servers, (one, two), minutes * 60, series)
            await world.quiet(600)
            return soak, await judged(world)


async def _under_load(
    soak: Soak,
    world: World,
    servers: Proxied,
    processes: Sequence[Process],
    seconds: float,
    series: Path | None,
) -> None:
    """Publish, harm and measure until the time is over; then nothing is harmed any more."""
    parts = [_publish(soak, world), _harm(soak, world, servers, processes), _measure(soak, world, processes, series)]
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # none of them ends by itself: what one raised is the run's failure
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for proxy in servers.proxies.values():
            proxy.calm()
        await world.ledger.clear_faults()
        for process in processes:
            process.resume()
            if not process.running:
                await process.start()


async def _publish(soak: Soak, world: World) -> None:
    while True:
        # Some four calls of the thirty that the ledger allows in three seconds: room enough to catch up after a fault.
        orders = world.shop.orders(2)
        await world.tell(orders)
        soak.orders += len(orders)
        await pass_time(ORDERS_EVERY_SECONDS)


async def _harm(soak: Soak, world: World, servers: Proxied, processes: Sequence[Process]) -> None:
    harms = harms_of(world, servers, processes)
    while True:
        name = world.lot.choice(sorted(harms))
        soak.faults[name] = soak.faults.get(name, 0) + 1
        await harms[name]()
        before, began = await world.progress(), monotonic()
        while await world.progress() == before and await world.unrest():
            await pass_time(0.2)
        soak.longest_recovery_seconds = max(soak.longest_recovery_seconds, monotonic() - began)
        await pass_time(FAULT_EVERY_SECONDS - LASTS_SECONDS)


async def _measure(soak: Soak, world: World, processes: Sequence[Process], series: Path | None) -> None:
    began = monotonic()
    while True:
        await pass_time(SAMPLE_EVERY_SECONDS)
        values = await _database_values(world)
        for number, process in enumerate(processes):
            with suppress(psutil.Error):
                values |= {f"{name} of process {number + 1}": value for name, value in _values(process.pid).items()}
            status, _ = await health(process, "/livez", timeout_seconds=10.0)
            if status == HTTP_OK:
                with suppress(httpx.HTTPError):
                    values[f"tasks of process {number + 1}"] = await metric(process, "booked_tasks")
            # No answer may be a process that was just killed or frozen by us; 503 is its own word.
            soak.not_alive += status == 503
        soak.samples.append(Sample(seconds=monotonic() - began, values=values))
        if series is not None:
            _add_line(series, soak.samples[-1])


def _add_line(series: Path, sample: Sample) -> None:
    with series.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"seconds": round(sample.seconds, 1), **sample.values}) + "\n")


def _values(pid: int) -> dict[str, float]:
    process = psutil.Process(pid)
    with process.oneshot():
        return {
            "memory (MB)": process.memory_info().rss / 1024 / 1024,
            "sockets": float(len(process.net_connections("inet"))),
            "file descriptors": float(process.num_fds()),
            "threads": float(process.num_threads()),
        }


async def _database_values(world: World) -> dict[str, float]:
    async with world.sql() as connection:
        row = await connection.fetchrow(
            """SELECT (SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()) AS connections,
                      (SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables
                       WHERE relname IN ('orders', 'lanes', 'slots', 'intents', 'outbox', 'positions')) AS dead"""
        )
    return {} if row is None else {"connections": float(row["connections"]), "dead rows": float(row["dead"])}


def _growing(soak: Soak, minutes: float) -> list[str]:
    """Name what surely grows by more than one percent an hour, by what was seen after the first third.

    The second process is killed now and then, and each time warms up anew: it is shown, and not judged. So are dead
    rows: they grow until the database cleans up, and then are few again; that it does is the watchdog's to see.
    """
    return [
        f"{name} grows by {slope.per_hour:.2%} an hour"
        for name, slope in _slopes(soak, minutes).items()
        if not name.endswith("process 2") and name != "dead rows" and slope.surely_beyond(SLOPE_MAX)
    ]


def _slopes(soak: Soak, minutes: float) -> dict[str, Slope]:
    late = [sample for sample in soak.samples if sample.seconds >= minutes * 60 * WARM_UP_SHARE]
    names = dict.fromkeys(name for sample in late for name in sample.values)
    return {name: slope_of(late, name) for name in names}


def _report(soak: Soak, trial: Trial, minutes: float, growing: Sequence[str]) -> str:
    faults = ", ".join(f"{name} {count}" for name, count in sorted(soak.faults.items()))
    lines = [
        f"{minutes:g} minutes, {soak.orders} orders, {sum(soak.faults.values())} faults ({faults}).",
        f"Violations: {len(trial.findings)}. `/livez` answered 503: {soak.not_alive} times.",
        f"Longest time from a fault's end to the next progress: {soak.longest_recovery_seconds:.1f} s.",
        "",
        "| what, over the last two thirds | mean | least | most | slope by least squares |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, slope in _slopes(soak, minutes).items():
        values = [sample.values[name] for sample in soak.samples if name in sample.values]
        mean = sum(values) / len(values)
        span = f"{mean:.1f} | {min(values):.1f} | {max(values):.1f}"
        lines.append(f"| {name} | {span} | {slope.per_hour:+.2%} ± {slope.error:.2%} an hour |")
    found = [str(finding) for finding in trial.findings] + list(trial.missed) + list(growing)
    return "\n".join([*lines, "", *(f"- {one}" for one in found)]).strip()


if __name__ == "__main__":
    sys.exit(main())
