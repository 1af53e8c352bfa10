"""What people see and mark, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.database import MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import connection_settings, place_of, put_place, ties_of, wake
from consumer.adapters.memory.lane_knowledge import unpark
from consumer.adapters.memory.records import facts_of, read_order
from consumer.domain.asking import Mark, Reception, Scene, Spoken, audit_details, speak, unknown_words
from consumer.domain.erasing import layout_of
from consumer.domain.orders import OrderKey
from consumer.domain.placing import Place, connection_of
from consumer.domain.records import Note, OrderRecord
from consumer.domain.releasing import Held, may_be_released, priority_of_release, released_place
from consumer.domain.states import Ask, OrderState, Priority, ReasonCode, Wish
from consumer.domain.story import LINES_MAX, story_text
from consumer.ports.people import Asked, GroupSum, Story, StoryLine


class MemoryPeopleStore:
    """See consumer.ports.people.PeopleStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def groups(self, state: OrderState, shop_id: str | None = None) -> Sequence[GroupSum]:
        """See the port."""
        async with self._db.transaction():
            groups: dict[tuple[str, str, str], list[OrderRow]] = {}
            for row in self._db.orders.values():
                if row.state is state and shop_id in (None, row.key.shop_id):
                    code, group = ("", "") if row.reason is None else (row.reason.code.value, row.reason.group)
                    groups.setdefault((row.key.shop_id, code, group), []).append(row)
            return [_group(state, group, groups[group]) for group in sorted(groups)]

    async def ask(self, key: OrderKey, ask: Ask, *, actor: str, note: str = "") -> Asked:
        """See the port."""
        return await self._speak(key, ask, actor, note)

    async def mark(self, key: OrderKey, mark: Mark, *, actor: str, note: str = "") -> Asked:
        """See the port."""
        return await self._speak(key, mark, actor, note)

    async def _speak(self, key: OrderKey, what: Ask | Mark, actor: str, note: str) -> Asked:
        async with self._db.transaction() as now:
            row = self._db.orders.get(key)
            if row is None:
                return Asked(reception=Reception.UNKNOWN, words=unknown_words(key))
            scene = self._scene(row, now)
            spoken = speak(scene, what)
            if spoken.reception is Reception.TAKEN:
                self._put_spoken(row, spoken, actor, note, now)
            details = audit_details(scene, spoken, note)
            self._db.audit.append({"at": now, "actor": actor, "action": what.value, "key": key, "details": details})
            return Asked(reception=spoken.reception, words=spoken.words, order=read_order(self._db, key, now))

    def _scene(self, row: OrderRow, now: datetime) -> Scene:
        held, shop = self._held(row), self._db.shops.get(row.key.shop_id)
        connection = connection_settings(self._db, connection_of(held.place, held.ties, shop))
        return Scene(held=held, shop=shop, connection=connection, now=now)

    def _put_spoken(self, row: OrderRow, spoken: Spoken, actor: str, note: str, now: datetime) -> None:
        put_place(row, spoken.place)
        if (row.wish, row.released) != (spoken.wish, spoken.released):
            row.wish, row.released, row.wish_by = spoken.wish, spoken.released, actor
        row.asked, row.answer = spoken.asked, ""
        if spoken.asked is not None:
            row.asked_by, row.asked_at, row.asked_note = actor, now, note
        if spoken.place.due_at is not None and spoken.place.connection_id is not None:
            wake(self._db, spoken.place.connection_id, min(spoken.place.due_at, now))

    async def release(
        self,
        *,
        actor: str,
        shop_id: str,
        order_id: str | None = None,
        reason: ReasonCode | None = None,
        group_key: str | None = None,
        priority: Priority | None = None,
        limit: int,
    ) -> int:
        """See the port. Counts the orders that have become due; the others wait for what no release can cure."""
        async with self._db.transaction() as now:
            chosen = [
                row
                for key, row in sorted(self._db.orders.items())
                if key.shop_id == shop_id
                and order_id in (None, key.order_id)
                and (reason is None or (row.reason is not None and row.reason.code is reason))
                and (group_key is None or (row.reason is not None and row.reason.group == group_key))
                and may_be_released(row.state, row.reason, named=order_id is not None)
            ][:limit]
            rank = priority or priority_of_release(len(chosen))
            return sum(self._release(row, actor, rank, now) for row in chosen)

    def _release(self, row: OrderRow, actor: str, priority: Priority, now: datetime) -> bool:
        before, after = place_of(row), self._released(row, priority, now)
        put_place(row, after)
        row.released, row.wish, row.wish_by = True, Wish.AUTO, actor
        details = {
            "from": before.state.value,
            "reason": None if before.reason is None else before.reason.code.value,
            "to": after.state.value,
        }
        self._db.audit.append({"at": now, "actor": actor, "action": "release", "key": row.key, "details": details})
        if after.due_at is not None and after.connection_id is not None:
            wake(self._db, after.connection_id, now)
        return after.state is OrderState.DUE

    def _released(self, row: OrderRow, priority: Priority, now: datetime) -> Place:
        held, shop = self._held(row), self._db.shops.get(row.key.shop_id)
        connection = connection_settings(self._db, connection_of(held.place, held.ties, shop))
        return released_place(held, shop, connection, priority, now)

    def _held(self, row: OrderRow) -> Held:
        ties = ties_of(self._db, row.key)
        facts = facts_of(row, has_document=ties.live_invoice)
        return Held(place=place_of(row), facts=facts, ties=ties, announced=row.announced is not None)

    async def retry_closed(self, *, older_than_seconds: float, limit: int) -> int:
        """See the port. When it was last tried is told by its newest decision: events that change nothing are none."""
        async with self._db.transaction() as now:
            since = now - timedelta(seconds=older_than_seconds)
            tried = {key for key, at, _, _ in self._db.decisions if at > since}
            closed = [
                row
                for key, row in sorted(self._db.orders.items())
                if row.state is OrderState.PARKED
                and row.reason is not None
                and row.reason.code is ReasonCode.PERIOD_CLOSED
                and key not in tried
            ][:limit]
            for row in closed:
                unpark(row, Priority.BACKFILL.rank, now)
                if row.connection_id is not None:
                    wake(self._db, row.connection_id, now)
            return len(closed)

    async def note(self, *, actor: str, action: str, details: Mapping[str, Any]) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._db.audit.append({"at": now, "actor": actor, "action": action, "details": dict(details)})

    async def newest_unbooked(self, shop_id: str, limit: int) -> Sequence[OrderRecord]:
        """See the port."""
        async with self._db.transaction() as now:
            rows = [
                row
                for row in self._db.orders.values()
                if row.key.shop_id == shop_id
                and row.state in (OrderState.WAITING, OrderState.DUE, OrderState.PARKED)
                and row.head.content is not None
                and not row.cancelled
            ]
            rows.sort(key=lambda row: (row.first_seen_at or now, row.key.order_id), reverse=True)
            read = [read_order(self._db, row.key, now) for row in rows[:limit]]
            return [replace(one, documents=(), open_intent=None) for one in read if one is not None]

    async def story(self, key: OrderKey) -> Story | None:
        """See the port. At most the 1,000 newest lines."""
        async with self._db.transaction() as now:
            record = read_order(self._db, key, now)
            if record is None:
                return None
            lines = [
                StoryLine(at=at, kind=kind, text=story_text(kind, details), details=details)
                for at, kind, details in sorted(self._happened(key), key=lambda line: line[0])
            ]
            kept = layout_of(record.content) or self._db.orders[key].layout
            return Story(order=record, lines=tuple(lines[-LINES_MAX:]), layout=kept)

    def _happened(self, key: OrderKey) -> list[tuple[datetime, str, dict[str, Any]]]:
        """Collect all that happened to an order: (moment, kind, details)."""
        return [
            *((event["received_at"], "event", _event(event)) for event in self._db.events if event["key"] == key),
            *((at, "decision", _decision(change, note)) for k, at, change, note in self._db.decisions if k == key),
            *((at, "exchange", _fields(x, _EXCHANGE_FIELDS)) for _, k, at, x in self._db.exchanges if k == key),
            *((i.begun_at, "intent", _fields(i, _INTENT_FIELDS)) for i in self._db.intents.values() if i.key == key),
            *(
                (entry.created_at, "message", _fields(entry, _MESSAGE_FIELDS))
                for entry in self._db.outbox.values()
                if entry.record_key == str(key)
            ),
            *(
                (audit["at"], "audit", {name: audit[name] for name in ("actor", "action", "details")})
                for audit in self._db.audit
                if audit.get("key") == key
            ),
        ]


_EXCHANGE_FIELDS = (
    "operation",
    "method",
    "path",
    "request",
    "response",
    "status",
    "code",
    "outcome",
    "duration_seconds",
)
_MESSAGE_FIELDS = ("topic_kind", "sequence", "state", "error")
_INTENT_FIELDS = ("operation", "subject", "change", "resolution", "resolved_at", "doubtful", "late_answer")


def _fields(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _decision(change: int, note: Note) -> dict[str, Any]:
    return {
        "decision": note.decision,
        "change": change,
        "words": list(note.words),
        "figures": dict(note.figures),
    }


def _event(event: dict[str, Any]) -> dict[str, Any]:
    origin = event["origin"]
    return {
        **{name: event[name] for name in ("kind", "event_id", "event_time", "verdict")},
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "notes": None,
    }


def _group(state: OrderState, group: tuple[str, str, str], rows: Sequence[OrderRow]) -> GroupSum:
    shop_id, code, group_key = group
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.head.currency] = sums.get(row.head.currency, Decimal(0)) + (row.head.grand_total or Decimal(0))
    oldest = [moment for row in rows if (moment := row.paid_moment or row.first_seen_at) is not None]
    return GroupSum(
        shop_id=shop_id,
        state=state,
        reason_code=ReasonCode(code) if code else None,
        group_key=group_key,
        count=len(rows),
        sums=sums,
        oldest=min(oldest, default=None),
        fix=max("" if row.reason is None else row.reason.fix for row in rows),
    )
