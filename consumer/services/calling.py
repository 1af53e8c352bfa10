"""One call to the ledger, with its slot before it and its record after it; a write with its intent besides.

The call runs in a task of its own that nobody cancels: the task records what came of the call, by the intent's id and
whatever the lane's epoch is by then. Whoever waited for it may have given up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import structlog

from consumer.domain.ledger import Operation
from consumer.domain.orders import OrderKey
from consumer.domain.records import Outcome
from consumer.domain.states import Priority
from consumer.errors import (
    BookedError,
    DatabaseUnavailableError,
    LedgerError,
    NotSentError,
    ThrottledError,
)
from consumer.failpoints import failpoint
from consumer.ports.lanes import (
    Begun,
    BookingStore,
    CallStore,
    LaneLease,
    MustWait,
    NewIntent,
    Occupied,
    Slot,
    SlotRequest,
    Superseded,
    Throttle,
    WaitCause,
)
from consumer.ports.ledger import Answer, Ledger
from consumer.ports.tracing import NO_TRACING, Tracing
from consumer.services.waiting import first_of

log = structlog.get_logger()
T = TypeVar("T")

LEAVE_WITHIN_SECONDS = 1.0  # after the commit of an intent the request leaves within this, or not at all
RECORD_PAUSE_SECONDS = 0.5  # between tries to record an answer while the database is away
WAIT_CAP_SECONDS = 30.0  # a longer wait for a slot is broken off and looked at again


class PutBackError(BookedError):
    """No call may leave for a long time, or the lane is ending: the order goes back as it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write: for whom, what, how to find it again, and by whom it is judged."""

    key: OrderKey
    change: int
    priority: Priority
    subject: str
    operation: Operation
    sought: Mapping[str, str]
    judge: Callable[["Sent"], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A write's end: an answer or an error, with the intent and the slot that it was made under."""

    intent_id: UUID
    slot: int
    answer: Answer | None = None
    error: LedgerError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of a write. ``current`` is False where the order has changed since; it stays due then."""

    sent: Sent
    current: bool


class Caller:
    """Makes the calls of one lane."""

    def __init__(
        self,
        *,
        lease: LaneLease,
        ledger: Ledger,
        bookings: BookingStore,
        calls: CallStore,
        steady: Callable[[], float],
        queued: Callable[[], bool],
        deadline_seconds: float,
        settle_seconds: float,
        on_call: Callable[[str, str, float], None] = lambda _operation, _result, _seconds: None,
        leaving: asyncio.Event | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._tracing = tracing
        self._leaving = leaving or asyncio.Event()
        self._lease = lease
        self._ledger = ledger
        self._bookings = bookings
        self._calls = calls
        self._steady = steady
        self._queued = queued
        self._deadline_seconds = deadline_seconds
        self._settle_seconds = settle_seconds
        self._on_call = on_call
        self._under_way: set[asyncio.Task[Any]] = set()
        self._urgent = 0  # those that wait for a slot, or are about to ask for one, and are no backfill
        self._nobody_urgent = asyncio.Event()
        self._nobody_urgent.set()

    async def read(self, operation: Operation, *, key: OrderKey | None, priority: Priority) -> Answer:
        """Make a call that changes nothing. Raises LedgerError's subclasses, DatabaseUnavailableError, PutBackError."""
        slot, taken_after = await self.wait_for(lambda: self._slot(operation, priority), priority)
        return await self._in_own_task(self._read(operation, slot, key, taken_after), operation.name)

    async def _slot(self, operation: Operation, priority: Priority) -> MustWait | tuple[Slot, float]:
        before = self._steady()  # as in _begin: the slot's deadline cannot have been fixed earlier
        slot = await self._calls.take_slot(self._request(operation, priority))
        return slot if isinstance(slot, MustWait) else (slot, before)

    async def write(self, write: Write) -> Written | Superseded | Occupied:
        """Commit the intent, make the call, record its outcome. Raises FencedError, DatabaseUnavailableError.

        Raises LedgerError where the call could not even be prepared (no token): then there is no intent.
        What the ledger answered, errors included, is in the result: the judge has made an outcome of it.
        """
        # Before the intent: a renewal of the token may take longer than the second that a write has to leave in.
        await self._ledger.ready()
        intent_id = uuid4()
        intent = NewIntent(
            intent_id=intent_id,
            subject=write.subject,
            key=write.key,
            change=write.change,
            operation=write.operation.name,
            digest=write.operation.digest(),
            sought=write.sought,
            deadline_seconds=self._deadline_seconds,
            settle_seconds=self._settle_seconds,
        )
        request = self._request(write.operation, write.priority)
        began = await self.wait_for(lambda: self._begin(intent, request), write.priority)
        begun, committed_by = began
        if not isinstance(begun, Begun):
            return begun
        failpoint("intent_committed")
        return await self._in_own_task(self._write(write, intent_id, begun.slot, committed_by), write.operation.name)

    async def drain(self, seconds: float) -> None:
        """Wait for the calls under way, so long at most; what is left goes on by itself and records itself."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    async def _begin(
        self, intent: NewIntent, request: SlotRequest
    ) -> MustWait | tuple[Begun | Superseded | Occupied, float]:
        # The clock is read before the transaction: the second that the request has to leave in starts at the
        # earliest moment at which the intent's deadline can have been fixed.
        before = self._steady()
        begun = await self._bookings.begin(self._lease, intent, request)
        return begun if isinstance(begun, MustWait) else (begun, before)

    def _request(self, operation: Operation, priority: Priority) -> SlotRequest:
        return SlotRequest(
            connection_id=self._lease.connection_id,
            priority=priority,
            deadline_seconds=self._deadline_seconds,
            purpose=operation.name,
            queued=self._queued(),
        )

    async def wait_for(self, attempt: Callable[[], Awaitable[T | MustWait]], priority: Priority = Priority.LIVE) -> T:
        """Try until the store says something else than to wait; a backfill lets all others of the lane go first.

        Raises PutBackError where the day's budget is spent (whoever waited here would keep people out, who may use
        the rest) and where the lane is ending, or its breaker has opened.
        """
        if priority is Priority.BACKFILL:
            return await self._try_until(attempt, self._nobody_urgent)
        self._urgent += 1
        self._nobody_urgent.clear()
        try:
            return await self._try_until(attempt, None)
        finally:
            self._urgent -= 1
            if self._urgent == 0:
                self._nobody_urgent.set()

    async def _try_until(self, attempt: Callable[[], Awaitable[T | MustWait]], after: asyncio.Event | None) -> T:
        while True:
            # Whoever asks the store at the right moment gets the slot, and of many that wait a backfill has the most.
            while after is not None and not after.is_set() and not self._leaving.is_set():
                await first_of(after.wait(), self._leaving.wait(), timeout_seconds=WAIT_CAP_SECONDS)
            got = await attempt()
            if not isinstance(got, MustWait):
                return got
            if got.cause is WaitCause.QUOTA:
                raise PutBackError(f"The day's budget keeps this call waiting for {got.seconds:.0f} s more.")
            if self._leaving.is_set():
                raise PutBackError("The lane is ending or rests; nothing was sent.")
            # The store has told how long; nobody can signal that a second of the window has passed.
            await _set_or_late(self._leaving, min(got.seconds, WAIT_CAP_SECONDS))

    async def _in_own_task(self, work: Coroutine[Any, Any, T], name: str) -> T:
        task = asyncio.create_task(work, name=f"ledger:{self._lease.connection_id}:{name}")
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Read, so that an abandoned call is no "exception was never retrieved"; whoever waits gets it as well.
            log.debug("ledger_call_ended", task=task.get_name(), error=type(task.exception()).__name__)

    async def _read(self, operation: Operation, slot: Slot, key: OrderKey | None, taken_after: float) -> Answer:
        started = self._steady()
        try:
            if started - taken_after > LEAVE_WITHIN_SECONDS:
                # The slot may be somebody else's by the time that the call would arrive: the window would be exceeded.
                raise NotSentError(f"The process stood still after {operation.name} had its slot; nothing was sent.")
            answer = await self._execute(operation)
        except LedgerError as error:
            self._on_call(operation.name, type(error).__name__, self._steady() - started)
            await self._end_failed(slot, key, error)
            raise
        self._on_call(operation.name, "ok", self._steady() - started)
        await self._until_recorded(lambda: self._calls.end_call(slot, sent=True, exchange=answer.exchange, key=key))
        return answer

    async def _execute(self, operation: Operation) -> Answer:
        notes = {"connection": self._lease.connection_id, "operation": operation.name}
        try:
            with self._tracing.call(f"ledger {operation.name}", notes=notes):
                return await self._ledger.execute(operation, deadline_seconds=self._deadline_seconds)
        except (DatabaseUnavailableError, PutBackError) as error:
            # In there only the token and its renewal ask the database, before the request leaves or after a 401:
            # for certain nothing was done.
            raise NotSentError(f"{operation.name} was not sent: {error}") from error

    async def _end_failed(self, slot: Slot, key: OrderKey | None, error: LedgerError) -> None:
        sent = not isinstance(error, NotSentError)
        throttle = throttle_of(error)
        await self._until_recorded(
            lambda: self._calls.end_call(slot, sent=sent, exchange=error.exchange, key=key, throttle=throttle)
        )

    async def _write(self, write: Write, intent_id: UUID, slot: Slot, committed_after: float) -> Written:
        sent = await self._send(write, intent_id, slot, committed_after)
        failpoint("answer_read")
        outcome = write.judge(sent)
        throttle = throttle_of(sent.error)
        if throttle is not None:
            await self._until_recorded(lambda: self._calls.throttle(slot.connection_id, throttle))
        current = await self._until_recorded(lambda: self._bookings.record(outcome))
        failpoint("outcome_committed")
        return Written(sent=sent, current=current)

    async def _send(self, write: Write, intent_id: UUID, slot: Slot, committed_after: float) -> Sent:
        started = self._steady()
        if started - committed_after > LEAVE_WITHIN_SECONDS:
            # The process stood still between commit and call: somebody may be asking the ledger already.
            error = NotSentError("The process stood still after the intent was committed; nothing was sent.")
            return Sent(intent_id=intent_id, slot=slot.n, error=error)
        try:
            answer = await self._execute(write.operation)
        except LedgerError as error:
            self._on_call(write.operation.name, type(error).__name__, self._steady() - started)
            return Sent(intent_id=intent_id, slot=slot.n, error=error)
        self._on_call(write.operation.name, "ok", self._steady() - started)
        return Sent(intent_id=intent_id, slot=slot.n, answer=answer)

    async def _until_recorded(self, record: Callable[[], Awaitable[T]]) -> T:
        """An answer is worth waiting for the database: until it is recorded the intent stays open and blocks."""
        while True:
            try:
                return await record()
            except DatabaseUnavailableError:
                log.warning("answer_waits_for_database", connection=self._lease.connection_id)
                await asyncio.sleep(RECORD_PAUSE_SECONDS)


async def _set_or_late(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def throttle_of(error: LedgerError | None) -> Throttle | None:
    """Tell what an error asks of the whole lane."""
    if isinstance(error, ThrottledError):
        return Throttle(kind=error.kind, wait_seconds=error.wait_seconds)
    return None
