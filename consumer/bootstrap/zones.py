"""The shops' time zones, read now and then, for times that come without an offset."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import structlog

from consumer.errors import DatabaseUnavailableError
from consumer.lifecycle import Service
from consumer.ports.settings import SettingsStore

log = structlog.get_logger()

EVERY_SECONDS = 10.0


class ShopZones(Service):
    """The service; a shop that is not known yet is read in UTC."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__("shop-zones")
        self._store = store
        self._zones: dict[str, tzinfo] = {}

    def zone_of(self, shop_id: str) -> tzinfo:
        """Give a shop's time zone."""
        return self._zones.get(shop_id, UTC)

    async def _begin(self) -> None:
        # Read once before anything is taken in: the first record's times must not be read in another zone.
        await self._read()
        self.spawn("reading", self._read_again())
        self.started.set()

    async def _read_again(self) -> None:
        while not self.stopping.is_set():
            await self.nap(EVERY_SECONDS)
            await self._read()

    async def _read(self) -> None:
        try:
            shops = await self._store.shops()
        except DatabaseUnavailableError:
            log.warning("shop_zones_wait_for_database")
            return
        self._zones = {shop.shop_id: ZoneInfo(shop.time_zone) for shop in shops}
