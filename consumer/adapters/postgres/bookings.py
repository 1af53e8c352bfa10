"""One order's booking in Postgres: read, begin a write, record what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg

from consumer.adapters.postgres import lane_rows as rows
from consumer.adapters.postgres import slots
from consumer.adapters.postgres.intake_rows import read_reason, reason_columns, storable
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.slots import CallEnd
from consumer.adapters.postgres.sql import load
from consumer.domain.budget import LEAVE_SECONDS
from consumer.domain.customers import email_key as default_email_key
from consumer.domain.customers import name_key as default_name_key
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
from consumer.domain.records import Intent, IntentEnd, OrderRecord, Outcome, Resolution
from consumer.domain.states import OrderState
from consumer.failpoints import failpoint
from consumer.ports.lanes import Begun, LaneLease, MustWait, NewIntent, Occupied, SlotRequest, Superseded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Locked:
    """The order under its lock, and the intent of the outcome."""

    before: OrderBefore
    sequence: int
    intent: IntentBefore | None
    now: datetime


class PostgresBookingStore:
    """See consumer.ports.lanes.BookingStore. The keys are those by which contacts are looked up."""

    def __init__(
        self,
        database: Database,
        *,
        email_key: Callable[[str], str] = default_email_key,
        name_key: Callable[[str], str] = default_name_key,
    ) -> None:
        self._database = database
        self._email_key = email_key
        self._name_key = name_key
        self._sql = load("bookings")

    async def read(self, key: OrderKey) -> OrderRecord | None:
        """See the port."""

        async def read(connection: Connection) -> OrderRecord | None:
            found = await connection.fetch(self._sql.read_order, *key)
            return (await read_whole(connection, found)).get(key)

        # By one snapshot: an order from before a record, with its documents from after it, would be decided upon.
        return await self._database.read(read)

    async def open_intent(self, connection_id: str, subject: str) -> Intent | None:
        """See the port."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(self._sql.read_open_intent, connection_id, subject)
        return None if row is None else rows.read_intent(row)

    # ---- begin ----

    async def begin(
        self, lease: LaneLease, intent: NewIntent, slot: SlotRequest
    ) -> Begun | MustWait | Superseded | Occupied:
        """See the port. Raises ConnectionStoppedError where somebody has stopped the connection meanwhile."""
        return await self._database.run(lambda connection: self._begin(connection, lease, intent, slot))

    async def _begin(
        self, connection: Connection, lease: LaneLease, intent: NewIntent, request: SlotRequest
    ) -> Begun | MustWait | Superseded | Occupied:
        change = await connection.fetchval(self._sql.lock_order_to_begin, *intent.key)
        if change != intent.change:
            return Superseded()
        # Before the lane's lock: an insert waits for one of the same subject that is being committed, whose
        # transaction may be waiting for the lane.
        if await connection.fetchval(self._sql.insert_intent, *_intent_columns(lease, intent)) is None:
            return await self._occupied(connection, lease.connection_id, intent)
        lane = await slots.lock_lane(connection, lease.connection_id)
        slots.check_lease(lane, lease)
        slots.check_running(lane)
        taken = await slots.take(connection, lane, request)
        if isinstance(taken, MustWait):
            await connection.execute(self._sql.delete_intent, intent.intent_id)
            return taken
        await connection.execute(self._sql.set_intent_slot, intent.intent_id, taken.n)
        return Begun(slot=taken)

    async def _occupied(self, connection: Connection, connection_id: str, intent: NewIntent) -> Occupied | Superseded:
        seconds = await connection.fetchval(self._sql.read_occupied, connection_id, intent.subject)
        # It was resolved between the two statements: the caller reads and decides anew.
        return Superseded() if seconds is None else Occupied(seconds=seconds)

    # ---- record ----

    async def record(self, outcome: Outcome, lease: LaneLease | None = None) -> bool:
        """See the port. Raises LookupError for an order or intent that there is not, TransitionError for a bad step."""
        return await self._database.run(lambda connection: self._record(connection, outcome, lease))

    async def _record(self, connection: Connection, outcome: Outcome, lease: LaneLease | None) -> bool:
        becoming: OrderAfter | None
        locked = await self._lock(connection, outcome)
        reception = receive(outcome, locked.before, locked.intent)
        if reception is Reception.FRESH:
            becoming = await self._take(connection, outcome, locked)
        elif reception is Reception.LATE:
            becoming = await self._take_late(connection, outcome, locked)
        else:
            becoming = None
        await self._end_call(connection, outcome, lease, reception, becoming)
        failpoint("outcome_before_commit")
        late = reception in (Reception.LATE, Reception.LATE_REPEATED)
        return not late and locked.before.change == outcome.change

    async def _lock(self, connection: Connection, outcome: Outcome) -> _Locked:
        row = await connection.fetchrow(self._sql.lock_order, *outcome.key)
        if row is None:
            raise LookupError(f"order {outcome.key} is not known; nothing is recorded for it")
        intent_id = None if outcome.intent is None else outcome.intent.intent_id
        intent = None if outcome.intent is None else await self._lock_intent(connection, outcome.intent)
        # A statement of its own after the lock: begin() writes intents under the same lock.
        other = await connection.fetchval(self._sql.other_intents, *outcome.key, intent_id)
        before = OrderBefore(
            state=OrderState(row["state"]),
            change=row["change"],
            attempts=row["attempts"],
            reference=row["reference"],
            connection_id=row["connection_id"],
            recorded=row["recorded"],
            announced=row["announced"],
            reason=read_reason(row),
            difference=row["difference"],
            due_at=row["due_at"],
            other_intent=other,
        )
        return _Locked(before=before, sequence=row["sequence"], intent=intent, now=row["now"])

    async def _lock_intent(self, connection: Connection, end: IntentEnd) -> IntentBefore:
        row = await connection.fetchrow(self._sql.lock_intent, end.intent_id)
        if row is None:
            raise LookupError(f"intent {end.intent_id} is not known; its outcome is not recorded")
        resolution = None if row["resolution"] is None else Resolution(row["resolution"])
        return IntentBefore(resolution=resolution, doubtful=row["doubtful"], late=row["late"])

    async def _take(self, connection: Connection, outcome: Outcome, locked: _Locked) -> OrderAfter:
        """Write all that the outcome brings, except what is under the lane's lock; gives where the order stands."""
        if outcome.intent is not None:
            await self._end_intent(connection, outcome, outcome.intent, locked.now)
        for document in (outcome.document, outcome.also):
            if document is not None:
                await connection.execute(self._sql.put_document, *rows.document_columns(outcome.key, document))
        if outcome.contact is not None:
            await self._learn_contact(connection, outcome)
        if outcome.note is not None:
            note = rows.note_columns(outcome.key, outcome.change, outcome.note)
            await connection.execute(self._sql.insert_decision, *note)
        becoming = after(outcome, locked.before, locked.now)
        await self._update(connection, outcome.key, becoming, outcome_digest(outcome), locked.now)
        if becoming.announces:
            await self._announce(connection, outcome, locked)
        return becoming

    async def _take_late(self, connection: Connection, outcome: Outcome, locked: _Locked) -> OrderAfter:
        if outcome.intent is None:
            raise ValueError("an outcome without an intent cannot be late")
        answer = rows.storable_json(late_answer(outcome, locked.now))
        await connection.execute(self._sql.keep_late_answer, outcome.intent.intent_id, answer)
        becoming = after_late(locked.before, locked.now)
        await self._update(connection, outcome.key, becoming, None, locked.now)
        return becoming

    async def _end_intent(self, connection: Connection, outcome: Outcome, end: IntentEnd, now: datetime) -> None:
        resolution = None if end.resolution is None else end.resolution.value
        doubtful = end.resolution is None and outcome.slot is not None
        await connection.execute(self._sql.end_intent, end.intent_id, resolution, end.looked, doubtful, now)

    async def _learn_contact(self, connection: Connection, outcome: Outcome) -> None:
        if outcome.contact is None:
            return
        contact = outcome.contact.contact
        row = rows.contact_columns(contact, self._name_key(contact.name), self._email_key(contact.email))
        await connection.execute(load("contacts").put_contact, outcome.connection_id, *row)
        if outcome.contact.customer_key:
            link = (outcome.connection_id, outcome.key.shop_id, outcome.contact.customer_key, contact.contact_id)
            await connection.execute(load("contacts").put_link, *link)

    async def _update(
        self,
        connection: Connection,
        key: OrderKey,
        becoming: OrderAfter,
        recorded: bytes | None,
        now: datetime,
    ) -> None:
        code, message, fix, group = reason_columns(becoming.reason)
        await connection.execute(
            self._sql.update_order,
            *key,
            becoming.state.value,
            code,
            storable(message),
            storable(fix),
            None if group is None else storable(group),
            becoming.difference,
            becoming.due_at,
            becoming.change,
            becoming.attempts,
            storable(becoming.reference),
            becoming.connection_id,
            recorded,
            becoming.booked,
            now,
            becoming.asked_ends,
            storable(becoming.answer),
            None if becoming.wish is None else becoming.wish.value,
        )

    async def _announce(self, connection: Connection, outcome: Outcome, locked: _Locked) -> None:
        if outcome.announcement is None:
            return
        sequence, event_id = locked.sequence + 1, uuid4()
        payload = outcome.announcement.render(sequence, event_id, locked.now)
        row = (*outcome.key, sequence, outcome.announcement.digest, str(outcome.key), event_id, payload)
        await connection.execute(self._sql.announce, *row)

    async def _end_call(
        self,
        connection: Connection,
        outcome: Outcome,
        lease: LaneLease | None,
        reception: Reception,
        becoming: OrderAfter | None,
    ) -> None:
        """Under the lane's lock, last and shortly: the fence, the call's slot, the exchange, the wake-up."""
        lane = await slots.lock_lane(connection, outcome.connection_id)
        if lease is not None:
            slots.check_lease(lane, lease)
        fresh = reception in (Reception.FRESH, Reception.LATE)
        if outcome.slot is not None:
            sent = outcome.intent is None or outcome.intent.resolution is not Resolution.NEVER_SENT
            quota = None if outcome.exchange is None else outcome.exchange.quota
            end = CallEnd(call=outcome.slot, sent=sent or outcome.exchange is not None, quota=quota)
            fresh = await slots.end(connection, lane, end) or fresh
        if fresh and outcome.exchange is not None:
            await self._keep_exchange(connection, outcome)
        if becoming is not None and becoming.due_at is not None:
            # The order's own lane, which is another where its shop has moved since.
            name = becoming.connection_id or outcome.connection_id
            await connection.execute(load("lanes").wake_at, name, becoming.due_at)

    async def _keep_exchange(self, connection: Connection, outcome: Outcome) -> None:
        if outcome.exchange is None:
            return
        intent_id = None if outcome.intent is None else outcome.intent.intent_id
        row = rows.exchange_columns(outcome.connection_id, outcome.key, intent_id, outcome.exchange)
        await connection.execute(load("calls").insert_exchange, *row)


async def read_whole(connection: Connection, orders: list[asyncpg.Record]) -> dict[OrderKey, OrderRecord]:
    """Read the documents and open intents of some orders, two statements for all of them."""
    if not orders:
        return {}
    sql = load("bookings")
    keys = [row["shop_id"] for row in orders], [row["order_id"] for row in orders]
    documents = await connection.fetch(sql.read_documents, *keys)
    intents = await connection.fetch(sql.read_order_intents, *keys)
    return rows.read_orders(orders, documents, intents)


def _intent_columns(lease: LaneLease, intent: NewIntent) -> tuple[Any, ...]:
    """Give a row of `insert_intent`. The deadline leaves the request its second to leave in."""
    deadline_seconds = LEAVE_SECONDS + intent.deadline_seconds
    return (
        intent.intent_id,
        lease.connection_id,
        storable(intent.subject),
        *intent.key,
        intent.operation,
        intent.digest,
        rows.storable_json(intent.sought),
        lease.epoch,
        intent.change,
        deadline_seconds,
        deadline_seconds + intent.settle_seconds,
    )
