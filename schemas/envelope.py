"""CloudEvents 1.0, in and out: where the data of a message lies, and what is said about it.

In: structured, binary or no envelope at all (`read_envelope`), tolerant: attributes that CloudEvents requires and we
do not need may be missing. Out: always structured, complete, with the data's model beside it (`encode_event`).

Our types are `booked.invoice.synced.v1` and `booked.order.rejected.v1`. CloudEvents advises a reversed domain name as
the prefix. We own no domain, and naming one that somebody else may own would be worse than none, so the prefix is the
name of the program.
"""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote

from pydantic import Field, StringConstraints

from schemas.fields import Id, Part, Time, Word
from schemas.json_text import ReadJson, read_json
from schemas.orders import OrderKind
from schemas.rejections import RejectionReason, UnreadableError, json_type

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
ATTRIBUTE_MAX = 500

_TYPE_END = re.compile(r"(?:^|\.)order\.(paid|updated|cancelled)(?:\.v([0-9]{1,9}))?$")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
SHOP_HEADER = "booked-shop"
SHOP_ATTRIBUTE = "bookedshop"  # the CloudEvents extension, whose names have small letters and digits only
_ATTRIBUTES = ("id", "source", "specversion", "time", "traceparent", "type", SHOP_ATTRIBUTE)
_BINARY = "ce_"

Attribute = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=ATTRIBUTE_MAX)]


class EventAttributes(Part):
    """The attributes of a CloudEvent as this contract publishes and advises them; the data is beside them."""

    specversion: Literal["1.0"] = Field(description="Always 1.0.")
    id: Attribute = Field(description="Id of the event; the same event sent again keeps it.")
    source: Attribute = Field(description="Who publishes, as a URI reference: /shops/nl.")
    type: Attribute = Field(description="What happened, and the version of its data.")
    time: Time | None = Field(None, description="When it happened, RFC 3339.")
    subject: Attribute | None = Field(None, description="What it is about: shop_id/order_id.")
    datacontenttype: Literal["application/json"] | None = Field(None, description="Always application/json.")
    traceparent: Word | None = Field(None, description="W3C trace context, to be carried on.")


class OwnAttributes(EventAttributes):
    """The attributes of what Booked publishes: all of them there, ids being UUIDs."""

    id: Id = Field(description="A UUID; the same event sent again keeps it.")
    time: Time = Field(description="When it was recorded, RFC 3339, in UTC.")
    subject: Attribute = Field(
        description="What it is about: shop_id/order_id; a position where no order could be read."
    )
    datacontenttype: Literal["application/json"] = Field(description="Always application/json.")


class Envelope(NamedTuple):
    """A message opened: its data, the data's JSON path, and the attributes as texts (absent ones are not there).

    Beside those of CloudEvents, ``booked-shop`` is the plain header of that name.
    """

    data: Any
    path: str
    attributes: Mapping[str, str]
    replaced: int


def read_envelope(value: bytes, headers: Sequence[tuple[str, bytes]]) -> Envelope:
    """Open a message. Raises UnreadableError.

    A value that is an envelope decides over the headers: a structured message may repeat its attributes as ``ce_``
    headers, and whoever takes such headers for binary mode would read the envelope as the order.
    """
    read = read_json(value)
    body = read.body
    if type(body) is not dict:
        raise UnreadableError(
            RejectionReason.WRONG_TYPE, f"is {json_type(body)} and should be one order, an object", "$"
        )
    content_type, attributes = _read_headers(headers) if headers else ("", {})
    structured = content_type.startswith("application/cloudevents") or ("specversion" in body and "shop_id" not in body)
    if not structured:
        return Envelope(body, "$", attributes, read.replaced)
    return _structured(read, body, attributes)


def _read_headers(headers: Sequence[tuple[str, bytes]]) -> tuple[str, dict[str, str]]:
    """Give the content type in small letters, and the attributes of binary mode; of a repeated header the last."""
    content_type = ""
    attributes: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower == "content-type":
            content_type = _header_text(value).strip().lower()
        elif lower == "traceparent":
            attributes.setdefault(lower, _header_text(value))
        elif lower == SHOP_HEADER:
            attributes[lower] = _bounded(_header_text(value), f"header {lower}")
        elif lower.startswith(_BINARY) and lower[len(_BINARY) :] in _ATTRIBUTES:
            attributes[lower[len(_BINARY) :]] = _bounded(_header_text(value), f"header {lower}")
    return content_type, attributes


def _header_text(value: bytes | None) -> str:
    """Decode a header; Kafka allows a null there, whatever the type says."""
    return (value or b"").decode(errors="replace").replace("\x00", "\ufffd")


def _bounded(text: str, path: str) -> str:
    if len(text) > ATTRIBUTE_MAX:
        raise UnreadableError(RejectionReason.TOO_LONG, f"is longer than {ATTRIBUTE_MAX}", path)
    return text


def _structured(read: ReadJson, body: dict[str, Any], carried: Mapping[str, str]) -> Envelope:
    attributes = {name: carried[name] for name in ("traceparent", SHOP_HEADER) if carried.get(name)}
    for name in _ATTRIBUTES:
        text = body.get(name)
        if text is None:
            continue
        if type(text) is not str:
            raise UnreadableError(RejectionReason.WRONG_TYPE, f"is {json_type(text)} and should be a text", f"$.{name}")
        attributes[name] = _bounded(text, f"$.{name}")
    if "data_base64" in body and "data" not in body:
        inner = read_json(_decoded(body["data_base64"]))
        return Envelope(inner.body, "$.data_base64", attributes, read.replaced + inner.replaced)
    if body.get("data") is None:
        raise UnreadableError(RejectionReason.MISSING_FIELD, "is required and not there: the order", "$.data")
    return Envelope(body["data"], "$.data", attributes, read.replaced)


def _decoded(text: object) -> bytes:
    try:
        return b64decode(text if type(text) is str else "!", validate=True)
    except (Base64Error, ValueError) as error:
        raise UnreadableError(RejectionReason.WRONG_VALUE, "is not base64", "$.data_base64") from error


def kind_of(attributes: Mapping[str, str], topic_kind: OrderKind | None) -> OrderKind:
    """Tell what happened: by the end of the event's type, without a type by the topic. Raises UnreadableError."""
    check_version(attributes)
    stated = attributes.get("type")
    if stated is None:
        if topic_kind is None:
            raise UnreadableError(RejectionReason.UNKNOWN_TYPE, "is not there, and the topic tells no kind", "type")
        return topic_kind
    return _kind_by_type(stated, topic_kind)


def check_version(attributes: Mapping[str, str]) -> None:
    """Raise UnreadableError for a CloudEvent of another version than ours."""
    version = attributes.get("specversion", "1.0")
    if version != "1.0":
        found = f'is "{version[:20]}"; "1.0" is read'
        raise UnreadableError(RejectionReason.UNSUPPORTED_VERSION, found, "specversion")


def _kind_by_type(stated: str, topic_kind: OrderKind | None) -> OrderKind:
    end = _TYPE_END.search(stated)
    if end is None:
        raise UnreadableError(RejectionReason.UNKNOWN_TYPE, f'"{stated[:100]}" is none that is known', "type")
    if end[2] is not None and int(end[2]) != 1:
        raise UnreadableError(RejectionReason.UNSUPPORTED_VERSION, f"names version {end[2]}; v1 is read", "type")
    kind = OrderKind(end[1])
    if topic_kind is not None and kind is not topic_kind:
        found = f"says {kind}, and the topic is that of {topic_kind}"
        raise UnreadableError(RejectionReason.KIND_MISMATCH, found, "type")
    return kind


def traceparent_of(attributes: Mapping[str, str]) -> str:
    """Give the trace context if it has the W3C form, else nothing: a wrong one must not harm an order."""
    text = attributes.get("traceparent", "")
    return text if _TRACEPARENT.fullmatch(text) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOut:
    """One event of ours, ready to be written: ``time`` is aware, ``installation`` the name in BOOKED_INSTALLATION."""

    type: str
    id: str
    time: datetime
    subject: str
    installation: str
    data: Part
    traceparent: str = ""


def encode_event(event: EventOut) -> bytes:
    """Write a structured CloudEvent, as UTF-8 JSON; the Kafka header beside it is CONTENT_TYPE."""
    envelope = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/booked/{quote(event.installation, safe='')}",
        "type": event.type,
        "time": event.time.isoformat(),
        "subject": event.subject,
        "datacontenttype": "application/json",
        **({"traceparent": event.traceparent} if event.traceparent else {}),
        "data": event.data.model_dump(mode="json"),
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
