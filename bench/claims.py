"""What a claim costs behind a snapshot that somebody pins, and with a million orders that are due instead of 10,000.

Run: ``python -m bench.claims [CLAIMS]``. It starts a Postgres of its own (or takes BOOKED_DATABASE_URL), lets orders be
due in one lane, and claims ten at a time; between two claims those ten are completed, as records do it. The pinned runs
have a REPEATABLE READ transaction open from their beginning, so that nothing that was taken can be cleared away. All
four figures are of one run, and so are their ratios; each is the median of the run's last third.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from bench.intake_store import event
from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.migrations import migrate
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.ports.lanes import LaneLease
from sandbox.postgres import create_database, drop_database
from sandbox.servers import SandboxSettings, Service, servers

CLAIMS = 600
TAKEN = 10
FEW, MANY = 10_000, 1_000_000
BOOKS = "books"
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
LEASE_SECONDS = 3600.0
FILL_SECONDS = 600.0

_FILL = """
INSERT INTO orders (shop_id, order_id, connection_id, head, content, content_hash, currency, grand_total, state, due_at)
SELECT o.shop_id, 'n' || g, o.connection_id, o.head, o.content, o.content_hash, o.currency, o.grand_total, 'due',
       clock_timestamp() - make_interval(secs => 2000000 - g)
FROM orders o CROSS JOIN generate_series(1, $1) AS g
"""
_COMPLETE = (
    "UPDATE orders SET due_at = NULL, state = 'booked', takes = 0 WHERE shop_id = 'bench' AND order_id = ANY($1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How many orders are due, and whether a snapshot is pinned."""

    rows: int
    pinned: bool

    @property
    def name(self) -> str:
        """Say it in words."""
        return f"{self.rows:,} due, {'a pinned snapshot' if self.pinned else 'no snapshot pinned'}"


async def claim_all(database: Database, leased: LaneLease, claims: int) -> list[float]:
    """Claim so many times, and complete what was claimed; the seconds of each claim."""
    lanes, seconds = PostgresLaneStore(database), []
    for _ in range(claims):
        began = time.perf_counter()
        claimed = await lanes.claim(leased, TAKEN, [])
        seconds.append(time.perf_counter() - began)
        async with database.connection() as connection:
            await connection.execute(_COMPLETE, [record.key.order_id for record in claimed.orders])
    return seconds


@contextlib.asynccontextmanager
async def pinned(url: str) -> AsyncIterator[None]:
    """Hold a snapshot open, as a backup or a forgotten session does."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetchval("SELECT count(*) FROM lanes")
            yield
    finally:
        await connection.close()


async def measure(admin_url: str, case: Case, claims: int) -> float:
    """Measure one case in a database of its own; gives the median of the last third, in milliseconds."""
    name = f"bench_{uuid.uuid4().hex}"
    url = await create_database(admin_url, name)
    try:
        await migrate(url)
        async with Database.open(url, application_name="booked bench") as database:
            leased = await _prepare(database, case.rows)
            async with pinned(url) if case.pinned else contextlib.nullcontext():
                seconds = await claim_all(database, leased, claims)
    finally:
        await drop_database(admin_url, name)
    return statistics.median(seconds[-max(1, claims // 3) :]) * 1000


async def _prepare(database: Database, rows: int) -> LaneLease:
    connection = ConnectionSettings(connection_id=BOOKS, data_center="eu", organization_id="1")
    shop = ShopSettings(shop_id="bench", connection_id=BOOKS, automatic=True, book_from=MOMENT)
    await PostgresSettingsStore(database).apply([connection], [shop], actor="bench", dry_run=False)
    await PostgresIntakeStore(database, render_rejected=lambda *_: b"").record([event(0, 1)])
    async with database.connection() as own:
        await own.execute("SET statement_timeout = 0")
        await own.execute(_FILL, rows, timeout=FILL_SECONDS)
        await own.execute("VACUUM ANALYZE orders")
    (leased,) = await PostgresLaneStore(database).lease_due("bench", LEASE_SECONDS, 1)
    return leased


async def main(claims: int) -> None:
    """Start Postgres, measure the four cases, print them and their ratios, and leave nothing behind."""
    settings = SandboxSettings.from_environment(os.environ, services=frozenset({Service.POSTGRES}))
    cases = [Case(rows=rows, pinned=is_pinned) for rows in (FEW, MANY) for is_pinned in (False, True)]
    found: dict[Case, float] = {}
    async with servers(settings) as running:
        for case in cases:
            found[case] = await measure(running.database_url, case, claims)
            print(f"{case.name:38} {found[case]:6.2f} ms a claim of {TAKEN}, median of the last {claims // 3}")
    for rows in (FEW, MANY):
        ratio = found[Case(rows=rows, pinned=True)] / found[Case(rows=rows, pinned=False)]
        print(f"{'pinned / unpinned, ' + format(rows, ','):38} {ratio:6.2f}")
    print(f"{'1,000,000 / 10,000, unpinned':38} {found[cases[2]] / found[cases[0]]:6.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else CLAIMS))
