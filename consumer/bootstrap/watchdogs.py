"""The watchdogs of a process, what its health tells of them, and the end that comes whatever hangs."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from consumer.adapters.kafka.health import KafkaHealth
from consumer.adapters.postgres.pool import PoolLimits
from consumer.bootstrap.memory import FreedMemory, library_trim
from consumer.bootstrap.parts import Stores, kafka_settings
from consumer.config import Settings
from consumer.lifecycle import Service
from consumer.observability.certificates import Certificates
from consumer.observability.metrics import Metrics
from consumer.ports.settings import Figures, HealthStore
from consumer.services.figures import FiguresReader
from consumer.services.watchdog import CleaningWatch, LoopWatch, PeerWatch

log = structlog.get_logger()

# docs/deploy.md asks for five seconds between our own deadline and the container's kill.
LAST_RESORT_SECONDS = 4.0
# As long as Postgres itself lets a session stand idle within a transaction.
STALLED_SECONDS = PoolLimits().idle_in_transaction_timeout_seconds
_EXIT_CODE = 1


class Watchdogs:
    """What health asks: before the services are there it tells what is waited for."""

    def __init__(self, metrics: Metrics) -> None:
        self.missing = "starting"
        self.loop = LoopWatch(on_lag=metrics.loop_lag.observe, on_tasks=metrics.tasks.set)
        self._metrics = metrics
        self._cleaning = CleaningWatch()
        self._freed = FreedMemory(library_trim())
        self._certificates = Certificates({})
        self._services: list[Service] = []
        self._peers: list[PeerWatch] = []

    def make(self, settings: Settings, stores: Stores, *, with_broker: bool) -> list[Service]:
        """Make the services that look after database and broker, and read the database's figures."""
        self._peers = [PeerWatch("database", lambda: ask_database(stores.health))]
        if with_broker:
            self._peers.append(PeerWatch("broker", KafkaHealth(kafka_settings(settings)).ping))
        self._certificates = Certificates(certificate_files(settings))
        return [FiguresReader(stores.figures, self._show), *self._peers]

    def watch(self, services: list[Service]) -> None:
        """From now on the services answer."""
        self._services, self.missing = services, ""

    def beats(self) -> Mapping[str, float]:
        """Give the seconds since each loop's last beat."""
        return {beat.name: beat.age_seconds() for service in self._services for beat in service.heartbeats}

    async def readiness(self) -> Mapping[str, str]:
        """Tell what is missing, by part, from what the watchdogs have found: whoever asks waits for nobody."""
        if self.missing:
            return {"database": self.missing}
        answers = {service.name: "" if service.started.is_set() else "is starting" for service in self._services}
        return answers | {peer.peer: peer.missing for peer in self._peers}

    def _show(self, figures: Figures) -> None:
        self._metrics.show(figures, time.time())
        self._cleaning.look(figures)
        self._freed.give_back()
        for setting, moment in self._certificates.look().items():
            self._metrics.certificates.labels(setting).set(moment)


async def ask_database(health: HealthStore) -> None:
    """Ask Postgres whether it answers, and free what a frozen process keeps locked: its heirs wait for that."""
    await health.ping()
    ended = await health.end_stalled_sessions(STALLED_SECONDS)
    if ended:
        log.warning("stalled_sessions_ended", sessions=ended, text="Their process was frozen, or its machine is gone.")


def certificate_files(settings: Settings) -> dict[str, Path | None]:
    """Give the files with certificates that the settings name, by the setting."""
    named = [name for name in type(settings).model_fields if name.endswith(("_ca_file", "_certificate_file"))]
    return {name: getattr(settings, name) for name in named}


class LastResort:
    """Ends the process by force when it has not ended in time after it was told to.

    In a thread, because what hangs may be the event loop itself, or a thread that the interpreter would wait for.
    Nothing is lost by it: every step is safe against ``kill -9``.
    """

    def __init__(self, seconds: float, *, end: Callable[[int], object] = os._exit) -> None:
        self._end = end
        self._timer = threading.Timer(seconds, self._act)
        self._timer.daemon = True
        self._armed = False

    def arm(self) -> None:
        """Begin to count; a second call does nothing."""
        if not self._armed:
            self._armed = True
            self._timer.start()

    def _act(self) -> None:
        log.error("stopped_by_force", text="It did not stop in time. Nothing is lost; the next process goes on.")
        self._end(_EXIT_CODE)


def on_signals(*actions: Callable[[], None]) -> None:
    """Do these whenever the process is asked to end, by SIGTERM or SIGINT."""

    def act() -> None:
        for action in actions:
            action()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, act)
