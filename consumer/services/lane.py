"""A lane: the single writer of one connection, as long as this process holds its lease.

It claims due orders, books up to four of them at once, sleeps when nothing is due, and gives the lease back when it
has been idle. Safety rests on the intents, not on the lease: a paused or fenced lane cannot make a second document.
"""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

import structlog

from consumer.domain.deciding.situation import TAKES_MAX
from consumer.domain.orders import OrderKey
from consumer.domain.records import Conclusion, OrderRecord
from consumer.domain.states import Priority
from consumer.errors import (
    ConfigurationError,
    ConnectionStoppedError,
    DatabaseUnavailableError,
    FencedError,
    LedgerError,
    StopCause,
    ThrottledError,
    ThrottleKind,
)
from consumer.ports.lanes import LaneLease, LaneView, SlotRequest, Throttle
from consumer.ports.ledger import Ledger
from consumer.services.booking import Booking
from consumer.services.calling import PutBackError
from consumer.services.lane_parts import open_parts, traced
from consumer.services.lane_tools import LaneTools
from consumer.services.streaks import BREAKER_SECONDS, Streaks
from consumer.services.waiting import first_of
from consumer.services.watching import Watch

log = structlog.get_logger()

LOOK_SECONDS = 2.0  # wake-ups are hints: settings and due orders are looked at this often at least
RESERVE_REST_SECONDS = 60.0  # where the day's budget does not even let the lane prepare
DATABASE_PAUSE_SECONDS = 1.0
URGENT = (Priority.PERSON, Priority.LIVE)
URGENT_PLACES = 2  # orders in hand beyond the calls at once, for these; the slots bound the calls as ever


class LaneEnd(StrEnum):
    """Why a lane ended."""

    IDLE = "idle"
    FENCED = "fenced"
    STOPPED_CONNECTION = "stopped_connection"
    RESTING = "resting"
    CHANGED = "changed"  # the connection's settings: the lane is built anew
    ASKED = "asked"


class Lane:
    """One leased lane at work."""

    def __init__(self, lease: LaneLease, tools: LaneTools, streaks: Streaks | None = None) -> None:
        self._lease = lease
        self._tools = tools
        self._streaks = streaks or Streaks()
        self._in_hand: dict[OrderKey, asyncio.Task[None]] = {}
        self._watch: Watch | None = None
        self._watching: asyncio.Task[None] | None = None
        self._finished = asyncio.Event()
        self._stopping = asyncio.Event()
        self._leaving = asyncio.Event()
        self._end: LaneEnd | None = None
        self._more = False
        self._faulty = False
        self._to_release: list[OrderKey] = []
        self._look_at = 0.0
        self._begun = tools.steady()

    @property
    def connection_id(self) -> str:
        """Name the lane's connection."""
        return self._lease.connection_id

    def stop(self) -> None:
        """Ask the lane to take nothing more; what is under way is finished, what waits for a slot is put back."""
        self._stopping.set()
        self._leaving.set()
        self._finished.set()

    async def run(self) -> LaneEnd:
        """Work until idle, fenced, stopped or asked to end; the lease is given back where it is still ours."""
        renewing = asyncio.create_task(self._keep_lease(), name=f"lane-lease:{self.connection_id}")
        try:
            await self._work()
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        return self._end or LaneEnd.ASKED

    # ---- preparing ----

    async def _work(self) -> None:
        """Prepare and serve; why it ended is stored before the lease is given back, so that nobody tries it again."""
        view = await self._tools.lanes.view(self.connection_id)
        self._deadline_seconds = view.connection.limits.call_deadline_seconds
        ledger: Ledger | None = None
        try:
            ledger = self._tools.open_ledger(view.connection, self._slot_for_repeat)
            self._open(view, ledger)
            await self._knowledge.prepare()
            await self._serve()
        except FencedError:
            self._end = LaneEnd.FENCED
        except ConnectionStoppedError as error:
            await self._stop_connection(error)
        except LedgerError as error:
            await self._rest_lane(error)
        except (PutBackError, ConfigurationError) as error:
            await self._rest_unprepared(error)
        except Exception:
            # A fault of ours. The lease is left to run out, so that the lane is not tried again many times a second.
            self._faulty = True
            raise
        finally:
            await self._finish()
            if ledger is not None:
                await ledger.aclose()

    def _open(self, view: LaneView, ledger: Ledger) -> None:
        self._calls_at_once = view.connection.limits.calls_at_once
        parts = open_parts(
            lease=self._lease,
            tools=self._tools,
            view=view,
            ledger=ledger,
            queued=lambda: self._more,
            several=lambda: self._more or len(self._in_hand) > 1,
            leaving=self._leaving,
        )
        self._caller, self._knowledge, self._bench = parts.caller, parts.knowledge, parts.bench
        self._watch = parts.watch

    async def _slot_for_repeat(self) -> None:
        """Take a slot for a call that is repeated with a renewed token; it counts as used from its deadline on."""
        request = SlotRequest(
            connection_id=self.connection_id,
            priority=Priority.LIVE,
            deadline_seconds=self._deadline_seconds,
            purpose="repeat",
        )
        await self._caller.wait_for(lambda: self._tools.calls.take_slot(request))

    # ---- serving ----

    async def _serve(self) -> None:
        idle_since = self._tools.steady()
        while self._end is None and not self._stopping.is_set():
            self._tools.beat()
            self._finished.clear()
            wait_seconds = await self._look_and_take()
            now = self._tools.steady()
            if self._in_hand or self._is_watching() or wait_seconds == 0.0:
                idle_since = now
            elif now - idle_since >= self._tools.idle_seconds:
                self._end = LaneEnd.IDLE
                return
            await self._wait(wait_seconds)

    async def _look_and_take(self) -> float:
        """Keep up with the settings and claim what there is room for; gives how long there is nothing to claim."""
        try:
            await self._keep_up()
            return await self._take() if self._end is None else 0.0
        except DatabaseUnavailableError:
            log.warning("lane_waits_for_database", connection=self.connection_id)
            return DATABASE_PAUSE_SECONDS

    async def _keep_up(self) -> None:
        """Look whether settings were changed, or a look first was asked for, while the lane is leased."""
        now = self._tools.steady()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        await self._look_at_settings()
        if self._end is None:
            await self._knowledge.tend_index()
            if self._watch is not None and not self._is_watching():
                # Beside the bookings, one look at a time: nobody waits for it.
                self._watching = asyncio.create_task(self._look(self._watch), name=f"watch:{self.connection_id}")

    def _is_watching(self) -> bool:
        return self._watching is not None and not self._watching.done()

    async def _look(self, watch: Watch) -> None:
        try:
            await watch.tend()
        except FencedError:
            self._end = LaneEnd.FENCED
        except ConnectionStoppedError as error:
            await self._stop_connection(error)
        except Exception:
            # A fault of the watch must not end the bookings of the lane; the next look is planned already.
            log.exception("watch_failed", connection=self.connection_id)

    async def _look_at_settings(self) -> None:
        view = await self._knowledge.look_again()
        if view.stopped is not None:
            self._end = LaneEnd.STOPPED_CONNECTION
        elif view.connection != self._knowledge.connection or view.look_first:
            # What is in hand is finished as it was begun; the next lane is opened with the new settings.
            self._end = LaneEnd.CHANGED

    def _is_clearing(self) -> bool:
        """Tell whether the breaker has just opened: what waits for a call is put back, and nothing is taken."""
        return self._leaving.is_set() and not self._stopping.is_set()

    async def _take(self) -> float:
        if self._is_clearing():
            if self._in_hand:
                return LOOK_SECONDS
            self._leaving.clear()
        free = self._streaks.places(self._calls_at_once) - len(self._in_hand)
        if free <= 0:
            return await self._take_urgent()
        await self._give_back_untouched()
        claimed = await self._tools.lanes.claim(self._lease, free, list(self._in_hand))
        self._more = claimed.more
        if claimed.orders:
            await self._begin(claimed.orders)
            return 0.0 if claimed.more else LOOK_SECONDS
        waits = (claimed.next_due_seconds, claimed.quota_wait_seconds, LOOK_SECONDS)
        return min(wait for wait in waits if wait is not None)

    async def _take_urgent(self) -> float:
        """Take what is no backfill with full hands too: else it waits for all the calls of an order of a backfill."""
        if len(self._in_hand) < self._streaks.places(self._calls_at_once + URGENT_PLACES):
            claimed = await self._tools.lanes.claim(self._lease, 1, list(self._in_hand), only=URGENT)
            if claimed.orders:
                await self._begin(claimed.orders)
        return LOOK_SECONDS

    async def _begin(self, orders: Sequence[OrderRecord]) -> None:
        """Take claimed orders in hand, under settings that are not older than the claim.

        With older ones an order that is due because automatic sending was just switched on would be put to wait, for
        ever, and one would be written just after it was switched off.
        """
        keys = [record.key for record in orders]
        self._to_release += keys
        await self._look_at_settings()
        if self._end is not None:
            return
        self._to_release = [key for key in self._to_release if key not in keys]
        for record in orders:
            await self._take_in_hand(record)

    async def _take_in_hand(self, record: OrderRecord) -> None:
        if 1 < record.takes <= TAKES_MAX + 1 and self._in_hand:
            # It was in hand when a process ended: alone, so that it takes nobody with it if it ends this one too.
            await asyncio.wait(self._in_hand.values())
        task = asyncio.create_task(traced(self._tools.tracing, record, self._book), name=f"booking:{record.key}")
        self._in_hand[record.key] = task
        if record.takes > 1:
            await asyncio.wait([task])

    async def _wait(self, seconds: float) -> None:
        if len(self._in_hand) >= self._calls_at_once + URGENT_PLACES:
            await first_of(self._finished.wait(), timeout_seconds=seconds)
        elif seconds > 0:
            wake = self._tools.wait_for_wake(self.connection_id, seconds)
            await first_of(self._finished.wait(), wake, timeout_seconds=seconds)

    # ---- one order ----

    async def _book(self, record: OrderRecord) -> None:
        booking, result = Booking(self._bench, record), "error"
        try:
            result = await self._book_or_put_back(booking, record)
        except DatabaseUnavailableError:
            self._to_release.append(record.key)
        except Exception:
            # One order's fault must not end the lane of the others. Its take counts, so that it comes to rest as
            # stops_the_process; a write of it without a record stays an open intent and is asked about.
            log.exception("booking_failed", shop=record.key.shop_id, order=record.key.order_id)
        finally:
            del self._in_hand[record.key]
            self._finished.set()
            self._tools.on_booking(result, booking.calls)

    async def _book_or_put_back(self, booking: Booking, record: OrderRecord) -> str:
        try:
            conclusion = await booking.run()
        except FencedError:
            self._end = LaneEnd.FENCED
        except ConnectionStoppedError as error:
            await self._stop_connection(error)
        except PutBackError:
            pass  # the lane is ending or rests, or the claim knows until when the day's budget keeps it back
        else:
            await self._note(conclusion)
            result = "changed" if conclusion is None else conclusion.state.value
            log.info("booking_ended", shop=record.key.shop_id, order=record.key.order_id, result=result)
            return result
        self._to_release.append(record.key)
        return "put_back"

    async def _note(self, conclusion: Conclusion | None) -> None:
        """Count failures and differences in a row: the breaker and the stop of a wrong model rest on them."""
        if conclusion is None:
            return
        if self._streaks.differs_too_often(conclusion):
            message = "Three documents in a row came out with other figures than computed; nothing more is made."
            await self._stop_connection(ConnectionStoppedError(message, StopCause.DIFFERENCES_IN_A_ROW))
        rest = self._streaks.rest_seconds(conclusion, self._tools.steady())
        if rest is not None:
            log.warning("lane_breaker_open", connection=self.connection_id, seconds=rest)
            await self._tools.calls.throttle(self.connection_id, Throttle(kind=ThrottleKind.OUTAGE, wait_seconds=rest))
            # Orders that wait for a call would all leave when the rest is over. They are put back, and one is taken.
            self._leaving.set()

    # ---- ending ----

    async def _stop_connection(self, error: ConnectionStoppedError) -> None:
        if self._end is LaneEnd.STOPPED_CONNECTION:
            return
        self._end = LaneEnd.STOPPED_CONNECTION
        log.error("connection_stopped", connection=self.connection_id, cause=error.cause.value, message=str(error))
        age = self._tools.steady() - self._begun  # of the oldest token that it may have been refused for
        await self._tools.lanes.stop_connection(self.connection_id, error.cause, str(error), evidence_seconds=age)

    async def _rest_lane(self, error: LedgerError) -> None:
        """The ledger could not be asked for what the lane itself needs: the whole lane rests."""
        seconds = error.wait_seconds if isinstance(error, ThrottledError) else BREAKER_SECONDS
        kind = error.kind if isinstance(error, ThrottledError) else ThrottleKind.OUTAGE
        await self._rest(kind, seconds, error)

    async def _rest_unprepared(self, error: PutBackError | ConfigurationError) -> None:
        """The lane cannot even prepare: the day's budget is spent, or the ledger's address is not configured."""
        if not self._stopping.is_set():
            await self._rest(ThrottleKind.OUTAGE, RESERVE_REST_SECONDS, error)

    async def _rest(self, kind: ThrottleKind, seconds: float, error: Exception) -> None:
        self._end = LaneEnd.RESTING
        log.warning("lane_rests", connection=self.connection_id, seconds=seconds, error=str(error))
        await self._tools.calls.throttle(self.connection_id, Throttle(kind=kind, wait_seconds=seconds))

    async def _finish(self) -> None:
        self._leaving.set()
        if self._watching is not None:
            # Its calls record themselves, and what it has not judged yet will be listed again.
            self._watching.cancel()
            await asyncio.wait([self._watching])
        if self._in_hand:
            await asyncio.wait(list(self._in_hand.values()), timeout=self._deadline_seconds + 1.0)
        if hasattr(self, "_caller"):
            await self._caller.drain(self._deadline_seconds)
        try:
            await self._give_back_untouched()
            if not self._faulty:
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
            await asyncio.sleep(self._tools.lease_seconds / 3)
            try:
                if not await self._tools.lanes.renew(self._lease, self._tools.lease_seconds):
                    self._end = LaneEnd.FENCED
                    self._finished.set()
                    return
            except DatabaseUnavailableError:
                log.warning("lease_not_renewed", connection=self.connection_id)
