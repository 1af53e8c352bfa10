"""The metrics: what they are called, what they count, and with which labels (bounded in number).

Gauges of the database are read by one task every few seconds and kept; a scrape asks no server. docs/metrics.md lists
every name with its meaning.
"""

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from consumer.observability.figures_metrics import FiguresMetrics

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

# Those that an alert watches begin at 0: a counter that appears with 1 has not grown, for Prometheus.
ALARMS = ("gap", "log_made_again", "committed_ahead", "shop_topics_missing", "message_set_aside", "late_double")
BOOKINGS = ("waiting", "due", "uncertain", "booked", "parked", "withdrawn", "changed", "put_back", "error")


class Metrics(FiguresMetrics):
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        here = CollectorRegistry()
        self.events = Counter("booked_events", "Messages taken from Kafka.", ["topic", "result"], registry=here)
        self.verdicts = Counter("booked_event_verdicts", "Events by what came of them.", ["verdict"], registry=here)
        self.unknown_fields = Counter(
            "booked_unknown_fields", "Fields of orders that the contract does not know.", registry=here
        )
        self.key_differs = Counter(
            "booked_record_key_differs", "Records whose key is not shop_id/order_id.", registry=here
        )
        self.lag = Gauge("booked_intake_lag_records", "Records behind the end.", ["topic"], registry=here)
        self.lag_seconds = Gauge(
            "booked_intake_lag_seconds",
            "For how long the oldest record that was not taken yet has been known to be there.",
            ["topic"],
            registry=here,
        )
        self.batch_seconds = Histogram("booked_batch_seconds", "One intake batch.", buckets=SECONDS, registry=here)
        self.bookings = Counter("booked_bookings", "Bookings by where they left the order.", ["result"], registry=here)
        for result in BOOKINGS:
            self.bookings.labels(result)
        self.booking_calls = Histogram(
            "booked_calls_per_booking", "Ledger calls of one booking.", buckets=(0, 1, 2, 3, 4, 5, 8, 12), registry=here
        )
        self.ledger_calls = Counter("booked_ledger_calls", "Calls to ledgers.", ["operation", "result"], registry=here)
        self.ledger_seconds = Histogram(
            "booked_ledger_call_seconds", "One ledger call.", buckets=SECONDS, registry=here
        )
        self.relayed = Counter("booked_messages_sent", "Messages of the outbox by result.", ["result"], registry=here)
        for result in ("sent", "set_aside"):
            self.relayed.labels(result)
        self.swept = Counter(
            "booked_lanes_corrected", "Lanes whose next due the sweep corrected; stays 0.", registry=here
        )
        self.found = Counter(
            "booked_found_in_ledger", "What people changed in a ledger, found by the watch.", ["what"], registry=here
        )
        self.alarms = Counter("booked_alarms", "Things that need a person, by kind.", ["kind"], registry=here)
        for kind in ALARMS:
            self.alarms.labels(kind)
        self._process_gauges(here)
        super().__init__(here)

    def _process_gauges(self, here: CollectorRegistry) -> None:
        self.loop_lag = Histogram(
            "booked_event_loop_lag_seconds",
            "How late the event loop came round to what was due.",
            buckets=SECONDS,
            registry=here,
        )
        self.tasks = Gauge("booked_tasks", "Tasks of the event loop; flat while the load is.", registry=here)
        self.certificates = Gauge(
            "booked_certificate_expires_at_seconds",
            "When the certificate that a setting names expires (unix).",
            ["setting"],
            registry=here,
        )

    def begin_topics(self, topics: Collection[str]) -> None:
        """Show the lag of these topics from the start, as none."""
        for topic in topics:
            self.lag.labels(topic).set(0)
            self.lag_seconds.labels(topic).set(0)

    def on_call(self, operation: str, result: str, seconds: float) -> None:
        """Count one call to a ledger."""
        self.ledger_calls.labels(operation, result).inc()
        self.ledger_seconds.observe(seconds)

    def on_booking(self, result: str, calls: int) -> None:
        """Count one booking."""
        self.bookings.labels(result).inc()
        self.booking_calls.observe(calls)

    def on_found(self, what: str) -> None:
        """Count one find of the watch; a second invoice of an order needs a person to know."""
        self.found.labels(what).inc()
        if what == "late_double":
            self.alarms.labels(what).inc()
