"""The metrics as Prometheus reads them: names, labels and figures."""

from prometheus_client.parser import text_string_to_metric_families

from consumer.observability.metrics import Metrics
from consumer.ports.settings import Figures


def figures(**changes: object) -> Figures:
    """Make figures of the database."""
    given: dict[str, object] = {
        "orders_by_state": {"booked": 7, "parked": 2},
        "oldest_unbooked_seconds": 61.5,
        "outbox_waiting": 3,
        "outbox_set_aside": 1,
        "rejected_open": 4,
        "token_age_seconds": {"books": 120.0},
        "daily_left": {"books": 950},
        "connections_stopped": {"books": "token_revoked"},
        "gaps_open": 0,
        "oldest_snapshot_seconds": 2.5,
        **changes,
    }
    return Figures(**given)  # type: ignore[arg-type] # named fields, checked by the dataclass


def values(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the exposition text with Prometheus's own reader."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def test_the_databases_figures_are_shown_with_their_labels() -> None:
    """Each under its documented name."""
    metrics = Metrics()
    metrics.show(figures(), read_at=1000.0)
    shown = values(metrics)
    assert shown["booked_orders", (("state", "booked"),)] == 7
    assert shown["booked_oldest_unbooked_seconds", ()] == 61.5
    assert shown["booked_outbox_rows", (("state", "waiting"),)] == 3
    assert shown["booked_outbox_rows", (("state", "set_aside"),)] == 1
    assert shown["booked_rejected_open", ()] == 4
    assert shown["booked_token_age_seconds", (("connection", "books"),)] == 120
    assert shown["booked_daily_calls_left", (("connection", "books"),)] == 950
    assert shown["booked_connection_stopped", (("connection", "books"),)] == 1
    assert shown["booked_figures_read_at_seconds", ()] == 1000


def test_what_is_no_longer_true_is_no_longer_shown() -> None:
    """A connection that goes on again, and a state without orders, leave no old figure behind."""
    metrics = Metrics()
    metrics.show(figures(), read_at=1.0)
    metrics.show(figures(connections_stopped={}, orders_by_state={"booked": 9}, daily_left={}), read_at=2.0)
    shown = values(metrics)
    assert ("booked_connection_stopped", (("connection", "books"),)) not in shown
    assert ("booked_orders", (("state", "parked"),)) not in shown
    assert ("booked_daily_calls_left", (("connection", "books"),)) not in shown
    assert shown["booked_orders", (("state", "booked"),)] == 9


def test_calls_and_bookings_are_counted_by_what_came_of_them() -> None:
    """With the time of the calls, and the calls of the bookings."""
    metrics = Metrics()
    metrics.on_call("create_invoice", "ok", 0.3)
    metrics.on_call("create_invoice", "ThrottledError", 0.1)
    metrics.on_booking("booked", 2)
    shown = values(metrics)
    assert shown["booked_ledger_calls_total", (("operation", "create_invoice"), ("result", "ok"))] == 1
    assert shown["booked_ledger_call_seconds_count", ()] == 2
    assert shown["booked_bookings_total", (("result", "booked"),)] == 1
    assert shown["booked_calls_per_booking_sum", ()] == 2


def test_two_processes_in_one_interpreter_do_not_share_their_metrics() -> None:
    """Each has a registry of its own."""
    first, second = Metrics(), Metrics()
    first.on_booking("booked", 1)
    assert ("booked_bookings_total", (("result", "booked"),)) not in values(second)
