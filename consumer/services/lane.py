"""A lane: the single writer of one connection, as long as this process holds its lease.

It claims due orders, books up to four of them at once, sleeps when nothing is due, and gives the lease back when it
has been idle. Safety rests on the intents, not on the lease: whatever happens here, a paused or fenced lane cannot
make a second document.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog

from consumer.domain.deciding.situation import TAKES_MAX
from consumer.domain.ledger import FindItems, Item, LedgerFacts, TaxRounding
from consumer.domain.orders import OrderKey
from consumer.domain.records import Conclusion, OrderRecord
from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState, Priority, ReasonCode
from consumer.errors import (
    ConnectionStoppedError,
    DatabaseUnavailableError,
    FencedError,
    LedgerError,
    StopCause,
    ThrottledError,
    ThrottleKind,
)
from consumer.ports.lanes import (
    BookingStore,
    CallStore,
    ContactStore,
    LaneLease,
    LaneStore,
    LaneView,
    SlotRequest,
    Throttle,
)
from consumer.services.asking import OpenLedger
from consumer.services.booking import Bench, Booking, ReadOrder
from consumer.services.calling import Caller
from consumer.services.contacts import CustomerLocks, Desk
from consumer.services.outcomes import Announce
from consumer.services.preparing import Preparing

log = structlog.get_logger()

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
IDLE_SECONDS = 10.0  # then the lease is given back
FAILURES_MAX = 5  # of the ledger in a row: then the breaker rests the lane
BREAKER_SECONDS = 10.0  # first rest; doubles up to the cap
BREAKER_CAP_SECONDS = 300.0
DIFFERENCES_MAX = 3  # in a row: our model of the ledger is wrong, nothing more is made
DATABASE_PAUSE_SECONDS = 1.0


class LaneEnd(StrEnum):
    """Why a lane ended."""

    IDLE = "idle"
    FENCED = "fenced"
    STOPPED_CONNECTION = "stopped_connection"
    RESTING = "resting"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTools:
    """What every lane of a process works with."""

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
    beat: Callable[[], None] = lambda: None
    idle_seconds: float = IDLE_SECONDS


class Lane:
    """One leased lane at work."""

    def __init__(self, lease: LaneLease, tools: LaneTools) -> None:
        self._lease = lease
        self._tools = tools
        self._in_hand: dict[OrderKey, asyncio.Task[None]] = {}
        self._finished = asyncio.Event()
        self._stopping = asyncio.Event()
        self._end: LaneEnd | None = None
        self._more = False
        self._failures = 0
        self._differences = 0
        self._to_release: list[OrderKey] = []
        self._items: dict[str, Item] = {}
        self._facts_lock = asyncio.Lock()

    @property
    def connection_id(self) -> str:
        """Name the lane's connection."""
        return self._lease.connection_id

    def stop(self) -> None:
        """Ask the lane to take nothing more; what is in hand is finished."""
        self._stopping.set()
        self._finished.set()

    async def run(self) -> LaneEnd:
        """Work until idle, fenced, stopped or asked to end; the lease is given back where it is still ours."""
        renewing = asyncio.create_task(self._keep_lease(), name=f"lane-lease:{self.connection_id}")
        try:
            await self._work()
        except FencedError:
            self._end = LaneEnd.FENCED
        except ConnectionStoppedError as error:
            await self._stop_connection(error)
        except LedgerError as error:
            await self._rest_lane(error)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        return self._end or LaneEnd.ASKED

    # ---- preparing ----

    async def _work(self) -> None:
        self._view = await self._tools.lanes.view(self.connection_id)
        limits = self._view.connection.limits
        ledger = self._tools.open_ledger(self._view.connection, self._slot_for_repeat)
        self._caller = Caller(
            lease=self._lease,
            ledger=ledger,
            bookings=self._tools.bookings,
            calls=self._tools.calls,
            steady=self._tools.steady,
            queued=lambda: self._more,
            deadline_seconds=limits.call_deadline_seconds,
            settle_seconds=self._view.connection.settle_seconds,
            on_call=self._tools.on_call,
        )
        try:
            await self._prepare()
            await self._serve()
        finally:
            await self._finish(limits.call_deadline_seconds)
            await ledger.aclose()

    async def _prepare(self) -> None:
        self._preparing = Preparing(
            connection=self._view.connection,
            caller=self._caller,
            lanes=self._tools.lanes,
            contacts=self._tools.contacts,
        )
        self._facts = await self._preparing.facts(self._view)
        if self._view.look_first:
            await self._preparing.look_first(self._view)
        await self._preparing.index()
        self._bench = Bench(
            lease=self._lease,
            connection=self._view.connection,
            caller=self._caller,
            bookings=self._tools.bookings,
            lanes=self._tools.lanes,
            desk=Desk(
                connection=self._view.connection,
                caller=self._caller,
                contacts=self._tools.contacts,
                bookings=self._tools.bookings,
                locks=CustomerLocks(),
            ),
            read_order=self._tools.read_order,
            announce=self._tools.announce_for(self._view),
            jitter=self._tools.jitter,
            facts=self._facts_not_older_than,
            learn_rounding=self._learn_rounding,
            shop=self._shop,
            items=self._items_of,
        )

    def _shop(self, shop_id: str) -> ShopSettings | None:
        return self._view.shops.get(shop_id)

    async def _facts_not_older_than(self, seconds: float | None) -> LedgerFacts:
        if seconds is None:
            return self._facts
        async with self._facts_lock:
            view = await self._tools.lanes.view(self.connection_id)
            self._facts = await self._preparing.facts(view, at_least_as_new_as_seconds=seconds)
        return self._facts

    async def _learn_rounding(self, rounding: TaxRounding) -> None:
        self._facts = await self._preparing.learn_rounding(self._facts, rounding)

    async def _items_of(self, skus: Sequence[str]) -> Mapping[str, Item]:
        for sku in skus:
            if sku not in self._items:
                answer = await self._caller.read(FindItems(text=sku), key=None, priority=Priority.LIVE)
                self._items.update({item.sku: item for item in answer.result.rows if item.sku == sku})
        return self._items

    async def _slot_for_repeat(self) -> None:
        """Take a slot for a call that is repeated with a renewed token; it counts as used from its deadline on."""
        limits = self._view.connection.limits
        request = SlotRequest(
            connection_id=self.connection_id,
            priority=Priority.LIVE,
            deadline_seconds=limits.call_deadline_seconds,
            purpose="repeat",
        )
        await self._caller.wait_for(lambda: self._tools.calls.take_slot(request))

    # ---- serving ----

    async def _serve(self) -> None:
        idle_since = self._tools.steady()
        while self._end is None and not self._stopping.is_set():
            self._tools.beat()
            self._finished.clear()
            wait_seconds = await self._take()
            now = self._tools.steady()
            if self._in_hand or wait_seconds == 0.0:
                idle_since = now
            elif now - idle_since >= self._tools.idle_seconds:
                self._end = LaneEnd.IDLE
                return
            await self._wait(wait_seconds)

    async def _take(self) -> float:
        """Claim what there is room for; gives how long there is nothing to claim."""
        free = self._view.connection.limits.calls_at_once - len(self._in_hand)
        if free <= 0:
            return RENEW_SECONDS
        try:
            await self._give_back_untouched()
            claimed = await self._tools.lanes.claim(self._lease, free, list(self._in_hand))
        except DatabaseUnavailableError:
            log.warning("lane_waits_for_database", connection=self.connection_id)
            return DATABASE_PAUSE_SECONDS
        self._more = claimed.more
        for record in claimed.orders:
            await self._take_in_hand(record)
        if claimed.orders:
            return 0.0 if claimed.more else RENEW_SECONDS
        if claimed.quota_wait_seconds is not None:
            return min(claimed.quota_wait_seconds, RENEW_SECONDS)
        return RENEW_SECONDS if claimed.next_due_seconds is None else min(claimed.next_due_seconds, RENEW_SECONDS)

    async def _take_in_hand(self, record: OrderRecord) -> None:
        if 1 < record.takes <= TAKES_MAX + 1 and self._in_hand:
            # It was in hand when a process ended: alone, so that it takes nobody with it if it ends this one too.
            await asyncio.wait(self._in_hand.values())
        task = asyncio.create_task(self._book(record), name=f"booking:{record.key}")
        self._in_hand[record.key] = task
        if record.takes > 1:
            await asyncio.wait([task])

    async def _wait(self, seconds: float) -> None:
        if len(self._in_hand) >= self._view.connection.limits.calls_at_once:
            await _first(self._finished.wait(), timeout_seconds=seconds)
            return
        if seconds > 0:
            await _first(
                self._finished.wait(),
                self._tools.wait_for_wake(self.connection_id, seconds),
                timeout_seconds=seconds,
            )

    async def _book(self, record: OrderRecord) -> None:
        booking = Booking(self._bench, record)
        result = "error"
        try:
            conclusion = await booking.run()
            result = "changed" if conclusion is None else conclusion.state.value
            await self._note(conclusion)
        except FencedError:
            self._end = LaneEnd.FENCED
        except ConnectionStoppedError as error:
            self._to_release.append(record.key)
            await self._stop_connection(error)
        except DatabaseUnavailableError:
            self._to_release.append(record.key)
        except LedgerError as error:
            self._to_release.append(record.key)
            await self._rest_lane(error)
        finally:
            del self._in_hand[record.key]
            self._finished.set()
            self._tools.on_booking(result, booking.calls)

    # ---- what came of it ----

    async def _note(self, conclusion: Conclusion | None) -> None:
        """Count failures and differences in a row: the breaker and the stop of a wrong model rest on them."""
        if conclusion is None:
            return
        if conclusion.state in (OrderState.BOOKED, OrderState.WITHDRAWN):
            self._failures = self._differences = 0
        elif conclusion.reason is not None and conclusion.reason.code is ReasonCode.DIFFERENCE:
            self._differences += 1
            if self._differences >= DIFFERENCES_MAX:
                message = "Three documents in a row came out with other figures than computed; nothing more is made."
                await self._stop_connection(ConnectionStoppedError(message, StopCause.DIFFERENCES_IN_A_ROW))
        elif conclusion.failed:
            self._failures += 1
            if self._failures >= FAILURES_MAX:
                await self._break()

    async def _break(self) -> None:
        rest = min(BREAKER_CAP_SECONDS, BREAKER_SECONDS * 2.0 ** (self._failures - FAILURES_MAX))
        log.warning("lane_breaker_open", connection=self.connection_id, seconds=rest, failures=self._failures)
        await self._tools.calls.throttle(self.connection_id, Throttle(kind=ThrottleKind.OUTAGE, wait_seconds=rest))

    async def _stop_connection(self, error: ConnectionStoppedError) -> None:
        if self._end is LaneEnd.STOPPED_CONNECTION:
            return
        self._end = LaneEnd.STOPPED_CONNECTION
        log.error("connection_stopped", connection=self.connection_id, cause=error.cause.value, message=str(error))
        await self._tools.lanes.stop_connection(self.connection_id, error.cause, str(error))

    async def _rest_lane(self, error: LedgerError) -> None:
        """The ledger could not be asked for what the lane itself needs: the whole lane rests."""
        self._end = LaneEnd.RESTING
        seconds = error.wait_seconds if isinstance(error, ThrottledError) else BREAKER_SECONDS
        kind = error.kind if isinstance(error, ThrottledError) else ThrottleKind.OUTAGE
        log.warning("lane_rests", connection=self.connection_id, seconds=seconds, error=str(error))
        await self._tools.calls.throttle(self.connection_id, Throttle(kind=kind, wait_seconds=seconds))

    # ---- ending ----

    async def _finish(self, deadline_seconds: float) -> None:
        if self._in_hand:
            await asyncio.wait(list(self._in_hand.values()), timeout=deadline_seconds + 1.0)
        if hasattr(self, "_caller"):
            await self._caller.drain(deadline_seconds)
        try:
            await self._give_back_untouched()
            if self._end is not LaneEnd.FENCED:
                await self._tools.lanes.give_back(self._lease)
        except DatabaseUnavailableError:
            log.warning("lease_left_to_expire", connection=self.connection_id)

    async def _give_back_untouched(self) -> None:
        if self._to_release:
            keys, self._to_release = self._to_release, []
            try:
                await self._tools.lanes.release(keys)
            except DatabaseUnavailableError:
                self._to_release.extend(keys)
                raise

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                if not await self._tools.lanes.renew(self._lease, LEASE_SECONDS):
                    self._end = LaneEnd.FENCED
                    self._finished.set()
                    return
            except DatabaseUnavailableError:
                log.warning("lease_not_renewed", connection=self.connection_id)


async def _first(*waits: Awaitable[object], timeout_seconds: float) -> None:
    """Wait until one of these is done, or so long at most; the others are cancelled and awaited."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
