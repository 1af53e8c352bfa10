"""From the wire to the domain: every field arrives where it belongs, and times get the shop's time zone."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.events import EventKind, OrderEvent, Origin, Rejected
from consumer.domain.orders import (
    Address,
    Customer,
    Discount,
    Fee,
    FeeKind,
    Line,
    LineKind,
    Order,
    OrderKey,
    Payment,
    RateFigures,
    Refund,
    Shipping,
    Tax,
    Totals,
)
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.sources.own import aware, read_record, to_order

PLACE = TopicPartition("order.paid", 2)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MILLISECONDS = 1_767_225_600_000  # 2026-01-01T00:00:00Z

FULL = {
    "shop_id": "nl",
    "order_id": "9b1c",
    "number": "A-1001",
    "status": "completed",
    "version": 7,
    "updated_at": "2026-07-01T12:00:00",
    "placed_at": "2026-07-01T10:00:00+02:00",
    "paid_at": "2026-01-15T10:00:00",
    "cancelled_at": None,
    "currency": "EUR",
    "exchange_rate": "1.1",
    "prices_include_tax": True,
    "customer": {
        "id": "c-1",
        "email": "jane@example.com",
        "name": "Jane Doe",
        "first_name": "Jane",
        "last_name": "Doe",
        "company": "Doe",
        "phone": "+31",
        "tax_number": "NL1",
        "tax_exempt": True,
        "reverse_charge": True,
        "language": "nl",
    },
    "billing_address": {"street": "Street", "house_number": "1", "country": "nl"},
    "shipping_address": {
        "name": "N",
        "company": "C",
        "street": "S",
        "house_number": "2",
        "street2": "S2",
        "postal_code": "P",
        "city": "T",
        "state": "ST",
        "country": "BE",
        "phone": "0",
    },
    "lines": [
        {
            "id": "l1",
            "parent_id": "l0",
            "sku": "MUG",
            "name": "Mug",
            "description": "red",
            "kind": "digital",
            "tax_class": "standard",
            "quantity": "2",
            "unit": "pcs",
            "unit_price": "10.00",
            "prices_include_tax": False,
            "discount": "1.00",
            "taxes": [{"rate": "21", "name": "VAT", "amount": "3.99", "compound": True}],
            "total": "19.00",
        },
        {"name": "Plate", "quantity": "1", "unit_price": "5"},
    ],
    "discounts": [
        {"code": "X", "description": "D", "amount": "2", "target": "shipping", "line_ids": ["l1"], "before_tax": False}
    ],
    "shipping": [{"method": "Post", "amount": "4.95", "discount": "1", "taxes": [{"rate": "21"}]}],
    "fees": [{"name": "Tip", "kind": "tip", "amount": "1", "taxes": []}, {"amount": "2"}],
    "payments": [
        {"method": "ideal", "kind": "gift_card", "amount": "3", "paid_at": "2026-01-15T10:00:00", "reference": "r"},
        {"amount": "4"},
    ],
    "refunds": [{"id": "r1", "amount": "1", "created_at": "2026-07-02T00:00:00", "reason": "broken"}],
    "totals": {
        "subtotal": "24",
        "discount": "2",
        "shipping": "4.95",
        "fees": "3",
        "tax": "5",
        "tax_by_rate": [{"rate": "21", "net": "20", "tax": "4.2"}],
        "grand_total": "30.95",
    },
    "note": "ring twice",
    "meta": {"po": "77"},
}


def record(value: bytes | None, key: bytes | None = b"nl/9b1c") -> Record:
    """Put a value into a record of the topic."""
    return Record(PLACE, 5, MILLISECONDS, key, value, (("h", b"1"),))


def read(
    value: bytes | None, kind: EventKind | None = EventKind.PAID, zone: tzinfo = UTC
) -> OrderEvent | Rejected | None:
    """Read it as the intake does."""
    return read_record(record(value), log=3, kind=kind, zone_of=lambda _: zone)


def event(value: object, zone: tzinfo = UTC) -> OrderEvent:
    """Read what has to be an event."""
    found = read(json.dumps(value).encode(), zone=zone)
    assert isinstance(found, OrderEvent)
    return found


def test_an_event_carries_what_the_fold_needs() -> None:
    """Identity, revision, facts and figures; times without an offset in the shop's time zone, summer and winter."""
    found = event(FULL, AMSTERDAM)
    assert found.key == OrderKey("nl", "9b1c")
    assert found.kind is EventKind.PAID
    assert found.origin == Origin(topic="order.paid", log=3, partition=2, offset=5)
    assert (found.version, found.number, found.currency, found.grand_total) == (7, "A-1001", "EUR", Decimal("30.95"))
    assert found.updated_at == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert found.placed_at == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    assert found.paid_at == datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    assert found.time == datetime(2026, 1, 1, tzinfo=UTC)
    assert (found.cancelled_at, found.cancelled_null, [id_ for id_, _ in found.refunds]) == (None, True, ["r1"])
    assert not found.key_differs
    assert found.content is not None


def test_a_bare_cancellation_has_no_content() -> None:
    """It cannot be booked from, only folded."""
    body = {"shop_id": "nl", "order_id": "9b1c", "version": 8, "cancelled_at": "2026-07-03T10:00:00Z"}
    found = read(json.dumps(body).encode(), EventKind.CANCELLED)
    assert isinstance(found, OrderEvent)
    assert (found.kind, found.content) == (EventKind.CANCELLED, None)
    assert found.cancelled_at == datetime(2026, 7, 3, 10, tzinfo=UTC)


def test_a_tombstone_is_none() -> None:
    """It is counted and passed over."""
    assert read(None) is None


def test_what_cannot_be_an_order_is_kept_up_to_one_mebibyte() -> None:
    """With the size and digest of all of it, where it stood, and what came with it."""
    value = b"{" + b"x" * 1_500_000
    found = read(value)
    assert isinstance(found, Rejected)
    assert (found.reason, found.size, len(found.value or b"")) == ("too_large", 1_500_001, 1_048_576)
    assert found.digest == hashlib.sha256(value).digest()
    assert found.origin == Origin(topic="order.paid", log=3, partition=2, offset=5)
    assert (found.record_key, found.headers) == (b"nl/9b1c", (("h", b"1"),))
    assert (found.shop_id, found.order_id) == ("nl", "9b1c")


def test_a_fault_of_ours_becomes_a_rejection() -> None:
    """One message must not stop its partition; the fault is named without quoting the message."""

    def broken(shop_id: str) -> tzinfo:
        raise LookupError(f"secret of {shop_id}")

    found = read_record(record(json.dumps(FULL).encode()), log=1, kind=EventKind.PAID, zone_of=broken)
    assert isinstance(found, Rejected)
    assert found.reason == "reader_failed"
    assert "LookupError" in found.message
    assert "secret" not in found.message


@given(st.binary(max_size=300))
def test_reading_never_raises(value: bytes) -> None:
    """Whatever the bytes are."""
    assert isinstance(read(value), OrderEvent | Rejected)


def test_every_field_of_an_order_arrives() -> None:
    """From the stored content, with the defaults that the contract states for what is left out."""
    content = event(FULL).content
    assert content is not None
    assert to_order(content, "Europe/Amsterdam") == EXPECTED


def test_what_is_left_out_gets_its_documented_default() -> None:
    """A line's place is its id, prices are without tax, and nobody bought."""
    bare = {
        "shop_id": "nl",
        "order_id": "1",
        "version": 1,
        "currency": "EUR",
        "lines": [{"name": "A", "quantity": "1", "unit_price": "1"}, {"name": "B", "quantity": "1", "unit_price": "1"}],
        "totals": {"grand_total": "2"},
    }
    order = to_order(event(bare).content or b"", "UTC")
    assert [line.id for line in order.lines] == ["1", "2"]
    assert {line.prices_include_tax for line in order.lines} == {False}
    assert (order.customer, order.billing_address, order.meta) == (Customer(), Address(), {})
    assert (order.paid_at, order.exchange_rate, order.discounts) == (None, None, ())


def test_content_that_is_none_is_refused() -> None:
    """And so is a time zone that there is not."""
    with pytest.raises(ValueError, match="shop_id"):
        to_order(b"{}", "UTC")
    with pytest.raises(KeyError, match="Nowhere"):
        to_order(event(FULL).content or b"", "Nowhere")


def test_an_hour_that_comes_twice_is_its_first() -> None:
    """At the end of summer time, 02:30 in Amsterdam is first of UTC+2."""
    moment = aware(datetime(2026, 10, 25, 2, 30), AMSTERDAM)  # noqa: DTZ001 without an offset is the point
    assert moment is not None
    assert moment.utcoffset() == timedelta(hours=2)
    assert aware(None, AMSTERDAM) is None


EXPECTED = Order(
    key=OrderKey("nl", "9b1c"),
    number="A-1001",
    currency="EUR",
    status="completed",
    placed_at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC),
    paid_at=datetime(2026, 1, 15, 9, 0, tzinfo=UTC),
    cancelled_at=None,
    exchange_rate=Decimal("1.1"),
    prices_include_tax=True,
    customer=Customer(
        id="c-1",
        email="jane@example.com",
        name="Jane Doe",
        first_name="Jane",
        last_name="Doe",
        company="Doe",
        phone="+31",
        tax_number="NL1",
        tax_exempt=True,
        reverse_charge=True,
        language="nl",
    ),
    billing_address=Address(street="Street", house_number="1", country="NL"),
    shipping_address=Address(
        name="N",
        company="C",
        street="S",
        house_number="2",
        street2="S2",
        postal_code="P",
        city="T",
        state="ST",
        country="BE",
        phone="0",
    ),
    lines=(
        Line(
            id="l1",
            parent_id="l0",
            sku="MUG",
            name="Mug",
            description="red",
            kind=LineKind.DIGITAL,
            tax_class="standard",
            quantity=Decimal(2),
            unit="pcs",
            unit_price=Decimal(10),
            prices_include_tax=False,
            discount=Decimal(1),
            taxes=(Tax(rate=Decimal(21), name="VAT", amount=Decimal("3.99"), compound=True),),
            total=Decimal(19),
        ),
        Line(id="2", name="Plate", quantity=Decimal(1), unit_price=Decimal(5), prices_include_tax=True),
    ),
    discounts=(
        Discount(amount=Decimal(2), code="X", description="D", target="shipping", line_ids=("l1",), before_tax=False),
    ),
    shipping=(Shipping(amount=Decimal("4.95"), method="Post", discount=Decimal(1), taxes=(Tax(rate=Decimal(21)),)),),
    fees=(Fee(name="Tip", amount=Decimal(1), kind=FeeKind.TIP), Fee(name="", amount=Decimal(2))),
    payments=(
        Payment(
            method="ideal",
            amount=Decimal(3),
            kind="gift_card",
            paid_at=datetime(2026, 1, 15, 9, 0, tzinfo=UTC),
            reference="r",
        ),
        Payment(method="", amount=Decimal(4)),
    ),
    refunds=(Refund(id="r1", amount=Decimal(1), created_at=datetime(2026, 7, 1, 22, 0, tzinfo=UTC), reason="broken"),),
    totals=Totals(
        grand_total=Decimal("30.95"),
        subtotal=Decimal(24),
        discount=Decimal(2),
        shipping=Decimal("4.95"),
        fees=Decimal(3),
        tax=Decimal(5),
        tax_by_rate=(RateFigures(rate=Decimal(21), net=Decimal(20), tax=Decimal("4.2")),),
    ),
    note="ring twice",
    meta={"po": "77"},
)
