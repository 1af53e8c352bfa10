"""Reads the database's figures for the metrics every few seconds, so that a scrape asks no server."""

from collections.abc import Callable
from datetime import datetime

import structlog

from consumer.errors import DatabaseUnavailableError
from consumer.lifecycle import Service
from consumer.ports.settings import Figures, FiguresStore

log = structlog.get_logger()

EVERY_SECONDS = 5.0


class FiguresReader(Service):
    """The service; ``show`` takes the figures over."""

    def __init__(self, store: FiguresStore, show: Callable[[Figures], None]) -> None:
        super().__init__("figures")
        self._store = store
        self._show = show
        self._beat = self.heartbeat("reading")

    async def _begin(self) -> None:
        self.spawn("reading", self._read())
        self.started.set()

    async def _read(self) -> None:
        judged_until: datetime | None = None
        while not self.stopping.is_set():
            self._beat.beat()
            try:
                figures = await self._store.figures(judged_until)
                judged_until = figures.judgement.until
                self._show(figures)
            except DatabaseUnavailableError:
                log.warning("figures_wait_for_database")
            await self.nap(EVERY_SECONDS)
