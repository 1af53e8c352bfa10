"""How many events a second the intake takes from Kafka into Postgres, and how much memory its process holds.

``python -m bench.intake``: a broker and a database are started (or given, see ``sandbox.servers``), orders of about
1 kB are published to three topics, and the intake takes them as a process of its own, on the same machine. Then the
plain loop (one message, one transaction) takes the first of the same orders in the same way, and the ratio is printed.
``--profile FILE`` writes a profile of the intake's process.
"""

import argparse
import asyncio
import cProfile
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time, time
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.pages import TARGET_MISSED
from bench.processors import cpu_seconds
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.migrations import migrate
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.bootstrap.collector import calm_collector
from consumer.domain.events import EventKind, Rejected
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.ports.intake import Recorded, Taken, TopicPartition
from consumer.services.intake import Intake
from consumer.services.intake_report import SilentReport
from consumer.services.positions import checksum
from consumer.sources.own import read_record
from sandbox.folders import sandbox_folder
from sandbox.kafka import Kafka, create_topics
from sandbox.postgres import Postgres, create_database

KINDS = {"order.paid": EventKind.PAID, "order.updated": EventKind.UPDATED, "order.cancelled": EventKind.CANCELLED}
PARTITIONS = 4  # of each topic; even, so that two processes get equal shares
POLL_SECONDS = 0.05
SHOP = "nl"
TARGET_EVENTS_PER_SECOND = 8_000
TARGET_RATIO = 5
TARGET_MEGABYTES = 200


def order(number: int, version: int, *, cancelled: bool = False) -> bytes:
    """Write one order of about 1 kB."""
    address = {
        "name": "Jane Doe",
        "street": "Keizersgracht",
        "house_number": str(number % 500),
        "postal_code": "1015 CJ",
        "city": "Amsterdam",
        "country": "NL",
    }
    lines = [
        {
            "id": str(position),
            "sku": f"MUG-{position}",
            "name": f"Mug, hand-made, colour {position}",
            "quantity": str(position),
            "unit_price": "12.10",
            "taxes": [{"rate": "21", "name": "VAT 21 %", "amount": f"{2.1 * position:.2f}"}],
            "total": f"{12.1 * position:.2f}",
        }
        for position in (1, 2)
    ]
    data: dict[str, Any] = {
        "shop_id": SHOP,
        "order_id": f"{number:07d}",
        "number": f"A-{number}",
        "version": version,
        "updated_at": "2026-11-20T10:15:00Z",
        "placed_at": "2026-11-20T10:10:00Z",
        "paid_at": "2026-11-20T10:12:00Z",
        "currency": "EUR",
        "prices_include_tax": True,
        "customer": {"id": f"c-{number}", "email": f"jane{number}@example.com", "name": "Jane Doe"},
        "billing_address": address,
        "lines": lines,
        "shipping": [{"method": "Post", "amount": "4.95", "taxes": [{"rate": "21"}]}],
        "totals": {"grand_total": f"{41.25 + version / 100:.2f}", "tax": "7.16"},
    }
    if cancelled:
        data["cancelled_at"] = "2026-11-20T11:00:00Z"
    return json.dumps(data).encode()


async def publish(servers: str, orders: int) -> int:
    """Publish every order as paid, six of ten again as updated, one of ten as cancelled; the number of events."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=5, max_batch_size=64 * 1024)
    await producer.start()
    count = 0
    pending: list[asyncio.Future[Any]] = []
    for number in range(orders):
        key = f"{SHOP}/{number:07d}".encode()
        sends = [("order.paid", order(number, 1))]
        if number % 10 < 6:
            sends.append(("order.updated", order(number, 2)))
        if number % 10 == 9:
            sends.append(("order.cancelled", order(number, 3, cancelled=True)))
        for topic, value in sends:
            pending.append(await producer.send(topic, value, key=key))
            count += 1
        if len(pending) > 5_000:
            await asyncio.gather(*pending)
            pending.clear()
    await asyncio.gather(*pending)
    await producer.stop()
    return count


class Counted(SilentReport):
    """Counts what was committed, and knows when the first record was read and the last one committed (Unix time)."""

    def __init__(self) -> None:
        self.events = 0
        self.batches = 0
        self.seconds_in_store = 0.0
        self.began: float | None = None
        self.ended = 0.0

    def read(self, topic: str, outcome: object) -> None:
        """Note the first one; all of them have to be orders."""
        if isinstance(outcome, Rejected):
            raise TypeError(f"{topic}: {outcome.message}")
        if self.began is None:
            self.began = time()

    def recorded(self, recorded: Recorded, records: int, seconds: float) -> None:
        """Count down."""
        assert recorded.positions
        self.events += records
        self.batches += 1
        self.seconds_in_store += seconds
        self.ended = time()


@asynccontextmanager
async def store_of(url: str) -> AsyncIterator[PostgresIntakeStore]:
    """The store, as the intake's process has it."""
    async with Database.open(url) as database:
        yield PostgresIntakeStore(database, render_rejected=lambda *_: b"{}")


async def until_taken(url: str, count: int) -> None:
    """Return once so many events are committed, by whichever process."""
    connection = await asyncpg.connect(url)
    taken = 0
    while taken < count:
        taken = await connection.fetchval(
            "SELECT coalesce(sum(next_offset), 0) FROM positions, pg_sleep($1)", POLL_SECONDS
        )
    await connection.close()


async def take_all(servers: str, url: str, count: int) -> dict[str, float]:
    """Run the intake until so many events are committed, by this process and others on the same database."""
    report = Counted()
    async with store_of(url) as store:
        group = url.rpartition("/")[2]
        source = KafkaSource(settings=KafkaSettings(servers=servers), topics=list(KINDS), group=group)
        intake = Intake(source=source, store=store, kinds=KINDS, read=read_record, report=report)
        cpu = process_time()
        await intake.start()
        await until_taken(url, count)
        cpu = process_time() - cpu
        await intake.stop(10)
    return {
        "events": report.events,
        "began": report.began or 0.0,
        "ended": report.ended,
        "cpu_seconds": cpu,
        "store_seconds": report.seconds_in_store,
        "batches": report.batches,
        "megabytes": megabytes_at_most(),
    }


class Plain:
    """The plain loop's listener: every partition from its beginning."""

    def __init__(self) -> None:
        self.places: asyncio.Future[frozenset[TopicPartition]] = asyncio.get_running_loop().create_future()

    async def on_assigned(self, places: frozenset[TopicPartition]) -> None:
        """Keep them for the loop."""
        if not self.places.done():
            self.places.set_result(places)

    async def on_revoked(self, places: frozenset[TopicPartition]) -> None:
        """Nobody else is there."""


async def take_plainly(servers: str, url: str, count: int) -> dict[str, float]:
    """One message, one transaction, with the same reading and the same statements; commits to the group left out."""
    async with store_of(url) as store:
        source = KafkaSource(settings=KafkaSettings(servers=servers), topics=list(KINDS), group=uuid.uuid4().hex)
        listener = Plain()
        await source.start(listener)
        for place in await listener.places:
            source.seek(place, 0)
        taken, began = 0, perf_counter()
        while taken < count:
            for record in await source.fetch(500, 0.5):
                outcome = read_record(record, log=1, kind=KINDS[record.place.topic], zone_of=lambda _: UTC)
                one = Taken(
                    place=record.place,
                    offset=record.offset,
                    checksum=checksum(record),
                    outcome=outcome,
                    value=record.value,
                )
                await store.record([one])
                taken += 1
        seconds = perf_counter() - began
        await source.stop(5)
    return {"events": taken, "seconds": seconds, "megabytes": megabytes_at_most()}


def megabytes_at_most() -> float:
    """Tell the most memory that this process has held, from the kernel."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell VmHWM; this bench runs on Linux")


async def child(mode: str, servers: str, url: str, count: int, profile: str) -> dict[str, Any]:
    """Run this file as a process of its own, and read what it prints."""
    arguments = [
        "-m",
        "bench.intake",
        "--child",
        mode,
        servers,
        url,
        str(count),
        *(["--profile", profile] if profile else []),
    ]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the {mode} process ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


async def fresh_database(admin_url: str) -> str:
    """A migrated database with a shop whose orders become due."""
    url = await create_database(admin_url, f"bench_{uuid.uuid4().hex}")
    await migrate(url)
    connections = [ConnectionSettings(connection_id="books", data_center="eu", organization_id="1")]
    shops = [
        ShopSettings(shop_id=SHOP, connection_id="books", automatic=True, book_from=datetime(2026, 1, 1, tzinfo=UTC))
    ]
    async with Database.open(url) as database:
        await PostgresSettingsStore(database).apply(connections, shops, actor="bench", dry_run=False)
    return url


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    orders: int
    plain: int
    profile: str


async def run(options: Options) -> bool:
    """Start the servers, publish, take twice, and print; True where the targets are met."""
    with sandbox_folder() as folder:
        # The broker as in production: without the flag that makes its start short and its work slow.
        async with (
            Kafka(folder=folder / "kafka", fast_start=False) as kafka,
            Postgres(folder=folder / "postgres") as postgres,
        ):
            await create_topics(kafka.servers, dict.fromkeys(KINDS, PARTITIONS))
            began = perf_counter()
            count = await publish(kafka.servers, options.orders)
            print(f"published {count} events of {len(order(1, 1))} bytes in {perf_counter() - began:.1f} s")
            one = await taken_by(1, kafka, postgres, count, options.profile)
            two = await taken_by(2, kafka, postgres, count, "")
            plain = await child("plain", kafka.servers, await fresh_database(postgres.url), options.plain, "")
    return show([one, two], plain)


async def taken_by(processes: int, kafka: Kafka, postgres: Postgres, count: int, profile: str) -> dict[str, Any]:
    """Have so many processes take all events into a fresh database; the figures of all of them together."""
    url = await fresh_database(postgres.url)
    servers = {"Postgres": postgres.process.pid, "broker": kafka.process.pid}
    before = {name: cpu_seconds(process_id) for name, process_id in servers.items()}
    found = await asyncio.gather(*(child("ours", kafka.servers, url, count, profile) for _ in range(processes)))
    used = {name: cpu_seconds(process_id) - before[name] for name, process_id in servers.items()}
    # One that got no partition has read nothing.
    seconds = max(one["ended"] for one in found) - min(one["began"] for one in found if one["events"])
    return {
        "processes": processes,
        "events": count,
        "seconds": seconds,
        "cpu": {"Booked": sum(one["cpu_seconds"] for one in found), **used},
        "store_seconds": sum(one["store_seconds"] for one in found),
        "batches": sum(one["batches"] for one in found),
        "megabytes": max(one["megabytes"] for one in found),
    }


def show(ours: Sequence[dict[str, Any]], plain: dict[str, Any]) -> bool:
    """Print the figures; tell whether the targets are met by one process or by two."""
    for run in ours:
        show_run(run)
    best = max(ours, key=lambda run: float(run["events"] / run["seconds"]))
    rate, plain_rate = best["events"] / best["seconds"], plain["events"] / plain["seconds"]
    print(f"plain loop: {plain_rate:,.0f} events/s ({plain['events']} in {plain['seconds']:.2f} s)")
    print(f"ratio: {rate / plain_rate:.1f}; processors: {os.cpu_count()}")
    good = bool(
        rate >= TARGET_EVENTS_PER_SECOND and rate / plain_rate >= TARGET_RATIO and best["megabytes"] <= TARGET_MEGABYTES
    )
    print(
        f"targets: {TARGET_EVENTS_PER_SECOND:,} events/s, {TARGET_RATIO} times the plain loop, {TARGET_MEGABYTES} MB:",
        "met" if good else "MISSED",
    )
    return good


def show_run(run: dict[str, Any]) -> None:
    """Print what one run came to; processor time tells more than the clock where the machine has other work."""
    print(
        f"intake in {run['processes']} process(es): {run['events'] / run['seconds']:,.0f} events/s "
        f"({run['events']} in {run['seconds']:.2f} s, {run['store_seconds']:.2f} s in the store, "
        f"{run['batches']} batches), {run['megabytes']:.0f} MB at most in one"
    )
    each = {name: seconds / run["events"] * 1e6 for name, seconds in run["cpu"].items()}
    parts = ", ".join(f"{name} {microseconds:.0f}" for name, microseconds in each.items())
    print(f"  processor time per event: {sum(each.values()):.0f} \N{MICRO SIGN}s ({parts})")


async def run_child(arguments: Sequence[str]) -> None:
    """Do one of the two loops in this process, and print its figures as JSON."""
    mode, servers, url, count = arguments
    take = take_all if mode == "ours" else take_plainly
    print(json.dumps(await take(servers, url, int(count))))


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=30_000)
    parser.add_argument("--plain", type=int, default=3_000, help="events for the plain loop")
    parser.add_argument("--profile", default="", help="write a cProfile of the intake's process to this file")
    parser.add_argument("--child", nargs=4, metavar=("MODE", "SERVERS", "URL", "COUNT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is None:
        options = Options(orders=given.orders, plain=given.plain, profile=given.profile)
        return 0 if asyncio.run(run(options)) else TARGET_MISSED
    profile = cProfile.Profile()
    if given.profile:
        profile.enable()
    # As `booked run` does.
    calm_collector()
    asyncio.run(run_child(given.child))
    if given.profile:
        profile.disable()
        profile.dump_stats(given.profile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
