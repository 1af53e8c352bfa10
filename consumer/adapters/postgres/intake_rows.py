"""Rows of the intake: domain values to the columns of its queries, and back."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg

from consumer.adapters.postgres.codec import dump_head, load_connection, load_head, load_mark, load_shop
from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.placing import KnownOrder, Place, rejection
from consumer.domain.revisions import OrderHead, Verdict
from consumer.domain.settings import ConnectionSettings, RevisionKey, ShopSettings
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode, Wish
from consumer.ports.intake import Taken

Row: TypeAlias = tuple[Any, ...]
RenderRejected: TypeAlias = Callable[[Rejected, UUID, datetime], bytes]

REFUSED_BY_DATABASE = "refused_by_database"
EVENT_COLUMNS = (
    "topic",
    "log",
    "partition",
    "offset",
    "shop_id",
    "order_id",
    "kind",
    "event_id",
    "event_time",
    "verdict",
    "notes",
    "value",
)
ORDER_COLUMNS = (
    "shop_id",
    "order_id",
    "connection_id",
    "number",
    "head",
    "content",
    "content_hash",
    "currency",
    "grand_total",
    "placed_at",
    "paid",
    "paid_moment",
    "cancelled",
    "state",
    "reason_code",
    "reason_message",
    "reason_fix",
    "group_key",
    "due_at",
    "priority",
)
_REJECTED_BYTES = 1024 * 1024  # of a rejected message no more than this is kept


def columns(table: Sequence[Row]) -> Iterable[list[Any]]:
    """Turn rows into columns, one array for each parameter of unnest()."""
    return map(list, zip(*table, strict=True))


def storable(text: str) -> str:
    """Make a text that Postgres takes: no NUL, no lone surrogate."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")


@lru_cache(maxsize=4096)
def _shop(*row: Any) -> ShopSettings:
    """Read a shop. Settings change seldom and are read with every batch: the same row is parsed once."""
    names = ("shop_id", "connection_id", "active", "automatic", "book_from", "revision_key", "settings")
    values = dict(zip(names, row, strict=True))
    return load_shop({**values, "settings": json.loads(values["settings"])})


@lru_cache(maxsize=4096)
def _connection(connection_id: str, active: bool, settings: str) -> ConnectionSettings:  # noqa: FBT001 a column
    return load_connection({"connection_id": connection_id, "active": active, "settings": json.loads(settings)})


def read_shops(
    found: Iterable[asyncpg.Record], shops: dict[str, ShopSettings], connections: dict[str, ConnectionSettings]
) -> None:
    """Put the rows of `lock_shops` into the two mappings."""
    for row in found:
        shops[row["shop_id"]] = _shop(*tuple(row)[:7])
        if row["connection_id"] is not None:
            read_connections([row], connections)


def read_connections(found: Iterable[asyncpg.Record], connections: dict[str, ConnectionSettings]) -> None:
    """Put the rows of `read_connections` (or `lock_shops`) into the mapping."""
    for row in found:
        connections[row["connection_id"]] = _connection(
            row["connection_id"], row["connection_active"], row["connection_settings"]
        )


def read_reason(row: asyncpg.Record) -> Reason | None:
    """Make the reason of an order's row."""
    if row["reason_code"] is None:
        return None
    code = ReasonCode(row["reason_code"])
    group = row["group_key"] or ""
    return Reason(
        code=code,
        message=row["reason_message"],
        fix=row["reason_fix"],
        group_key="" if group == code.value else group,
    )


def reason_columns(reason: Reason | None) -> Row:
    """Give code, message, fix and group."""
    if reason is None:
        return (None, "", "", None)
    return (reason.code.value, reason.message, reason.fix, reason.group)


def known_order(row: asyncpg.Record) -> KnownOrder:
    """Make a known order from a row of `lock_orders`."""
    place = Place(
        connection_id=row["connection_id"],
        state=OrderState(row["state"]),
        reason=read_reason(row),
        due_at=row["due_at"],
        change=row["change"],
        priority=row["priority"],
        takes=row["takes"],
        attempts=row["attempts"],
        changes_in_hour=row["changes_in_hour"],
        changes_since=row["changes_since"],
    )
    return KnownOrder(
        head=load_head(row),
        place=place,
        wish=Wish(row["wish"]),
        released=row["released"],
        announced=row["announced"],
        asked=None if row["asked"] is None else Ask(row["asked"]),
        erased=load_mark(row["erased_mark"]),
    )


def new_row(head: OrderHead, by: RevisionKey, place: Place) -> Row:
    """Give a row of `orders`, in the order of ORDER_COLUMNS."""
    return (
        head.key.shop_id,
        head.key.order_id,
        place.connection_id,
        *head_row(head, by)[2:],
        place.state.value,
        *reason_columns(place.reason),
        place.due_at,
        place.priority,
    )


def head_row(head: OrderHead, by: RevisionKey) -> Row:
    """Give a row of `update_heads`."""
    return (
        head.key.shop_id,
        head.key.order_id,
        head.number,
        dump_head(head),
        head.content,
        head.content_hash,
        head.currency,
        head.grand_total,
        head.placed_at,
        head.paid,
        head.paid_moment,
        head.cancelled(by),
    )


def changed_row(head: OrderHead, by: RevisionKey, place: Place) -> Row:
    """Give a row of `update_orders`."""
    return (
        *head_row(head, by),
        place.connection_id,
        place.state.value,
        *reason_columns(place.reason),
        place.due_at,
        place.change,
        place.priority,
        place.takes,
        place.attempts,
        # The column is small; what counts is whether it is beyond the limit.
        min(place.changes_in_hour, 30_000),
        place.changes_since,
    )


def event_record(taken: Taken, event: OrderEvent, verdict: Verdict) -> Row:
    """Give a row of `events`, in the order of EVENT_COLUMNS."""
    origin = event.origin
    return (
        origin.topic,
        origin.log,
        origin.partition,
        origin.offset,
        event.key.shop_id,
        event.key.order_id,
        event.kind.value,
        event.event_id,
        event.time,
        verdict.value,
        _notes(event),
        taken.value,
    )


def _notes(event: OrderEvent) -> dict[str, Any] | None:
    """Collect what was odd about an event; None for the most of them."""
    notes: dict[str, Any] = {}
    if event.unknown_fields:
        notes["unknown_fields"] = list(event.unknown_fields)
    if event.replaced_characters:
        notes["replaced_characters"] = event.replaced_characters
    if event.key_differs:
        notes["key_differs"] = True
    if event.erased:
        notes["erased"] = True
    if event.traceparent:
        notes["traceparent"] = event.traceparent
    return notes or None


def rejected_row(one: Rejected) -> Row:
    """Give a row of `insert_rejected`. Nothing in it can be refused in its turn: texts are made storable."""
    origin = one.origin
    return (
        storable(origin.topic),
        origin.log,
        origin.partition,
        origin.offset,
        one.record_key,
        # As text: asyncpg would take a list within an array of jsonb for another dimension of the array.
        json.dumps([[storable(name), base64.b64encode(value or b"").decode("ascii")] for name, value in one.headers]),
        None if one.value is None else one.value[:_REJECTED_BYTES],
        one.size,
        one.digest,
        storable(one.reason),
        storable(one.message),
        storable(one.shop_id),
        storable(one.order_id),
    )


def message_row(one: Rejected, render: RenderRejected, now: datetime) -> Row:
    """Give a row of `insert_outbox`."""
    event_id = uuid4()
    return (storable(_record_key(one)), event_id, render(one, event_id, now))


def _record_key(one: Rejected) -> str:
    """Key the message by its order where that is known; else each stands for itself and waits for no other."""
    if one.shop_id and one.order_id:
        return str(OrderKey(one.shop_id, one.order_id))
    return f"{one.origin.topic}/{one.origin.partition}/{one.origin.offset}"


def refused(culprit: Taken, why: str) -> Rejected:
    """Make the rejection of a record whose data the database refuses."""
    value = culprit.value or b""
    outcome = culprit.outcome
    if outcome is None:
        raise ValueError("a tombstone has no data that could be refused")
    key = outcome.key if isinstance(outcome, OrderEvent) else OrderKey(outcome.shop_id, outcome.order_id)
    return Rejected(
        origin=outcome.origin,
        reason=REFUSED_BY_DATABASE,
        message=f"The database refuses the data of this message: {why}",
        value=value[:_REJECTED_BYTES],
        size=len(value),
        digest=hashlib.sha256(value).digest(),
        record_key=culprit.record_key,
        headers=tuple(culprit.headers),
        shop_id=key.shop_id,
        order_id=key.order_id,
    )


def not_placed(taken: Taken, event: OrderEvent, verdict: Verdict, by: RevisionKey) -> Rejected:
    """Make the rejection of an event that cannot be placed among its shop's revisions, with all that came."""
    made = rejection(event, verdict, by, taken.value, hashlib.sha256(taken.value or b"").digest())
    return replace(made, record_key=taken.record_key, headers=tuple(taken.headers))
