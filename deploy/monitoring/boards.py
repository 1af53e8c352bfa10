"""What the three dashboards show. Figures of the database are the same in every process: max(), not sum()."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import dashboard, stat, table, timeseries
from grafana_foundation_sdk.models import dashboard as models

from deploy.monitoring.panels import Query, figure, graph, listing

Panel: TypeAlias = stat.Panel | table.Panel | timeseries.Panel

# 0 before the first time, which is not the year 1970.
_REPLAYED_AGO: Final = "time() - (max(booked_replay_last_success_seconds) > 0)"
_SENT: Final = 'booked_messages_sent_total{result="sent"}'


def _board(name: str, title: str, text: str, rows: Iterable[tuple[str, Iterable[Panel]]]) -> models.Dashboard:
    made = (
        dashboard.Dashboard(title)
        .uid(f"booked-{name}")
        .description(text)
        .tags(["booked"])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    made = made.link(
        dashboard.DashboardLink("Booked")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags(["booked"])
        .keep_time(keep_time=True)
    )
    for heading, panels in rows:
        made = made.with_row(dashboard.Row(heading))
        for panel in panels:
            made = made.with_panel(panel)
    return made.build()


def business() -> models.Dashboard:
    """Orders and sums: booked, parked, the oldest, what differs, by shop."""
    return _board(
        "business",
        "Booked: Business",
        "Are the orders booked, and to the cent? The figures are the database's.",
        [
            ("Now", _business_now()),
            ("Booked", _business_booked()),
            ("Not booked", _business_not_booked()),
            ("By shop (the twenty worst; all of them: SELECT * FROM shop_stand)", _business_by_shop()),
        ],
    )


def _business_now() -> list[Panel]:
    return [
        figure(
            "Oldest unbooked order",
            "max(booked_oldest_with_budget_seconds)",
            unit="s",
            bad_from=900,
            text="Age of the oldest paid order that should be booked by now; an alert from 15 minutes on.",
        ),
        figure(
            "Within five minutes (day)",
            'sum(increase(booked_orders_judged_total{result="in_time"}[1d]))'
            ' / sum(increase(booked_orders_judged_total{result=~"in_time|late"}[1d]))',
            unit="percentunit",
            text="Share of the paid orders that were booked or parked within five minutes; 99.9 % is promised.",
        ),
        figure(
            "Parked",
            'max(booked_orders{state="parked"})',
            text="Orders that were refused, each with its reason: booked orders parked.",
        ),
        figure(
            "Wait for the next day",
            "max(booked_orders_waiting_for_budget_in_all)",
            text="Live orders whose connection has used up its calls of the day.",
        ),
        figure(
            "Doubled documents",
            "max(booked_doubles_found)",
            bad_from=1,
            text="Orders with two documents, found by the newest comparisons; should be 0.",
        ),
        figure(
            "Money that differs",
            "sum(max by (currency) (booked_money_unexplained_in_all))",
            bad_from=0.01,
            text="Between shop and ledger, by the newest comparisons, over all currencies; should be 0.",
        ),
    ]


def _business_booked() -> list[Panel]:
    return [
        graph(
            "Documents an hour",
            [
                Query(
                    expr="sum by (kind) (max by (kind, currency) (increase(booked_documents_made_total[1h])))",
                    legend="{{kind}}",
                )
            ],
            text="Invoices, credit notes, payments and refunds made in the ledgers.",
        ),
        graph(
            "Invoiced an hour, by currency",
            [
                Query(
                    expr='max by (currency) (increase(booked_documents_money_total{kind="invoice"}[1h]))',
                    legend="{{currency}}",
                )
            ],
            text="What the invoices of an hour come to, with VAT.",
        ),
    ]


def _business_not_booked() -> list[Panel]:
    return [
        graph(
            "Orders that are not booked",
            [Query(expr='max by (state) (booked_orders{state=~"due|uncertain|waiting|parked"})', legend="{{state}}")],
            text="By state. Each state counts to 100,000.",
        ),
        graph(
            "Parked, in money",
            [Query(expr="max by (currency) (booked_parked_money)", legend="{{currency}}")],
            text="What the parked orders come to.",
        ),
    ]


def _business_by_shop() -> list[Panel]:
    return [
        listing(
            "Parked orders",
            "sort_desc(max by (shop) (booked_shop_parked))",
            span=8,
            text="The shops with the most parked orders.",
        ),
        listing(
            "Oldest unbooked order",
            "sort_desc(max by (shop) (booked_shop_oldest_unbooked_seconds))",
            unit="s",
            span=8,
            text="The shops whose oldest order waits longest.",
        ),
        listing(
            "Differences",
            "sort_desc(max by (shop, currency, connection) (booked_money_unexplained) > 0)",
            span=8,
            text="Money between shop and ledger that no order explains.",
        ),
    ]


def pipeline() -> models.Dashboard:
    """How the machine runs: intake, lanes, budget, ledger, outbox."""
    return _board(
        "pipeline",
        "Booked: Pipeline",
        "From Kafka to the ledger and back: where does it stand still?",
        [
            ("Now", _pipeline_now()),
            ("Intake", _pipeline_intake()),
            ("Lanes and budget", _pipeline_lanes()),
            ("Ledger", _pipeline_ledger()),
            ("Outbox and processes", _pipeline_rest()),
        ],
    )


def _pipeline_now() -> list[Panel]:
    return [
        figure("Lag", "max(booked_intake_lag_seconds)", unit="s", bad_from=60, text="Oldest event not yet recorded."),
        figure("Lanes unserved", "max(booked_lanes_unserved)", bad_from=1, text="Due work, budget, and nobody on it."),
        figure("Connections stopped", "max(booked_connections_stopped)", bad_from=1, text="Each one needs a person."),
        figure("Running out of calls", "max(booked_connections_running_out)", text="Before the ledger's day ends."),
        figure(
            "Messages that wait",
            'max(booked_outbox_rows{state="waiting"})',
            bad_from=10000,
            text="To the shops, in the outbox.",
        ),
        figure(
            "Age of these figures",
            "time() - max(booked_figures_read_at_seconds)",
            unit="s",
            bad_from=120,
            text="Old where Postgres does not answer.",
        ),
    ]


def _pipeline_intake() -> list[Panel]:
    return [
        graph(
            "Lag in seconds",
            [Query(expr="max by (topic) (booked_intake_lag_seconds)", legend="{{topic}}")],
            unit="s",
            span=8,
            text="For how long the oldest event that is not recorded has been there.",
        ),
        graph(
            "Events a second",
            [Query(expr="sum by (result) (rate(booked_events_total[5m]))", legend="{{result}}")],
            unit="ops",
            span=8,
            text="Messages taken from Kafka.",
        ),
        graph(
            "Time of a batch",
            _quantiles("booked_batch_seconds"),
            unit="s",
            span=8,
            text="One intake transaction.",
        ),
    ]


def _pipeline_lanes() -> list[Panel]:
    return [
        graph(
            "Bookings a second",
            [Query(expr="sum by (result) (rate(booked_bookings_total[5m]))", legend="{{result}}")],
            unit="ops",
            span=8,
            text="By where they left the order.",
            stacked=True,
        ),
        graph(
            "Calls left of the day",
            [Query(expr="min by (connection) (booked_daily_calls_left)", legend="{{connection}}")],
            span=8,
            text="Of the twenty connections that need somebody most.",
        ),
        listing(
            "Calls end in",
            "sort(clamp_min(max by (connection) (booked_budget_runs_out_at_seconds) - time(), 0))",
            unit="s",
            span=8,
            text="In how long live orders have to stop, of connections whose calls end before the day does.",
        ),
    ]


def _pipeline_ledger() -> list[Panel]:
    return [
        graph(
            "Calls a second",
            [Query(expr="sum by (operation) (rate(booked_ledger_calls_total[5m]))", legend="{{operation}}")],
            unit="ops",
            span=8,
            text="By what was asked.",
            stacked=True,
        ),
        graph(
            "Failures a second",
            [Query(expr='sum by (result) (rate(booked_ledger_calls_total{result!="ok"}[5m]))', legend="{{result}}")],
            unit="ops",
            span=8,
            text="By our name of the error.",
        ),
        graph("Time of a call", _quantiles("booked_ledger_call_seconds"), unit="s", span=8, text="With its answer."),
    ]


def _pipeline_rest() -> list[Panel]:
    return [
        graph(
            "Messages to shops",
            [
                Query(expr=f"sum(rate({_SENT}[5m]))", legend="sent a second"),
                Query(expr='max(booked_outbox_rows{state="waiting"})', legend="waiting"),
            ],
            span=8,
            text="Sent a second, and those that wait.",
        ),
        graph(
            "The event loop is late by",
            [
                Query(
                    expr="histogram_quantile(0.99, sum by (le, instance)"
                    " (rate(booked_event_loop_lag_seconds_bucket[5m])))",
                    legend="{{instance}}",
                )
            ],
            unit="s",
            span=8,
            text="99th percentile, by process.",
        ),
        graph(
            "Alarms an hour",
            [Query(expr="sum by (kind) (increase(booked_alarms_total[1h]))", legend="{{kind}}")],
            span=8,
            text="Each is something for a person; see docs/runbook.md.",
        ),
    ]


def _quantiles(histogram: str) -> list[Query]:
    return [
        Query(expr=f"histogram_quantile({share}, sum by (le) (rate({histogram}_bucket[5m])))", legend=name)
        for share, name in ((0.5, "median"), (0.99, "99 %"))
    ]


def replay() -> models.Dashboard:
    """Is nothing lost: what is told of against what is recorded."""
    return _board(
        "replay",
        "Booked: Replay",
        "Every ten minutes the topics and the shops' own lists are held against the recorded orders.",
        [("Now", _replay_now()), ("Over time", _replay_over_time())],
    )


def _replay_now() -> list[Panel]:
    return [
        figure(
            "Last success",
            _REPLAYED_AGO,
            unit="s",
            bad_from=1800,
            text="How long ago the replay came to its end; an alert from 30 minutes on.",
        ),
        figure(
            "Told of and not recorded",
            "max(booked_completeness_difference)",
            bad_from=1,
            text="Paid orders; should be 0.",
        ),
        figure(
            "Found missing (30 days)",
            "max(booked_replay_missing)",
            text="Records that the intake had not taken and the replay put in.",
        ),
        figure(
            "Not verified",
            "max(booked_replay_unverified_ranges)",
            bad_from=1,
            text="Ranges that the last run could not verify: the topic holds them no more.",
        ),
        figure("Gaps open", "max(booked_gaps_open)", bad_from=1, text="Lost before they were read."),
        figure("Rejected", "max(booked_rejected_open)", bad_from=1, text="Messages that are no orders."),
    ]


def _replay_over_time() -> list[Panel]:
    return [
        graph(
            "Since the last success",
            [Query(expr=_REPLAYED_AGO, legend="seconds")],
            unit="s",
            text="A saw whose teeth are ten minutes.",
        ),
        graph(
            "What is missing",
            [
                Query(expr="max(booked_completeness_difference)", legend="told of and not recorded"),
                Query(expr="max(booked_replay_missing)", legend="found by replays of 30 days"),
            ],
            text="The first should stay 0; the second grows where the replay had to help.",
        ),
        graph(
            "Behind when it began",
            [Query(expr="max(booked_replay_lag_records)", legend="records")],
            text="Records that the intake had not taken yet: they are not missing.",
        ),
        graph(
            "Not verified",
            [
                Query(expr="max(booked_replay_unverified_ranges)", legend="ranges"),
                Query(expr="max(booked_gaps_open)", legend="gaps"),
            ],
            text="What nobody can compare any more.",
        ),
    ]


BOARDS: Final = {"business": business, "pipeline": pipeline, "replay": replay}
