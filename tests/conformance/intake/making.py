"""Events, records and settings for the tests of the intake's stores."""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from consumer.domain.events import EventKind, OrderEvent, Origin, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ConnectionSettings, LedgerLimits, ShopSettings
from consumer.ports.intake import Taken, TopicPartition
from tests.conformance.intake.rig import Rig

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
PAID = TopicPartition("order.paid", 0)
UPDATED = TopicPartition("order.updated", 0)
CANCELLED = TopicPartition("order.cancelled", 0)
_KINDS = {"order.paid": EventKind.PAID, "order.updated": EventKind.UPDATED, "order.cancelled": EventKind.CANCELLED}


def key(order_id: str = "1001", shop_id: str = "north") -> OrderKey:
    """Name an order."""
    return OrderKey(shop_id, order_id)


def event(order: OrderKey, place: TopicPartition, offset: int, version: int | None, **fields: Any) -> OrderEvent:
    """Make an event; ``text`` is its content (its kind and version by default)."""
    kind = _KINDS[place.topic]
    text = fields.pop("text", f"{kind} {version}")
    content = None if kind is EventKind.CANCELLED else text.encode()
    given: dict[str, Any] = {
        "key": order,
        "kind": kind,
        "origin": Origin(topic=place.topic, log=fields.pop("log", 1), partition=place.partition, offset=offset),
        "event_id": f"{place.topic}-{offset}",
        "time": NOON,
        "version": version,
        "updated_at": NOON,
        "content": content,
        "content_hash": hashlib.sha256(content or b"").digest(),
        "number": f"#{order.order_id}",
        "currency": "EUR",
        "grand_total": Decimal("12.30"),
        "placed_at": NOON,
        "paid_at": NOON if kind is EventKind.PAID else None,
        "cancelled_at": NOON if kind is EventKind.CANCELLED else None,
    }
    return OrderEvent(**{**given, **fields})


def taken(
    order: OrderKey, offset: int = 0, version: int | None = 1, *, place: TopicPartition = PAID, **fields: Any
) -> Taken:
    """Make a record that holds an event."""
    outcome = event(order, place, offset, version, **fields)
    return Taken(place=place, offset=offset, checksum=b"sum%d" % offset, outcome=outcome, value=b"as it came")


def unreadable(offset: int, *, place: TopicPartition = PAID, value: bytes = b"{", **fields: Any) -> Taken:
    """Make a record that is no order."""
    outcome = Rejected(
        origin=Origin(topic=place.topic, log=1, partition=place.partition, offset=offset),
        reason="json_malformed",
        message="It is not JSON.",
        value=value,
        size=len(value),
        digest=hashlib.sha256(value).digest(),
        **fields,
    )
    return Taken(place=place, offset=offset, checksum=b"sum%d" % offset, outcome=outcome, value=value)


def tombstone(offset: int, *, place: TopicPartition = PAID) -> Taken:
    """Make a record without a value."""
    return Taken(place=place, offset=offset, checksum=b"sum%d" % offset, outcome=None, value=None)


def connection(connection_id: str = "books", **fields: Any) -> ConnectionSettings:
    """Make a connection with few slots."""
    given: dict[str, Any] = {
        "data_center": "eu",
        "organization_id": "60001",
        "limits": LedgerLimits(calls_per_window=5),
    }
    return ConnectionSettings(connection_id=connection_id, **{**given, **fields})


def shop(shop_id: str = "north", connection_id: str | None = "books", **fields: Any) -> ShopSettings:
    """Make a shop that books by itself whatever was paid since the beginning of the year."""
    given: dict[str, Any] = {"automatic": True, "book_from": BEFORE}
    return ShopSettings(shop_id=shop_id, connection_id=connection_id, **{**given, **fields})


async def set_up(rig: Rig, **fields: Any) -> None:
    """Apply one connection and one shop, and let the lane rest."""
    await rig.settings.apply([connection()], [shop(**fields)], actor="test", dry_run=False)
    await rig.rest("books")
