"""Orders and messages for the tests of the contract, made anew at every call, so that a test may change them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.orders import OrderKind
from schemas.reading import ReadEvent, Tombstone, read_message
from schemas.rejections import Rejection

EXAMPLES = Path(__file__).parent.parent.parent / "schemas" / "examples"
STRUCTURED = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
RECORD_TIME_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z


def example(name: str, version: str = "v1") -> Any:
    """Read a golden example."""
    return json.loads((EXAMPLES / version / f"{name}.json").read_text("utf-8"))


def small_order(**changes: Any) -> dict[str, Any]:
    """Make the smallest whole order, with changes."""
    order = {
        "shop_id": "nl",
        "order_id": "1001",
        "version": 1,
        "currency": "EUR",
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "21"}]}],
        "totals": {"grand_total": "12.10"},
    }
    return order | changes


def full_order() -> dict[str, Any]:
    """Read the example that has every field."""
    order: dict[str, Any] = example("order.paid.full")["data"]
    return order


def envelope(order: object, **changes: Any) -> dict[str, Any]:
    """Put an order into a structured event."""
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/shops/nl",
        "type": "com.example.shop.order.paid.v1",
        "time": "2026-11-20T10:15:00Z",
        "data": order,
    }
    return event | changes


def read(
    message: object,
    *,
    topic_kind: OrderKind | None = OrderKind.PAID,
    headers: Sequence[tuple[str, bytes]] = (),
    key: bytes | None = b"nl/1001",
    also_hashed: Sequence[str] = (),
) -> ReadEvent | Tombstone | Rejection:
    """Read a message as Kafka gives it; what is not bytes (or None) is written as JSON first."""
    value = message if message is None or isinstance(message, bytes) else json.dumps(message).encode()
    return read_message(
        topic_kind=topic_kind,
        key=key,
        value=value,
        headers=headers,
        record_time_ms=RECORD_TIME_MS,
        also_hashed=also_hashed,
    )


def event_of(message: object, **how: Any) -> ReadEvent:
    """Read a message that can be read."""
    event = read(message, **how)
    assert isinstance(event, ReadEvent), event
    return event


def rejection_of(message: object, **how: Any) -> Rejection:
    """Read a message that cannot be read."""
    rejection = read(message, **how)
    assert isinstance(rejection, Rejection), rejection
    return rejection
