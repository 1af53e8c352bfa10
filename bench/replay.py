"""How long `booked replay` takes over a million events of which a hundred are missing, and how much memory it holds.

``python -m bench.replay [--events N] [--missing N]``: so many order.paid lie in the topic, with times spread over a
week, and all but the missing ones in `orders`, written there by one statement. Then the command is run as a process of
its own, twice: the second run, as ten minutes later, reads its overlap only.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import asyncpg
import psutil

from bench.pages import TARGET_MISSED
from bench.running import whole_installation
from tests.acceptance.installation import SHOP, Installation, event, order
from tests.kafka_tools import producer

PARTITIONS = 3
CHUNK_EVENTS = 5_000
TARGET_SECONDS = 180
TARGET_MEGABYTES = 200
MEGABYTE = 1024 * 1024
WEEK_MS = 7 * 24 * 3600 * 1000
EVERY_SECONDS = 0.2

# As the intake would have recorded them: the record at offset n/3 of partition n%3 is the newest revision of order n.
RECORD = """
INSERT INTO orders (shop_id, order_id, connection_id, number, head, content, content_hash, currency, grand_total, paid,
                    paid_moment, state)
SELECT $1, lpad(n::text, 7, '0'), 'books', n::text,
       jsonb_build_object('revision', jsonb_build_array(1, NULL, '2026-01-01T00:00:00+00:00', 'paid', $2::text, 1,
                                                        n % 3, n / 3, repeat('ab', 32)),
                          'content', true, 'cancelled_by', NULL, 'uncancelled_by', NULL, 'paid_at', NULL,
                          'paid_told_at', NULL, 'cancelled_at', NULL, 'refunds', '{}'::jsonb, 'events', 1,
                          'losing_events', 0),
       'x', 'x', 'EUR', 12.20, true, now(), 'booked'
FROM generate_series(0, $3::integer - 1) AS n
WHERE n % $4 <> 7 OR n / $4 >= $5
"""
POSITION = "INSERT INTO positions (topic, partition, log, next_offset) VALUES ($1, $2, 1, $3)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of the command."""

    report: dict[str, Any]
    seconds: float
    megabytes: float


async def publish(installation: Installation, events: int) -> None:
    """Publish the orders, each where `RECORD` expects it."""
    topic = installation.topics["order.paid"]
    body = json.dumps(event("paid", order("@@", note="x" * 300)))
    first = int(datetime.now(UTC).timestamp() * 1000) - WEEK_MS
    async with producer(installation.kafka_servers) as sender:
        for begin in range(0, events, CHUNK_EVENTS):
            waits = []
            for number in range(begin, min(begin + CHUNK_EVENTS, events)):
                wait = await sender.send(
                    topic,
                    body.replace("@@", f"{number:07d}").encode(),
                    key=f"{SHOP}/{number:07d}".encode(),
                    partition=number % PARTITIONS,
                    timestamp_ms=first + number * WEEK_MS // events,
                )
                waits.append(wait)
            await asyncio.gather(*waits)


async def record(installation: Installation, events: int, missing: int) -> None:
    """Record all orders but the missing ones, and put the positions behind the last record."""
    topic = installation.topics["order.paid"]
    database = await asyncpg.connect(installation.database_url)
    try:
        await database.execute(RECORD, SHOP, topic, events, events // missing, missing, timeout=600)
        await database.execute("ANALYZE orders")
        for partition in range(PARTITIONS):
            count = (events - partition + PARTITIONS - 1) // PARTITIONS
            await database.execute(POSITION, topic, partition, count)
    finally:
        await database.close()


async def run_command(installation: Installation) -> Ran:
    """Run the command; its report, its time from start to end, and the most resident memory it was seen with."""
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "consumer",
        "replay",
        "--json",
        env=installation.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    reading = asyncio.create_task(process.communicate())
    watched, most = psutil.Process(process.pid), 0
    while not reading.done():
        try:
            most = max(most, watched.memory_info().rss)
        except psutil.Error:
            break  # it has ended between two looks
        await asyncio.wait({reading}, timeout=EVERY_SECONDS)
    printed, _ = await reading
    text = printed.decode()
    report = json.loads(text[text.index("{") :])
    return Ran(report=report, seconds=perf_counter() - began, megabytes=most / MEGABYTE)


def show(name: str, ran: Ran) -> None:
    """Print what one run came to."""
    print(
        f"{name}: {ran.report['records']:,} records in {ran.seconds:.1f} s "
        f"({ran.report['records'] / ran.seconds:,.0f}/s), {ran.report['read_in_full']} read in full, "
        f"{ran.report['missing']} missing, {ran.megabytes:.0f} MB at most"
    )


async def measure(events: int, missing: int) -> bool:
    """Run it twice; tell whether the targets are met."""
    async with whole_installation(partitions=PARTITIONS) as installation:
        await installation.apply()
        await publish(installation, events)
        await record(installation, events, missing)
        first = await run_command(installation)
        show("first run", first)
        second = await run_command(installation)
        show("ten minutes later", second)
        overlap = events * timedelta(hours=2) // timedelta(days=7) + PARTITIONS
        good = bool(
            first.report["missing"] == missing
            and first.seconds < TARGET_SECONDS
            and first.megabytes < TARGET_MEGABYTES
            and second.report["records"] <= overlap + PARTITIONS
        )
        print(f"targets: all found, {TARGET_SECONDS:.0f} s, {TARGET_MEGABYTES} MB:", "met" if good else "MISSED")
        return good


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--missing", type=int, default=100)
    given = parser.parse_args()
    return 0 if asyncio.run(measure(given.events, given.missing)) else TARGET_MISSED


if __name__ == "__main__":
    sys.exit(main())
