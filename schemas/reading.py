"""The intake's door: one Kafka record in, and what it is out. Pure; never raises, whatever the bytes are."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from schemas.canonical import Canonical, canonical
from schemas.checking import checker
from schemas.envelope import Envelope, check_version, kind_of, read_envelope, traceparent_of
from schemas.fields import Time
from schemas.orders import ORDER_MODELS, OrderKind
from schemas.rejections import Rejection, RejectionReason, UnreadableError, json_type, reject, unreadable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_RECORD_TIME_MS = 7_258_118_400_000  # the year 2200: what lies beyond is no clock's reading
_HINT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")

# The validators themselves: one attribute access less on the way of every message.
_CHECK: Mapping[OrderKind, Callable[[Any], dict[str, Any]]] = {
    kind: checker(model) for kind, model in ORDER_MODELS.items()
}
_VALIDATE_TIME: Callable[[Any], datetime] = TypeAdapter(Time).validator.validate_python


class ReadEvent(NamedTuple):
    """One readable event of an order. A tuple, since a frozen dataclass of so many fields takes thrice the time.

    Times without an offset are naive: the shop's time zone is applied later. ``content`` is the order in canonical
    form with all its fields, ``content_hash`` leaves out what does not matter on a document (schemas.canonical).
    """

    kind: OrderKind
    shop_id: str
    order_id: str
    event_id: str
    source: str
    event_type: str
    traceparent: str
    time: datetime | None  # the event's own
    record_time: datetime  # Kafka's, aware; 1970 where Kafka has none
    content: bytes
    content_hash: bytes
    bare: bool = False  # a cancellation without the order: `content` cannot be parsed by parse_order
    number: str = ""
    currency: str = ""
    grand_total: Decimal | None = None
    version: int | None = None
    updated_at: datetime | None = None
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_null: bool = False  # "cancelled_at": null, in so many words
    refunds: tuple[tuple[str, bytes], ...] = ()  # by id, each in canonical form
    unknown_fields: tuple[str, ...] = ()  # dotted, at most 50
    replaced: int = 0  # NULs and lone surrogates that became U+FFFD
    key_differs: bool = False  # the record's key is not shop_id/order_id, or missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A record without a value: compaction's mark that a key is gone. Counted and passed over."""

    key: bytes | None


class Routed(NamedTuple):
    """What is known of the shop of a message before its order is checked.

    ``also_hashed`` names what else is content for it (schemas.canonical). Of a payload in a platform's own words,
    ``translated`` is the order in ours, ``kind`` what its state says, and ``platform`` the name for messages.
    """

    also_hashed: Collection[str] = ()
    translated: dict[str, Any] | None = None
    kind: OrderKind | None = None
    platform: str = ""


PLAIN = Routed()
Route = Callable[[Envelope], Routed]
"""Finds the shop of an opened message, and translates; raises UnreadableError."""


def read_message(
    *,
    topic_kind: OrderKind | None,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]],
    record_time_ms: int,
    also_hashed: Collection[str] = (),
    route: Route | None = None,
) -> ReadEvent | Tombstone | Rejection:
    """Read one record. ``also_hashed`` names what else is content for the shop (see schemas.canonical.canonical).

    ``topic_kind`` is None for a topic that carries all kinds. ``record_time_ms`` is Kafka's, milliseconds since 1970.
    ``route`` finds the shop and translates; what it gives is checked and stored like any other order.
    """
    if value is None:
        return Tombstone(key=key)
    envelope = None
    try:
        envelope = read_envelope(value, headers)
        routed = PLAIN if route is None else route(envelope)
        if routed.translated is None:
            kind = kind_of(envelope.attributes, topic_kind)
            time = _time(envelope)
            order = _order(envelope, kind)
        else:
            envelope = envelope._replace(data=routed.translated, path="$")
            kind, time, order = _translated(envelope, routed)
    except UnreadableError as error:
        shop_id, order_id = _hint(envelope, key)
        return reject(error, shop_id=error.shop_id or shop_id, order_id=error.order_id or order_id)
    event = _event(
        order=order,
        kind=kind,
        time=time,
        envelope=envelope,
        form=canonical(envelope.data, routed.also_hashed or also_hashed),
        record_time=_record_time(record_time_ms),
        # A bridge from a platform keys by what it knows; such orders' revisions go by their own time.
        key_differs=routed.translated is None and key != f"{order['shop_id']}/{order['order_id']}".encode(),
    )
    if routed.translated is not None and event.updated_at is None:
        # Plug-ins and old interfaces leave the platform's time of the last change out: the message's own is the best
        # that there is, and a payload that says more is still compared by what it says.
        return event._replace(updated_at=time or event.record_time)
    return event


def _translated(envelope: Envelope, routed: Routed) -> tuple[OrderKind, datetime | None, dict[str, Any]]:
    """Check an order that was translated; neither type nor topic has a say in its kind."""
    check_version(envelope.attributes)
    kind, time = routed.kind or OrderKind.UPDATED, _time(envelope)
    try:
        return kind, time, _order(envelope, kind)
    except UnreadableError as error:
        found = f"{error.found} (after translation from {routed.platform})"
        raise UnreadableError(error.reason, found, error.path) from error


def _time(envelope: Envelope) -> datetime | None:
    text = envelope.attributes.get("time")
    if text is None:
        return None
    try:
        return _VALIDATE_TIME(text)
    except ValidationError as error:
        raise unreadable(error, "time") from error


def _order(envelope: Envelope, kind: OrderKind) -> dict[str, Any]:
    """Check the order against its model; see schemas.checking for what is given."""
    if type(envelope.data) is not dict:
        found = f"is {json_type(envelope.data)} and should be one order, an object"
        raise UnreadableError(RejectionReason.WRONG_TYPE, found, envelope.path)
    try:
        return _CHECK[kind](envelope.data)
    except ValidationError as error:
        raise unreadable(error, envelope.path) from error


def _record_time(milliseconds: int) -> datetime:
    if not 0 <= milliseconds < _LAST_RECORD_TIME_MS:
        return _EPOCH
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _event(
    *,
    order: Mapping[str, Any],
    kind: OrderKind,
    time: datetime | None,
    envelope: Envelope,
    form: Canonical,
    record_time: datetime,
    key_differs: bool,
) -> ReadEvent:
    attributes = envelope.attributes
    currency, grand_total, bare = _figures(order, kind, envelope.data)
    stated = order.get
    cancelled_at = stated("cancelled_at")
    return ReadEvent(
        kind=kind,
        shop_id=order["shop_id"],
        order_id=order["order_id"],
        event_id=attributes.get("id", ""),
        source=attributes.get("source", ""),
        event_type=attributes.get("type", ""),
        traceparent=traceparent_of(attributes),
        time=time,
        record_time=record_time,
        content=form.content,
        content_hash=form.content_hash,
        bare=bare,
        number=stated("number") or "",
        currency=currency,
        grand_total=grand_total,
        version=stated("version"),
        updated_at=stated("updated_at"),
        placed_at=stated("placed_at"),
        paid_at=stated("paid_at"),
        cancelled_at=cancelled_at,
        cancelled_null=cancelled_at is None and "cancelled_at" in order,
        refunds=_refunds(form.content) if stated("refunds") else (),
        unknown_fields=form.unknown_fields,
        replaced=envelope.replaced,
        key_differs=key_differs,
    )


def _refunds(content: bytes) -> tuple[tuple[str, bytes], ...]:
    """Give the refunds of an order in canonical form, each for itself: they are kept, whatever comes after them."""
    return tuple((refund["id"], to_json(refund)) for refund in json.loads(content)["refunds"])


def _figures(order: Mapping[str, Any], kind: OrderKind, data: Mapping[str, Any]) -> tuple[str, Decimal | None, bool]:
    """Give currency and grand total, and whether the order itself is missing, as a cancellation's may be."""
    currency, totals = order.get("currency"), order.get("totals")
    if currency is None or totals is None:
        return "", None, True
    # In the data as they came: null and the empty list are one after the check.
    bare = kind is OrderKind.CANCELLED and data.get("lines") is None
    return currency, Decimal(totals["grand_total"]), bare


def _hint(envelope: Envelope | None, key: bytes | None) -> tuple[str, str]:
    """Tell which order a refused message may be about: by its data, else by its key; empty where neither tells."""
    data = envelope.data if envelope is not None and isinstance(envelope.data, dict) else {}
    shop_id, order_id = _id_hint(data.get("shop_id")), _id_hint(data.get("order_id"))
    if not (shop_id and order_id) and key is not None:
        shop_id, _, order_id = key.decode(errors="replace").partition("/")
        shop_id, order_id = _id_hint(shop_id), _id_hint(order_id)
    return shop_id, order_id


def _id_hint(value: object) -> str:
    return value if isinstance(value, str) and _HINT.fullmatch(value) else ""
