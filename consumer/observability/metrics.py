"""The metrics: what they are called, what they count, and with which labels (bounded in number).

Gauges of the database are read by one task every few seconds and kept; a scrape asks no server. docs/metrics.md lists
every name with its meaning.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from consumer.ports.settings import Figures

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self.events = Counter("booked_events", "Messages taken from Kafka.", ["topic", "result"], registry=here)
        self.verdicts = Counter("booked_event_verdicts", "Events by what came of them.", ["verdict"], registry=here)
        self.unknown_fields = Counter(
            "booked_unknown_fields", "Fields of orders that the contract does not know.", registry=here
        )
        self.key_differs = Counter(
            "booked_record_key_differs", "Records whose key is not shop_id/order_id.", registry=here
        )
        self.lag = Gauge("booked_intake_lag_records", "Records behind the end.", ["topic", "partition"], registry=here)
        self.batch_seconds = Histogram("booked_batch_seconds", "One intake batch.", buckets=SECONDS, registry=here)
        self.bookings = Counter("booked_bookings", "Bookings by where they left the order.", ["result"], registry=here)
        self.booking_calls = Histogram(
            "booked_calls_per_booking", "Ledger calls of one booking.", buckets=(0, 1, 2, 3, 4, 5, 8, 12), registry=here
        )
        self.ledger_calls = Counter("booked_ledger_calls", "Calls to ledgers.", ["operation", "result"], registry=here)
        self.ledger_seconds = Histogram(
            "booked_ledger_call_seconds", "One ledger call.", buckets=SECONDS, registry=here
        )
        self.relayed = Counter("booked_messages_sent", "Messages of the outbox by result.", ["result"], registry=here)
        self.swept = Counter(
            "booked_lanes_corrected", "Lanes whose next due the sweep corrected; stays 0.", registry=here
        )
        self.found = Counter(
            "booked_found_in_ledger", "What people changed in a ledger, found by the watch.", ["what"], registry=here
        )
        self.alarms = Counter("booked_alarms", "Things that need a person, by kind.", ["kind"], registry=here)
        self.loop_lag = Histogram(
            "booked_event_loop_lag_seconds",
            "How late the event loop came round to what was due.",
            buckets=SECONDS,
            registry=here,
        )
        self.tasks = Gauge("booked_tasks", "Tasks of the event loop; flat while the load is.", registry=here)
        self._figures_gauges(here)

    def _figures_gauges(self, here: CollectorRegistry) -> None:
        self._orders = Gauge("booked_orders", "Orders by state; stops counting at 100,000.", ["state"], registry=here)
        self._oldest = Gauge(
            "booked_oldest_unbooked_seconds",
            "Age of the oldest paid order that is due, uncertain, or waits for a stopped connection or unknown shop.",
            registry=here,
        )
        self._outbox = Gauge("booked_outbox_rows", "Rows of the outbox by state.", ["state"], registry=here)
        self._rejected = Gauge("booked_rejected_open", "Rejected messages nobody has looked at.", registry=here)
        self._token_age = Gauge("booked_token_age_seconds", "Age of the access token.", ["connection"], registry=here)
        self._daily_left = Gauge(
            "booked_daily_calls_left", "Calls left of the ledger's day.", ["connection"], registry=here
        )
        self._stopped = Gauge(
            "booked_connection_stopped", "1 where a connection needs a person.", ["connection"], registry=here
        )
        self._gaps = Gauge("booked_gaps_open", "Ranges of a topic that were lost before they were read.", registry=here)
        self._snapshot = Gauge(
            "booked_oldest_snapshot_seconds", "Age of the database's oldest transaction.", registry=here
        )
        self._cleaning_gauges(here)
        self._replay_gauges(here)
        self._compared_gauges(here)
        self.figures_age = Gauge(
            "booked_figures_read_at_seconds", "When the figures above were read (unix).", registry=here
        )

    def _cleaning_gauges(self, here: CollectorRegistry) -> None:
        self._dead_rows = Gauge(
            "booked_dead_rows",
            "Rows that wait for vacuum, of a table that changes with every order.",
            ["table"],
            registry=here,
        )
        self._prepared = Gauge(
            "booked_prepared_transaction_seconds", "Age of the database's oldest prepared transaction.", registry=here
        )
        self._idle_slots = Gauge("booked_idle_slots", "Replication slots that nobody reads.", registry=here)

    def _replay_gauges(self, here: CollectorRegistry) -> None:
        self._replayed = Gauge(
            "booked_replay_last_success_seconds",
            "When `booked replay` last came to its end (unix); 0 before the first time.",
            registry=here,
        )
        self._replay_missing = Gauge(
            "booked_replay_missing", "Records found missing by the replays of the last 30 days.", registry=here
        )
        self._replay_lag = Gauge(
            "booked_replay_lag_records", "Records the intake had not taken when the last replay began.", registry=here
        )
        self._replay_unverified = Gauge(
            "booked_replay_unverified_ranges", "Ranges that the last replay could not verify.", registry=here
        )
        self._difference = Gauge(
            "booked_completeness_difference", "Paid orders that are told of and not recorded.", registry=here
        )

    def _compared_gauges(self, here: CollectorRegistry) -> None:
        labels = ["connection", "shop", "currency"]
        self._unexplained = Gauge(
            "booked_money_unexplained",
            "Money between shop and ledger that the last `booked reconcile` could not explain; should be 0.",
            labels,
            registry=here,
        )
        self._compared_at = Gauge(
            "booked_reconcile_last_success_seconds",
            "When `booked reconcile` last came to its end for a shop (unix).",
            labels,
            registry=here,
        )

    def show(self, figures: Figures, read_at: float) -> None:
        """Take over the database's figures; ``read_at`` in seconds since 1970."""
        for gauge in (self._orders, self._outbox, self._token_age, self._daily_left, self._stopped, self._dead_rows):
            gauge.clear()
        for state, count in figures.orders_by_state.items():
            self._orders.labels(state).set(count)
        self._oldest.set(figures.oldest_unbooked_seconds)
        self._outbox.labels("waiting").set(figures.outbox_waiting)
        self._outbox.labels("set_aside").set(figures.outbox_set_aside)
        self._rejected.set(figures.rejected_open)
        for connection, age in figures.token_age_seconds.items():
            self._token_age.labels(connection).set(age)
        for connection, left in figures.daily_left.items():
            self._daily_left.labels(connection).set(left)
        for connection in figures.connections_stopped:
            self._stopped.labels(connection).set(1)
        self._gaps.set(figures.gaps_open)
        self._snapshot.set(figures.oldest_snapshot_seconds)
        for table, rows in figures.cleaning.dead_rows.items():
            self._dead_rows.labels(table).set(rows)
        self._prepared.set(figures.cleaning.prepared_seconds)
        self._idle_slots.set(figures.cleaning.idle_slots)
        succeeded = figures.replay.success_age_seconds
        self._replayed.set(0 if succeeded is None else read_at - succeeded)
        self._replay_missing.set(figures.replay.missing)
        self._replay_lag.set(figures.replay.lag)
        self._replay_unverified.set(figures.replay.unverified)
        self._difference.set(figures.replay.difference)
        self._show_compared(figures, read_at)
        self.figures_age.set(read_at)

    def _show_compared(self, figures: Figures, read_at: float) -> None:
        self._unexplained.clear()
        self._compared_at.clear()
        for one in figures.compared:
            labels = (one.connection_id, one.shop_id, one.currency)
            self._unexplained.labels(*labels).set(float(one.unexplained))
            self._compared_at.labels(*labels).set(read_at - one.age_seconds)

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

    def text(self) -> bytes:
        """Give the exposition text."""
        return generate_latest(self.registry)
