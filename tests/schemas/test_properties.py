"""Whatever bytes come, reading them ends in an event, a tombstone or a rejection, and never in an exception."""

import copy
import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.orders import OrderKind, parse_order
from schemas.reading import ReadEvent, read_message
from schemas.rejections import Rejection
from schemas.synced import SyncedData
from tests.schemas.samples import envelope, example, full_order, read, small_order

SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "0", "-1", "1e5", "NaN", "2026-11-20T10:15:00Z", "9" * 30, "\ud800", "\x00", "EUR"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=20
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_type", "ce_id", "ce_time", "ce_specversion", "traceparent", "x"]),
        st.sampled_from([b"application/cloudevents+json", b"application/json", b"order.paid.v1", b"1.0"])
        | st.binary(max_size=20),
    ),
    max_size=5,
)


@st.composite
def mutated_orders(draw: st.DrawFn) -> Any:
    """Draw a valid message in which some places hold something else, or are gone."""
    message = envelope(full_order()) if draw(st.booleans()) else full_order()
    for _ in range(draw(st.integers(1, 4))):
        _mutate(draw, message)
    return message


def _mutate(draw: st.DrawFn, node: Any) -> None:
    """Go down by chance, and change what is found there."""
    while True:
        steps = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not steps:
            return
        step = draw(st.sampled_from(steps))
        if isinstance(node[step], (dict, list)) and draw(st.booleans()):
            node = node[step]
            continue
        if draw(st.booleans()):
            node[step] = draw(JSON)
        elif draw(st.booleans()):
            del node[step]
        elif isinstance(node, dict):
            node[draw(st.text())] = draw(JSON)
        return


def _check(result: object) -> None:
    """An event can be stored and read back; a rejection tells its reason."""
    if isinstance(result, ReadEvent):
        text = result.content.decode()
        assert "\\u0000" not in text.replace("\\\\", "")
        assert len(result.content_hash) == 32
        assert result.bare or parse_order(result.content).order_id == result.order_id
    else:
        assert isinstance(result, Rejection)
        assert result.message
        assert len(result.path) <= 300


@given(st.binary(max_size=200), st.sampled_from([None, *OrderKind]), st.binary() | st.none(), HEADERS, st.integers())
def test_arbitrary_bytes_never_raise(
    value: bytes, kind: OrderKind | None, key: bytes | None, headers: list[tuple[str, bytes]], time: int
) -> None:
    """Bytes, headers, key and time may be anything."""
    _check(read_message(topic_kind=kind, key=key, value=value, headers=headers, record_time_ms=time))


@given(JSON, HEADERS)
def test_arbitrary_json_never_raises(body: Any, headers: list[tuple[str, bytes]]) -> None:
    """Any JSON, and what Python writes beyond JSON (NaN, lone surrogates)."""
    _check(read(json.dumps(body).encode(), headers=headers))


@given(mutated_orders(), st.sampled_from([None, *OrderKind]))
@settings(max_examples=300)
def test_mutated_orders_never_raise(message: Any, kind: OrderKind | None) -> None:
    """Almost valid orders reach the code that arbitrary JSON never does."""
    _check(read(message, topic_kind=kind, also_hashed=["meta.x", "lines.weight"]))


@given(mutated_orders(), st.integers(0, 5000), st.binary(min_size=1, max_size=3))
def test_damaged_bytes_never_raise(message: Any, place: int, damage: bytes) -> None:
    """A message with some bytes overwritten."""
    value = json.dumps(message, ensure_ascii=False).encode(errors="surrogatepass")
    _check(read(value[:place] + damage + value[place + len(damage) :]))


@given(mutated_orders())
def test_reading_the_canonical_bytes_again_changes_nothing(message: Any) -> None:
    """The canonical form is its own canonical form: a replay of stored content is no news."""
    first = read(message)
    if isinstance(first, ReadEvent):
        again = read(first.content)
        assert isinstance(again, ReadEvent)
        assert (again.content, again.content_hash) == (first.content, first.content_hash)


AMOUNTS = st.decimals(min_value=Decimal(-(10**17)), max_value=Decimal(10**17), places=10, allow_nan=False)


@given(AMOUNTS)
def test_amounts_come_through_to_the_last_digit(amount: Decimal) -> None:
    """In as text, canonical, and out again: the same number."""
    text = format(amount, "f")
    event = read(small_order(totals={"grand_total": text}))
    assert isinstance(event, ReadEvent)
    assert event.grand_total == amount
    assert parse_order(event.content).totals.grand_total == amount
    state = copy.deepcopy(example("invoice.synced.created")["data"]) | {"difference": text}
    written = SyncedData.model_validate(state).model_dump(mode="json")["difference"]
    assert Decimal(written) == amount
    assert "E" not in written
