"""The retention in memory: a day of events or exchanges is the rows of that day."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from consumer.adapters.memory.database import IntentRow, MemoryDatabase, OrderRow
from consumer.domain.erasing import head_without_words, is_settled, layout_of
from consumer.domain.orders import OrderKey
from consumer.ports.privacy import DayTable, OldDay, OrdersPage, Thinned


class MemoryRetentionStore:
    """See consumer.ports.privacy.RetentionStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def make_days(self, days_ahead: int) -> int:
        """See the port: memory has no days to be made."""
        async with self._db.transaction():
            return 0 * days_ahead

    async def old_days(self, table: DayTable, keep_days: int) -> Sequence[OldDay]:
        """See the port."""
        async with self._db.transaction() as now:
            days = sorted({_day(at) for at in self._moments(table) if _is_old_day(at, now, keep_days)})
            return [OldDay(name=f"{table.value}_{day}", size=0) for day in days]

    async def drop_day(self, table: DayTable, name: str, keep_days: int) -> bool:
        """See the port."""
        async with self._db.transaction() as now:
            moments = [at for at in self._moments(table) if f"{table.value}_{_day(at)}" == name]
            if not moments or not _is_old_day(moments[0], now, max(keep_days, 2)):
                return False
            if table is DayTable.EVENTS:
                self._db.events = [row for row in self._db.events if row["received_at"] not in moments]
            else:
                self._db.exchanges = [row for row in self._db.exchanges if row[2] not in moments]
            return True

    def _moments(self, table: DayTable) -> list[datetime]:
        if table is DayTable.EVENTS:
            return [row["received_at"] for row in self._db.events]
        return [at for _, _, at, _ in self._db.exchanges]

    async def thin(self, what: Thinned, keep_days: int, limit: int) -> int:
        """See the port."""
        async with self._db.transaction() as now:
            rows, remove = self._old(what, now - timedelta(days=keep_days))
            for row in rows[:limit]:
                remove(row)
            return len(rows[:limit])

    async def count(self, what: Thinned, keep_days: int) -> int:
        """See the port."""
        async with self._db.transaction() as now:
            return len(self._old(what, now - timedelta(days=keep_days))[0])

    def _old(self, what: Thinned, before: datetime) -> tuple[list[Any], Callable[[Any], object]]:
        """Give the rows that are old enough, and what is to be done with each."""
        db = self._db
        told = _rejected(db, before)
        # Memory has no default partitions, and forgets contacts that are gone at once.
        ways: dict[Thinned, tuple[list[Any], Callable[[Any], object]]] = {
            Thinned.OUTBOX: (
                [n for n, row in db.outbox.items() if row.state == "sent" and row.created_at < before],
                db.outbox.pop,
            ),
            Thinned.REJECTED: ([row for row in told if row["state"] != "open"], db.rejected.remove),
            Thinned.REJECTED_BYTES: (
                [row for row in told if row["state"] == "open" and row["rejected"].value is not None],
                blank_rejected,
            ),
            Thinned.AUDIT: ([row for row in db.audit if row["at"] < before], db.audit.remove),
            Thinned.DECISIONS: ([row for row in db.decisions if row[1] < before], db.decisions.remove),
            Thinned.INTENTS: ([i.intent_id for i in _ended(db, before)], db.intents.pop),
            Thinned.INTENT_WORDS: ([i for i in _ended(db, before) if has_words(i)], blank_intent),
        }
        return ways.get(what, ([], blank_intent))

    async def blank_orders(
        self, *, keep_days: int, legal_days: int, after: OrderKey | None, limit: int, dry_run: bool
    ) -> OrdersPage:
        """See the port."""
        async with self._db.transaction() as now:
            keys = [key for key in sorted(self._db.orders) if after is None or key > after][:limit]
            rows = [self._db.orders[key] for key in keys]
            old = [row for row in rows if _untouched(row, now, keep_days) and row.head.content is not None]
            over = [row for row in rows if _untouched(row, now, legal_days) and row.layout is not None]
            free = [row for row in old if settled(self._db, row)]
            if not dry_run:
                for row in free:
                    blank(row, now)
                for row in over:
                    row.layout = None
            return OrdersPage(
                blanked=len(free), layouts=len(over), unsettled=len(old) - len(free), last=keys[-1] if keys else None
            )


def _rejected(database: MemoryDatabase, before: datetime) -> list[dict[str, Any]]:
    return [row for row in database.rejected if row["received_at"] < before]


def _ended(database: MemoryDatabase, before: datetime) -> list[IntentRow]:
    return [i for i in database.intents.values() if i.resolved_at is not None and i.resolved_at < before]


def _day(at: datetime) -> str:
    return f"{at:%Y%m%d}"


def _is_old_day(at: datetime, now: datetime, keep_days: int) -> bool:
    return at.date() < now.date() - timedelta(days=keep_days)


def _untouched(row: OrderRow, now: datetime, days: int) -> bool:
    last = max((at for at in (row.first_seen_at, row.updated_at, row.booked_at) if at is not None), default=None)
    return last is not None and last < now - timedelta(days=days)


def settled(database: MemoryDatabase, row: OrderRow) -> bool:
    """Tell whether nothing more is to be done for an order."""
    open_intent = any(i.key == row.key and i.resolution is None for i in database.intents.values())
    return is_settled(
        row.state, row.wish, due=row.due_at is not None, asked=row.asked is not None, open_intent=open_intent
    )


def blank(row: OrderRow, now: datetime) -> None:
    """Take an order's content, keep its layout, and set the mark."""
    row.erased_mark = row.head.revision
    row.layout = layout_of(row.head.content) or row.layout
    row.head = head_without_words(row.head)
    row.asked_note, row.answer = "", ""
    row.personal_removed_at = now


def blank_rejected(row: dict[str, Any]) -> None:
    """Take what came in a rejected message."""
    row["rejected"] = replace(row["rejected"], value=None, record_key=None, headers=())


def has_words(intent: IntentRow) -> bool:
    """Tell whether a write still says what it was sought by."""
    named = intent.subject.startswith("contact:") and intent.subject != "contact:"
    return bool(intent.sought) or intent.late_answer is not None or named


def blank_intent(intent: IntentRow) -> None:
    """Take what a write that has come to an end was sought by."""
    intent.sought, intent.late_answer = {}, None
    if intent.subject.startswith("contact:"):
        intent.subject = "contact:"
