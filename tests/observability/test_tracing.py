"""Steps hang on each other as W3C trace context says, hold no words of an error, and cost nothing where nobody asks."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

pytest.importorskip("opentelemetry.sdk", reason="tracing is an extra; install booked[tracing]")

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from consumer.adapters.postgres.codec import dump_head, load_head
from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import fold
from consumer.domain.settings import RevisionKey
from consumer.observability.tracing import CHARACTERS_MAX, OpenTelemetryTracing, TracingSettings
from consumer.ports.tracing import NO_TRACING, SpanKind
from consumer.services.tracing import carried

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
LEFT_OUT = f"00-{TRACE}-b7ad6b7169203331-00"


def opened(exporter: InMemorySpanExporter, share: str = "1") -> OpenTelemetryTracing:
    """Trace into this exporter."""
    settings = TracingSettings(
        url="http://127.0.0.1:1/v1/traces", version="0", installation="test", share=Decimal(share)
    )
    return OpenTelemetryTracing(settings, SimpleSpanProcessor(exporter))


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Keep spans in memory."""
    made = InMemorySpanExporter()
    yield made
    made.shutdown()


async def test_a_call_in_a_task_of_its_own_belongs_to_the_step_that_began_it(exporter: InMemorySpanExporter) -> None:
    """As the calls to the ledger are made; two bookings at once do not mix."""
    tracing = opened(exporter)

    async def call() -> None:
        with tracing.call("ledger", notes={}):
            await asyncio.sleep(0)

    async def book(name: str) -> str:
        with tracing.within(name, parent=PARENT, notes={}) as span:
            await asyncio.shield(asyncio.create_task(call()))
            assert tracing.current() == span.traceparent
            return span.traceparent

    first, second = await asyncio.gather(book("first"), book("second"))
    spans = exporter.get_finished_spans()
    calls = [span for span in spans if span.name == "ledger"]
    parents = {f"{span.parent.span_id:016x}" for span in calls if span.parent is not None}
    assert parents == {first.split("-")[2], second.split("-")[2]}
    assert {f"{span.context.trace_id:032x}" for span in spans if span.context is not None} == {TRACE}
    assert tracing.current() == ""


async def test_a_call_outside_of_a_booking_begins_no_trace(exporter: InMemorySpanExporter) -> None:
    """Lanes also ask for their own needs."""
    with opened(exporter).call("ledger", notes={}):
        pass
    assert exporter.get_finished_spans() == ()


async def test_an_error_is_noted_by_its_class_alone(exporter: InMemorySpanExporter) -> None:
    """Its words may quote an order."""
    tracing = opened(exporter)
    with pytest.raises(ValueError, match="canary"), tracing.within("booking", parent="", notes={}):
        raise ValueError("canary@example.org is no address")
    (span,) = exporter.get_finished_spans()
    assert "canary" not in span.to_json()
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert not span.status.is_ok


async def test_texts_are_cut(exporter: InMemorySpanExporter) -> None:
    """No step holds a whole message by mistake."""
    tracing = opened(exporter)
    tracing.begin("intake", SpanKind.TAKES, parent="", notes={"order": "x" * 10_000}).end()
    (span,) = exporter.get_finished_spans()
    assert len(str((span.attributes or {})["booked.order"])) == CHARACTERS_MAX


@pytest.mark.parametrize(
    ("parent", "share", "kept"),
    [(PARENT, "0", 1), (LEFT_OUT, "1", 0), ("", "0", 0), ("", "1", 1), ("nonsense", "1", 1)],
)
async def test_whoever_began_a_trace_decides_whether_it_is_kept(
    exporter: InMemorySpanExporter, parent: str, share: str, kept: int
) -> None:
    """The share is of those alone that bring none; a trace that is left out goes on all the same, as left out."""
    tracing = opened(exporter, share)
    span = tracing.begin("intake", SpanKind.TAKES, parent=parent, notes={})
    span.end()
    span.end()
    assert len(exporter.get_finished_spans()) == kept
    if parent in (PARENT, LEFT_OUT):
        assert span.traceparent.startswith(f"00-{TRACE}-")
        assert span.traceparent.endswith(parent[-3:])
    # The lowest bit says whether it is kept; another one, that the id is random all over.
    assert int(span.traceparent[-2:], 16) & 1 == kept


def test_without_the_extra_the_program_runs_and_says_what_it_lacks() -> None:
    """Nothing of it is imported where no address is given; where one is, the extra is named."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import asyncio, consumer.bootstrap.process\n"
        "from consumer.bootstrap.tracing import open_tracing\n"
        "from consumer.config import read_settings\n"
        "from consumer.errors import ConfigurationError\n"
        "needed = {'BOOKED_DATABASE_URL': 'postgresql:///b', 'BOOKED_KAFKA_SERVERS': '127.0.0.1:1',"
        " 'BOOKED_SECRET_KEYS': 'one:key'}\n"
        "async def opened(**more):\n"
        "    async with open_tracing(read_settings({**needed, **more})) as tracing:\n"
        "        return tracing.on\n"
        "print(asyncio.run(opened()))\n"
        "try:\n"
        "    asyncio.run(opened(BOOKED_TRACING_URL='http://127.0.0.1:1/v1/traces'))\n"
        "except ConfigurationError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[0] == "False"
    assert "booked[tracing]" in done.stdout


async def test_nobody_who_traces_passes_on_what_came() -> None:
    """The step that nobody keeps has the name of its parent."""
    assert NO_TRACING.begin("intake", SpanKind.TAKES, parent=PARENT, notes={}).traceparent == PARENT
    with NO_TRACING.within("booking", parent=PARENT, notes={}) as span:
        assert span.traceparent == PARENT
        assert NO_TRACING.current() == ""


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (f'{{"id":"1","traceparent":"{PARENT}","data":{{}}}}'.encode(), PARENT),
        (b'{"id":"1","data":{}}', ""),
        # What stands in the data, or in a text of the envelope, is somebody else's.
        (f'{{"id":"1","data":{{"traceparent":"{PARENT}"}}}}'.encode(), ""),
        (f'{{"subject":"\\"traceparent\\":\\"{PARENT}\\"","data":{{}}}}'.encode(), ""),
    ],
)
def test_the_trace_of_a_message_is_that_of_its_envelope(payload: bytes, found: str) -> None:
    """Read without reading the whole message."""
    assert carried(payload) == found


def an_event(version: int, traceparent: str) -> OrderEvent:
    """Give an event of one order."""
    return OrderEvent(
        key=OrderKey("shop", "1"),
        kind=EventKind.UPDATED,
        origin=Origin(topic="t", log=1, partition=0, offset=version),
        event_id=str(version),
        time=datetime(2026, 11, 1, tzinfo=UTC),
        version=version,
        updated_at=None,
        content=b"{}",
        content_hash=bytes([version]),
        traceparent=traceparent,
    )


@pytest.mark.parametrize("turned", [False, True])
def test_an_order_keeps_the_trace_of_its_newest_revision(turned: bool) -> None:  # noqa: FBT001 a case of the test
    """In whatever order the events came, and through the database's form of it."""
    events = [an_event(1, PARENT), an_event(2, LEFT_OUT)]
    head = fold(None, events[::-1] if turned else events, RevisionKey.VERSION).head
    assert head.traceparent == LEFT_OUT
    columns = {
        "shop_id": "shop",
        "order_id": "1",
        "content": head.content,
        "content_hash": head.content_hash,
        **dict.fromkeys(("number", "currency"), ""),
        **dict.fromkeys(("grand_total", "placed_at")),
        "paid": False,
    }
    assert load_head({**columns, "head": dump_head(head)}) == head
    # A newest revision without a trace has none: what is done for it is no part of an older one's.
    assert fold(head, [an_event(3, "")], RevisionKey.VERSION).head.traceparent == ""
    # An order from before this was kept.
    old = {name: value for name, value in dump_head(head).items() if name != "traceparent"}
    assert load_head({**columns, "head": old}).traceparent == ""
