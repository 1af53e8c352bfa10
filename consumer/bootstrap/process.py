"""One process of `booked run`: waits for its servers, starts the services, and stops them in order on a signal."""

import asyncio
import os
import random
import socket
from contextlib import AsyncExitStack
from enum import StrEnum

import structlog

from consumer.adapters.kafka.settings import SourceLimits
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.source import KafkaSource
from consumer.adapters.postgres.migrations import HEAD, make_partitions
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.wakeups import PostgresWakeups
from consumer.bootstrap.parts import (
    LedgerWay,
    Stores,
    kafka_settings,
    open_ledger_way,
    open_stores,
    steady_clock,
)
from consumer.bootstrap.reports import MetricsReport
from consumer.bootstrap.tracing import open_tracing
from consumer.bootstrap.watchdogs import LAST_RESORT_SECONDS, LastResort, Watchdogs, on_signals
from consumer.bootstrap.zones import ShopsReader
from consumer.config import Settings
from consumer.domain.events import EventKind
from consumer.errors import ConfigurationError, DatabaseUnavailableError
from consumer.lifecycle import Service, ServiceDiedError, run_services
from consumer.observability.metrics import Metrics
from consumer.ports.intake import Recorded
from consumer.ports.tracing import Tracing
from consumer.ports.wakeups import WakeKind
from consumer.services.announcing import Announcer
from consumer.services.groups_retrying import ClosedPeriods
from consumer.services.intake import Intake, IntakeLimits
from consumer.services.lane_tools import LaneTools
from consumer.services.relay import Relay, RelayLimits
from consumer.services.sync import Sync, SyncParts
from consumer.sources.own import to_order
from consumer.sources.reading import ShopReader
from consumer.sources.translators import TRANSLATORS
from consumer.web.health import health_app
from consumer.web.server import HttpServer

log = structlog.get_logger()

WAIT_SECONDS = 1.0
PARTITIONS_EVERY_SECONDS = 3600.0


class Part(StrEnum):
    """The services that a process may run alone."""

    INTAKE = "intake"
    SYNC = "sync"
    RELAY = "relay"


async def run_process(settings: Settings, parts: frozenset[Part]) -> None:
    """Run these parts until SIGTERM or SIGINT. Raises ConfigurationError, ServiceDiedError."""
    stop = asyncio.Event()
    last_resort = LastResort(settings.stop_seconds + LAST_RESORT_SECONDS)
    on_signals(stop.set, last_resort.arm)
    metrics = Metrics()
    dogs = Watchdogs(metrics)
    http = HttpServer(
        health_app(beats=dogs.beats, readiness=dogs.readiness, metrics=metrics, lag_seconds=dogs.loop.lag_seconds),
        host=settings.http_host,
        port=settings.http_port,
    )
    await http.start()
    await dogs.loop.start()
    log.info("started", listens=":".join(str(part) for part in http.address), parts=sorted(parts))
    try:
        async with AsyncExitStack() as stack:
            tracing = await stack.enter_async_context(open_tracing(settings))
            stores = await _database(settings, stack, stop, dogs)
            if stores is None:
                return
            way = await stack.enter_async_context(open_ledger_way(settings, stores))
            services = _services(settings, parts, stores, way, metrics, tracing)
            services += dogs.make(settings, stores, with_broker=bool(parts & {Part.INTAKE, Part.RELAY}))
            dogs.watch(services)
            await _run(services, stop, settings.stop_seconds)
    finally:
        await dogs.loop.stop(0.5)
        await http.stop(2.0)
        log.info("stopped")


async def _run(services: list[Service], stop: asyncio.Event, deadline_seconds: float) -> None:
    try:
        await run_services(services, stop, deadline_seconds=deadline_seconds)
    except ServiceDiedError as error:
        # A wrong setting that only shows at work (a database of another installation) is still a wrong setting:
        # starting again does not help, and the exit code says so.
        if isinstance(error.__cause__, ConfigurationError):
            raise error.__cause__ from error
        raise


async def _database(settings: Settings, stack: AsyncExitStack, stop: asyncio.Event, dogs: Watchdogs) -> Stores | None:
    """Wait for Postgres and for its schema, saying so; None where the process is asked to stop meanwhile."""
    said = ""
    while not stop.is_set():
        attempt = AsyncExitStack()
        try:
            stores = await attempt.enter_async_context(open_stores(settings))
            version = await stores.health.schema_version()
            if version is not None and version >= HEAD:
                stack.push_async_exit(attempt.pop_all())
                return stores
            missing = f"its schema is at {version or 'nothing'} and has to be at {HEAD}: run booked migrate"
        except DatabaseUnavailableError as error:
            missing = str(error)
        await attempt.aclose()
        dogs.missing = missing
        if missing != said:
            log.warning("waits_for_database", missing=missing)
            said = missing
        await _nap(stop, WAIT_SECONDS)
    return None


async def _nap(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _services(
    settings: Settings,
    parts: frozenset[Part],
    stores: Stores,
    way: LedgerWay,
    metrics: Metrics,
    tracing: Tracing,
) -> list[Service]:
    wakeups = PostgresWakeups(settings.database_url.get_secret_value())
    report = MetricsReport(metrics, topics=settings.topics_in if Part.INTAKE in parts else ())
    services: list[Service] = [
        WakeupsRunner(wakeups),
        DayPartitions(stores.database),
    ]
    if Part.INTAKE in parts:
        shops = ShopsReader(stores.settings, shared_topics=_topics(settings))
        services += [shops, _intake(settings, stores, wakeups, shops, report, tracing)]
    if Part.SYNC in parts:
        services += [_sync(settings, stores, way, wakeups, metrics, tracing), ClosedPeriods(stores.people)]
    if Part.RELAY in parts:
        services += _relay(settings, stores, wakeups, report, tracing)
    return services


def owner_name() -> str:
    """Name this process among all that may hold a lease."""
    return f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"


def _topics(settings: Settings) -> tuple[str, ...]:
    return (*settings.topics_in, settings.topic_invoice_synced, settings.topic_order_rejected)


def _intake(
    settings: Settings,
    stores: Stores,
    wakeups: PostgresWakeups,
    shops: ShopsReader,
    report: MetricsReport,
    tracing: Tracing,
) -> Intake:
    kinds = dict(zip(settings.topics_in, (EventKind.PAID, EventKind.UPDATED, EventKind.CANCELLED), strict=True))

    def on_recorded(recorded: Recorded) -> None:
        if recorded.woken:
            wakeups.wake(WakeKind.LANES, recorded.woken)
        if recorded.outbox_rows:
            wakeups.wake(WakeKind.OUTBOX)

    return Intake(
        source=_source(settings),
        store=stores.intake,
        kinds=kinds,
        read=ShopReader(directory=shops.directory, translators=TRANSLATORS).read,
        zone_of=shops.zone_of,
        on_recorded=on_recorded,
        report=report,
        limits=IntakeLimits(records_max=settings.batch_records),
        shop_topics=lambda: shops.directory().topics,
        after=shops.started,
        tracing=tracing,
    )


def _source(settings: Settings) -> KafkaSource:
    session = settings.kafka_session_seconds
    limits = SourceLimits(session_seconds=session, heartbeat_seconds=min(3.0, session / 3))
    return KafkaSource(
        settings=kafka_settings(settings), topics=settings.topics_in, group=settings.consumer_group, limits=limits
    )


def _sync(
    settings: Settings,
    stores: Stores,
    way: LedgerWay,
    wakeups: PostgresWakeups,
    metrics: Metrics,
    tracing: Tracing,
) -> Sync:
    async def wait_for_lane(connection_id: str, seconds: float) -> None:
        await wakeups.wait(WakeKind.LANES, seconds, of=connection_id)

    async def wait_for_work(seconds: float) -> None:
        await wakeups.wait(WakeKind.LANES, seconds)

    def on_booking(result: str, calls: int) -> None:
        metrics.on_booking(result, calls)
        tracing.note({"result": result, "calls": calls})
        wakeups.wake(WakeKind.OUTBOX)

    tools = LaneTools(
        lanes=stores.lanes,
        bookings=stores.bookings,
        calls=stores.calls,
        contacts=stores.contacts,
        read_order=lambda record, shop: to_order(record.content or b"", shop.time_zone, record.kept_refunds),
        announce_for=lambda view: Announcer(view.connection, settings.installation, trace=tracing.current),
        open_ledger=way.open,
        steady=steady_clock,
        jitter=random.random,
        wait_for_wake=wait_for_lane,
        on_booking=on_booking,
        on_call=metrics.on_call,
        on_found=metrics.on_found,
        watch=stores.watch,
        tracing=tracing,
        idle_seconds=settings.lane_idle_seconds,
        lease_seconds=settings.lease_seconds,
    )
    parts = SyncParts(
        lanes=stores.lanes,
        tools=tools,
        installation=settings.installation,
        owner=owner_name(),
        wait_for_work=wait_for_work,
        on_sweep=metrics.swept.inc,
    )
    return Sync(parts)


def _relay(
    settings: Settings, stores: Stores, wakeups: PostgresWakeups, report: MetricsReport, tracing: Tracing
) -> list[Service]:
    relay = Relay(
        store=stores.outbox,
        sink=KafkaSink(settings=kafka_settings(settings)),
        topics={"invoice.synced": settings.topic_invoice_synced, "order.rejected": settings.topic_order_rejected},
        owner=owner_name(),
        report=report,
        limits=_relay_limits(settings),
        tracing=tracing,
    )
    return [relay, OutboxWaker(wakeups, relay.wake)]


def _relay_limits(settings: Settings) -> RelayLimits:
    third = settings.lease_seconds / 3
    return RelayLimits(lease_seconds=settings.lease_seconds, renew_seconds=third, candidate_seconds=third)


class WakeupsRunner(Service):
    """Keeps the wake-ups between processes running for as long as the process."""

    def __init__(self, wakeups: PostgresWakeups) -> None:
        super().__init__("wakeups")
        self._wakeups = wakeups

    async def _begin(self) -> None:
        await self._wakeups.start()
        self.started.set()

    async def _release(self) -> None:
        await self._wakeups.stop()


class DayPartitions(Service):
    """Makes the tables of the days to come, a week ahead, so that no day's rows land in the rest."""

    def __init__(self, database: Database) -> None:
        super().__init__("day-partitions")
        self._database = database

    async def _begin(self) -> None:
        self.spawn("making", self._make())
        self.started.set()

    async def _make(self) -> None:
        while not self.stopping.is_set():
            try:
                await make_partitions(self._database)
            except DatabaseUnavailableError:
                log.warning("day_partitions_wait_for_database")
            await self.nap(PARTITIONS_EVERY_SECONDS)


class OutboxWaker(Service):
    """Passes wake-ups of the outbox on to the relay."""

    def __init__(self, wakeups: PostgresWakeups, wake: asyncio.Event) -> None:
        super().__init__("outbox-waker")
        self._wakeups = wakeups
        self._wake = wake

    async def _begin(self) -> None:
        self.spawn("passing on", self._pass_on())
        self.started.set()

    async def _pass_on(self) -> None:
        while not self.stopping.is_set():
            await self._wakeups.wait(WakeKind.OUTBOX, WAIT_SECONDS)
            self._wake.set()
