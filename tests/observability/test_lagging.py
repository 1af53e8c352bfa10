"""How long the intake has been behind, in seconds, and how topics are named in labels."""

from prometheus_client.parser import text_string_to_metric_families

from consumer.bootstrap.reports import OF_SHOPS, MetricsReport
from consumer.observability.lagging import SAMPLES_MAX, Behind
from consumer.observability.metrics import Metrics
from consumer.ports.intake import Recorded, TopicPartition

PAID = TopicPartition("order.paid", 0)


def test_a_partition_is_behind_since_the_oldest_end_that_is_beyond_what_was_taken() -> None:
    """What came later counts only when what came before has been taken."""
    behind = Behind()
    assert behind.look(0.0, taken=10, end=10) == 0
    assert behind.look(5.0, taken=10, end=12) == 0
    assert behind.look(9.0, taken=10, end=20) == 4
    assert behind.look(15.0, taken=12, end=20) == 6
    assert behind.look(16.0, taken=20, end=20) == 0


def test_under_steady_load_the_lag_does_not_grow() -> None:
    """Always some records behind, and never more than two seconds: a count of records would say the same of an hour."""
    behind = Behind()
    lags = [behind.look(float(second), taken=100 * (second - 2), end=100 * second) for second in range(2, 500)]
    assert max(lags) <= 2


def test_a_long_backlog_is_remembered_in_bounded_memory() -> None:
    """The oldest end stays; a day of ends is thinned out."""
    behind = Behind()
    for second in range(86_400):
        lag = behind.look(float(second), taken=0, end=second + 1)
    assert lag == 86_399
    assert len(behind._ends) <= SAMPLES_MAX


def _lags(metrics: Metrics) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["topic"]): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name.startswith("booked_intake_lag")
    }


def test_a_topics_lag_is_that_of_its_partitions_and_ends_with_them() -> None:
    """Records add up, seconds are the greatest; what has passed to another process is no longer ours to tell."""
    metrics, now = Metrics(), [100.0]
    report = MetricsReport(metrics, topics=("order.paid", "order.updated"), clock=lambda: now[0])
    other = TopicPartition("order.paid", 1)
    assert _lags(metrics)["booked_intake_lag_seconds", "order.updated"] == 0
    report.lag({PAID: 3, other: 4})
    now[0] = 130.0
    report.recorded(Recorded(positions={other: 4}, verdicts={}, woken=frozenset(), outbox_rows=0), 4, 0.1)
    report.lag({PAID: 3, other: 0})
    assert _lags(metrics)["booked_intake_lag_records", "order.paid"] == 3
    assert _lags(metrics)["booked_intake_lag_seconds", "order.paid"] == 30
    report.lag({other: 0})
    assert _lags(metrics)["booked_intake_lag_records", "order.paid"] == 0
    assert _lags(metrics)["booked_intake_lag_seconds", "order.paid"] == 0


def test_topics_that_shops_have_to_themselves_share_one_name() -> None:
    """Ten thousand shops may have ten thousand topics."""
    metrics = Metrics()
    report = MetricsReport(metrics, topics=("order.paid",))
    report.lag({PAID: 0, TopicPartition("orders.a", 0): 2, TopicPartition("orders.b", 0): 5})
    assert _lags(metrics)["booked_intake_lag_records", OF_SHOPS] == 7
    assert {topic for _, topic in _lags(metrics)} == {"order.paid", OF_SHOPS}
