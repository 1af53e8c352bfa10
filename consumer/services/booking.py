"""One booking: the loop of decide, call, record, until nothing is left to do for the order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from consumer.domain.credits import ReadLock
from consumer.domain.customer_choice import Known
from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Adopt, Answer, Call, Forget, Gone, Rest, Restate, WhoIs
from consumer.domain.deciding.wanted import wanted_with
from consumer.domain.ledger import (
    DeleteInvoice,
    FindInvoices,
    Invoice,
    Item,
    LedgerFacts,
    Operation,
    ReadInvoice,
    TaxRounding,
)
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order
from consumer.domain.records import Conclusion, IntentEnd, Note, OrderRecord, Outcome
from consumer.domain.settings import ClosedPeriod, ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState
from consumer.errors import (
    ConnectionStoppedError,
    LedgerError,
    NotFoundError,
    PeriodClosedError,
    RefusedError,
)
from consumer.ports.lanes import BookingStore, LaneLease, LaneStore, Occupied, Superseded
from consumer.services.calling import Caller, Sent, Write
from consumer.services.contacts import CustomerVisit, Desk
from consumer.services.observing import Observer
from consumer.services.order_map import Trials
from consumer.services.outcomes import (
    DONE,
    Announce,
    Judging,
    adopted,
    is_forgotten,
    is_there,
    joined,
    judge_error,
    judge_write,
    live_document,
    withhold_persons,
)
from consumer.services.retrying import after_error, order_pause_seconds

log = structlog.get_logger()

STEPS_MAX = 24  # of one booking; a loop that needs more has gone wrong, and is tried again later

ReadOrder = Callable[[OrderRecord, ShopSettings], Order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a lane books with."""

    lease: LaneLease
    connection: ConnectionSettings
    caller: Caller
    bookings: BookingStore
    lanes: LaneStore
    desk: Desk
    read_order: ReadOrder
    announce: Announce
    jitter: Callable[[], float]
    facts: Callable[[float | None], Awaitable[LedgerFacts]]  # not older than so many seconds; None: as the setting says
    learn_rounding: Callable[[TaxRounding], Awaitable[None]]
    shop: Callable[[str], ShopSettings | None]
    items: Callable[[Sequence[str]], Awaitable[Mapping[str, Item]]]  # of these SKUs, as far as the ledger has them
    instead_of_reading: Callable[[OrderRecord, str], Awaitable[Invoice | None]] | None = None  # see services.watching
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    trials: Trials = field(default_factory=Trials)
    looked_first: bool = False  # documents may be in the ledger that Postgres has forgotten


class Booking:
    """The booking of one order, from its record as it was taken."""

    def __init__(self, bench: Bench, record: OrderRecord) -> None:
        self._bench = bench
        self._observer = Observer(bench, record)
        self._mended = False
        self._doubted = ""  # a contact that the ledger itself is asked about once, whatever the index says
        self._lock_asked = False
        self._by_list = False  # its invoice was seen in a list of changes, not read by itself
        self._did = ""  # the last thing that was done to a document, for the news
        self.calls = 0

    @property
    def _record(self) -> OrderRecord:
        return self._observer.record

    async def run(self) -> Conclusion | None:
        """Book; gives where the order stands, None where it changed meanwhile and stays due.

        Raises FencedError, DatabaseUnavailableError and ConnectionStoppedError, which are the lane's to deal with.
        """
        try:
            return await self._run()
        finally:
            self._observer.end()

    async def _run(self) -> Conclusion | None:
        for _ in range(STEPS_MAX):
            if self._record.connection_id != self._bench.connection.connection_id:
                # Its shop has moved to another connection meanwhile, whose lane books it: two must not.
                return None
            conclusion, finished = await self._step()
            if finished:
                return conclusion
        state = OrderState.DUE if self._record.open_intent is None else OrderState.UNCERTAIN
        return await self._rest(Rest(conclusion=Conclusion(state=state, due_in_seconds=60.0, failed=True)))

    async def _step(self) -> tuple[Conclusion | None, bool]:
        try:
            situation = await self._observer.situation()
        except LedgerError as error:
            # What this order needs could not be read (its items, fresh facts): it waits, the others go on.
            return await self._failed(error), True
        return await self._carry_out(decide(situation))

    # ---- carrying a decision out ----

    async def _carry_out(self, decision: object) -> tuple[Conclusion | None, bool]:
        match decision:
            case Rest():
                return await self._rest(decision), True
            case WhoIs():
                return await self._who_is()
            case Adopt():
                await self._adopt(decision)
            case Gone():
                await self._gone(decision)
            case Forget():
                await self._forget(decision)
            case Restate():
                await self._restate(decision)
            case Answer(note=note):
                await self._record_and_go_on(self._outcome(note=note, answer=" ".join(note.words)))
            case Call(operation=operation) if operation.is_write:
                return await self._write(decision)
            case Call(operation=operation):
                return await self._read(operation)
            case _:
                raise TypeError(f"{decision!r} is no decision")
        return None, False

    async def _rest(self, rest: Rest) -> Conclusion | None:
        intent = self._record.open_intent
        end = None
        if intent is not None and (rest.resolve is not None or rest.looked):
            end = IntentEnd(intent_id=intent.intent_id, resolution=rest.resolve, looked=rest.looked)
        outcome = self._outcome(
            intent=end,
            note=rest.note,
            conclusion=rest.conclusion,
            announcement=self._bench.announce(self._record, rest.conclusion, self._did or rest.conclusion.state.value),
            wish=rest.wish,
        )
        current = await self._bench.bookings.record(outcome, self._bench.lease)
        return rest.conclusion if current else None

    async def _who_is(self) -> tuple[Conclusion | None, bool]:
        shop = self._bench.shop(self._record.key.shop_id)
        order = self._observer.order
        if shop is None or order is None:
            raise ValueError(f"order {self._record.key} was not read")
        visit = CustomerVisit(self._bench.desk, order=order, record=self._record, shop=shop, judging=self._judging())
        doubted, self._doubted = self._doubted, ""
        try:
            found = await visit.serve(doubted)
        except LedgerError as error:
            return await self._failed(error), True
        finally:
            self.calls += visit.calls
        if isinstance(found, Rest):
            return await self._rest(found), True
        if isinstance(found, Conclusion):
            return found, True
        self._observer.customer = found
        return None, False

    async def _read(self, operation: Operation) -> tuple[Conclusion | None, bool]:
        listed = await self._listed(operation)
        if listed is not None:
            self._by_list = True
            self._observer.saw(operation, listed)
            return None, False
        self.calls += 1
        try:
            answer = await self._bench.caller.read(operation, key=self._record.key, priority=self._record.priority)
        except NotFoundError as error:
            if isinstance(operation, FindInvoices):
                return await self._failed(error), True
            self._observer.saw(operation, None)
            return None, False
        except LedgerError as error:
            return await self._failed(error), True
        self._observer.saw(operation, answer.result)
        return None, False

    async def _listed(self, operation: Operation) -> Invoice | None:
        """Give our invoice as a list of changes shows it; after a refusal it is read by itself."""
        if self._mended or self._bench.instead_of_reading is None or not isinstance(operation, ReadInvoice):
            return None
        return await self._bench.instead_of_reading(self._record, operation.invoice_id)

    async def _failed(self, error: LedgerError) -> Conclusion | None:
        withhold_persons(error, self._record)
        if isinstance(error, ConnectionStoppedError):
            raise error
        conclusion = after_error(
            error,
            attempts=self._record.attempts,
            settle_seconds=self._bench.connection.settle_seconds,
            jitter=self._bench.jitter,
        )
        if self._record.open_intent is not None:
            # A look that failed, refused or not, leaves the doubt as it is; it is looked again.
            conclusion = replace(conclusion, state=OrderState.UNCERTAIN)
            if conclusion.due_in_seconds is None:
                pause = order_pause_seconds(self._record.attempts, self._bench.jitter)
                conclusion = replace(conclusion, due_in_seconds=pause, failed=True)
        note = Note(decision=type(error).__name__, words=(str(error),))
        return await self._rest(Rest(conclusion=conclusion, note=note))

    async def _write(self, call: Call) -> tuple[Conclusion | None, bool]:
        self.calls += 1
        write = Write(
            key=self._record.key,
            change=self._record.change,
            priority=self._record.priority,
            subject=call.subject,
            operation=call.operation,
            sought=call.sought,
            judge=lambda sent: self._judge(call, sent),
        )
        try:
            result = await self._bench.caller.write(write)
        except LedgerError as error:
            return await self._failed(error), True
        if isinstance(result, Superseded):
            await self._read_again()
            return None, False
        if isinstance(result, Occupied):
            conclusion = Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=max(result.seconds, 0.05))
            return await self._rest(Rest(conclusion=conclusion)), True
        return await self._after_write(call.operation, result.sent, current=result.current)

    async def _after_write(self, operation: Operation, sent: Sent, *, current: bool) -> tuple[Conclusion | None, bool]:
        error = sent.error
        if isinstance(error, ConnectionStoppedError):
            raise error
        if is_there(operation, error):
            self._observer.known = replace(self._observer.known, key_taken=True)
        elif error is not None and self._moves_day(error):
            await self._ask_lock()
        elif self._mends(error):
            self._mend()
        elif error is not None:
            return after_error(
                error, attempts=self._record.attempts, settle_seconds=0.0, jitter=self._bench.jitter
            ), True
        written = None
        if error is None:
            written = await self._done(operation, None if sent.answer is None else sent.answer.result)
        before = self._record
        await self._read_again(written)
        if current and self._record.state is OrderState.BOOKED and before.change == self._record.change:
            return Conclusion(state=OrderState.BOOKED), True
        log.debug("booking_goes_on", order=str(before.key), operation=operation.name)
        return None, False

    async def _done(self, operation: Operation, result: object) -> Invoice | None:
        """Note what a write has done; gives the invoice that it was answered with."""
        self._did = DONE.get(operation.name, self._did)
        if isinstance(result, Invoice):
            await self._bench.learn_rounding(result.rounding)
            self._observer.mapped = None  # the answer may have shown how the ledger rounds
            return result
        if isinstance(operation, DeleteInvoice):
            self._observer.mapped = None  # what was sent as a probe is over
        return None

    def _moves_day(self, error: LedgerError) -> bool:
        """Tell whether the document may be dated on the first open day instead; once in a booking."""
        shop = self._bench.shop(self._record.key.shop_id)
        wanted = shop is not None and shop.closed_period is ClosedPeriod.FIRST_OPEN_DAY
        return isinstance(error, PeriodClosedError) and wanted and not self._lock_asked

    async def _ask_lock(self) -> None:
        """Ask until which day the period is closed, once; where the ledger does not tell, its next refusal stands."""
        self._lock_asked = True
        self.calls += 1
        try:
            answer = await self._bench.caller.read(ReadLock(), key=self._record.key, priority=self._record.priority)
        except LedgerError as error:
            log.warning("closed_period_not_told", order=str(self._record.key), error=str(error))
            return
        self._observer.known = replace(self._observer.known, closed_until=answer.result)

    def _mends(self, error: LedgerError | None) -> bool:
        """Tell whether it is to be looked at again: what it names is gone, or was seen in a list a while ago."""
        refused = isinstance(error, NotFoundError) or (self._by_list and isinstance(error, RefusedError))
        return refused and not self._mended

    def _mend(self) -> None:
        """Something that the write names is gone: look it up again, once; the second refusal stands."""
        self._mended = True
        if isinstance(self._observer.customer, Known):
            # The contact may have been deleted, merged or made inactive, and the index does not know it yet.
            self._doubted, self._observer.customer = self._observer.customer.contact.contact_id, None

    def _judge(self, call: Call, sent: Sent) -> Outcome:
        if sent.error is not None:
            mends = self._mends(sent.error) or self._moves_day(sent.error)
            there = is_there(call.operation, sent.error)
            keep_due = mends or there or isinstance(sent.error, ConnectionStoppedError)
            return judge_error(self._judging(), sent, sent.error, keep_due=keep_due, in_doubt=there)
        outcome = judge_write(self._judging(), call, sent)
        return replace(outcome, note=joined(call.note, outcome.note))

    # ---- recording what was found ----

    async def _adopt(self, decision: Adopt) -> None:
        record, mapped, sold = self._record, await self._as_sent(), await self._less(())
        if is_forgotten(record, decision.invoice, sold):
            record, mapped = replace(record, open_intent=None), sold
        document = adopted(record, self._bench.connection.connection_id, decision.invoice, mapped)
        await self._bench.learn_rounding(decision.invoice.rounding)
        self._observer.mapped = None  # the invoice may have shown how the ledger rounds
        found = {"document": document, "note": decision.note, "reference": document.reference}
        await self._record_and_go_on(self._outcome(intent=self._end(decision.resolve), **found))

    async def _as_sent(self) -> Mapped | None:
        """Give the order as mapped, less the refunds that were taken off when the open intent was sent."""
        intent = self._record.open_intent
        return await self._less(() if intent is None else intent.sought.get("folded", "").split("\n"))

    async def _less(self, ids: Sequence[str]) -> Mapped | None:
        situation = await self._observer.situation()
        refunds = () if situation.order is None else tuple(one for one in situation.order.refunds if one.id in ids)
        mapped = wanted_with(situation, refunds)
        return mapped if isinstance(mapped, Mapped) else None

    async def _restate(self, decision: Restate) -> None:
        outcome = self._outcome(intent=self._end(decision.resolve), document=decision.document, note=decision.note)
        await self._record_and_go_on(outcome)

    async def _gone(self, decision: Gone) -> None:
        document = replace(live_document(self._record), status=decision.status, live=False)
        outcome = self._outcome(intent=self._end(decision.resolve), document=document, note=decision.note)
        await self._record_and_go_on(outcome)

    async def _forget(self, decision: Forget) -> None:
        await self._record_and_go_on(self._outcome(intent=self._end(decision.resolve), note=decision.note))

    async def _record_and_go_on(self, outcome: Outcome) -> None:
        await self._bench.bookings.record(outcome, self._bench.lease)
        await self._read_again()

    def _end(self, resolution: object) -> IntentEnd | None:
        intent = self._record.open_intent
        if intent is None or resolution is None:
            return None
        return IntentEnd(intent_id=intent.intent_id, resolution=resolution)  # type: ignore[arg-type] # a Resolution

    async def _read_again(self, written: Invoice | None = None) -> None:
        record = await self._bench.bookings.read(self._record.key)
        if record is None:
            raise ValueError(f"order {self._record.key} has vanished")
        self._observer.renew(record, written)

    def _outcome(self, **parts: object) -> Outcome:
        return Outcome(
            key=self._record.key,
            connection_id=self._bench.connection.connection_id,
            change=self._record.change,
            **parts,  # type: ignore[arg-type] # named parts of the outcome, checked where they are given
        )

    def _judging(self) -> Judging:
        return Judging(
            record=self._record,
            connection_id=self._bench.connection.connection_id,
            settle_seconds=self._bench.connection.settle_seconds + self._bench.connection.limits.call_deadline_seconds,
            jitter=self._bench.jitter,
            announce=self._bench.announce,
        )
