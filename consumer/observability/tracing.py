"""Traces by OpenTelemetry, sent by OTLP over HTTP. Only imported where tracing is switched on: it is an extra.

Nothing of it stands in the way of an order: steps wait in a bounded queue, of which the oldest go first where the
collector does not keep up, and a thread of the library's sends them. Errors are noted by the name of their class alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from consumer.ports.tracing import Notes, Span, SpanKind

QUEUE_SPANS_MAX = 4096
SEND_SECONDS = 5.0
CHARACTERS_MAX = 200  # of one noted text
_KINDS = {
    SpanKind.WITHIN: trace.SpanKind.INTERNAL,
    SpanKind.TAKES: trace.SpanKind.CONSUMER,
    SpanKind.SENDS: trace.SpanKind.PRODUCER,
    SpanKind.CALLS: trace.SpanKind.CLIENT,
}
_PROPAGATOR = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """Where traces go, and of how many of the orders that bring no trace of their own."""

    url: str
    version: str
    installation: str
    share: Decimal = Decimal(1)


def sender(settings: TracingSettings) -> SpanProcessor:
    """Make what sends steps to the collector, from a thread of its own."""
    exporter = OTLPSpanExporter(endpoint=settings.url, timeout=SEND_SECONDS)
    return BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS_MAX)


class OpenTelemetryTracing:
    """See consumer.ports.tracing.Tracing. ``processor`` takes the steps that have ended."""

    on = True

    def __init__(self, settings: TracingSettings, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(
            # A trace that came with the event is kept or left by whoever began it.
            sampler=ParentBased(TraceIdRatioBased(float(settings.share))),
            resource=Resource.create(
                {
                    "service.name": "booked",
                    "service.version": settings.version,
                    "booked.installation": settings.installation,
                }
            ),
            span_limits=SpanLimits(max_attribute_length=CHARACTERS_MAX),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("booked", settings.version)

    def begin(self, name: str, kind: SpanKind, *, parent: str, notes: Notes) -> Span:
        """See Tracing."""
        return _Begun(self._tracer.start_span(name, _context(parent), _KINDS[kind], _named(notes)))

    @contextmanager
    def within(self, name: str, *, parent: str, notes: Notes) -> Iterator[Span]:
        """See Tracing."""
        span = self._tracer.start_span(name, _context(parent), attributes=_named(notes))
        with _under_way(span):
            yield _Begun(span)

    @contextmanager
    def call(self, name: str, *, notes: Notes) -> Iterator[None]:
        """See Tracing."""
        if not trace.get_current_span().get_span_context().is_valid:
            yield
            return
        with _under_way(self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=_named(notes))):
            yield

    def note(self, notes: Notes) -> None:
        """See Tracing."""
        trace.get_current_span().set_attributes(_named(notes))

    def current(self) -> str:
        """See Tracing."""
        return _traceparent(trace.get_current_span())

    def close(self) -> None:
        """Send what waits, and end; blocks, for a few seconds at most."""
        self._provider.shutdown()


class _Begun:
    """A step of ours."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """See Span."""
        return _traceparent(self._span)

    def end(self, result: str = "") -> None:
        """See Span."""
        if self._span.is_recording():
            if result:
                self._span.set_attribute("booked.result", result)
            self._span.end()


@contextmanager
def _under_way(span: trace.Span) -> Iterator[None]:
    """Make the step the current one; of an error no more is kept than the name of its class."""
    try:
        with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(trace.StatusCode.ERROR)
        raise
    finally:
        span.end()


def _context(parent: str) -> Context:
    """Give the context that a parent stands for; the empty one begins a trace, whatever is under way here."""
    return _PROPAGATOR.extract({"traceparent": parent}, Context()) if parent else Context()


def _traceparent(span: trace.Span) -> str:
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, trace.set_span_in_context(span, Context()))
    return carrier.get("traceparent", "")


def _named(notes: Notes) -> dict[str, str | int]:
    return {f"booked.{name}": value for name, value in notes.items()}
