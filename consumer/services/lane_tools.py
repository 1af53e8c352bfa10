"""What every lane of a process works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from consumer.ports.contacts import ContactStore
from consumer.ports.lanes import BookingStore, CallStore, LaneStore, LaneView
from consumer.ports.tracing import NO_TRACING, Tracing
from consumer.ports.watch import WatchStore
from consumer.services.asking import OpenLedger
from consumer.services.booking import ReadOrder
from consumer.services.outcomes import Announce

LEASE_SECONDS = 15.0
IDLE_SECONDS = 10.0  # then the lease is given back


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTools:
    """The stores, the ledger and the clocks of a process, and what it wants to be told of its lanes."""

    lanes: LaneStore
    bookings: BookingStore
    calls: CallStore
    contacts: ContactStore
    read_order: ReadOrder
    announce_for: Callable[[LaneView], Announce]
    open_ledger: OpenLedger
    steady: Callable[[], float]
    jitter: Callable[[], float]
    wait_for_wake: Callable[[str, float], Awaitable[None]]  # connection, at most so many seconds
    on_booking: Callable[[str, int], None] = lambda _result, _calls: None
    on_call: Callable[[str, str, float], None] = lambda _operation, _result, _seconds: None
    on_found: Callable[[str], None] = lambda _found: None
    watch: WatchStore | None = None  # None: nobody looks at what people change in the ledger
    beat: Callable[[], None] = lambda: None
    tracing: Tracing = NO_TRACING
    idle_seconds: float = IDLE_SECONDS
    lease_seconds: float = LEASE_SECONDS
