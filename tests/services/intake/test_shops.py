"""The shops' directory follows the settings, and says when it knows them for the first time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.bootstrap import zones
from consumer.bootstrap.zones import ShopsReader
from consumer.domain.settings import ShopSettings
from consumer.errors import DatabaseUnavailableError

SHOP = ShopSettings(shop_id="woo", topics=("woo-orders", "order.paid"), time_zone="Asia/Tokyo")
DEADLINE_SECONDS = 5.0


class Store(MemorySettingsStore):
    """Shops that a test sets, away where it says so; ``asked`` is set by each question."""

    def __init__(self, *shops: ShopSettings) -> None:
        super().__init__(MemoryDatabase())
        self.all: Sequence[ShopSettings] = shops
        self.away = False
        self.asked = asyncio.Event()

    async def shops(self) -> Sequence[ShopSettings]:
        """See SettingsStore."""
        self.asked.set()
        if self.away:
            raise DatabaseUnavailableError("away")
        return self.all

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; looked at after each question."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not holds():
                self.asked.clear()
                await self.asked.wait()
                await asyncio.sleep(0)

    async def asked_again(self) -> None:
        """Wait for two more questions: by the second, the answer to the first has been taken in."""
        for _ in range(2):
            self.asked.clear()
            async with asyncio.timeout(DEADLINE_SECONDS):
                await self.asked.wait()


@asynccontextmanager
async def reading(store: Store) -> AsyncIterator[ShopsReader]:
    """Run a reader for the time of the block."""
    reader = ShopsReader(store, shared_topics=["order.paid"], every_seconds=0.01)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop(DEADLINE_SECONDS)
    assert reader.failure is None


async def test_it_is_started_by_the_first_answer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away nothing may be taken in, and a start does not wait for it; then all is known."""
    monkeypatch.setattr(zones, "FIRST_SECONDS", 0.01)
    store = Store(SHOP)
    store.away = True
    async with reading(store) as reader:
        await store.asked_again()
        assert not reader.started.is_set()
        store.away = False
        async with asyncio.timeout(DEADLINE_SECONDS):
            await reader.started.wait()
        assert reader.zone_of("woo") == ZoneInfo("Asia/Tokyo")
        assert reader.zone_of("gone") is UTC
        assert reader.directory().topics == {"woo-orders"}


async def test_settings_that_change_make_a_new_directory_and_others_none() -> None:
    """The same settings keep the very same directory through an outage; changed ones come with the next reading."""
    store = Store(SHOP)
    async with reading(store) as reader:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await reader.started.wait()
        first = reader.directory()
        store.away = True
        await store.asked_again()
        store.away = False
        store.all = (replace(SHOP),)
        await store.asked_again()
        assert reader.directory() is first
        store.all = (replace(SHOP, topics=("other",), notes="{{ meta.po }}"),)
        await store.until(lambda: reader.directory() is not first)
        assert reader.directory().topics == {"other"}
        assert reader.directory().shops["woo"].also_hashed == {"meta.po"}
