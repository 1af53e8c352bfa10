"""A collector of traces for a test: it takes OTLP over HTTP and keeps the spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="tracing is an extra; install booked[tracing]")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSeen:
    """One span as it arrived."""

    name: str
    trace: str
    span: str
    parent: str
    notes: dict[str, str]


@dataclass(slots=True)
class Collector:
    """What has arrived. ``bodies`` is all of it, as it came."""

    url: str = ""
    spans: list[SpanSeen] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """Take one request."""
        self.bodies.append(body)
        request: Any = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += map(_seen, scope.spans)

    def of(self, trace: str) -> dict[str, SpanSeen]:
        """Give the spans of a trace, by name."""
        return {span.name: span for span in self.spans if span.trace == trace}


def _seen(span: Any) -> SpanSeen:
    return SpanSeen(
        name=span.name,
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        notes={one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes},
    )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on this machine."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
