"""`booked figures`: a small process that shows the database's figures, whatever becomes of the others.

It takes nothing, books nothing and asks neither Kafka nor a ledger. So the age of the oldest unbooked order is still
told when every `booked run` is gone, and its absence means that nobody watches any more.
"""

import asyncio
import time
from collections.abc import Mapping

import structlog

from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.migrations import HEAD
from consumer.adapters.postgres.pool import Database, PoolLimits
from consumer.bootstrap.watchdogs import LAST_RESORT_SECONDS, LastResort, on_signals
from consumer.config import Settings
from consumer.errors import DatabaseUnavailableError
from consumer.lifecycle import Service, run_services
from consumer.observability.figures_metrics import FiguresMetrics
from consumer.ports.settings import Figures
from consumer.services.figures import FiguresReader
from consumer.services.waiting import first_of
from consumer.services.watchdog import PeerWatch
from consumer.web.health import health_app
from consumer.web.server import HttpServer

log = structlog.get_logger()

WAIT_SECONDS = 1.0
_CONNECTIONS = 2  # one reads the figures, one asks whether the database answers


class FiguresProcess:
    """The process: its page of metrics is there from the start, the figures as soon as the database answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = FiguresMetrics()
        self._missing = "starting"
        self._services: list[Service] = []
        self.http = HttpServer(
            health_app(beats=self._beats, readiness=self._readiness, metrics=self._metrics),
            host=settings.http_host,
            port=settings.http_port,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until asked to stop. Raises ServiceDiedError."""
        await self.http.start()
        log.info("started", listens=":".join(str(part) for part in self.http.address), parts=["figures"])
        try:
            await self._read(stop)
        finally:
            await self.http.stop(2.0)
            log.info("stopped")

    async def _read(self, stop: asyncio.Event) -> None:
        url = self._settings.database_url.get_secret_value()
        while not stop.is_set():
            try:
                limits = PoolLimits(max_size=_CONNECTIONS)
                async with Database.open(url, application_name="booked figures", limits=limits) as database:
                    await self._serve(database, stop)
            except DatabaseUnavailableError as error:
                self._say(str(error))
            await first_of(stop.wait(), timeout_seconds=WAIT_SECONDS)

    async def _serve(self, database: Database, stop: asyncio.Event) -> None:
        health = PostgresHealthStore(database)
        version = await health.schema_version()
        if version is None or version < HEAD:
            self._say(f"its schema is at {version or 'nothing'} and has to be at {HEAD}: run booked migrate")
            return
        self._services = [
            FiguresReader(PostgresFiguresStore(database), self._show),
            PeerWatch("database", health.ping),
        ]
        self._missing = ""
        await run_services(self._services, stop, deadline_seconds=self._settings.stop_seconds)

    def _show(self, figures: Figures) -> None:
        self._metrics.show(figures, time.time())

    def _say(self, missing: str) -> None:
        if missing != self._missing:
            log.warning("waits_for_database", missing=missing)
        self._missing = missing

    def _beats(self) -> Mapping[str, float]:
        return {beat.name: beat.age_seconds() for service in self._services for beat in service.heartbeats}

    async def _readiness(self) -> Mapping[str, str]:
        if self._missing:
            return {"database": self._missing}
        watches = [service for service in self._services if isinstance(service, PeerWatch)]
        return {watch.peer: watch.missing for watch in watches}


async def run_figures(settings: Settings) -> None:
    """Run the process until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    last_resort = LastResort(settings.stop_seconds + LAST_RESORT_SECONDS)
    on_signals(stop.set, last_resort.arm)
    await FiguresProcess(settings).run(stop)
