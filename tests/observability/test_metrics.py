"""The metrics as Prometheus reads them: names, labels and figures."""

from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer.observability.metrics import Metrics
from consumer.ports.figures import (
    Budget,
    Compared,
    ConnectionFigures,
    Judgement,
    Made,
    Parked,
    ShopFigures,
)
from consumer.ports.settings import Figures


def budget(connection_id: str, **changes: object) -> Budget:
    """Make a connection's budget."""
    given: dict[str, object] = {
        "connection_id": connection_id,
        "calls_left": 950,
        "resets_seconds": 3600.0,
        "runs_out_seconds": None,
        "waiting": 0,
        "needed": 100,
        **changes,
    }
    return Budget(**given)  # type: ignore[arg-type] # named fields, checked by the dataclass


def figures(**changes: object) -> Figures:
    """Make figures of the database."""
    given: dict[str, object] = {
        "orders_by_state": {"booked": 7, "parked": 2},
        "oldest_unbooked_seconds": 61.5,
        "outbox_waiting": 3,
        "outbox_set_aside": 1,
        "rejected_open": 4,
        "gaps_open": 0,
        "connections": ConnectionFigures(
            budgets=(budget("books"),),
            token_age_seconds={"books": 120.0},
            stopped={"books": "token_revoked"},
            connections=3,
            stopped_count=1,
            calls_left=2950,
        ),
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
    assert shown["booked_connection_stopped", (("cause", "token_revoked"), ("connection", "books"))] == 1
    assert (shown["booked_connections", ()], shown["booked_connections_stopped", ()]) == (3, 1)
    assert shown["booked_daily_calls_left_in_all", ()] == 2950
    assert shown["booked_budget_resets_at_seconds", (("connection", "books"),)] == 4600
    assert shown["booked_figures_read_at_seconds", ()] == 1000


def test_what_is_no_longer_true_is_no_longer_shown() -> None:
    """A connection that goes on again, and a state without orders, leave no old figure behind."""
    metrics = Metrics()
    metrics.show(figures(), read_at=1.0)
    metrics.show(figures(connections=ConnectionFigures(), orders_by_state={"booked": 9}), read_at=2.0)
    shown = values(metrics)
    assert not [name for name, _ in shown if name == "booked_connection_stopped"]
    assert shown["booked_orders", (("state", "parked"),)] == 0
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
    assert values(second)["booked_bookings_total", (("result", "booked"),)] == 0


def test_a_connection_that_runs_out_says_when_and_what_would_do() -> None:
    """Moments are unix seconds; a connection whose day ends first has no such moment."""
    metrics = Metrics()
    running = budget("dry", calls_left=40, runs_out_seconds=600.0, waiting=12, needed=1934)
    connections = ConnectionFigures(budgets=(running, budget("fine")), running_out=1, waiting=12)
    metrics.show(figures(connections=connections), read_at=1000.0)
    shown = values(metrics)
    assert shown["booked_budget_runs_out_at_seconds", (("connection", "dry"),)] == 1600
    assert ("booked_budget_runs_out_at_seconds", (("connection", "fine"),)) not in shown
    assert shown["booked_orders_waiting_for_budget", (("connection", "dry"),)] == 12
    assert shown["booked_orders_waiting_for_budget_in_all", ()] == 12
    assert shown["booked_daily_calls_needed", (("connection", "dry"),)] == 1934
    assert shown["booked_connections_running_out", ()] == 1


def test_shops_are_told_one_by_one_and_as_a_sum() -> None:
    """Parked orders of two currencies of a shop are one figure; money is by currency."""
    metrics = Metrics()
    parked = (
        Parked(shop_id="north", currency="EUR", orders=3, total=Decimal("30.10")),
        Parked(shop_id="north", currency="USD", orders=1, total=Decimal(7)),
    )
    compared = Compared(
        connection_id="books", shop_id="north", currency="EUR", unexplained=Decimal("0.01"), age_seconds=60
    )
    shops = ShopFigures(
        parked=parked,
        parked_totals={"EUR": Decimal("30.10"), "USD": Decimal(7)},
        oldest_unbooked_seconds={"north": 70.0},
        compared=(compared,),
        unexplained={"EUR": Decimal("0.01")},
        doubles=1,
    )
    metrics.show(figures(shops=shops), read_at=1000.0)
    shown = values(metrics)
    place = (("connection", "books"), ("currency", "EUR"), ("shop", "north"))
    assert shown["booked_shop_parked", (("shop", "north"),)] == 4
    assert shown["booked_shop_oldest_unbooked_seconds", (("shop", "north"),)] == 70
    assert shown["booked_parked_money", (("currency", "EUR"),)] == pytest.approx(30.1)
    assert shown["booked_money_unexplained", place] == 0.01
    assert shown["booked_money_unexplained_in_all", (("currency", "EUR"),)] == 0.01
    assert shown["booked_reconcile_last_success_seconds", place] == 940
    assert shown["booked_doubles_found", ()] == 1


def test_what_was_judged_and_made_adds_up() -> None:
    """Each reading tells of its own span; the counters grow."""
    metrics = Metrics()
    made = Made(kind="invoice", currency="EUR", documents=2, total=Decimal("24.40"))
    for _ in range(2):
        metrics.show(figures(judgement=Judgement(in_time=5, late=1, without_budget=2, made=(made,))), read_at=1.0)
    shown = values(metrics)
    judged = {result: shown["booked_orders_judged_total", (("result", result),)] for result in ("in_time", "late")}
    assert judged == {"in_time": 10, "late": 2}
    assert shown["booked_orders_judged_total", (("result", "without_budget"),)] == 4
    assert shown["booked_documents_made_total", (("currency", "EUR"), ("kind", "invoice"))] == 4
    assert shown["booked_documents_money_total", (("currency", "EUR"), ("kind", "invoice"))] == pytest.approx(48.8)


def test_counters_that_alerts_watch_begin_at_nothing() -> None:
    """A counter that appears with 1 has not grown, for Prometheus, and its alert would stay silent."""
    shown = values(Metrics())
    for kind in ("gap", "log_made_again", "committed_ahead", "shop_topics_missing", "message_set_aside", "late_double"):
        assert shown["booked_alarms_total", (("kind", kind),)] == 0
    for result in ("in_time", "late", "without_budget"):
        assert shown["booked_orders_judged_total", (("result", result),)] == 0


def test_currencies_beyond_thirty_share_a_name() -> None:
    """An event may bring any three letters as its currency; the number of series stays bounded, and so does the sum."""
    metrics = Metrics()
    names = [f"X{number:02}" for number in range(45)]
    shops = ShopFigures(parked_totals=dict.fromkeys(names, Decimal(1)))
    metrics.show(figures(shops=shops), read_at=1.0)
    told = {labels: value for (name, labels), value in values(metrics).items() if name == "booked_parked_money"}
    assert len(told) == 31
    assert told[("currency", "other"),] == 15
