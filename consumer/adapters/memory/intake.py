"""The intake's store in memory; the same folding and placing as in Postgres, over dictionaries."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from consumer.adapters.memory.database import MemoryDatabase, OrderRow, OutboxEntry
from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.placing import (
    FoldedBatch,
    KnownOrder,
    Place,
    Ties,
    connection_of,
    fold_batch,
    key_of,
    keys_to_fix,
    place_changed,
    place_new,
    rejection,
    served_at,
)
from consumer.domain.records import DocumentKind
from consumer.domain.revisions import OrderHead, Verdict
from consumer.domain.settings import ConnectionSettings, RevisionKey, ShopSettings
from consumer.domain.states import Priority
from consumer.errors import FencedError
from consumer.ports.intake import Gap, Position, Recorded, Taken, TopicPartition, as_recorded

_REJECTED_BYTES = 1024 * 1024
_REFUSALS = frozenset({Verdict.REVISION_MISSING, Verdict.REVISION_IN_FUTURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admitted:
    """What is left of a batch after the deliveries that were taken before."""

    taken: list[Taken]
    positions: dict[TopicPartition, Position]
    verdicts: Counter[str]

    @property
    def events(self) -> list[tuple[Taken, OrderEvent]]:
        """Give the readable records."""
        return [(t, t.outcome) for t in self.taken if isinstance(t.outcome, OrderEvent)]


class MemoryIntakeStore:
    """See consumer.ports.intake.IntakeStore. ``render_rejected`` makes the bytes of an `order.rejected` message."""

    def __init__(
        self, database: MemoryDatabase, *, render_rejected: Callable[[Rejected, UUID, datetime], bytes]
    ) -> None:
        self._db = database
        self._render_rejected = render_rejected
        # Where this process last saw each position, as in Postgres: one that lies lower now was set back.
        self._seen: dict[TopicPartition, int] = {}

    async def positions(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """See the port."""
        async with self._db.transaction():
            found = {place: self._db.positions[place] for place in places if place in self._db.positions}
            self._seen.update({place: position.next_offset for place, position in found.items()})
            return found

    async def record(self, batch: Sequence[Taken]) -> Recorded:
        """See the port. Raises FencedError where somebody has begun a new log of a partition, or set it back."""
        seen = dict(self._seen)
        async with self._db.transaction() as now:
            self._refuse_set_back(batch, seen)
            recorded = self._record(batch, now)
        self._seen.update(recorded.positions)
        return recorded

    async def put_in(self, batch: Sequence[Taken], *, priority: Priority) -> Recorded:
        """See the port."""
        async with self._db.transaction() as now:
            taken = {row["origin"] for row in self._db.events}
            new: list[Taken] = []
            for one in batch:
                if isinstance(one.outcome, OrderEvent):
                    if one.outcome.origin in taken:
                        continue
                    taken.add(one.outcome.origin)
                new.append(one)
            verdicts = Counter({"repeated_delivery": len(batch) - len(new)})
            return self._fold_in(_Admitted(taken=new, positions={}, verdicts=verdicts), now, priority)

    def _refuse_set_back(self, batch: Sequence[Taken], seen: Mapping[TopicPartition, int]) -> None:
        for place in {one.place for one in batch}:
            first = next(one.offset for one in batch if one.place == place)
            position = self._db.positions.get(place)
            if position is not None and position.next_offset < min(first, seen.get(place, 0)):
                raise FencedError(
                    f"{place.topic}[{place.partition}] was set back to {position.next_offset}, and this batch begins "
                    f"at {first}: read the positions again and start from there"
                )

    def _record(self, batch: Sequence[Taken], now: datetime) -> Recorded:
        return self._fold_in(self._admit(batch), now, None)

    def _fold_in(self, admitted: _Admitted, now: datetime, priority: Priority | None) -> Recorded:
        for shop_id, key in keys_to_fix([event for _, event in admitted.events], self._db.shops).items():
            self._db.shops[shop_id] = replace(self._db.shops[shop_id], revision=key)
        events = self._to_record(admitted.events)
        heads = {e.key: self._db.orders[e.key].head for _, e in events if e.key in self._db.orders}
        folded = fold_batch([event for _, event in events], heads, self._db.shops, now)
        woken = self._place(folded, now, priority)
        self._note_events(events, folded, admitted.verdicts, now)
        rejected = [t.outcome for t in admitted.taken if isinstance(t.outcome, Rejected)]
        admitted.verdicts["rejected"] += len(rejected)
        admitted.verdicts["tombstone"] += sum(t.outcome is None for t in admitted.taken)
        rejected += _refused(events, folded)
        told = sum(self._reject(one, now) for one in rejected)
        self._db.positions.update(admitted.positions)
        for connection_id in woken:
            wake(self._db, connection_id, now)
        return Recorded(
            positions={place: position.next_offset for place, position in admitted.positions.items()},
            verdicts=dict(+admitted.verdicts),
            woken=frozenset(woken),
            outbox_rows=told,
        )

    def _to_record(self, events: Sequence[tuple[Taken, OrderEvent]]) -> list[tuple[Taken, OrderEvent]]:
        rows = {event.key: self._db.orders[event.key] for _, event in events if event.key in self._db.orders}
        marks = {key: row.erased_mark for key, row in rows.items() if row.erased_mark is not None}
        heads = {key: rows[key].head for key in marks}
        return as_recorded(
            events, marks, heads, lambda event: key_of(event, self._db.shops.get(event.key.shop_id), heads[event.key])
        )

    def _admit(self, batch: Sequence[Taken]) -> _Admitted:
        admitted = _Admitted(taken=[], positions={}, verdicts=Counter())
        for one in batch:
            log = 1 if one.outcome is None else one.outcome.origin.log
            position = admitted.positions.get(one.place) or self._db.positions.get(
                one.place, Position(log=log, next_offset=0)
            )
            if one.outcome is not None and log != position.log:
                raise FencedError(
                    f"{one.place.topic}[{one.place.partition}] has begun its log {position.log}, and this batch was "
                    f"read from log {log}: read the positions again and start from there"
                )
            if one.offset < position.next_offset:
                admitted.verdicts["repeated_delivery"] += 1
                admitted.positions.setdefault(one.place, position)
                continue
            admitted.taken.append(one)
            admitted.positions[one.place] = replace(
                position, next_offset=one.offset + 1, last_offset=one.offset, last_checksum=one.checksum
            )
        return admitted

    def _place(self, folded: FoldedBatch, now: datetime, priority: Priority | None) -> set[str]:
        woken: set[str] = set()
        for key in sorted(folded.folds):
            fold, by, row = folded.folds[key], folded.keys[key], self._db.orders.get(key)
            if row is None:
                place = served_at(self._place_new(fold.head, by, now), None, priority)
                row = self._db.orders[key] = OrderRow(
                    key=key, head=fold.head, connection_id=place.connection_id, state=place.state, first_seen_at=now
                )
            elif fold.matters:
                place = served_at(self._place_changed(row, fold.head, by, now), place_of(row), priority)
            else:
                _put_head(row, fold.head, by, now)
                continue
            _put_head(row, fold.head, by, now)
            put_place(row, place)
            if place.due_at is not None and place.connection_id is not None:
                woken.add(place.connection_id)
        return woken

    def _place_new(self, head: OrderHead, by: RevisionKey, now: datetime) -> Place:
        shop = self._db.shops.get(head.key.shop_id)
        return place_new(
            head, by, shop, connection_settings(self._db, None if shop is None else shop.connection_id), now
        )

    def _place_changed(self, row: OrderRow, head: OrderHead, by: RevisionKey, now: datetime) -> Place:
        shop: ShopSettings | None = self._db.shops.get(row.key.shop_id)
        ties, place = ties_of(self._db, row.key), place_of(row)
        known = KnownOrder(
            head=row.head,
            place=place,
            wish=row.wish,
            released=row.released,
            announced=row.announced is not None,
            asked=row.asked,
        )
        connection = connection_settings(self._db, connection_of(place, ties, shop))
        return place_changed(known, head, by, ties, shop, connection, now)

    def _note_events(
        self,
        events: Sequence[tuple[Taken, OrderEvent]],
        folded: FoldedBatch,
        verdicts: Counter[str],
        now: datetime,
    ) -> None:
        for (taken, event), verdict in zip(events, folded.verdicts, strict=True):
            verdicts[verdict.value] += 1
            if verdict not in _REFUSALS:
                self._db.events.append(
                    {
                        "key": event.key,
                        "origin": event.origin,
                        "kind": event.kind.value,
                        "event_id": event.event_id,
                        "event_time": event.time,
                        "verdict": verdict.value,
                        "value": taken.value,
                        "received_at": now,
                    }
                )

    def _reject(self, one: Rejected, now: datetime) -> bool:
        """Keep a rejection and tell of it; not again where its position was set back."""
        if any(row["rejected"].origin == one.origin for row in self._db.rejected):
            return False
        kept = one if one.value is None else replace(one, value=one.value[:_REJECTED_BYTES])
        self._db.rejected.append({"rejected": kept, "state": "open", "received_at": now})
        event_id, number = uuid4(), max(self._db.outbox, default=0) + 1
        self._db.outbox[number] = OutboxEntry(
            id=number,
            topic_kind="order.rejected",
            record_key=_record_key(one),
            event_id=event_id,
            sequence=0,
            payload=self._render_rejected(one, event_id, now),
            created_at=now,
        )
        return True

    async def begin_log(self, place: TopicPartition, first_offset: int) -> Position:
        """See the port. A log that was begun there and of which nothing was taken yet is not begun twice."""
        async with self._db.transaction() as now:
            before = self._db.positions.get(place)
            if before is None:
                after = Position(log=1, next_offset=first_offset)
            elif before.last_offset is None and before.next_offset == first_offset:
                return before
            else:
                self._gap(place, before.log, before.next_offset, None, "made_again", now)
                after = Position(log=before.log + 1, next_offset=first_offset)
            self._db.positions[place] = after
            self._seen[place] = first_offset
            return after

    async def record_gap(self, gap: Gap) -> None:
        """See the port. A gap that was recorded, or that lies below the position, changes nothing."""
        async with self._db.transaction() as now:
            before = self._db.positions.get(gap.place)
            if before is not None and before.log != gap.log:
                raise FencedError(f"{gap.place.topic}[{gap.place.partition}] has begun its log {before.log}")
            if before is not None and gap.to_offset is not None and before.next_offset >= gap.to_offset:
                return
            self._gap(gap.place, gap.log, gap.from_offset, gap.to_offset, gap.cause, now)
            if gap.to_offset is not None:
                self._db.positions[gap.place] = Position(log=gap.log, next_offset=gap.to_offset)

    async def set_position(self, place: TopicPartition, next_offset: int, actor: str) -> Position:
        """See the port."""
        async with self._db.transaction() as now:
            before = self._db.positions.get(place)
            if before is not None and next_offset > before.next_offset:
                self._gap(place, before.log, before.next_offset, next_offset, "moved_by_hand", now)
            after = Position(log=1 if before is None else before.log, next_offset=next_offset)
            self._db.positions[place] = after
            details = {"topic": place.topic, "partition": place.partition, "to": next_offset}
            self._db.audit.append({"at": now, "actor": actor, "action": "positions set", "details": details})
            return after

    async def note_committed_ahead(self, places: Sequence[TopicPartition]) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            names = sorted(f"{place.topic}[{place.partition}]" for place in places)
            self._db.audit.append(
                {"at": now, "actor": "intake", "action": "look first", "details": {"committed_ahead": names}}
            )
            for lane in self._db.lanes.values():
                lane.look_first = True

    def _gap(
        self, place: TopicPartition, log: int, from_offset: int, to_offset: int | None, cause: str, now: datetime
    ) -> None:
        self._db.gaps.append(
            Gap(place=place, log=log, from_offset=from_offset, to_offset=to_offset, cause=cause, found_at=now)
        )


class MemoryOrderReader:
    """See consumer.ports.intake.OrderReader."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def states(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, str]:
        """See the port."""
        async with self._db.transaction():
            return {key: self._db.orders[key].state.value for key in keys if key in self._db.orders}


def wake(database: MemoryDatabase, connection_id: str, at: datetime) -> None:
    """Make a lane due at this moment, if it was not due before it."""
    lane = database.lanes.get(connection_id)
    if lane is not None:
        lane.next_due = at if lane.next_due is None else min(lane.next_due, at)


def connection_settings(database: MemoryDatabase, connection_id: str | None) -> ConnectionSettings | None:
    """Give the settings of a connection; None where there is none."""
    row = database.connections.get(connection_id or "")
    return None if row is None else row.settings


def ties_of(database: MemoryDatabase, key: OrderKey) -> Ties:
    """Tell what binds an order to a ledger."""
    documents = database.documents.get(key, [])
    return Ties(
        live_invoice=any(d.live and d.kind is DocumentKind.INVOICE for d in documents),
        documents=bool(documents),
        open_intent=any(i.key == key and i.resolution is None for i in database.intents.values()),
    )


def place_of(row: OrderRow) -> Place:
    """Tell where an order stands."""
    return Place(
        connection_id=row.connection_id,
        state=row.state,
        reason=row.reason,
        due_at=row.due_at,
        change=row.change,
        priority=row.priority,
        takes=row.takes,
        attempts=row.attempts,
        changes_in_hour=row.changes_in_hour,
        changes_since=row.changes_since,
    )


def put_place(row: OrderRow, place: Place) -> None:
    """Write where an order stands."""
    row.connection_id = place.connection_id
    row.state, row.reason, row.difference = place.state, place.reason, None
    row.due_at, row.change, row.priority = place.due_at, place.change, place.priority
    row.takes, row.attempts = place.takes, place.attempts
    row.changes_in_hour, row.changes_since = place.changes_in_hour, place.changes_since


def _put_head(row: OrderRow, head: OrderHead, by: RevisionKey, now: datetime) -> None:
    row.updated_at = now
    if head.content is not None and head.content is not row.head.content:
        row.layout = row.personal_removed_at = None
    row.head = head
    row.paid, row.paid_moment, row.cancelled = head.paid, head.paid_moment, head.cancelled(by)


def _refused(events: Sequence[tuple[Taken, OrderEvent]], folded: FoldedBatch) -> list[Rejected]:
    return [
        replace(
            rejection(event, verdict, folded.keys[event.key], taken.value, hashlib.sha256(taken.value or b"").digest()),
            record_key=taken.record_key,
            headers=tuple(taken.headers),
        )
        for (taken, event), verdict in zip(events, folded.verdicts, strict=True)
        if verdict in _REFUSALS
    ]


def _record_key(one: Rejected) -> str:
    if one.shop_id and one.order_id:
        return str(OrderKey(one.shop_id, one.order_id))
    return f"{one.origin.topic}/{one.origin.partition}/{one.origin.offset}"
