"""How fast the intake's store takes events of about 1 kB: batches of 500, beside one transaction per event.

Run: ``python -m bench.intake_store [BATCHES]``. It starts a Postgres of its own (or takes BOOKED_DATABASE_URL), with
``fsync`` and ``synchronous_commit`` on, and prints both figures of one run and their ratio. Client and server share the
machine's processors, as they do in the demo.
"""

import asyncio
import hashlib
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.migrations import migrate
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.ports.intake import Taken, TopicPartition
from sandbox.postgres import create_database, drop_database
from sandbox.servers import SandboxSettings, Service, servers

BATCH_EVENTS = 500
EVENT_BYTES = 1000
SINGLE_EVENTS = 1000
PARTITIONS = 3
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)


def event(number: int, order: int) -> Taken:
    """Make the record of this number, about this order; each has other content."""
    place = TopicPartition("order.paid", number % PARTITIONS)
    offset = number // PARTITIONS
    content = (b'{"order_id":"%d","n":%d,"x":"' % (order, number)).ljust(EVENT_BYTES - 2, b"x") + b'"}'
    outcome = OrderEvent(
        key=OrderKey("bench", str(order)),
        kind=EventKind.PAID,
        origin=Origin(topic=place.topic, log=1, partition=place.partition, offset=offset),
        event_id=f"event-{number}",
        time=MOMENT,
        version=number + 1,
        updated_at=MOMENT,
        content=content,
        content_hash=hashlib.sha256(content).digest(),
        number=f"#{order}",
        currency="EUR",
        grand_total=Decimal("12.30"),
        placed_at=MOMENT,
        paid_at=MOMENT,
    )
    return Taken(place=place, offset=offset, checksum=b"12345678", outcome=outcome, value=content)


class Bench:
    """Takes events by the store, and counts them."""

    def __init__(self, store: PostgresIntakeStore) -> None:
        self._store = store
        self._next = 0

    async def run(self, name: str, batches: int, size: int, order: Callable[[int], int]) -> float:
        """Take so many batches of this size; print and give the events per second of the median batch."""
        seconds = []
        for _ in range(batches):
            batch = [event(number, order(number)) for number in range(self._next, self._next + size)]
            self._next += size
            began = time.perf_counter()
            await self._store.record(batch)
            seconds.append(time.perf_counter() - began)
        median = statistics.median(seconds)
        rate = f"{size / median:9,.0f} events/s"
        print(f"{name:42} {rate}   median {median * 1000:6.1f} ms   max {max(seconds) * 1000:6.1f} ms")
        return size / median


async def bench(database: Database, batches: int) -> None:
    """Set one shop up, and take new orders, changes of known orders, and single events."""
    connection = ConnectionSettings(connection_id="books", data_center="eu", organization_id="1")
    shop = ShopSettings(shop_id="bench", connection_id="books", automatic=True, book_from=MOMENT)
    await PostgresSettingsStore(database).apply([connection], [shop], actor="bench", dry_run=False)
    taker = Bench(PostgresIntakeStore(database, render_rejected=lambda *_: b""))
    await taker.run("warming up", 5, BATCH_EVENTS, lambda number: number)
    new = await taker.run("new orders, batches of 500", batches, BATCH_EVENTS, lambda number: number)
    await taker.run("changes of 2,500 known orders, of 500", batches, BATCH_EVENTS, lambda number: number % 2500)
    single = await taker.run("new orders, one transaction per event", SINGLE_EVENTS, 1, lambda number: number)
    print(f"{'ratio of batches to single transactions':42} {new / single:9.1f}")


async def main(batches: int) -> None:
    """Start Postgres, make a database, bench, and leave nothing behind."""
    settings = SandboxSettings.from_environment(os.environ, services=frozenset({Service.POSTGRES}))
    async with servers(settings) as running:
        name = f"bench_{uuid.uuid4().hex}"
        url = await create_database(running.database_url, name)
        try:
            await migrate(url)
            async with Database.open(url, application_name="booked bench") as database:
                await bench(database, batches)
        finally:
            await drop_database(running.database_url, name)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
