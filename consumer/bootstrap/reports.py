"""What the services tell of their work, bound to metrics and logs."""

from collections.abc import Mapping

import structlog

from consumer.domain.events import OrderEvent, Rejected
from consumer.observability.metrics import Metrics
from consumer.ports.intake import OutboxRow, Recorded, TopicPartition

log = structlog.get_logger()


class MetricsReport:
    """Implements services.intake_report.IntakeReport and the relay's."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def read(self, topic: str, outcome: OrderEvent | Rejected | None) -> None:
        """Count what one record told."""
        if outcome is None:
            self._metrics.events.labels(topic, "tombstone").inc()
        elif isinstance(outcome, Rejected):
            self._metrics.events.labels(topic, "rejected").inc()
            log.warning("event_rejected", topic=topic, reason=outcome.reason, offset=outcome.origin.offset)
        else:
            self._event(topic, outcome)

    def _event(self, topic: str, event: OrderEvent) -> None:
        self._metrics.events.labels(topic, "read").inc()
        if event.unknown_fields:
            self._metrics.unknown_fields.inc(len(event.unknown_fields))
        if event.key_differs:
            self._metrics.key_differs.inc()

    def recorded(self, recorded: Recorded, records: int, seconds: float) -> None:
        """Measure one batch."""
        self._metrics.batch_seconds.observe(seconds)
        for verdict, count in recorded.verdicts.items():
            self._metrics.verdicts.labels(verdict).inc(count)
        log.debug("batch_recorded", records=records, seconds=round(seconds, 4))

    def lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """Show how far behind each partition is."""
        for place, lag in lags.items():
            self._metrics.lag.labels(place.topic, str(place.partition)).set(lag)

    def waiting(self, what: str, error: Exception, attempt: int) -> None:
        """Say that something of ours does not answer."""
        if attempt == 0:
            log.warning("waits", what=what, error=str(error))

    def going_on(self, what: str) -> None:
        """Say that it answers again."""
        log.info("goes_on", what=what)

    def alarm(self, name: str, place: TopicPartition | None, text: str) -> None:
        """Say that a person should look."""
        self._metrics.alarms.labels(name).inc()
        log.error("alarm", alarm=name, place=None if place is None else f"{place.topic}[{place.partition}]", text=text)

    def sent(self, rows: int, seconds: float) -> None:
        """Count messages that Kafka has."""
        self._metrics.relayed.labels("sent").inc(rows)
        log.debug("messages_sent", rows=rows, seconds=round(seconds, 4))

    def set_aside(self, row: OutboxRow, why: str) -> None:
        """Say that a message will never leave."""
        self._metrics.relayed.labels("set_aside").inc()
        self._metrics.alarms.labels("message_set_aside").inc()
        log.error("message_set_aside", row=row.id, key=row.record_key, why=why)

    def leading(self, *, leads: bool) -> None:
        """Say which process sends."""
        log.info("relay_leads" if leads else "relay_follows")
