"""The watch's memory in memory: how far it has looked, what it has noticed, and what it has yet to judge."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from consumer.adapters.memory.database import LaneRow, MemoryDatabase, OrderRow, OutboxEntry
from consumer.adapters.memory.intake import wake
from consumer.adapters.memory.records import open_intent_of
from consumer.adapters.memory.slots import budget_of, lane_of, limits_of
from consumer.domain.ledger import Invoice
from consumer.domain.orders import OrderKey
from consumer.domain.records import Announcement, Document, DocumentKind, Note
from consumer.domain.states import OrderState
from consumer.domain.watching import Creation, Known, Suspicion
from consumer.ports.lanes import LaneLease
from consumer.ports.watch import Notice, WatchState


class MemoryWatchStore:
    """See consumer.ports.watch.WatchStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    # ---- how far ----

    async def state(self, connection_id: str) -> WatchState:
        """See the port."""
        async with self._db.transaction() as now:
            lane = lane_of(self._db, connection_id)
            told = budget_of(lane).daily_limit
            return WatchState(
                now=now,
                cursor=lane.watch_cursor,
                covered_since=lane.watch_covered_since,
                due_in_seconds=None if lane.watch_due is None else (lane.watch_due - now).total_seconds(),
                daily_calls=limits_of(self._db, connection_id).daily_calls if told is None else told,
                sweep_page=lane.sweep_page,
            )

    async def first_cursor(self, connection_id: str, documents_max: int) -> datetime | None:
        """See the port."""
        async with self._db.transaction():
            moments = [
                document.ledger_modified_at
                for _, document in self._invoices(connection_id)
                if document.live and document.ledger_modified_at is not None
            ]
            return min(sorted(moments, reverse=True)[:documents_max], default=None)

    async def save_look(self, connection_id: str, *, cursor: datetime, covered_since: datetime) -> None:
        """See the port."""
        async with self._db.transaction():
            lane = lane_of(self._db, connection_id)
            lane.watch_cursor, lane.watch_covered_since = cursor, covered_since

    async def plan(self, lease: LaneLease, seconds: float) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            lane = lane_of(self._db, lease.connection_id)
            if (lane.owner, lane.epoch) == (lease.owner, lease.epoch):
                lane.watch_due = now + timedelta(seconds=seconds)

    # ---- our invoices ----

    async def known(self, connection_id: str, ledger_ids: Sequence[str]) -> Sequence[Known]:
        """See the port."""
        async with self._db.transaction():
            return [
                self._known(key, document)
                for key, document in self._invoices(connection_id)
                if document.ledger_id in ledger_ids
            ]

    async def by_reference(self, connection_id: str, references: Sequence[str]) -> Sequence[Known]:
        """See the port."""
        async with self._db.transaction():
            return [
                self._known(key, document)
                for key, document in self._invoices(connection_id)
                if document.live and document.reference in references
            ]

    def _invoices(self, connection_id: str) -> list[tuple[OrderKey, Document]]:
        return [
            (key, document)
            for key, documents in sorted(self._db.documents.items())
            for document in documents
            if document.connection_id == connection_id and document.kind is DocumentKind.INVOICE
        ]

    def _known(self, key: OrderKey, document: Document) -> Known:
        order, place = self._db.orders[key], (document.connection_id, document.ledger_id)
        waiting, own = self._db.watch_put_off.get(place), document.ledger_modified_at
        return Known(
            key=key,
            change=order.change,
            state=order.state,
            busy=self._is_busy(order),
            document=document,
            noticed_at=self._db.watch_noticed.get(place),
            put_off=waiting is not None and (own is None or waiting.modified_at is None or waiting.modified_at > own),
        )

    def _is_busy(self, order: OrderRow) -> bool:
        return order.due_at is not None or open_intent_of(self._db, None, f"order:{order.key}") is not None

    async def suspicion(self, key: OrderKey, ledger_id: str) -> Suspicion:
        """See the port."""
        async with self._db.transaction():
            made = [
                Creation(sought=dict(row.sought), begun_at=row.begun_at, resolution=row.resolution)
                for row in self._db.intents.values()
                if row.key == key and row.operation == "create_invoice"
            ]
            told = any(
                order == key and note.decision == "late_double" and note.figures.get("ledger_id") == ledger_id
                for order, _, _, note in self._db.decisions
            )
            return Suspicion(creations=tuple(made), told=told)

    # ---- what was found ----

    async def notice(self, notice: Notice) -> bool:
        """See the port."""
        async with self._db.transaction() as now:
            order, document = self._db.orders[notice.key], notice.verdict.document
            found = next((d for d in self._db.documents[notice.key] if _same_place(d, document)), None)
            if found is None or self._is_busy(order) or order.change != notice.change:
                return False
            if self._known(notice.key, found).judged_until != notice.judged_until:
                return False
            kept = [d for d in self._db.documents[notice.key] if not _same_place(d, document)]
            self._db.documents[notice.key] = [*kept, document]
            if notice.verdict.noticed_at is not None:
                self._db.watch_noticed[document.connection_id, document.ledger_id] = notice.verdict.noticed_at
            if notice.verdict.note is not None:
                self._db.decisions.append((notice.key, now, order.change, notice.verdict.note))
            self._move_links(notice)
            if notice.verdict.gone or notice.due:
                self._make_due(order, now)
            elif notice.announcement is not None and notice.announcement.digest != order.announced:
                self._announce(order, notice.announcement, now)
            return True

    def _move_links(self, notice: Notice) -> None:
        for place, contact_id in self._db.contact_links.items():
            if place[0] == notice.connection_id and contact_id == notice.contact_moved_from:
                self._db.contact_links[place] = notice.verdict.document.contact_id

    def _make_due(self, order: OrderRow, now: datetime) -> None:
        order.state, order.reason, order.difference = OrderState.DUE, None, None
        order.due_at, order.takes, order.attempts = now, 0, 0
        order.change += 1
        if order.connection_id is not None:
            wake(self._db, order.connection_id, now)

    def _announce(self, order: OrderRow, announcement: Announcement, now: datetime) -> None:
        number, event_id = max(self._db.outbox, default=0) + 1, uuid4()
        payload = announcement.render(order.sequence + 1, event_id, now)
        order.sequence += 1
        order.announced = announcement.digest
        self._db.outbox[number] = OutboxEntry(
            id=number,
            topic_kind="invoice.synced",
            record_key=str(order.key),
            event_id=event_id,
            sequence=order.sequence,
            payload=payload,
            created_at=now,
        )

    async def tell(self, key: OrderKey, change: int, note: Note) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._db.decisions.append((key, now, change, note))

    # ---- what has to wait ----

    async def put_off(self, connection_id: str, invoices: Sequence[Invoice]) -> None:
        """See the port."""
        async with self._db.transaction():
            for invoice in invoices:
                self._db.watch_put_off[connection_id, invoice.invoice_id] = invoice

    async def put_off_rows(self, connection_id: str, limit: int) -> Sequence[Invoice]:
        """See the port."""
        async with self._db.transaction():
            busy = {d.ledger_id for key, d in self._invoices(connection_id) if self._is_busy(self._db.orders[key])}
            rows = [row for place, row in sorted(self._db.watch_put_off.items()) if place[0] == connection_id]
            return [row for row in rows if row.invoice_id not in busy][:limit]

    async def settle(self, connection_id: str, ledger_ids: Sequence[str]) -> None:
        """See the port."""
        async with self._db.transaction():
            for ledger_id in ledger_ids:
                self._db.watch_put_off.pop((connection_id, ledger_id), None)

    # ---- the sweep ----

    async def seen(self, connection_id: str, ledger_ids: Sequence[str]) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._db.watch_seen.update({(connection_id, ledger_id): now for ledger_id in ledger_ids})

    async def begin_sweep(self, connection_id: str) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            lane_of(self._db, connection_id).sweep_began_at = now

    async def save_sweep(self, connection_id: str, page: int) -> None:
        """See the port."""
        async with self._db.transaction():
            lane_of(self._db, connection_id).sweep_page = page

    async def missing(self, connection_id: str, limit: int) -> Sequence[Known]:
        """See the port. When a document was made is told by when its order was booked."""
        async with self._db.transaction():
            lane = lane_of(self._db, connection_id)
            return [
                self._known(key, document)
                for key, document in self._invoices(connection_id)
                if document.live and self._is_missed(lane, self._db.orders[key], document)
            ][:limit]

    def _is_missed(self, lane: LaneRow, order: OrderRow, document: Document) -> bool:
        began, seen = lane.sweep_began_at, self._db.watch_seen.get((lane.connection_id, document.ledger_id))
        if began is None or order.booked_at is None or order.booked_at >= began:
            return False
        return seen is None or seen < began


def _same_place(one: Document, other: Document) -> bool:
    return (one.kind, one.part, one.n) == (other.kind, other.part, other.n)
