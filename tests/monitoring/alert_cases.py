"""What each alert is tried with: series under which it has to fire, and series that just miss.

Values are in promtool's words: `5x30` is 5, thirty minutes long; `0+1x30` grows by one a minute.
"""

from dataclasses import dataclass, field

Series = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One alert. ``at`` is when it is looked at; ``firing`` are the labels it has to fire with, besides its own."""

    alert: str
    fires: Series
    silent: Series
    at: str = "30m"
    silent_at: str = ""  # where the near miss is one of time; as ``at`` otherwise
    firing: dict[str, str] = field(default_factory=dict)


def judged(late: str, in_time: str) -> Series:
    """Give the counters of the promise, as two processes show them."""
    return {
        f'booked_orders_judged_total{{result="{result}",instance="{instance}"}}': values
        for instance in ("a", "b")
        for result, values in (("late", late), ("in_time", in_time))
    }


DAY = 86_400
FRESH = "0+60x300"  # a moment that is always now: promtool's clock begins at 0

CASES = (
    # 20 in 1,000 are late for an hour; in the near miss 1 in 1,000, and two late orders of a quiet night.
    Case(
        alert="BookedPromiseBreaking",
        fires=judged("0+2x120", "0+98x120"),
        silent=judged("0+1x120", "0+999x120"),
        at="70m",
    ),
    Case(
        alert="BookedPromiseBreaking",
        fires=judged("0+1x120", "0+20x120"),
        silent=judged("0x59 1 2x60", "0x59 3 6x60"),
        at="65m",
    ),
    Case(
        alert="BookedPromiseBreakingSlowly",
        fires=judged("0+4x2000", "0+996x2000"),
        silent=judged("0+4x2000", "0+9996x2000"),
        at="1600m",
    ),
    Case(
        alert="BookedOrdersLate",
        fires={"booked_oldest_with_budget_seconds": "901x30"},
        silent={"booked_oldest_with_budget_seconds": "900x30", "booked_oldest_unbooked_seconds": "90000x30"},
    ),
    Case(
        alert="BookedOrdersLate",
        fires={"booked_oldest_with_budget_seconds": "1000x30"},
        silent={"booked_oldest_with_budget_seconds": "0x10 1000x4 0x30"},
        at="15m",
    ),
    Case(
        alert="BookedParkedRising",
        fires={'booked_orders{state="parked"}': "5x60 16x30"},
        silent={'booked_orders{state="parked"}': "5x60 15x30"},
        at="80m",
    ),
    Case(
        alert="BookedMessagesRejected",
        fires={"booked_rejected_open": "1x30"},
        silent={"booked_rejected_open": "0x10 1x14 0x10"},
        at="24m",
    ),
    Case(
        alert="BookedOrdersNotRecorded",
        fires={"booked_completeness_difference": "1x60"},
        silent={"booked_completeness_difference": "0x10 1x29 0x10"},
        at="39m",
    ),
    Case(alert="BookedGapOpen", fires={"booked_gaps_open": "1x60"}, silent={"booked_gaps_open": "0x60"}, at="31m"),
    Case(
        alert="BookedConnectionStopped",
        fires={'booked_connection_stopped{connection="books",cause="token_revoked",instance="a"}': "1x30"},
        silent={'booked_connection_stopped{connection="books",cause="token_revoked",instance="a"}': "0x10 1 0x20"},
        at="10m",
        firing={"connection": "books", "cause": "token_revoked"},
    ),
    Case(
        alert="BookedLanesUnserved",
        fires={"booked_lanes_unserved": "1x30"},
        silent={"booked_lanes_unserved": "0x8 1x1 0x20"},
        at="10m",
    ),
    Case(
        alert="BookedQuotaRunningOut",
        fires={'booked_budget_runs_out_at_seconds{connection="books"}': "10000x60"},
        silent={'booked_budget_runs_out_at_seconds{connection="books"}': "1800x60"},
        at="35m",
        firing={"connection": "books"},
    ),
    # Waited from 20:00 to midnight: nobody hears of it at midnight, somebody does at 07:05, and no more at 09:00.
    Case(
        alert="BookedOrdersWaitedForQuota",
        fires={'booked_orders_waiting_for_budget{connection="books"}': "0x1199 40x240 0x700"},
        silent={'booked_orders_waiting_for_budget{connection="books"}': "0x1199 40x240 0x700"},
        at="1870m",
        silent_at="1430m",
        firing={"connection": "books"},
    ),
    Case(
        alert="BookedOrdersWaitedForQuota",
        fires={'booked_orders_waiting_for_budget{connection="books"}': "1x2000"},
        silent={'booked_orders_waiting_for_budget{connection="books"}': "1x2000"},
        at="430m",
        silent_at="545m",
        firing={"connection": "books"},
    ),
    Case(
        alert="BookedOrdersWaitedForQuota",
        fires={'booked_orders_waiting_for_budget{connection="books"}': "1x2000"},
        silent={'booked_orders_waiting_for_budget{connection="books"}': "0x2000"},
        at="430m",
        firing={"connection": "books"},
    ),
    Case(
        alert="BookedLedgerFails",
        fires={
            'booked_ledger_calls_total{operation="create_invoice",result="ok"}': "0+70x60",
            'booked_ledger_calls_total{operation="create_invoice",result="UncertainError"}': "0+30x60",
        },
        silent={
            'booked_ledger_calls_total{operation="create_invoice",result="ok"}': "0+81x60",
            'booked_ledger_calls_total{operation="create_invoice",result="UncertainError"}': "0+19x60",
        },
    ),
    Case(
        alert="BookedLedgerFails",
        fires={'booked_ledger_calls_total{result="ThrottledError"}': "0+3x60"},
        silent={'booked_ledger_calls_total{result="ThrottledError"}': "0+1x60"},
    ),
    Case(
        alert="BookedTokenNotRenewed",
        fires={'booked_token_not_renewed_seconds{connection="books"}': "7300x30"},
        # Each for a moment: woken after an idle night, and renewed at once.
        silent={
            'booked_token_not_renewed_seconds{connection="a"}': "_x5 7300x9 stale _x20",
            'booked_token_not_renewed_seconds{connection="b"}': "_x14 7300x9 stale _x20",
        },
        at="24m",
        firing={"connection": "books"},
    ),
    Case(
        alert="BookedCertificateExpires",
        fires={'booked_certificate_expires_at_seconds{setting="kafka_ca_file"}': f"{20 * DAY}x100"},
        silent={'booked_certificate_expires_at_seconds{setting="kafka_ca_file"}': f"{22 * DAY}x100"},
        at="70m",
        firing={"setting": "kafka_ca_file"},
    ),
    Case(
        alert="BookedCertificateExpiresSoon",
        fires={'booked_certificate_expires_at_seconds{setting="kafka_ca_file"}': f"{2 * DAY}x100"},
        silent={'booked_certificate_expires_at_seconds{setting="kafka_ca_file"}': f"{3 * DAY}x100"},
        firing={"setting": "kafka_ca_file"},
    ),
    Case(
        alert="BookedIntakeLags",
        fires={'booked_intake_lag_seconds{topic="order.paid"}': "61x30"},
        silent={'booked_intake_lag_seconds{topic="order.paid"}': "60x30"},
        firing={"topic": "order.paid"},
    ),
    Case(
        alert="BookedOutboxStuck",
        fires={'booked_outbox_rows{state="waiting"}': "3x60", 'booked_messages_sent_total{result="sent"}': "50x60"},
        silent={
            'booked_outbox_rows{state="waiting"}': "3x60",
            'booked_messages_sent_total{result="sent"}': "0+1x60",
        },
        at="25m",
    ),
    Case(
        alert="BookedOutboxStuck",
        fires={'booked_outbox_rows{state="waiting"}': "3x60"},  # and no process that sends is there at all
        silent={'booked_outbox_rows{state="waiting"}': "0x60"},
        at="15m",
    ),
    Case(
        alert="BookedOutboxGrows",
        fires={'booked_outbox_rows{state="waiting"}': "10001x60"},
        silent={'booked_outbox_rows{state="waiting"}': "10000x60"},
    ),
    Case(
        alert="BookedMessageSetAside",
        fires={'booked_outbox_rows{state="set_aside"}': "1x60"},
        silent={'booked_outbox_rows{state="set_aside"}': "0x60", 'booked_outbox_rows{state="waiting"}': "5x60"},
    ),
    Case(
        alert="BookedReplayNotSucceeding",
        fires={"booked_replay_last_success_seconds": "0x60"},
        silent={"booked_replay_last_success_seconds": "600x60"},
        at="36m",
    ),
    Case(
        alert="BookedReplayFindsMissing",
        fires={"booked_replay_missing": "7x20 8x60"},
        silent={"booked_replay_missing": "7x80"},
    ),
    Case(alert="BookedDoubleFound", fires={"booked_doubles_found": "1x60"}, silent={"booked_doubles_found": "0x60"}),
    Case(
        alert="BookedDoubleFound",
        fires={'booked_alarms_total{kind="late_double"}': "0x20 1x40"},
        silent={'booked_alarms_total{kind="late_double"}': "1x60", 'booked_alarms_total{kind="gap"}': "0+1x60"},
    ),
    Case(
        alert="BookedCentsFound",
        fires={'booked_money_unexplained_in_all{currency="EUR"}': "0.01x60"},
        silent={'booked_money_unexplained_in_all{currency="EUR"}': "0x60"},
        firing={"currency": "EUR"},
    ),
    Case(alert="BookedFiguresMissing", fires={}, silent={"booked_oldest_unbooked_seconds": "0x60"}, at="6m"),
    Case(alert="BookedFiguresMissing", fires={}, silent={}, at="6m", silent_at="4m"),
    Case(
        alert="BookedFiguresOld",
        fires={'booked_figures_read_at_seconds{instance="a"}': "60x60"},
        silent={
            'booked_figures_read_at_seconds{instance="a"}': "60x60",
            'booked_figures_read_at_seconds{instance="b"}': FRESH,
        },
        at="10m",
    ),
    Case(
        alert="BookedProcessMissing", fires={"booked_oldest_unbooked_seconds": "0x60"}, silent={"booked_tasks": "9x60"}
    ),
    Case(
        alert="BookedIntakeMissing",
        fires={"booked_tasks": "9x60"},
        silent={'booked_intake_lag_seconds{topic="order.paid"}': "0x60"},
    ),
    Case(
        alert="BookedAlarm",
        fires={'booked_alarms_total{kind="gap",instance="a"}': "0x20 1x40"},
        silent={'booked_alarms_total{kind="gap"}': "1x60", 'booked_alarms_total{kind="late_double"}': "0+1x60"},
        firing={"kind": "gap"},
    ),
    Case(
        alert="BookedEventLoopLate",
        fires={
            'booked_event_loop_lag_seconds_bucket{le="1",instance="a"}': "0+90x60",
            'booked_event_loop_lag_seconds_bucket{le="2",instance="a"}': "0+100x60",
            'booked_event_loop_lag_seconds_bucket{le="+Inf",instance="a"}': "0+100x60",
        },
        silent={
            'booked_event_loop_lag_seconds_bucket{le="1",instance="a"}': "0+100x60",
            'booked_event_loop_lag_seconds_bucket{le="2",instance="a"}': "0+100x60",
            'booked_event_loop_lag_seconds_bucket{le="+Inf",instance="a"}': "0+100x60",
        },
        firing={"instance": "a"},
    ),
    Case(
        alert="BookedLanesCorrected",
        fires={"booked_lanes_corrected_total": "0x20 1x40"},
        silent={"booked_lanes_corrected_total": "1x60"},
    ),
    Case(
        alert="BookedDatabaseCannotCleanUp",
        fires={"booked_oldest_snapshot_seconds": "601x60"},
        silent={"booked_oldest_snapshot_seconds": "600x60", "booked_prepared_transaction_seconds": "60x60"},
        firing={"what": "transaction"},
    ),
    Case(
        alert="BookedDatabaseCannotCleanUp",
        fires={"booked_prepared_transaction_seconds": "61x60"},
        silent={"booked_idle_slots": "0x60"},
        firing={"what": "prepared transaction"},
    ),
    Case(
        alert="BookedDatabaseCannotCleanUp",
        fires={"booked_idle_slots": "1x60"},
        silent={'booked_dead_rows{table="orders"}': "50000x60"},
        firing={"what": "replication slot"},
    ),
    Case(
        alert="BookedDatabaseCannotCleanUp",
        fires={'booked_dead_rows{table="orders"}': "50001x60"},
        silent={'booked_dead_rows{table="orders"}': "0x10 60000x9 0x60"},
        at="19m",
        firing={"what": "dead rows", "table": "orders"},
    ),
    Case(
        alert="BookedJobFailed",
        fires={'kube_job_status_failed{job_name="booked-replay-29",namespace="booked"}': "1x60"},
        silent={'kube_job_status_failed{job_name="shop-import-29",namespace="booked"}': "1x60"},
        firing={"job_name": "booked-replay-29", "namespace": "booked"},
    ),
)
