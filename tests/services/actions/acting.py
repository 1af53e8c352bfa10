"""What the tests of people's actions stand on: the tools of a process, and a person who uses them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from consumer.domain.asking import Mark
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Ask
from consumer.ports.wakeups import WakeKind
from consumer.services.actions import ActionResult, ActionTools, act
from consumer.services.actions_body import BodyReader
from consumer.services.record_reading import RecordReading, reading_of
from tests.services.sync.world import BOOKS, SHOP, World, key

YEAR = datetime(2026, 1, 1, tzinfo=UTC)
AUTOMATIC = ShopSettings(shop_id=SHOP, connection_id=BOOKS, automatic=True, book_from=YEAR)
BY_HAND = replace(AUTOMATIC, automatic=False)


def tools(world: World, **other: Any) -> ActionTools:
    """Make the tools of a process over this world."""
    loop = asyncio.get_running_loop()

    async def reading() -> RecordReading:
        return reading_of(await world.settings.shops(), shared_topics=("order.paid",))

    given: dict[str, Any] = {
        "people": world.people,
        "bookings": world.booking_store,
        "lanes": world.lanes,
        "intake": world.intake,
        "bodies": BodyReader(reading=reading, clock=world.now),
        "wake": lambda lane: world.signals.wake(WakeKind.LANES, [lane]),
        "steady": loop.time,
        "nap": asyncio.sleep,
    }
    return ActionTools(**{**given, **other})


async def doing(world: World, what: Ask | Mark, order_id: str = "1001", **fields: Any) -> ActionResult:
    """Do it, while a process is at work."""
    async with world.process():
        return await act(key(order_id), what, tools=tools(world), actor="jane", **fields)
