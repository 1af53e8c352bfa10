"""The directory of the shops, read now and then: what the intake knows of them."""

from collections.abc import Collection
from datetime import tzinfo

import structlog

from consumer.errors import DatabaseUnavailableError
from consumer.lifecycle import Service
from consumer.ports.settings import SettingsStore
from consumer.sources.directory import ShopDirectory, directory_of

log = structlog.get_logger()

EVERY_SECONDS = 10.0
FIRST_SECONDS = 1.0  # between tries until it was read once


class ShopsReader(Service):
    """The service; ``shared_topics`` are the installation's own (sources.directory)."""

    def __init__(
        self, store: SettingsStore, *, shared_topics: Collection[str] = (), every_seconds: float = EVERY_SECONDS
    ) -> None:
        super().__init__("shops")
        self._store = store
        self._shared_topics = frozenset(shared_topics)
        self._every_seconds = every_seconds
        self._directory = ShopDirectory()

    def directory(self) -> ShopDirectory:
        """Give the shops as of the last reading."""
        return self._directory

    def zone_of(self, shop_id: str) -> tzinfo:
        """Give a shop's time zone; UTC for one that is not known."""
        return self._directory.zone_of(shop_id)

    async def _begin(self) -> None:
        # Not waited for here: a start that waits for the database would not see the signal to stop.
        self.spawn("reading", self._reading())

    async def _reading(self) -> None:
        """Read without end. ``started`` is set by the first success: the intake takes nothing in before it."""
        beat = self.heartbeat("reading")
        while not self.stopping.is_set():
            beat.beat()
            if await self._read():
                self.started.set()
            await self.nap(self._every_seconds if self.started.is_set() else FIRST_SECONDS)

    async def _read(self) -> bool:
        try:
            shops = await self._store.shops()
        except DatabaseUnavailableError:
            log.warning("shops_wait_for_database")
            return False
        # The same settings keep the same directory, and what was worked out of them.
        if list(shops) != self._directory.settings():
            self._directory = directory_of(shops, shared_topics=self._shared_topics)
        return True
