"""What the services tell of their work, bound to metrics and logs."""

from collections.abc import Callable, Collection, Mapping
from time import monotonic

import structlog

from consumer.domain.events import OrderEvent, Rejected
from consumer.observability.lagging import Behind
from consumer.observability.metrics import Metrics
from consumer.ports.intake import OutboxRow, Recorded, TopicPartition

log = structlog.get_logger()

OF_SHOPS = "of_shops"  # stands for all topics that shops have to themselves


class MetricsReport:
    """Implements services.intake_report.IntakeReport and the relay's."""

    def __init__(
        self, metrics: Metrics, *, topics: Collection[str] = (), clock: Callable[[], float] = monotonic
    ) -> None:
        self._metrics = metrics
        self._topics = frozenset(topics)
        self._clock = clock
        self._taken: dict[TopicPartition, int] = {}
        self._behind: dict[TopicPartition, Behind] = {}
        metrics.begin_topics(self._topics)

    def read(self, topic: str, outcome: OrderEvent | Rejected | None) -> None:
        """Count what one record told."""
        if outcome is None:
            self._metrics.events.labels(self._named(topic), "tombstone").inc()
        elif isinstance(outcome, Rejected):
            self._metrics.events.labels(self._named(topic), "rejected").inc()
            log.warning("event_rejected", topic=topic, reason=outcome.reason, offset=outcome.origin.offset)
        else:
            self._event(topic, outcome)

    def _event(self, topic: str, event: OrderEvent) -> None:
        self._metrics.events.labels(self._named(topic), "read").inc()
        if event.unknown_fields:
            self._metrics.unknown_fields.inc(len(event.unknown_fields))
        if event.key_differs:
            self._metrics.key_differs.inc()

    def recorded(self, recorded: Recorded, records: int, seconds: float) -> None:
        """Measure one batch."""
        self._metrics.batch_seconds.observe(seconds)
        self._taken.update(recorded.positions)
        for verdict, count in recorded.verdicts.items():
            self._metrics.verdicts.labels(verdict).inc(count)
        log.debug("batch_recorded", records=records, seconds=round(seconds, 4))

    def lag(self, lags: Mapping[TopicPartition, int]) -> None:
        """Show how far behind the topics are, by the partitions that this process has now."""
        now = self._clock()
        self._behind = {place: self._behind.get(place, Behind()) for place in lags}
        records: dict[str, int] = dict.fromkeys(self._topics, 0)
        seconds: dict[str, float] = dict.fromkeys(self._topics, 0.0)
        for place, lag in lags.items():
            topic, taken = self._named(place.topic), self._taken.get(place, 0)
            age = self._behind[place].look(now, taken=taken, end=taken + lag)
            records[topic] = records.get(topic, 0) + lag
            seconds[topic] = max(seconds.get(topic, 0.0), age)
        for topic, lag in records.items():
            self._metrics.lag.labels(topic).set(lag)
            self._metrics.lag_seconds.labels(topic).set(seconds[topic])

    def _named(self, topic: str) -> str:
        """Name a topic in a label: thousands of shops may have topics of their own, and share one name."""
        return topic if not self._topics or topic in self._topics else OF_SHOPS

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
