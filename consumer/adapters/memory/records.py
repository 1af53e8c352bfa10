"""Orders and intents of the in-memory database as the services see them."""

from datetime import datetime

from consumer.adapters.memory.database import IntentRow, MemoryDatabase, OrderRow
from consumer.domain.orders import OrderKey
from consumer.domain.records import DocumentKind, Intent, OrderRecord
from consumer.domain.standing import Facts
from consumer.domain.states import Priority

PRIORITIES = tuple(Priority)


def open_intent_of(database: MemoryDatabase, connection_id: str | None, subject: str) -> IntentRow | None:
    """Find the open intent of a subject; without a connection, whatever connection it was for."""
    return next(
        (
            row
            for row in database.intents.values()
            if row.resolution is None and row.subject == subject and connection_id in (None, row.connection_id)
        ),
        None,
    )


def read_intent(row: IntentRow, now: datetime) -> Intent:
    """Make an open intent from its row."""
    return Intent(
        intent_id=row.intent_id,
        connection_id=row.connection_id,
        subject=row.subject,
        key=row.key,
        operation=row.operation,
        digest=row.digest,
        sought=dict(row.sought),
        epoch=row.epoch,
        change=row.change,
        begun_at=row.begun_at,
        settles_in_seconds=(row.settled_at - now).total_seconds(),
        looked_seconds_ago=None if row.looked_at is None else (now - row.looked_at).total_seconds(),
        doubtful=row.doubtful,
    )


def read_order(database: MemoryDatabase, key: OrderKey, now: datetime) -> OrderRecord | None:
    """Make the record of an order; None where it is not known."""
    row = database.orders.get(key)
    if row is None:
        return None
    documents = tuple(sorted(database.documents.get(key, ()), key=lambda d: (d.kind, d.part, d.n)))
    intent = open_intent_of(database, None, f"order:{key}")
    head = row.head
    return OrderRecord(
        key=key,
        connection_id=row.connection_id,
        number=head.number,
        content=head.content,
        content_hash=head.content_hash,
        facts=facts_of(row, has_document=any(d.kind is DocumentKind.INVOICE and d.live for d in documents)),
        state=row.state,
        change=row.change,
        priority=PRIORITIES[row.priority],
        takes=row.takes,
        attempts=row.attempts,
        currency=head.currency,
        grand_total=head.grand_total,
        version=head.revision.version,
        reason=row.reason,
        reference=row.reference,
        sequence=row.sequence,
        event_time=head.revision.time,
        traceparent=head.traceparent,
        documents=documents,
        open_intent=None if intent is None else read_intent(intent, now),
        kept_refunds=head.told_refunds if row.personal_removed_at is not None else head.kept_refunds,
        asked_note=row.asked_note,
        answer=row.answer,
        due_at=row.due_at,
        personal_removed=row.personal_removed_at is not None,
    )


def facts_of(row: OrderRow, *, has_document: bool) -> Facts:
    """Give what counts for an order's standing."""
    return Facts(
        paid=row.paid,
        paid_moment=row.paid_moment,
        cancelled=row.cancelled,
        wish=row.wish,
        released=row.released,
        has_document=has_document,
        asked=row.asked,
    )
