"""One order's booking in memory: read, begin a write, record what came of it."""

from datetime import datetime, timedelta
from uuid import uuid4

from consumer.adapters.memory import slots
from consumer.adapters.memory.database import IntentRow, MemoryDatabase, OrderRow, OutboxEntry
from consumer.adapters.memory.intake import wake
from consumer.adapters.memory.records import open_intent_of, read_intent, read_order
from consumer.adapters.memory.slots import CallEnd
from consumer.domain.budget import LEAVE_SECONDS
from consumer.domain.orders import OrderKey
from consumer.domain.recording import (
    IntentBefore,
    OrderAfter,
    OrderBefore,
    Reception,
    after,
    after_late,
    late_answer,
    outcome_digest,
    receive,
)
from consumer.domain.records import Document, DocumentKind, Intent, OrderRecord, Outcome, Resolution
from consumer.ports.lanes import Begun, LaneLease, MustWait, NewIntent, Occupied, SlotRequest, Superseded


class MemoryBookingStore:
    """See consumer.ports.lanes.BookingStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def read(self, key: OrderKey) -> OrderRecord | None:
        """See the port."""
        async with self._db.transaction() as now:
            return read_order(self._db, key, now)

    async def open_intent(self, connection_id: str, subject: str) -> Intent | None:
        """See the port."""
        async with self._db.transaction() as now:
            row = open_intent_of(self._db, connection_id, subject)
            return None if row is None else read_intent(row, now)

    async def begin(
        self, lease: LaneLease, intent: NewIntent, slot: SlotRequest
    ) -> Begun | MustWait | Superseded | Occupied:
        """See the port. Raises ConnectionStoppedError where somebody has stopped the connection meanwhile."""
        async with self._db.transaction() as now:
            order = self._db.orders.get(intent.key)
            if order is None:
                return Superseded()
            refused = self._occupied(lease, intent, now) if order.change == intent.change else Superseded()
            if refused is not None:
                order.takes = 0
                return refused
            lane = slots.lane_of(self._db, lease.connection_id)
            slots.check_lease(lane, lease, now)
            slots.check_running(self._db, lease.connection_id)
            order.takes = 0
            taken = slots.take(lane, slots.limits_of(self._db, lease.connection_id), slot, now)
            if isinstance(taken, MustWait):
                return taken
            self._db.intents[intent.intent_id] = _intent_row(lease, intent, taken.n, now)
            return Begun(slot=taken)

    def _occupied(self, lease: LaneLease, intent: NewIntent, now: datetime) -> Occupied | Superseded | None:
        other = open_intent_of(self._db, lease.connection_id, intent.subject)
        if other is not None:
            return Occupied(seconds=max(0.0, (other.settled_at - now).total_seconds()))
        return Superseded() if intent.intent_id in self._db.intents else None

    async def record(self, outcome: Outcome, lease: LaneLease | None = None) -> bool:
        """See the port. Raises LookupError for an order or intent that there is not, TransitionError for a bad step."""
        async with self._db.transaction() as now:
            order, intent = self._find(outcome)
            if lease is not None:
                slots.check_lease(slots.lane_of(self._db, outcome.connection_id), lease, now)
            before = self._before(order, outcome)
            reception = receive(outcome, before, None if intent is None else _intent_before(intent))
            current = order.change == outcome.change
            if reception is Reception.FRESH:
                self._take(outcome, order, intent, before, now)
            elif reception is Reception.LATE and intent is not None:
                intent.late_answer = late_answer(outcome, now)
                self._put(order, after_late(before, now), None, now)
            self._end_call(outcome, reception, now)
            return current and reception not in (Reception.LATE, Reception.LATE_REPEATED)

    def _find(self, outcome: Outcome) -> tuple[OrderRow, IntentRow | None]:
        order = self._db.orders.get(outcome.key)
        if order is None:
            raise LookupError(f"order {outcome.key} is not known; nothing is recorded for it")
        intent = None if outcome.intent is None else self._db.intents.get(outcome.intent.intent_id)
        if outcome.intent is not None and intent is None:
            raise LookupError(f"intent {outcome.intent.intent_id} is not known; its outcome is not recorded")
        return order, intent

    def _before(self, order: OrderRow, outcome: Outcome) -> OrderBefore:
        own = None if outcome.intent is None else outcome.intent.intent_id
        return OrderBefore(
            state=order.state,
            change=order.change,
            attempts=order.attempts,
            reference=order.reference,
            connection_id=order.connection_id,
            recorded=order.recorded,
            announced=order.announced,
            reason=order.reason,
            difference=order.difference,
            due_at=order.due_at,
            other_intent=any(
                i.key == order.key and i.resolution is None and i.intent_id != own for i in self._db.intents.values()
            ),
        )

    def _take(
        self, outcome: Outcome, order: OrderRow, intent: IntentRow | None, before: OrderBefore, now: datetime
    ) -> None:
        # Everything that may refuse comes first: nothing is rolled back here.
        becoming = after(outcome, before, now)
        for document in (outcome.document, outcome.also):
            if document is not None:
                self._put_document(outcome.key, document)
        if intent is not None:
            _end_intent(intent, outcome, now)
        if outcome.contact is not None:
            contact = outcome.contact.contact
            self._db.contacts[outcome.connection_id, contact.contact_id] = contact
            if outcome.contact.customer_key:
                link = (outcome.connection_id, outcome.key.shop_id, outcome.contact.customer_key)
                self._db.contact_links[link] = contact.contact_id
        if outcome.note is not None:
            self._db.decisions.append((outcome.key, now, outcome.change, outcome.note))
        self._put(order, becoming, outcome_digest(outcome), now)
        if becoming.announces:
            self._announce(order, outcome, now)

    def _put_document(self, key: OrderKey, document: Document) -> None:
        """Keep a document. Raises ValueError for a second live invoice, as the unique index does."""
        place = (document.kind, document.part, document.n)
        others = [d for d in self._db.documents.get(key, []) if (d.kind, d.part, d.n) != place]
        live = document.live and document.kind is DocumentKind.INVOICE
        if live and any(d.live and d.kind is DocumentKind.INVOICE for d in others):
            raise ValueError(f"order {key} would have two live invoices")
        self._db.documents[key] = [*others, document]

    def _put(self, order: OrderRow, becoming: OrderAfter, recorded: bytes | None, now: datetime) -> None:
        order.state, order.reason, order.difference = becoming.state, becoming.reason, becoming.difference
        order.due_at, order.change, order.attempts = becoming.due_at, becoming.change, becoming.attempts
        order.reference, order.connection_id = becoming.reference, becoming.connection_id
        order.takes, order.recorded = 0, recorded
        order.released = order.released and not becoming.booked
        order.wish = becoming.wish or order.wish
        if becoming.asked_ends and order.asked is not None:
            order.asked, order.answer = None, becoming.answer
        order.booked_at = now if becoming.booked else order.booked_at
        if becoming.due_at is not None and becoming.connection_id is not None:
            wake(self._db, becoming.connection_id, becoming.due_at)

    def _announce(self, order: OrderRow, outcome: Outcome, now: datetime) -> None:
        if outcome.announcement is None:
            return
        number, event_id = max(self._db.outbox, default=0) + 1, uuid4()
        payload = outcome.announcement.render(order.sequence + 1, event_id, now)
        order.sequence += 1
        order.announced = outcome.announcement.digest
        self._db.outbox[number] = OutboxEntry(
            id=number,
            topic_kind="invoice.synced",
            record_key=str(outcome.key),
            event_id=event_id,
            sequence=order.sequence,
            payload=payload,
            created_at=now,
        )

    def _end_call(self, outcome: Outcome, reception: Reception, now: datetime) -> None:
        fresh = reception in (Reception.FRESH, Reception.LATE)
        if outcome.slot is not None:
            sent = outcome.intent is None or outcome.intent.resolution is not Resolution.NEVER_SENT
            quota = None if outcome.exchange is None else outcome.exchange.quota
            end = CallEnd(call=outcome.slot, sent=sent or outcome.exchange is not None, quota=quota)
            fresh = slots.end(self._db, slots.lane_of(self._db, outcome.connection_id), end, now) or fresh
        if fresh and outcome.exchange is not None:
            self._db.exchanges.append((outcome.connection_id, outcome.key, now, outcome.exchange))


def _intent_row(lease: LaneLease, intent: NewIntent, call: int, now: datetime) -> IntentRow:
    deadline_at = now + timedelta(seconds=LEAVE_SECONDS + intent.deadline_seconds)
    return IntentRow(
        intent_id=intent.intent_id,
        connection_id=lease.connection_id,
        subject=intent.subject,
        key=intent.key,
        operation=intent.operation,
        digest=intent.digest,
        sought=dict(intent.sought),
        epoch=lease.epoch,
        change=intent.change,
        slot=call,
        begun_at=now,
        deadline_at=deadline_at,
        settled_at=deadline_at + timedelta(seconds=intent.settle_seconds),
    )


def _intent_before(row: IntentRow) -> IntentBefore:
    resolution = None if row.resolution is None else Resolution(row.resolution)
    return IntentBefore(resolution=resolution, doubtful=row.doubtful, late=row.late_answer is not None)


def _end_intent(row: IntentRow, outcome: Outcome, now: datetime) -> None:
    end = outcome.intent
    if end is None:
        return
    if end.resolution is not None:
        row.resolution, row.resolved_at = end.resolution.value, now
    if end.looked and row.looked_at is None:
        row.looked_at = now
    row.doubtful = row.doubtful or (end.resolution is None and outcome.slot is not None)
