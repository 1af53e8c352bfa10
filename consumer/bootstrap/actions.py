"""What people's actions work with: for the command line, and for whatever else takes people's words."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from consumer.bootstrap.parts import Stores, steady_clock
from consumer.config import Settings
from consumer.services.actions import ActionTools
from consumer.services.actions_body import BodyReader
from consumer.services.record_reading import RecordReading, kinds_of, reading_of
from consumer.services.rejected import RejectedRetry


def action_tools(settings: Settings, stores: Stores, wake: Callable[[str], None]) -> ActionTools:
    """Make the tools of services.actions; ``wake`` tells the lane of a connection that it has work."""
    return ActionTools(
        people=stores.people,
        bookings=stores.bookings,
        lanes=stores.lanes,
        intake=stores.intake,
        bodies=BodyReader(reading=lambda: record_reading(settings, stores), clock=lambda: datetime.now(UTC)),
        wake=wake,
        steady=steady_clock,
        nap=asyncio.sleep,
    )


async def rejected_retry(settings: Settings, stores: Stores) -> RejectedRetry:
    """Make the way for rejected messages to be put in again."""
    return RejectedRetry(
        store=stores.rejected,
        intake=stores.intake,
        reading=await record_reading(settings, stores),
        kinds=kinds_of(settings.topics_in),
    )


async def record_reading(settings: Settings, stores: Stores) -> RecordReading:
    """Make the intake's reader with the shops as they are now."""
    shared = (*settings.topics_in, settings.topic_invoice_synced, settings.topic_order_rejected)
    return reading_of(await stores.settings.shops(), shared_topics=shared)
