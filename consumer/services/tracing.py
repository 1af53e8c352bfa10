"""The steps of messages that are traced: an event taken, an answer sent. That of a booking is in lane_parts."""

from collections.abc import Sequence
from dataclasses import replace

from consumer.domain.events import OrderEvent, Rejected
from consumer.ports.intake import OutboxRow
from consumer.ports.messages import Answer
from consumer.ports.tracing import Notes, Span, SpanKind, Tracing
from consumer.services.intake_batches import Batch

_ATTRIBUTE = b'"traceparent":"'
_LENGTH = 55  # of a traceparent of W3C's version 00


def take_event(
    tracing: Tracing, outcome: OrderEvent | Rejected | None
) -> tuple[OrderEvent | Rejected | None, Span | None]:
    """Begin the step of a readable event, and hang what comes after it on this step instead of the shop's own."""
    if not tracing.on or not isinstance(outcome, OrderEvent):
        return outcome, None
    notes: Notes = {
        "shop": outcome.key.shop_id,
        "order": outcome.key.order_id,
        "kind": outcome.kind.value,
        "topic": outcome.origin.topic,
        "partition": outcome.origin.partition,
        "offset": outcome.origin.offset,
    }
    span = tracing.begin("intake", SpanKind.TAKES, parent=outcome.traceparent, notes=notes)
    return replace(outcome, traceparent=span.traceparent), span


def end_taking(batch: Batch) -> None:
    """End the steps of a batch that was written, or dropped because its partitions have passed on."""
    for entry in batch:
        if entry.span is not None:
            entry.span.end()


def carried(payload: bytes) -> str:
    """Give the traceparent that a message of ours carries as a CloudEvents attribute; empty where it has none."""
    # Before the data, where all that stands is ours: no text of an attribute holds a bare quotation mark.
    head = payload.partition(b',"data":')[0]
    _, found, rest = head.partition(_ATTRIBUTE)
    return rest[:_LENGTH].decode("ascii", "replace") if found else ""


def begin_sending(tracing: Tracing, rows: Sequence[OutboxRow]) -> list[Span | None]:
    """Begin the step of each message that carries a trace."""
    if not tracing.on:
        return [None] * len(rows)
    return [_sending(tracing, row) for row in rows]


def _sending(tracing: Tracing, row: OutboxRow) -> Span | None:
    parent = carried(row.payload)
    if not parent:
        return None
    notes: Notes = {"topic_kind": row.topic_kind, "sequence": row.sequence, "event_id": str(row.event_id)}
    return tracing.begin(f"send {row.topic_kind}", SpanKind.SENDS, parent=parent, notes=notes)


def end_sending(spans: Sequence[Span | None], answers: Sequence[Answer]) -> None:
    """End them with what came of each."""
    for span, answer in zip(spans, answers, strict=True):
        if span is not None:
            span.end("sent" if answer is None else type(answer).__name__)
