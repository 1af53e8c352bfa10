"""Domain values to and from plain JSON data (for jsonb columns), exactly: Decimal as text, times as ISO 8601.

Settings, facts, contacts and invoices go through pydantic, which knows dataclasses by their types. The head of an
order, which the intake writes thousands of times a second, has functions of its own.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from consumer.domain.events import EventKind
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import OrderHead, RefundTold, Revision
from consumer.domain.settings import ConnectionSettings, ShopSettings

T = TypeVar("T")

# Fields of a shop that have columns of their own, so that queries can see them.
SHOP_COLUMNS = frozenset({"shop_id", "connection_id", "active", "automatic", "book_from", "revision"})


@lru_cache(maxsize=64)
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def dump(value: Any) -> Any:
    """Turn a domain value (a dataclass, or a container of them typed by itself) into plain JSON data."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def load(of: type[T], data: Any) -> T:
    """Make the domain value again from what dump() gave. Raises pydantic.ValidationError.

    A field that the stored data does not know yet takes its default; one that is no longer known is passed over.
    """
    kind: Any = of
    value: T = _adapter(kind).validate_python(data)
    return value


def dump_shop(shop: ShopSettings) -> dict[str, Any]:
    """Give the ``settings`` column of a shop: what has no column of its own."""
    return {name: value for name, value in dump(shop).items() if name not in SHOP_COLUMNS}


def load_shop(row: Any) -> ShopSettings:
    """Make a shop from its row, a mapping by column: its columns and ``settings``."""
    columns = {name: row[name] for name in SHOP_COLUMNS if name != "revision"}
    return load(ShopSettings, {**row["settings"], **columns, "revision": row["revision_key"]})


def load_connection(row: Any) -> ConnectionSettings:
    """Make a connection from its row, a mapping by column; the column ``active`` decides."""
    return load(ConnectionSettings, {**row["settings"], "connection_id": row["connection_id"], "active": row["active"]})


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _dump_revision(revision: Revision) -> list[Any]:
    """Write a revision as a list: half as long as with names, and it stands up to four times in each head."""
    return [
        revision.version,
        _time(revision.updated_at),
        revision.time.isoformat(),
        revision.kind.value,
        revision.topic,
        revision.log,
        revision.partition,
        revision.offset,
        revision.content_hash.hex(),
    ]


def dump_mark(revision: Revision) -> dict[str, Any]:
    """Write the mark of an erasure; an object, because asyncpg takes a list among jsonb values for a dimension."""
    return {"revision": _dump_revision(revision)}


def load_mark(data: dict[str, Any] | None) -> Revision | None:
    """Read the mark of an erasure; None where there is none."""
    return None if data is None else load_revision(data["revision"])


def load_revision(data: list[Any] | None) -> Revision | None:
    """Read a revision as `dump_head` has written it; None where there is none."""
    if data is None:
        return None
    version, updated_at, time, kind, topic, log, partition, offset, content_hash = data
    return Revision(
        version=version,
        updated_at=_moment(updated_at),
        time=datetime.fromisoformat(time),
        kind=EventKind(kind),
        topic=topic,
        log=log,
        partition=partition,
        offset=offset,
        content_hash=bytes.fromhex(content_hash),
    )


def dump_head(head: OrderHead) -> dict[str, Any]:
    """Give the ``head`` column of an order: all of the head that has no column of its own.

    A revision that is the newest one as well is written as ``true``.
    """
    newest = head.revision

    def other(revision: Revision | None) -> Any:
        return revision and (True if revision is newest else _dump_revision(revision))

    return {
        "revision": _dump_revision(newest),
        "content": other(head.content_revision),
        "cancelled_by": other(head.cancelled_by),
        "uncancelled_by": other(head.uncancelled_by),
        "paid_at": _time(head.paid_at),
        "paid_told_at": _time(head.paid_told_at),
        "cancelled_at": _time(head.cancelled_at),
        "refunds": {id_: [other(told.revision), told.data.decode()] for id_, told in head.refunds.items()},
        "events": head.events,
        "losing_events": head.losing_events,
        **({"traceparent": head.traceparent} if head.traceparent else {}),
    }


def load_head(row: Any) -> OrderHead:
    """Make an order's head from its row, a mapping by column (``content`` may be left out: it is None then)."""
    data = row["head"]
    newest = load_revision(data["revision"])
    if newest is None:
        raise ValueError(f"the head of order {row['shop_id']}/{row['order_id']} has no revision")

    def other(value: Any) -> Revision | None:
        return newest if value is True else load_revision(value)

    return OrderHead(
        key=OrderKey(row["shop_id"], row["order_id"]),
        revision=newest,
        content=row.get("content"),
        content_hash=row["content_hash"],
        content_revision=other(data["content"]),
        number=row["number"],
        currency=row["currency"],
        grand_total=row["grand_total"],
        placed_at=row["placed_at"],
        paid=row["paid"],
        paid_at=_moment(data["paid_at"]),
        paid_told_at=_moment(data["paid_told_at"]),
        cancelled_by=other(data["cancelled_by"]),
        cancelled_at=_moment(data["cancelled_at"]),
        uncancelled_by=other(data["uncancelled_by"]),
        refunds={
            id_: RefundTold(revision=other(revision) or newest, data=told.encode())
            for id_, (revision, told) in data.get("refunds", {}).items()
        },
        events=data["events"],
        losing_events=data["losing_events"],
        traceparent=data.get("traceparent", ""),
    )
