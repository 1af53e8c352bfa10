"""The quick look at a record tells the same order as the intake's reader, or nothing at all."""

import json
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.events import EventKind, OrderEvent
from consumer.domain.orders import OrderKey
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.services.record_reading import reading_of
from consumer.services.replay_glimpse import glimpse
from tests.conformance.replay.bench import order

PAID = TopicPartition("order.paid", 0)


def record(value: bytes | None) -> Record:
    """Make a record."""
    return Record(PAID, 0, 1_700_000_000_000, b"north/1", value, ())


def enveloped(data: dict[str, Any]) -> dict[str, Any]:
    """Put an order into a structured CloudEvent."""
    return {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid.v1", "data": data}


@pytest.mark.parametrize("wrapped", [False, True])
def test_key_version_amount_and_day_are_those_of_the_reader(*, wrapped: bool) -> None:
    """Plain or as a CloudEvent, the quick look and the full reading agree."""
    data = order("1", 7)
    value = json.dumps(enveloped(data) if wrapped else data).encode()
    seen = glimpse(record(value))
    event = reading_of((), shared_topics=()).read(record(value), log=1, kind=EventKind.PAID)
    assert seen is not None
    assert isinstance(event, OrderEvent)
    assert event.paid_at is not None
    assert (seen.key, seen.version, seen.currency, seen.amount, seen.day) == (
        event.key,
        event.version,
        event.currency,
        event.grand_total,
        event.paid_at.date().isoformat(),
    )
    assert (seen.key, seen.version, seen.amount) == (OrderKey("north", "1"), 7, Decimal("12.20"))


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"shop_id": 7, "order_id": "1"}',
        b'{"shop_id": "north"}',
        b'{"id": 450789469, "line_items": []}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_order_of_ours_is_left_to_the_reader(value: bytes | None) -> None:
    """Garbage and platforms' payloads: nothing is guessed, nothing is raised."""
    assert glimpse(record(value)) is None


@pytest.mark.parametrize("total", ["NaN", "Infinity", "much", True, None, {}, 10**400])
def test_an_amount_that_is_none_is_not_summed(total: Any) -> None:
    """The order is told all the same; the amount is left out unless it is a figure."""
    seen = glimpse(record(json.dumps(order("1", totals={"grand_total": total})).encode()))
    assert seen is not None
    assert seen.amount is None or seen.amount == total


@pytest.mark.parametrize("paid_at", ["soon", "", 7, None, "2026-13-45T00:00:00Z"])
def test_a_day_that_is_none_is_left_out(paid_at: Any) -> None:
    """The table's day is a date, or nothing could be stored."""
    seen = glimpse(record(json.dumps(order("1", paid_at=paid_at)).encode()))
    assert seen is not None
    assert seen.day == ""
