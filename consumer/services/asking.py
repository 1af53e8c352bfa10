"""Asking a ledger outside of a lane, as doctor and connect do.

It takes the lane's slots and the stored token, so that there is one budget and one token.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from consumer.domain.settings import ConnectionSettings
from consumer.domain.states import Priority
from consumer.ports.lanes import BookingStore, CallStore, LaneLease, LaneView, SlotRequest
from consumer.ports.ledger import Ledger
from consumer.services.calling import Caller

OpenLedger = Callable[[ConnectionSettings, Callable[[], Awaitable[None]]], Ledger]


@asynccontextmanager
async def asking(
    view: LaneView,
    *,
    open_ledger: OpenLedger,
    bookings: BookingStore,
    calls: CallStore,
    steady: Callable[[], float],
) -> AsyncIterator[Caller]:
    """Give a caller for reads of one connection; it has no lease, and can therefore write nothing."""
    connection = view.connection

    async def slot_for_repeat() -> None:
        request = SlotRequest(
            connection_id=connection.connection_id,
            priority=Priority.PERSON,
            deadline_seconds=connection.limits.call_deadline_seconds,
            purpose="repeat",
        )
        await caller.wait_for(lambda: calls.take_slot(request))

    ledger = open_ledger(connection, slot_for_repeat)
    caller = Caller(
        lease=LaneLease(connection_id=connection.connection_id, owner="", epoch=-1),
        ledger=ledger,
        bookings=bookings,
        calls=calls,
        steady=steady,
        queued=lambda: False,
        deadline_seconds=connection.limits.call_deadline_seconds,
        settle_seconds=connection.settle_seconds,
    )
    try:
        yield caller
    finally:
        await caller.drain(connection.limits.call_deadline_seconds)
        await ledger.aclose()
