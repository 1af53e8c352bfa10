"""Every message that cannot be an order is refused with its reason, its place and what to do, and quotes nothing."""

import json
from typing import Any

import pytest

from schemas.json_text import _STRINGS
from schemas.orders import OrderKind
from schemas.reading import ReadEvent
from schemas.rejections import MEANINGS, RejectionReason
from tests.schemas.samples import STRUCTURED, envelope, event_of, read, rejection_of, small_order

LINE = {"name": "Mug", "quantity": "1", "unit_price": "10.00"}
MEBIBYTE = 1_048_576


def _line(**changes: Any) -> dict[str, Any]:
    return small_order(lines=[LINE, LINE | changes])


def _without(name: str) -> dict[str, Any]:
    return {field: value for field, value in small_order().items() if field != name}


def _nested(levels: int) -> str:
    """Write an order whose note of its own makes it so many levels deep (the order itself is the first)."""
    inner = "[" * (levels - 1) + "]" * (levels - 1)
    return json.dumps(small_order())[:-1] + f',"own":{inner}}}'


ORDERS: list[tuple[str, object, str, str]] = [
    ("missing_field", _without("shop_id"), "$.shop_id", "required"),
    ("missing_field", _without("order_id"), "$.order_id", "required"),
    ("missing_field", _without("currency"), "$.currency", "required"),
    ("missing_field", _without("lines"), "$.lines", "required"),
    ("missing_field", _without("totals"), "$.totals", "required"),
    ("missing_field", small_order(totals={"tax": "1"}), "$.totals.grand_total", "not there"),
    ("missing_field", small_order(totals={"grand_total": None}), "$.totals.grand_total", "null"),
    ("missing_field", small_order(lines=None), "$.lines", "null"),
    ("missing_field", _line(quantity=None), "$.lines[1].quantity", "null"),
    ("missing_field", small_order(refunds=[{"amount": "1"}]), "$.refunds[0].id", "not there"),
    ("wrong_type", small_order(order_id=1001), "$.order_id", "is a number and should be a text"),
    ("wrong_type", small_order(number=1.5), "$.number", "is a number and should be a text"),
    ("wrong_type", small_order(number=True), "$.number", "is a boolean and should be a text"),
    ("wrong_type", small_order(lines={"1": LINE}), "$.lines", "is an object and should be a list"),
    ("wrong_type", small_order(lines=["Mug"]), "$.lines[0]", "is a text and should be an object"),
    ("wrong_type", small_order(customer=[]), "$.customer", "is a list and should be an object"),
    ("wrong_type", small_order(prices_include_tax="true"), "$.prices_include_tax", "should be true or false"),
    ("wrong_type", small_order(prices_include_tax=1), "$.prices_include_tax", "should be true or false"),
    ("wrong_type", _line(unit_price=True), "$.lines[1].unit_price", "is a boolean"),
    ("wrong_type", _line(unit_price=["10"]), "$.lines[1].unit_price", "is a list"),
    ("wrong_type", _line(kind=3), "$.lines[1].kind", "is a number"),
    ("wrong_type", small_order(paid_at=1790000000), "$.paid_at", "is a number"),
    ("wrong_type", small_order(version=3.0), "$.version", "is a number"),
    ("wrong_type", small_order(version=True), "$.version", "is a boolean"),
    ("wrong_type", small_order(meta="x"), "$.meta", "should be an object"),
    ("wrong_type", [small_order()], "$", "is a list"),
    ("wrong_type", "paid", "$", "is a text"),
    ("not_a_number", _line(unit_price="12,50"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="€ 12.50"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price=""), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="NaN"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="1e2"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="1_000"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="\u0661"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="10.00\n"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="1234567890123456789"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_number", _line(unit_price="0.12345678901"), "$.lines[1].unit_price", "plain decimal"),
    ("not_a_time", small_order(paid_at="2026-02-30T10:00:00Z"), "$.paid_at", "RFC 3339"),
    ("not_a_time", small_order(paid_at="0000-00-00 00:00:00"), "$.paid_at", "RFC 3339"),
    ("not_a_time", small_order(paid_at="2026-11-20"), "$.paid_at", "RFC 3339"),
    ("not_a_time", small_order(paid_at="20/11/2026 10:15"), "$.paid_at", "RFC 3339"),
    ("not_a_time", small_order(paid_at=""), "$.paid_at", "RFC 3339"),
    ("not_a_time", small_order(paid_at="2026-11-20T10:15:00+25:00"), "$.paid_at", "RFC 3339"),
    ("wrong_value", small_order(order_id=""), "$.order_id", "form"),
    ("wrong_value", small_order(order_id=" 1001"), "$.order_id", "form"),
    ("wrong_value", small_order(order_id="10\n01"), "$.order_id", "form"),
    ("wrong_value", small_order(order_id="10\x0001"), "$.order_id", "form"),
    ("wrong_value", small_order(shop_id="nl/be"), "$.shop_id", "form"),
    ("wrong_value", small_order(currency="EURO"), "$.currency", "form"),
    ("wrong_value", small_order(currency="€"), "$.currency", "form"),
    ("wrong_value", small_order(billing_address={"country": "DEU"}), "$.billing_address.country", "form"),
    ("wrong_value", _line(kind="bundle"), "$.lines[1].kind", "goods"),
    ("wrong_value", small_order(version=-1), "$.version", "2^63"),
    ("wrong_value", small_order(version=2**63), "$.version", "2^63"),
    ("wrong_value", small_order(version="9223372036854775808"), "$.version", "2^63"),
    ("wrong_value", small_order(version="v3"), "$.version", "2^63"),
    ("too_many_lines", small_order(lines=[LINE] * 1001), "$.lines", "1,000"),
    ("too_long", _line(name="x" * 2001), "$.lines[1].name", "2,000"),
    ("too_long", small_order(order_id="x" * 201), "$.order_id", "200"),
    ("too_long", _line(taxes=[{"rate": "1"}] * 21), "$.lines[1].taxes", "20"),
]


@pytest.mark.parametrize(("reason", "order", "path", "words"), ORDERS)
def test_an_order_that_is_not_one_is_refused_with_reason_and_path(
    reason: str, order: object, path: str, words: str
) -> None:
    """The reason's code, the JSON path and the finding are those of the one thing that is wrong."""
    rejection = rejection_of(order)
    assert (rejection.reason, rejection.path) == (reason, path)
    assert words in rejection.message
    assert rejection.message.endswith(MEANINGS[RejectionReason(reason)].fix)


NUMBERS = [
    ("number_too_long", "0.1234567890123456"),
    ("number_too_long", "1234567890123456"),
    ("number_too_long", "9007199254740993.01"),
    ("number_too_long", "123456.1234567891"),
    ("number_too_long", "1e15"),
    ("number_too_long", "1e400"),
    ("number_too_long", "1e999999999999999999999"),
    ("number_too_long", "9" * 5000),
    ("number_too_long", "1e-11"),
    ("not_a_number", "NaN"),
    ("not_a_number", "Infinity"),
    ("not_a_number", "-Infinity"),
]


@pytest.mark.parametrize(("reason", "number"), NUMBERS)
def test_a_json_number_that_a_double_may_have_changed_is_refused(reason: str, number: str) -> None:
    """NaN, Infinity and numbers of more than 15 digits never become an amount."""
    value = json.dumps(_line(unit_price="PRICE")).replace('"PRICE"', number).encode()
    assert rejection_of(value).reason == reason


def test_nan_is_refused_where_nobody_reads_it_and_its_place_is_told() -> None:
    """NaN is no JSON, not in a field of the shop's own either."""
    value = json.dumps(small_order(meta={"weights": [1, float("nan")]})).encode()
    rejection = rejection_of(value)
    assert (rejection.reason, rejection.path) == ("not_a_number", "$.meta.weights[1]")


BYTES = [
    ("malformed_json", b""),
    ("malformed_json", b"   "),
    ("malformed_json", b"{"),
    ("malformed_json", b'{"shop_id": "nl",}'),
    ("malformed_json", b"{'shop_id': 'nl'}"),
    ("malformed_json", b'{"shop_id": "nl"} {"shop_id": "nl"}'),
    ("malformed_json", b'{"note": "a\nb"}'),
    ("malformed_json", b"\x00\x00\x00\x00\x07" + json.dumps(small_order()).encode()),
    ("malformed_json", json.dumps(small_order()).encode("utf-16-le")),
    ("not_utf8", '{"note": "é"}'.encode("latin-1")),
    ("not_utf8", b"\x1f\x8b\x08\x00gzip"),
    ("not_utf8", json.dumps(small_order()).encode("utf-16")),
    ("too_deep", b"[" * 100_000),
    ("too_deep", b'{"a":' * 100_000),
    ("too_deep", _nested(33).encode()),
    ("too_large", b'"' + b"x" * MEBIBYTE + b'"'),
    ("too_large", b"x" * 10 * MEBIBYTE),
]


@pytest.mark.parametrize(("reason", "value"), BYTES, ids=[f"{r}-{i}" for i, (r, _) in enumerate(BYTES)])
def test_bytes_that_are_no_order_are_refused(reason: str, value: bytes) -> None:
    """Whatever the bytes are, the answer is a rejection and never an exception."""
    assert rejection_of(value).reason == reason


def test_the_limits_themselves_are_accepted() -> None:
    """Thirty-two levels, 1,000 lines and exactly 1 MiB pass; brackets within texts are no levels."""
    assert isinstance(read(_nested(32).encode()), ReadEvent)
    assert isinstance(read(small_order(lines=[LINE] * 1000)), ReadEvent)
    assert isinstance(read(small_order(note='\\"[{' * 200)), ReadEvent)
    frame = json.dumps(small_order(meta={"x": ""}))
    full = json.dumps(small_order(meta={"x": "y" * (MEBIBYTE - len(frame))})).encode()
    assert len(full) == MEBIBYTE
    assert isinstance(read(full), ReadEvent)


def test_a_text_of_escaped_quotes_is_measured_in_time() -> None:
    """The depth of a text that never closes its string is counted in one pass, not in one pass per quote."""
    unclosed = b'"' + b'\\"[' * 1000
    assert _STRINGS.fullmatch(unclosed) is not None, "a search that fails here begins anew at each quote: for minutes"
    value = b'{"a":"' + b'\\"[' * 300_000
    assert rejection_of(value).reason == "malformed_json"


TYPES = [
    ("unknown_type", "type", {"type": "com.example.shop.orders.paid"}),
    ("unknown_type", "type", {"type": "com.example.shop.preorder.paid.v1"}),
    ("unsupported_version", "type", {"type": "com.example.shop.order.paid.v2"}),
    ("unsupported_version", "specversion", {"specversion": "0.3"}),
    ("kind_mismatch", "type", {"type": "com.example.shop.order.cancelled.v1"}),
    ("not_a_time", "time", {"time": "yesterday"}),
    ("wrong_type", "$.id", {"id": 7}),
    ("too_long", "$.id", {"id": "x" * 501}),
    ("missing_field", "$.data", {"data": None}),
    ("wrong_type", "$.data", {"data": "an order"}),
]


@pytest.mark.parametrize(("reason", "path", "changes"), TYPES)
def test_an_envelope_that_cannot_be_read_is_refused(reason: str, path: str, changes: dict[str, Any]) -> None:
    """What the envelope says must be readable, and its kind must be the topic's."""
    rejection = rejection_of(envelope(small_order(), **changes), headers=STRUCTURED)
    assert (rejection.reason, rejection.path) == (reason, path)


def test_base64_that_is_none_is_refused() -> None:
    """`data_base64` is read, and what is not base64, or holds no JSON, is refused."""
    event = {name: value for name, value in envelope(None).items() if name != "data"}
    assert rejection_of(event | {"data_base64": "*"}).reason == "wrong_value"
    assert rejection_of(event | {"data_base64": "e30x"}).reason == "malformed_json"


def test_a_list_is_left_at_its_first_fault() -> None:
    """Hundreds of thousands of wrong entries would hold up the partition for seconds; the first one is enough."""
    rejection = rejection_of(small_order(lines=[{}] * 200_000))
    assert rejection.path == "$.lines[0].name"
    assert "at least 2 more findings" in rejection.message


def test_without_type_and_topic_kind_nothing_tells_what_happened() -> None:
    """A topic that carries all kinds needs the type."""
    assert rejection_of(small_order(), topic_kind=None).reason == "unknown_type"


def test_the_kind_decides_what_is_required() -> None:
    """A bare cancellation is read as cancelled and refused as updated."""
    bare = {"shop_id": "nl", "order_id": "1001", "version": 2, "cancelled_at": "2026-11-20T10:15:00Z"}
    assert isinstance(read(bare, topic_kind=OrderKind.CANCELLED), ReadEvent)
    assert rejection_of(bare, topic_kind=OrderKind.UPDATED).reason == "missing_field"


def test_a_rejection_names_the_order_as_far_as_it_can_be_read() -> None:
    """The ids come from the data, else from the key, else they are empty."""
    by_data = rejection_of(small_order(lines=None), key=b"other/9")
    assert (by_data.shop_id, by_data.order_id) == ("nl", "1001")
    by_key = rejection_of(b"{", key=b"nl/1001")
    assert (by_key.shop_id, by_key.order_id) == ("nl", "1001")
    by_nothing = rejection_of(b"{", key=b"\xff\x00")
    assert (by_nothing.shop_id, by_nothing.order_id) == ("", "")


def test_the_message_counts_the_other_findings() -> None:
    """Only the first of several findings is told in full; the others are counted."""
    message = rejection_of({"shop_id": "nl", "order_id": "1001"}).message
    assert message.startswith("$.currency: is required and not there (and at least 2 more findings). ")


def test_nothing_of_the_order_is_quoted() -> None:
    """A rejection is published without the payload, so its message must not hold any of it."""
    secret = "Jane Doe, Keizersgracht 1"
    for order in (_line(unit_price=secret), small_order(paid_at=secret), small_order(currency=secret)):
        assert secret not in rejection_of(order).message


def test_every_reason_has_a_meaning_and_a_hand_written_message() -> None:
    """Each reason is told in the docs and seen in this file, but for those that need the shop's settings."""
    later = {"revision_missing", "revision_in_future", "refused_by_database", "reader_failed"}
    later |= {"shop_not_told", "shop_contradicted", "not_translated"}  # tests/sources/test_reading.py
    seen = {reason for cases in (ORDERS, NUMBERS, BYTES, TYPES) for reason, *_ in cases}
    assert set(MEANINGS) == set(RejectionReason)
    assert {reason.value for reason in RejectionReason} - later == seen


def test_what_is_parked_later_is_read_here() -> None:
    """A negative quantity, a currency that nobody knows and totals that do not follow are no reason to reject."""
    assert event_of(_line(quantity="-1")).key_differs is False
    assert event_of(small_order(currency="XQX")).currency == "XQX"
    assert event_of(small_order(totals={"grand_total": "999"})).grand_total == 999
