"""How many series a process shows: bounded, whatever the number of shops, connections, topics and currencies."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.pool import Database
from consumer.bootstrap.reports import MetricsReport
from consumer.domain.ledger import Operation
from consumer.domain.revisions import Verdict
from consumer.domain.watching import Found
from consumer.errors import LedgerError
from consumer.observability.metrics import BOOKINGS, Metrics
from consumer.ports.intake import Recorded, TopicPartition

SERIES_MAX = 5000
SHOPS = 10_000
SHARED = ("order.paid", "order.updated", "order.cancelled")

# Every shop with a connection of its own that stands still, parked and late orders, a token, and differing money, in
# one of 300 currencies; and documents of all of these just made.
MANY = f"""
INSERT INTO connections (connection_id, settings, stopped_cause, stopped_at)
    SELECT 'c' || g, '{{"organization_id": "1"}}', 'token_revoked', clock_timestamp()
    FROM generate_series(1, {SHOPS}) g;
INSERT INTO lanes (connection_id, daily_limit, daily_left, daily_resets_at, next_due)
    SELECT 'c' || g, 1000, g % 60, clock_timestamp() + interval '5 hours', clock_timestamp() - interval '1 hour'
    FROM generate_series(1, {SHOPS}) g;
INSERT INTO tokens (connection_id, client_id, client_secret, refresh_token)
    SELECT 'c' || g, 'c', 's', 'r' FROM generate_series(1, {SHOPS}) g;
INSERT INTO shops (shop_id, connection_id, settings)
    SELECT 's' || g, 'c' || g, '{{}}' FROM generate_series(1, {SHOPS}) g;
INSERT INTO orders (shop_id, order_id, connection_id, head, currency, grand_total, paid, paid_moment, state,
                    reason_code, due_at)
    SELECT 's' || g, n, 'c' || g, '{{}}', 'C' || g % 300, 1, true, clock_timestamp() - interval '1 hour' * g, state,
           reason, CASE state WHEN 'due' THEN clock_timestamp() - interval '1 hour' END
    FROM generate_series(1, {SHOPS}) g
    CROSS JOIN (VALUES ('1', 'due', NULL), ('2', 'parked', 'tax_missing'), ('3', 'uncertain', NULL))
        AS o (n, state, reason);
INSERT INTO documents (connection_id, shop_id, order_id, kind, n, reference, ledger_id, status, live, total, currency,
                       created_at)
    SELECT 'c' || g, 's' || g, '1', k, 1, 'r', g || k, 'draft', true, 1, 'C' || g % 300,
           clock_timestamp() - interval '5 minutes 20 seconds'
    FROM generate_series(1, {SHOPS}) g CROSS JOIN unnest(ARRAY['invoice', 'credit_note', 'payment', 'refund']) k;
INSERT INTO reconcile_money (connection_id, shop_id, currency, unexplained)
    SELECT 'c' || g, 's' || g, 'C' || g % 300, g FROM generate_series(1, {SHOPS}) g;
ANALYZE;
"""


def series(metrics: Metrics) -> int:
    """Count what a scrape gives."""
    return sum(len(family.samples) for family in text_string_to_metric_families(metrics.text().decode()))


def operations(kind: type[Operation] = Operation) -> Iterator[str]:
    """Give the name of every operation of a ledger."""
    for one in kind.__subclasses__():
        yield one.__name__
        yield from operations(one)


def errors(kind: type[LedgerError] = LedgerError) -> Iterator[str]:
    """Give the name of every error of a ledger."""
    for one in kind.__subclasses__():
        yield one.__name__
        yield from errors(one)


def at_work(metrics: Metrics) -> None:
    """Let everything be counted that a process can count, with topics of 10,000 shops."""
    report = MetricsReport(metrics, topics=SHARED)
    places = [TopicPartition(topic, 0) for topic in (*SHARED, *(f"orders.s{number}" for number in range(SHOPS)))]
    for place in places:
        report.read(place.topic, None)
    report.recorded(
        Recorded(positions={}, verdicts=dict.fromkeys(Verdict, 1), woken=frozenset(), outbox_rows=0), 1, 0.1
    )
    report.lag(dict.fromkeys(places, 3))
    for operation in operations():
        for result in ("ok", *errors()):
            metrics.on_call(operation, result, 0.1)
    for found in Found:
        metrics.on_found(found.value)
    for result in BOOKINGS:
        metrics.on_booking(result, 1)


@pytest.mark.integration
async def test_ten_thousand_shops_are_told_in_few_series(migrated_database_url: str) -> None:
    """Each with a connection, a topic, parked and late orders, and money that differs: what is shown stays bounded."""
    metrics = Metrics()
    at_work(metrics)
    async with Database.open(migrated_database_url) as database:
        async with database.connection() as connection:
            await connection.execute(MANY)
        store = PostgresFiguresStore(database)
        first = await store.figures()
        assert first.judgement.until is not None
        async with database.connection() as connection:
            since = await connection.fetchval("SELECT min(created_at) - interval '1 second' FROM documents")
        figures = await store.figures(since)
        metrics.show(figures, read_at=1000.0)
    told = figures.connections
    assert (told.connections, told.stopped_count, len(told.stopped), len(told.budgets)) == (SHOPS, SHOPS, 20, 20)
    assert len(figures.judgement.made) == 4 * 300
    assert len(figures.shops.oldest_unbooked_seconds) == len(figures.shops.compared) == len(figures.shops.parked) == 20
    # 51 of 60 connections have at most the 50 calls that are kept for people.
    waiting = sum(number % 60 <= 50 for number in range(1, SHOPS + 1))
    assert told.waiting == waiting
    assert 500 < series(metrics) <= SERIES_MAX
