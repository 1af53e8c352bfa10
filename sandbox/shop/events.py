"""The shop's messages: `order.paid` as it publishes it, and what it reads in Booked's answers."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.shop.expectations import Key

CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=utf-8")
_NAMESPACE = uuid.UUID("6f1d8c5e-3a0b-4d52-9d8e-0c1f5f3a7b21")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The names of the topics that shop and Booked share."""

    paid: str = "order.paid"
    updated: str = "order.updated"
    cancelled: str = "order.cancelled"
    synced: str = "invoice.synced"
    rejected: str = "order.rejected"
    platform: str = "platform.orders"  # a platform's own payloads, of one shop

    def names(self) -> tuple[str, ...]:
        """Give those that every installation needs."""
        return (self.paid, self.updated, self.cancelled, self.synced, self.rejected)


def paid_event(data: Mapping[str, Any], time: str) -> tuple[bytes, bytes]:
    """Write an `order.paid`: record key and value. The same order has the same event id, however often it is sent."""
    shop_id, order_id = str(data["shop_id"]), str(data["order_id"])
    subject = f"{shop_id}/{order_id}"
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid5(_NAMESPACE, f"{subject}/{data.get('version', '')}")),
        "source": f"/shops/{shop_id}",
        "type": "example.shop.order.paid.v1",
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
    return subject.encode(), json.dumps(event, ensure_ascii=False, separators=(",", ":"), default=_text).encode()


def raw_payload(order_id: str, payload: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Write a platform's order as a bridge does that knows nothing of us: key and bare JSON.

    What was a JSON number is one again: the shortest that reads back as it, which is how the platform wrote it.
    """
    return order_id.encode(), json.dumps(payload, ensure_ascii=False, default=float).encode()


def _text(value: object) -> str:
    """Write what JSON has no form for: an amount of somebody's own orders, read as an exact decimal."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{value!r} cannot be written as JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The newest that Booked has told of an order: a row of the order list's invoice column."""

    sequence: int
    state: str
    operation: str = ""
    reason: str = ""
    message: str = ""
    fix: str = ""
    invoice_id: str = ""
    invoice_number: str = ""
    invoice_total: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What Booked has told of a message that it could not read."""

    reason: str
    message: str


@dataclass(slots=True)
class OrderList:
    """The shop's own list of orders with its invoice column, kept from what Booked publishes."""

    told: dict[Key, Told] = field(default_factory=dict)
    refused: dict[Key, Refused] = field(default_factory=dict)

    def read_synced(self, value: bytes) -> None:
        """Take an `invoice.synced`: the greatest sequence of an order holds, whatever comes late or twice."""
        data = json.loads(value, parse_float=Decimal)["data"]
        key = (str(data["shop_id"]), str(data["order_id"]))
        known = self.told.get(key)
        if known is None or int(data["sequence"]) > known.sequence:
            self.told[key] = _told(data)

    def read_rejected(self, value: bytes) -> None:
        """Take an `order.rejected`; one that names no order cannot be put to any."""
        data = json.loads(value)["data"]
        if data.get("shop_id") and data.get("order_id"):
            key = (str(data["shop_id"]), str(data["order_id"]))
            self.refused[key] = Refused(reason=str(data["reason"]), message=str(data["message"]))


def _told(data: Mapping[str, Any]) -> Told:
    reason, invoice = data.get("reason") or {}, data.get("invoice") or {}
    return Told(
        sequence=int(data["sequence"]),
        state=str(data["state"]),
        operation=str(data["operation"]),
        reason=str(reason.get("code", "")),
        message=str(reason.get("message", "")),
        fix=str(reason.get("fix", "")),
        invoice_id=str(invoice.get("id", "")),
        invoice_number=str(invoice.get("number", "")),
        invoice_total=Decimal(str(invoice["total"])) if invoice else None,
    )
