"""One booking: the loop of decide, call, record, until nothing is left to do for the order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog

from consumer.domain.customer_choice import Known
from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import (
    TAKES_MAX,
    Adopt,
    Call,
    Forget,
    Gone,
    Observations,
    Rest,
    Situation,
    WhoIs,
)
from consumer.domain.ledger import (
    CreateInvoice,
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
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import stand
from consumer.domain.states import OrderState, Reason
from consumer.errors import (
    ConnectionStoppedError,
    KeyTakenError,
    LedgerError,
    NotFoundError,
)
from consumer.ports.lanes import BookingStore, LaneLease, LaneStore, Occupied, Superseded
from consumer.services.calling import Caller, Sent, Write
from consumer.services.contacts import CustomerVisit, Desk
from consumer.services.order_map import OrderMap, Trials
from consumer.services.outcomes import (
    Announce,
    Judging,
    adopted,
    joined,
    judge_error,
    judge_invoice,
    live_document,
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
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    trials: Trials = field(default_factory=Trials)


class Booking:
    """The booking of one order, from its record as it was taken."""

    def __init__(self, bench: Bench, record: OrderRecord) -> None:
        self._bench = bench
        self._record = record
        self._known = Observations()
        self._customer: Known | Reason | None = None
        self._mapped: Mapped | Reason | None = None
        self._order: Order | None = None
        self._mapping = OrderMap(bench)
        self._mended = False
        self.calls = 0

    async def run(self) -> Conclusion | None:
        """Book; gives where the order stands, None where it changed meanwhile and stays due.

        Raises FencedError, DatabaseUnavailableError and ConnectionStoppedError, which are the lane's to deal with.
        """
        try:
            return await self._run()
        finally:
            self._mapping.end()

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
            situation = await self._situation()
        except LedgerError as error:
            # What this order needs could not be read (its items, fresh facts): it waits, the others go on.
            return await self._failed(error), True
        return await self._carry_out(decide(situation))

    # ---- the situation ----

    async def _situation(self) -> Situation:
        record, bench = self._record, self._bench
        shop = bench.shop(record.key.shop_id)
        if self._mapped is None and shop is not None and self._is_to_be_written(shop):
            self._mapped = await self._map(shop)
        seen: tuple[Invoice, ...] = ()
        if record.live_invoice is None and isinstance(self._mapped, Mapped):
            seen = tuple(await bench.lanes.seen(bench.connection.connection_id, self._mapped.draft.reference))
        return Situation(
            record=record,
            shop=shop,
            connection=bench.connection,
            mapped=self._mapped,
            customer=self._customer,
            seen=seen,
            known=self._known,
        )

    def _is_to_be_written(self, shop: ShopSettings) -> bool:
        """Mapping needs the ledger's facts, which cost calls: only for an order that may be written at all.

        And not for one that has ended the process too often: mapping it may be what does it.
        """
        facts = self._record.facts
        if self._record.takes > TAKES_MAX:
            return False
        return not facts.cancelled and stand(facts, shop, self._bench.connection).state is OrderState.DUE

    async def _map(self, shop: ShopSettings) -> Mapped | Reason:
        if self._order is None and self._record.content is not None:
            self._order = self._bench.read_order(self._record, shop)
        return await self._mapping.map(self._record, self._order, shop)

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
            announcement=self._bench.announce(self._record, rest.conclusion, rest.conclusion.state.value),
        )
        current = await self._bench.bookings.record(outcome, self._bench.lease)
        return rest.conclusion if current else None

    async def _who_is(self) -> tuple[Conclusion | None, bool]:
        shop = self._bench.shop(self._record.key.shop_id)
        if shop is None or self._order is None:
            raise ValueError(f"order {self._record.key} was not read")
        visit = CustomerVisit(
            self._bench.desk, order=self._order, record=self._record, shop=shop, judging=self._judging()
        )
        try:
            found = await visit.serve()
        except LedgerError as error:
            return await self._failed(error), True
        finally:
            self.calls += visit.calls
        if isinstance(found, Rest):
            return await self._rest(found), True
        if isinstance(found, Conclusion):
            return found, True
        self._customer = found
        return None, False

    async def _read(self, operation: Operation) -> tuple[Conclusion | None, bool]:
        self.calls += 1
        try:
            answer = await self._bench.caller.read(operation, key=self._record.key, priority=self._record.priority)
        except NotFoundError as error:
            if not isinstance(operation, ReadInvoice):
                return await self._failed(error), True
            self._known = self._known.with_invoice(operation.invoice_id, None)
            return None, False
        except LedgerError as error:
            return await self._failed(error), True
        if isinstance(operation, ReadInvoice):
            self._known = self._known.with_invoice(operation.invoice_id, answer.result)
        elif isinstance(operation, FindInvoices):
            self._known = replace(self._known, by_reference=tuple(answer.result.rows))
        return None, False

    async def _failed(self, error: LedgerError) -> Conclusion | None:
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
        mapped = self._mapped if isinstance(self._mapped, Mapped) else None
        write = Write(
            key=self._record.key,
            change=self._record.change,
            priority=self._record.priority,
            subject=call.subject,
            operation=call.operation,
            sought=call.sought,
            judge=lambda sent: self._judge(call, mapped, sent),
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
        if isinstance(error, KeyTakenError):
            self._known = replace(self._known, key_taken=True)
        elif isinstance(error, NotFoundError) and not self._mended:
            await self._mend(operation)
        elif error is not None:
            return after_error(
                error, attempts=self._record.attempts, settle_seconds=0.0, jitter=self._bench.jitter
            ), True
        elif sent.answer is not None and isinstance(sent.answer.result, Invoice):
            await self._bench.learn_rounding(sent.answer.result.rounding)
            self._mapped = None  # the answer may have shown how the ledger rounds
        elif isinstance(operation, DeleteInvoice):
            self._mapped = None  # what was sent as a probe is over
        before = self._record
        await self._read_again()
        if current and self._record.state is OrderState.BOOKED and before.change == self._record.change:
            return Conclusion(state=OrderState.BOOKED), True
        log.debug("booking_goes_on", order=str(before.key), operation=operation.name)
        return None, False

    async def _mend(self, operation: Operation) -> None:
        """Something that the write names is gone: look it up again, once; the second refusal stands."""
        self._mended = True
        if isinstance(operation, CreateInvoice):
            # The contact was deleted, merged or made inactive in the ledger: the index is wrong about it.
            await self._bench.desk.contacts.drop(self._bench.connection.connection_id, operation.draft.contact_id)
            self._customer = None

    def _judge(self, call: Call, mapped: Mapped | None, sent: Sent) -> Outcome:
        if sent.error is not None:
            mends = isinstance(sent.error, NotFoundError) and not self._mended
            keep_due = mends or isinstance(sent.error, KeyTakenError | ConnectionStoppedError)
            return judge_error(self._judging(), sent, sent.error, keep_due=keep_due)
        outcome = judge_invoice(self._judging(), call.operation, mapped, sent)
        return replace(outcome, note=joined(call.note, outcome.note))

    # ---- recording what was found ----

    async def _adopt(self, decision: Adopt) -> None:
        mapped = self._mapped if isinstance(self._mapped, Mapped) else None
        document = adopted(self._record, self._bench.connection.connection_id, decision.invoice, mapped)
        await self._bench.learn_rounding(decision.invoice.rounding)
        self._mapped = None  # the invoice may have shown how the ledger rounds
        outcome = self._outcome(
            intent=self._end(decision.resolve), document=document, note=decision.note, reference=document.reference
        )
        await self._record_and_go_on(outcome)

    async def _gone(self, decision: Gone) -> None:
        document = replace(live_document(self._record), status=decision.status, live=False)
        await self._record_and_go_on(
            self._outcome(intent=self._end(decision.resolve), document=document, note=decision.note)
        )

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

    async def _read_again(self) -> None:
        """The order as stored now; what was observed of the ledger holds no longer, nor a map of other content."""
        record = await self._bench.bookings.read(self._record.key)
        if record is None:
            raise ValueError(f"order {self._record.key} has vanished")
        if record.change != self._record.change:
            self._order = self._mapped = self._customer = None
        self._record = record
        self._known = Observations(key_taken=self._known.key_taken)

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
