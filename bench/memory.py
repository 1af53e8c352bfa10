"""How much memory one `booked run` with all its services holds behind a backlog.

``python -m bench.memory [--events N]``: so many order.paid lie in the topics before the process starts; automatic
sending is off, so that the intake takes them all and the orders wait. Resident memory is read until all are taken.
"""

import argparse
import asyncio
import json
import sys
from time import perf_counter

import asyncpg
import psutil

from bench.pages import TARGET_MISSED
from bench.running import whole_installation
from sandbox.processes import Process
from tests.acceptance.installation import SHOP, Installation, event, order
from tests.kafka_tools import producer

TARGET_MEGABYTES = 200
MEGABYTE = 1024 * 1024
CHUNK_EVENTS = 5_000
EVERY_SECONDS = 0.5
STALLED_SECONDS = 120


async def publish_backlog(installation: Installation, events: int) -> None:
    """Publish orders of about 1 kB, as fast as the broker takes them."""
    topic = installation.topics["order.paid"]
    body = json.dumps(event("paid", order("@@", note="x" * 300)))
    async with producer(installation.kafka_servers) as sender:
        for begin in range(0, events, CHUNK_EVENTS):
            waits = []
            for number in range(begin, min(begin + CHUNK_EVENTS, events)):
                value = body.replace("@@", f"{number:07d}").encode()
                waits.append(await sender.send(topic, value, key=f"{SHOP}/{number:07d}".encode()))
            await asyncio.gather(*waits)


async def watch(booked: Process, database: asyncpg.Connection, events: int) -> float:
    """Read the resident memory until all events are taken; gives the most, in bytes. Raises TimeoutError on a stall."""
    process = psutil.Process(booked.pid)
    most, taken, moved_at = 0.0, 0, perf_counter()
    while taken < events:
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(EVERY_SECONDS)
        now_taken = await database.fetchval("SELECT coalesce(sum(next_offset), 0) FROM positions")
        if now_taken != taken:
            taken, moved_at = now_taken, perf_counter()
        elif perf_counter() - moved_at > STALLED_SECONDS:
            raise TimeoutError(f"the intake stands at {taken} of {events} events")
    return max(most, process.memory_info().rss)


async def measure(events: int) -> float:
    """Give the most resident memory, in megabytes."""
    async with whole_installation() as installation:
        installation.shops = {SHOP: {"automatic": False}}
        await installation.apply()
        await installation.connect()
        await publish_backlog(installation, events)
        print(f"{events} events published")
        database = await asyncpg.connect(installation.database_url)
        try:
            async with installation.process() as booked:
                began = perf_counter()
                idle = psutil.Process(booked.pid).memory_info().rss
                most = await watch(booked, database, events)
                seconds = perf_counter() - began
        finally:
            await database.close()
    print(f"taken in {seconds:.0f} s, {events / seconds:.0f} a second; at the start {idle / MEGABYTE:.0f} MB")
    return most / MEGABYTE


def main() -> None:
    """Read the command line, measure, and say in the end's number whether the target is missed."""
    parser = argparse.ArgumentParser(description="Resident memory of booked run behind a backlog.")
    parser.add_argument("--events", type=int, default=200_000, help="how many (default: 200,000; the goal: 1,000,000)")
    given = parser.parse_args()
    most = asyncio.run(measure(given.events))
    print(f"most resident memory: {most:.0f} MB; target: at most {TARGET_MEGABYTES} MB")
    sys.exit(0 if most <= TARGET_MEGABYTES else TARGET_MISSED)


if __name__ == "__main__":
    main()
