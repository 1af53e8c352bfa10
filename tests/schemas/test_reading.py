"""A readable message gives the same event in every mode of transport, with its facts, times and numbers exact."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from schemas.orders import OrderKind, parse_order
from schemas.reading import ReadEvent, Tombstone, read_message
from tests.schemas.samples import (
    RECORD_TIME_MS,
    STRUCTURED,
    envelope,
    event_of,
    example,
    full_order,
    read,
    rejection_of,
    small_order,
)

BINARY = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e-1"),
    ("ce_source", b"/shops/nl"),
    ("ce_type", b"com.example.shop.order.paid.v1"),
    ("ce_time", b"2026-11-20T10:15:00Z"),
)
BARE = {"shop_id": "nl", "order_id": "1001", "version": 2, "cancelled_at": "2026-11-20T10:15:00Z"}


def test_structured_binary_and_bare_give_the_same_order() -> None:
    """Content and hash do not depend on how the order was wrapped; structured and binary agree in all else too."""
    order = full_order()
    structured = event_of(envelope(order), headers=STRUCTURED)
    binary = event_of(order, headers=BINARY)
    bare = event_of(order)
    assert structured == binary
    assert (bare.content, bare.content_hash) == (structured.content, structured.content_hash)
    assert (bare.event_id, bare.source, bare.event_type, bare.time) == ("", "", "", None)
    assert structured.time == datetime(2026, 11, 20, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        STRUCTURED,
        (("Content-Type", b"APPLICATION/CloudEvents+JSON"),),
        (*STRUCTURED, *BINARY[1:]),
        BINARY,
        (("content-type", b"application/json"),),
    ],
)
def test_an_envelope_is_known_by_content_type_or_by_itself(headers: tuple[tuple[str, bytes], ...]) -> None:
    """Extra ce_ headers, as a legal structured message may carry, never make the envelope the order."""
    event = event_of(envelope(small_order()), headers=headers)
    assert (event.order_id, event.event_id) == ("1001", "e-1")


def test_the_envelope_holds_over_headers_that_say_otherwise() -> None:
    """The attributes of a structured message are those in its value."""
    event = event_of(envelope(small_order(), id="inside"), headers=BINARY)
    assert event.event_id == "inside"


def test_a_repeated_header_counts_as_its_last_and_a_null_header_harms_nothing() -> None:
    """Kafka allows both, whatever the types say."""
    nothing: Any = None
    event = event_of(small_order(), headers=(*BINARY, ("ce_id", b"e-2"), ("other", nothing), ("ce_source", b"\xff")))
    assert (event.event_id, event.source) == ("e-2", "\ufffd")


def test_data_in_base64_is_read() -> None:
    """CloudEvents' JSON format allows it."""
    event = {name: value for name, value in envelope(None).items() if name != "data"}
    event["data_base64"] = base64.b64encode(json.dumps(small_order()).encode()).decode()
    assert event_of(event).order_id == "1001"


def test_type_tells_the_kind_on_a_topic_of_all_kinds() -> None:
    """Without a topic of its own the type decides, with or without its version."""
    stated = {"com.example.order.updated.v1": OrderKind.UPDATED, "order.cancelled": OrderKind.CANCELLED}
    for text, kind in stated.items():
        assert event_of(envelope(small_order(), type=text), topic_kind=None).kind is kind


def test_a_tombstone_is_no_order_and_no_rejection() -> None:
    """A record without value is counted and passed over."""
    assert read(None, key=b"nl/1001") == Tombstone(key=b"nl/1001")


def test_every_fact_of_an_order_is_read() -> None:
    """The expectation is written by hand from the example that has every field."""
    event = event_of(example("order.paid.full"), key=b"de/9b1c2f")
    assert event == ReadEvent(
        kind=OrderKind.PAID,
        shop_id="de",
        order_id="9b1c2f",
        event_id="01970c1e-5d2a-7000-8000-000000000002",
        source="/shops/de",
        event_type="com.example.shop.order.paid.v1",
        traceparent="",
        time=datetime(2026, 11, 20, 10, 15, tzinfo=UTC),
        record_time=datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        content=event.content,
        content_hash=event.content_hash,
        number="A-1002",
        currency="EUR",
        grand_total=Decimal("276.05"),
        version=7,
        updated_at=datetime(2026, 11, 20, 10, 15, tzinfo=UTC),
        placed_at=datetime(2026, 11, 20, 11, 11, 7, tzinfo=timezone(timedelta(hours=1))),
        paid_at=datetime(2026, 11, 20, 10, 14, 59, tzinfo=UTC),
        cancelled_null=True,
        refunds=(("r-1", event.refunds[0][1]),),
    )


def test_a_refund_is_told_for_itself() -> None:
    """It is kept whatever comes after it, so it has to be readable without the order that it came with."""
    ((id_, data),) = event_of(example("order.paid.full"), key=b"de/9b1c2f").refunds
    assert (id_, json.loads(data)["amount"]) == ("r-1", "32.1")


def test_an_order_comes_back_from_its_canonical_bytes() -> None:
    """What the mapping reads later is what the shop sent, with exact decimals."""
    order = parse_order(event_of(example("order.paid.full"), key=b"de/9b1c2f").content)
    chair = order.lines[0]
    assert (chair.quantity, chair.unit_price, chair.discount) == (Decimal(4), Decimal(50), Decimal(20))
    assert order.totals.tax_by_rate[0].tax == Decimal("38.95")
    assert order.customer is not None
    assert order.customer.tax_number == "DE123456789"
    assert order.meta == {"purchase_order": "PO-4711", "campaign": {"name": "autumn"}}
    assert order.cancelled_at is None
    assert "cancelled_at" in order.model_fields_set


def test_a_field_that_is_left_out_differs_from_null_for_cancelled_at_alone() -> None:
    """Null takes a cancellation back; leaving it out says nothing."""
    assert event_of(small_order(cancelled_at=None)).cancelled_null is True
    assert event_of(small_order()).cancelled_null is False
    cancelled = event_of(small_order(cancelled_at="2026-11-20T10:15:00Z"))
    assert (cancelled.cancelled_null, cancelled.cancelled_at) == (False, datetime(2026, 11, 20, 10, 15, tzinfo=UTC))


def test_null_is_read_as_absent_everywhere_else() -> None:
    """A serialiser that writes every empty field as null sends the same content."""
    nulls = dict.fromkeys(
        ("number", "customer", "discounts", "shipping", "fees", "payments", "refunds", "note", "meta")
    )
    with_nulls = event_of(small_order(**nulls, version=None))
    assert with_nulls.content_hash == event_of(small_order()).content_hash
    assert parse_order(with_nulls.content).discounts == ()


def test_a_cancellation_is_bare_unless_it_carries_the_whole_order() -> None:
    """Only a cancellation with currency, lines and totals has content."""
    assert event_of(BARE, topic_kind=OrderKind.CANCELLED).bare is True
    assert event_of({**BARE, "currency": "EUR", "lines": []}, topic_kind=OrderKind.CANCELLED).bare is True
    assert event_of({**small_order(), "lines": None}, topic_kind=OrderKind.CANCELLED).bare is True
    whole = event_of(small_order(), topic_kind=OrderKind.CANCELLED)
    assert (whole.bare, whole.grand_total) == (False, Decimal("12.10"))
    assert event_of(small_order()).bare is False


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("123456789012.345", "123456789012.345"),
        ("999999999999999", "999999999999999"),
        ("0.1", "0.1"),
        ("1E+2", "100"),
        ("1.50e1", "15"),
        ("0.0000001", "0.0000001"),
        ("-0.0", "0"),
    ],
)
def test_json_numbers_within_fifteen_digits_are_exact(text: str, exact: str) -> None:
    """A number is read from its own text; the content holds it as a plain decimal text."""
    value = json.dumps(small_order(totals={"grand_total": "TOTAL"})).replace('"TOTAL"', text).encode()
    event = event_of(value)
    assert event.grand_total == Decimal(exact)
    assert json.loads(event.content)["totals"]["grand_total"] == exact


def test_a_text_of_decimals_keeps_every_digit() -> None:
    """No double is involved: 18 digits before the point and 10 behind it come through."""
    total = "999999999999999999.0123456789"
    assert event_of(small_order(totals={"grand_total": total})).grand_total == Decimal(total)


def test_versions_may_be_numbers_or_digits() -> None:
    """Both forms, up to what a bigint holds."""
    assert event_of(small_order(version=2**63 - 1)).version == 9223372036854775807
    assert event_of(small_order(version="0042")).version == 42
    assert event_of(small_order(version=0)).version == 0


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20T10:15:00Z", datetime(2026, 11, 20, 10, 15, tzinfo=UTC)),
        ("2026-11-20T11:15:00.123456789+01:00", datetime(2026, 11, 20, 10, 15, 0, 123456, tzinfo=UTC)),
        ("2026-11-20T11:15:00+0100", datetime(2026, 11, 20, 10, 15, tzinfo=UTC)),
    ],
)
def test_times_with_an_offset_are_aware(text: str, time: datetime) -> None:
    """RFC 3339, and PHP's offset without a colon."""
    assert event_of(small_order(paid_at=text)).paid_at == time


@pytest.mark.parametrize("text", ["2026-11-20T11:15:00", "2026-11-20 11:15:00", "2026-11-20T11:15"])
def test_times_without_an_offset_stay_naive(text: str) -> None:
    """The shop's time zone is applied where the shop is known."""
    paid_at = event_of(small_order(paid_at=text)).paid_at
    assert paid_at == datetime(2026, 11, 20, 11, 15)  # noqa: DTZ001 the claim is that it is naive


@pytest.mark.parametrize("milliseconds", [-1, 2**62, -(2**62)])
def test_a_record_time_that_is_none_is_1970(milliseconds: int) -> None:
    """Kafka writes -1 where a record has no time; nothing else may raise either."""
    value = json.dumps(small_order()).encode()
    event = read_message(topic_kind=OrderKind.PAID, key=None, value=value, headers=(), record_time_ms=milliseconds)
    assert isinstance(event, ReadEvent)
    assert event.record_time == datetime(1970, 1, 1, tzinfo=UTC)
    assert event_of(small_order()).record_time.timestamp() * 1000 == RECORD_TIME_MS


@pytest.mark.parametrize(
    ("written", "read_as", "count"),
    [
        (rb"a\u0000b", "a\ufffdb", 1),
        (rb"a\ud800b\udfff", "a\ufffdb\ufffd", 2),
        (b"a\x00b", "a\ufffdb", 1),
        (b"a\xed\xa0\x80b", "a\ufffdb", 1),
        (b"\xed\xa0\xbd\xed\xb8\x80", "\U0001f600", 0),
        (rb"\ud83d\ude00", "\U0001f600", 0),
        (rb"a\\u0000", r"a\u0000", 0),
        ("日本 \U0001f600 عربي".encode(), "日本 \U0001f600 عربي", 0),
    ],
)
def test_what_postgres_cannot_hold_is_replaced_and_counted(written: bytes, read_as: str, count: int) -> None:
    """NULs and lone surrogates, raw or escaped, become U+FFFD; whole pairs become their character."""
    value = json.dumps(small_order(note="NOTE", meta={"NOTE": 1})).encode().replace(b"NOTE", written)
    event = event_of(value)
    body = json.loads(event.content)
    assert (body["note"], list(body["meta"])) == (read_as, [read_as])
    assert event.replaced == 2 * count


def test_a_byte_order_mark_is_passed_over() -> None:
    """Some Windows programs write one."""
    assert event_of(b"\xef\xbb\xbf" + json.dumps(small_order()).encode()).replaced == 0


def test_of_a_field_that_occurs_twice_the_last_counts() -> None:
    """As in every common parser, so that the shop's own tests see what we see."""
    value = json.dumps(small_order()).encode()[:-1] + b', "currency": "USD"}'
    assert event_of(value).currency == "USD"


def test_unknown_fields_are_kept_named_and_bounded() -> None:
    """At every level, by dotted names, each once, 50 at most; `meta` is known and open."""
    order = small_order(colour="red", meta={"free": 1}, customer={"loyalty": {"points": 3}})
    order["lines"] = [order["lines"][0] | {"weight": 1.50}] * 2
    event = event_of(order)
    assert event.unknown_fields == ("colour", "customer.loyalty", "lines.weight")
    body = json.loads(event.content)
    assert (body["colour"], body["lines"][1]["weight"]) == ("red", "1.5")
    assert (parse_order(event.content).model_extra or {})["colour"] == "red"
    many = event_of(small_order(**{f"x{n:03d}" + "y" * 500: n for n in range(60)}))
    assert (len(many.unknown_fields), len(many.unknown_fields[0])) == (50, 200)


@pytest.mark.parametrize(("key", "differs"), [(b"nl/1001", False), (b"1001", True), (b'"nl/1001"', True), (None, True)])
def test_a_key_that_is_not_the_order_is_marked(key: bytes | None, differs: bool) -> None:  # noqa: FBT001 a column
    """The data's ids decide; a key that differs, or is missing, is counted and warned of."""
    event = event_of(small_order(), key=key)
    assert (event.key_differs, event.shop_id, event.order_id) == (differs, "nl", "1001")


def test_codes_are_read_in_capitals() -> None:
    """Currency and country by their shape, in either case."""
    event = event_of(small_order(currency="eur", billing_address={"country": "nl"}, shipping_address={"country": ""}))
    assert (event.currency, json.loads(event.content)["billing_address"]["country"]) == ("EUR", "NL")


def test_a_trace_context_is_carried_on_if_it_is_one() -> None:
    """From the event, else from the record's header; a malformed one is dropped and harms nothing."""
    good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert event_of(envelope(small_order(), traceparent=good)).traceparent == good
    assert event_of(envelope(small_order()), headers=(("traceparent", good.encode()),)).traceparent == good
    assert event_of(small_order(), headers=(("ce_traceparent", good.encode()),)).traceparent == good
    assert event_of(envelope(small_order(), traceparent="nonsense")).traceparent == ""


def test_the_kind_may_not_contradict_the_topic() -> None:
    """Rejected rather than guessed: one of the two is wrong, and booking the wrong one costs money."""
    assert rejection_of(envelope(small_order()), topic_kind=OrderKind.UPDATED).reason == "kind_mismatch"
