"""The rig for crashes and faults with real parts: servers once, and for each trial a world of its own.

Use::

    rig = Rig(kafka_servers=…, postgres_admin_url=…, ledger_url=…, folder=…)      # or: async with own_servers(folder)
    async with rig.world("F14", seed=7) as world:                                 # topics, database, organisation
        async with world.process("one"), world.process("two"):                    # `booked run`, real processes
            await world.tell(world.shop.orders(8))                                # acknowledged by the broker
            await world.quiet()                                                   # nothing is left to do
        findings = await world.findings()                                         # judged by tests.chaos.oracle

A world has leases, settle times and windows shortened by settings, and a ledger whose window really is that short.
``world.lot`` draws, from the seed alone. To put a proxy between, give ``rig.world(…, via=Via(kafka_servers=…,
database_url=…, ledger_url=…))`` functions of the real address; the judge never goes through a proxy. Processes that a
world has started end with it.
"""

import asyncio
import json
import os
import random
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

from consumer.adapters.postgres.migrations import migrate
from consumer.bootstrap.parts import open_ledger_way, open_stores
from consumer.cli.shops_file import read_shops_file
from consumer.config import Settings, read_settings
from consumer.ports.ledger import ClientCredentials
from sandbox.kafka import Kafka, create_topics, delete_topics
from sandbox.ports import free_port
from sandbox.postgres import Postgres, admin_connection, create_database, drop_database, with_database
from sandbox.processes import Process, json_line
from sandbox.zoho.client import ControlClient, Founded
from tests.acceptance.installation import CLIENT_ID, CLIENT_SECRET, ORGANIZATION, Installation
from tests.acceptance.waiting import until
from tests.chaos.evidence import collected, rows_of
from tests.chaos.oracle import UNFINISHED, CallLimits, Finding, judge
from tests.chaos.story import Place, ProducerLog, Saying, Shop, interleaved
from tests.kafka_tools import producer

KINDS: Final = ("order.paid", "order.updated", "order.cancelled", "invoice.synced", "order.rejected")
INPUTS: Final = {"paid": "order.paid", "updated": "order.updated", "cancelled": "order.cancelled"}
PARTITIONS: Final = 2
QUIET_SECONDS: Final = 150.0  # for a busy machine; a free one needs five
START_SECONDS: Final = 120.0
LIMITS: Final = CallLimits(calls=15, window_seconds=2.0, at_once=5)
# What Booked is told, so that the same pacing, patience and doubt run in seconds.
SHORT_LIMITS: Final[Mapping[str, Any]] = {
    "calls_per_minute": round(LIMITS.calls * 60 / LIMITS.window_seconds),
    "window_seconds": LIMITS.window_seconds,
    "calls_per_day": 1_000_000,
    "burst_calls": 8,
    "call_deadline_seconds": 2.0,
    "settle_seconds": 1.0,
    "settle_seconds_with_unique_field": 1.0,
    "look_again_seconds": 0.5,
}
SHORT_SETTINGS: Final[Mapping[str, str]] = {
    "BOOKED_LEASE_SECONDS": "2",
    "BOOKED_KAFKA_SESSION_SECONDS": "3",
    "BOOKED_TOKEN_RENEWAL_SECONDS": "3",
    "BOOKED_LANE_IDLE_SECONDS": "2",
    "BOOKED_POOL_CONNECTIONS": "5",
}
Reroute = Callable[[str], str]


def _as_it_is(address: str) -> str:
    return address


@dataclass(frozen=True, slots=True, kw_only=True)
class Via:
    """How the processes of a world reach the servers: each a function from the real address to the one to use."""

    kafka_servers: Reroute = _as_it_is
    database_url: Reroute = _as_it_is
    ledger_url: Reroute = _as_it_is


class ChaosInstallation(Installation):
    """An installation with short leases, whose processes may go through proxies and be armed with failpoints."""

    via: Via = Via()
    refresh_token: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of every command and process."""
        base = super().environment
        rerouted = {
            "BOOKED_KAFKA_SERVERS": self.via.kafka_servers(self.kafka_servers),
            "BOOKED_DATABASE_URL": self.via.database_url(self.database_url),
            "BOOKED_SANDBOX_LEDGER_URL": self.via.ledger_url(self.ledger.url),
        }
        return {**base, **SHORT_SETTINGS, **rerouted}

    async def command(self, *words: str) -> str:
        """Run a command; `apply` and `connect` within this process: every world needs them, and a start takes long."""
        match words:
            case ("apply", file, *_):
                return await _apply(read_settings(self.environment), Path(file))
            case ("connect", connection, "--self-client", code, *_):
                self.refresh_token = await _connect(read_settings(self.environment), connection, code)
                return connection
            case _:
                return await super().command(*words)


async def _apply(settings: Settings, file: Path) -> str:
    plan = read_shops_file(file, {})
    async with open_stores(settings) as stores:
        return str(await stores.settings.apply(plan.connections, plan.shops, actor="tester", dry_run=False))


async def _connect(settings: Settings, connection: str, code: str) -> str:
    client = ClientCredentials(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    async with open_stores(settings) as stores, open_ledger_way(settings, stores) as way:
        grant = await way.accounts.exchange_code("sandbox", client, code, None)
        await stores.tokens.save_grant(
            connection,
            client_id=client.client_id,
            client_secret=client.client_secret,
            refresh_token=grant.refresh_token,
            access_token=grant.access_token,
            expires_in_seconds=grant.expires_in_seconds,
            actor="tester",
        )
        await stores.lanes.resume_connection(connection)
    return grant.refresh_token


@dataclass(slots=True, kw_only=True)
class World:
    """One trial's installation, its shop, and what the producer has sent."""

    name: str
    seed: int
    installation: ChaosInstallation
    lot: random.Random
    shop: Shop
    log: ProducerLog = field(default_factory=ProducerLog)
    limits: CallLimits = LIMITS
    creates_max: int = 1
    kills: int = 0
    started: dict[str, int] = field(default_factory=dict)

    @property
    def organization_id(self) -> str:
        """Name the ledger organisation."""
        return self.installation.organization.organization_id

    @property
    def ledger(self) -> ControlClient:
        """Give the stand-in's control."""
        return self.installation.ledger

    def process(
        self, name: str = "booked", *parts: str, failpoints: str = "", ahead_seconds: float = 0, **settings: str
    ) -> Process:
        """Make a `booked run` process; a name may be used again once its process has ended. Start by ``async with``.

        ``ahead_seconds`` is by how much its wall clock is ahead of the true one.
        """
        number = self.started[name] = self.started.get(name, 0) + 1
        armed = {"BOOKED_FAILPOINTS": failpoints} if failpoints else {}
        only = [word for part in parts for word in ("--only", part)]
        program = ["tests.chaos.faults.wrong_clock", str(ahead_seconds)] if ahead_seconds else ["consumer"]
        return Process(
            name=f"{name}-{number}",
            command=[sys.executable, "-m", *program, "run", *only],
            log_file=self.installation.folder / f"{name}-{number}.log",
            environment={**self.installation.environment, **armed, **settings},
            ready=lambda process: json_line(process, "listens"),
            start_timeout_seconds=START_SECONDS,
            stop_timeout_seconds=40,  # longer than Booked's own deadline: a trial must see that it keeps it
        )

    async def command(self, *words: str, failpoints: str = "") -> tuple[int, str]:
        """Run one `booked` command, armed or not; its exit code (-9 where it was killed) and what it printed."""
        armed = {"BOOKED_FAILPOINTS": failpoints} if failpoints else {}
        return await self.installation.try_command(*words, **armed)

    async def prepare(self) -> None:
        """Apply the settings and authorise the connection."""
        await self.installation.apply()
        await self.installation.connect()

    async def expire_tokens(self) -> None:
        """End the access tokens of this world's connection. Those of others stay: trials share the stand-in."""
        assert self.installation.refresh_token, "the world is not connected"
        await self.ledger.expire_tokens(self.installation.refresh_token)

    async def tell(self, orders: Sequence[Sequence[Saying]]) -> None:
        """Publish orders' events, shuffled by the lot, each order's own in their sequence; logged as acknowledged."""
        await self.publish(interleaved(orders, self.lot))

    async def publish(self, sayings: Sequence[Saying]) -> None:
        """Publish events in this sequence and log each with its place once the broker has it."""
        async with producer(self.installation.kafka_servers) as sender:
            for saying in sayings:
                topic = self.installation.topics[INPUTS[saying.kind]]
                put = await sender.send_and_wait(topic, saying.value, key=saying.key)
                self.log.sent.append((saying, Place(topic=put.topic, partition=put.partition, offset=put.offset)))

    @asynccontextmanager
    async def sql(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Open a connection of the test's own to the world's database."""
        connection = await asyncpg.connect(self.installation.database_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def quiet(self, timeout_seconds: float = QUIET_SECONDS) -> None:
        """Wait until all that was sent is recorded, no order has anything left to do, and no message waits."""
        await until(self.unrest, lambda unrest: not unrest, what="all is quiet", timeout_seconds=timeout_seconds)

    async def unrest(self) -> str:
        """Say what is left to do; empty where nothing is."""
        async with self.sql() as connection:
            rows = await rows_of(connection)
        recorded, sent = len(rows.events) + len(rows.rejected), len(self.log.sent)
        unfinished = {order_id: state for order_id, state in rows.orders.items() if state in UNFINISHED}
        if recorded < sent or unfinished or rows.messages_waiting:
            left = f"{sent - recorded} of {sent} not recorded, {unfinished}, {rows.messages_waiting} messages wait"
            return "; ".join([left, *(f"stopped for {cause}" for cause in rows.stopped_causes)])
        return ""

    async def findings(self) -> list[Finding]:
        """Collect all evidence and judge it. Call it when all is quiet."""
        return judge(await collected(self))

    async def progress(self) -> tuple[int, int, int]:
        """Give what only grows while there is progress: records taken, writes in the ledger, messages sent."""
        counts = await self.ledger.counts(organization_id=self.organization_id)
        async with self.sql() as connection:
            row = await connection.fetchrow(
                "SELECT (SELECT coalesce(sum(next_offset), 0) FROM positions) AS taken,"
                " (SELECT count(*) FROM outbox WHERE state = 'sent') AS sent"
            )
        assert row is not None
        return int(row["taken"]), sum(one["committed"] or 0 for one in counts), int(row["sent"])


@dataclass(slots=True, kw_only=True)
class Rig:
    """Servers that are up, and the folder for logs. ``template`` is a migrated database to copy; made where missing."""

    kafka_servers: str
    postgres_admin_url: str
    ledger_url: str
    folder: Path
    template: str | None = None
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def world(
        self, name: str, *, seed: int, via: Via | None = None, prepared: bool = True, migrated: bool = True
    ) -> AsyncIterator[World]:
        """Make a world. ``prepared`` applies and connects; without ``migrated`` its database is empty."""
        async with AsyncExitStack() as stack:
            topics = await stack.enter_async_context(self._topics())
            database_url = await stack.enter_async_context(self._database(migrated=migrated))
            ledger = await stack.enter_async_context(ControlClient(self.ledger_url))
            founded = await _organization(ledger)
            folder = self.folder / f"{name}-{seed}-{uuid.uuid4().hex[:6]}"
            folder.mkdir(parents=True)
            installation = ChaosInstallation(
                folder=folder,
                kafka_servers=self.kafka_servers,
                database_url=database_url,
                ledger=ledger,
                organization=founded,
                topics=topics,
                limits=dict(SHORT_LIMITS),
            )
            installation.via = via or Via()
            installation.command_seconds = START_SECONDS
            lot = random.Random(f"{name}:{seed}")  # noqa: S311 - draws for a test, no secret
            world = World(name=name, seed=seed, installation=installation, lot=lot, shop=Shop(lot))
            if prepared:
                await world.prepare()
            yield world

    @asynccontextmanager
    async def _topics(self) -> AsyncIterator[dict[str, str]]:
        names = {kind: f"{kind}-{uuid.uuid4().hex}" for kind in KINDS}
        await create_topics(self.kafka_servers, dict.fromkeys(names.values(), PARTITIONS))
        try:
            yield names
        finally:
            await delete_topics(self.kafka_servers, list(names.values()))

    @asynccontextmanager
    async def _database(self, *, migrated: bool) -> AsyncIterator[str]:
        name = f"chaos_{uuid.uuid4().hex}"
        async with self._making:
            if migrated and self.template is None:
                self.template = await self._make_template()
            template = self.template if migrated else None
            url = await create_database(self.postgres_admin_url, name, template=template or "template1")
        try:
            yield url
        finally:
            await drop_database(self.postgres_admin_url, name)

    async def _make_template(self) -> str:
        name = f"chaos_template_{uuid.uuid4().hex}"
        await create_database(self.postgres_admin_url, name)
        await migrate(with_database(self.postgres_admin_url, name))
        async with admin_connection(self.postgres_admin_url) as connection:
            # A forgotten connection to it would make every later copy fail, far from its cause.
            await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        return name


async def _organization(ledger: ControlClient) -> Founded:
    allowed = {
        "per_minute": LIMITS.calls,
        "window_seconds": LIMITS.window_seconds,
        "per_day": LIMITS.per_day,
        "concurrent": LIMITS.at_once,
    }
    await ledger.create_client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    return await ledger.create_organization(**{**ORGANIZATION, "limits": allowed})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServers:
    """Servers of one trial's own, which it may kill; ``rig`` makes worlds on them."""

    kafka: Kafka
    postgres: Postgres
    ledger: Process
    rig: Rig


@asynccontextmanager
async def own_servers(folder: Path, *, ledger_arguments: Sequence[str] = ()) -> AsyncIterator[OwnServers]:
    """Start a broker, a database and a stand-in, which come back at the same addresses after ``kill9``, ``start``.

    ``folder`` has to be one of `sandbox.folders.sandbox_folder`: Postgres may not look into every other.
    """
    kafka, postgres = Kafka(folder=folder / "kafka"), Postgres(folder=folder / "postgres")
    port, books = str(free_port()), str(folder / "books.sqlite")
    ledger = Process(
        name="stand-in",
        command=[sys.executable, "-m", "sandbox.zoho", "--state", books, "--port", port, *ledger_arguments],
        log_file=folder / "stand-in.log",
        ready=lambda process: json_line(process, "url"),
    )
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(one) for one in (kafka, postgres, ledger)))
        rig = Rig(
            kafka_servers=kafka.servers,
            postgres_admin_url=postgres.url,
            ledger_url=f"http://127.0.0.1:{port}",
            folder=folder / "worlds",
        )
        yield OwnServers(kafka=kafka, postgres=postgres, ledger=ledger, rig=rig)


async def ended(process: Process, *, timeout_seconds: float = 60.0) -> int:
    """Wait until a process has ended; its exit code, 137 where it was killed."""
    async with asyncio.timeout(timeout_seconds):
        return await process.wait()


def ask_to_stop(process: Process) -> None:
    """Send SIGTERM, without waiting."""
    os.kill(process.pid, signal.SIGTERM)


def met(text: str) -> str | None:
    """Give the name of the failpoint that a process's log says it has met; None where it met none."""
    for line in text.splitlines():
        if line.startswith('{"failpoint"'):
            return str(json.loads(line)["failpoint"])
    return None
