"""The alert rules: every one fires where it has to, is silent where it just need not, and leads to its section."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.alert_cases import CASES, Case, Series
from tests.monitoring.prometheus import ROOT, binary

RULES = ROOT / "deploy" / "monitoring" / "rules" / "booked.yaml"
LONG_MINUTES = 300
RUNBOOK = ROOT / "docs" / "runbook.md"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool."""
    command = [binary("promtool"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)  # noqa: S603 our words


def tried(tmp_path: Path, tests: list[dict[str, Any]], at: str) -> subprocess.CompletedProcess[str]:
    """Run tests of the rules; where they go on for many hours the rules are looked at less often, to be quick."""
    file = tmp_path / "tests.yaml"
    every = "1m" if int(at.removesuffix("m")) < LONG_MINUTES else "5m"
    told = {"rule_files": [str(RULES)], "evaluation_interval": every, "tests": tests}
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return promtool("test", "rules", file)


def input_series(series: Series) -> list[dict[str, str]]:
    """Give series in promtool's form."""
    return [{"series": name, "values": values} for name, values in series.items()]


def one(case: Case, series: Series, at: str, *, fires: bool) -> dict[str, Any]:
    """Give a test that the alert fires with these series, or that it does not."""
    own = {"alertname": case.alert, "alertstate": "firing", "severity": ALERTS[case.alert]["labels"]["severity"]}
    labels = ",".join(f'{name}="{value}"' for name, value in (own | case.firing).items())
    return {
        "interval": "1m",
        "input_series": input_series(series),
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{case.alert}",alertstate="firing"}}',
                "eval_time": at,
                "exp_samples": [{"labels": f"ALERTS{{{labels}}}", "value": 1}] if fires else [],
            }
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_and_a_near_miss_does_not(case: Case, tmp_path: Path) -> None:
    """With the series of its case, and with those that just miss."""
    tests = [
        one(case, case.fires, case.at, fires=True),
        one(case, case.silent, case.silent_at or case.at, fires=False),
    ]
    done = tried(tmp_path, tests, case.at)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_expectation_is_found(tmp_path: Path) -> None:
    """The test above can fail: an alert that should be silent and fires, and the reverse."""
    case = next(case for case in CASES if case.alert == "BookedOrdersLate")
    for series, fires in ((case.fires, False), (case.silent, True)):
        assert tried(tmp_path, [one(case, series, case.at, fires=fires)], case.at).returncode != 0


def test_every_alert_has_its_case() -> None:
    """And no case is of an alert that is not there any more."""
    assert {case.alert for case in CASES} == set(ALERTS)


def test_promtool_finds_nothing_wrong() -> None:
    """Neither with the syntax nor with the names; all rules were read."""
    done = promtool("check", "rules", RULES)
    rules = sum(len(group["rules"]) for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"])
    assert done.returncode == 0, done.stderr
    assert f"SUCCESS: {rules} rules found" in done.stdout


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_an_alert_says_what_is_wrong_and_where_to_read_on(name: str) -> None:
    """Severity, a summary that stands alone, a description with more than that, and its own section of the runbook."""
    rule = ALERTS[name]
    told = rule["annotations"]
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert told["summary"].strip()
    assert len(told["description"]) > len(told["summary"])
    assert told["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert re.search(rf"^#+ {name}$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)


# ---- what they say ----


def _said(tmp_path: Path, alert: str, series: Series, at: str, labels: dict[str, str], said: dict[str, str]) -> str:
    annotations = {"runbook_url": f"docs/runbook.md#{alert.lower()}", **said}
    severity = ALERTS[alert]["labels"]["severity"]
    test = {
        "interval": "1m",
        "input_series": input_series(series),
        "alert_rule_test": [
            {
                "alertname": alert,
                "eval_time": at,
                "exp_alerts": [{"exp_labels": {**labels, "severity": severity}, "exp_annotations": annotations}],
            }
        ],
    }
    done = tried(tmp_path, [test], at)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    ("needed", "plan"),
    [
        (1400, "the plan Standard has 2000"),
        (4300, "the plan Professional has 5000"),
        (9000, "the plan Premium has 10000"),
        (12000, "more than any plan has, so that the shops need several organisations"),
    ],
)
def test_the_morning_says_how_many_waited_until_when_and_which_plan_would_do(
    needed: int, plan: str, tmp_path: Path
) -> None:
    """Orders waited from 20:00 until the ledger's midnight; at 07:06 nothing waits any more."""
    evening = "0x1199 {}x240 0x700"  # nothing waits before and after, by day
    series = {
        'booked_orders_waiting_for_budget{connection="books"}': evening.format(340),
        'booked_budget_resets_at_seconds{connection="books"}': "86400x1440 172800x900",
        'booked_daily_calls_needed{connection="books"}': evening.format(needed),
    }
    said = {
        "summary": "Orders of books had to wait for the ledger's next day",
        "description": "Up to 340 orders waited for calls within the last 24 hours, "
        f"until 1970-01-02 00:00:00 +0000 UTC. About {needed} calls a day would have done: {plan}.",
    }
    assert _said(tmp_path, "BookedOrdersWaitedForQuota", series, "1870m", {"connection": "books"}, said) == ""


def test_a_late_order_names_the_shops_with_the_oldest(tmp_path: Path) -> None:
    """Whoever is woken knows where to look first."""
    series = {
        "booked_oldest_with_budget_seconds": "960x30",
        'booked_shop_oldest_unbooked_seconds{shop="north",instance="a"}': "960x30",
        'booked_shop_oldest_unbooked_seconds{shop="south",instance="a"}': "30x30",
    }
    said = {
        "summary": "A paid order is not booked",
        "description": "The oldest paid order that should be booked was paid 16m 0s ago. "
        "Shops with the oldest: north south ",
    }
    assert _said(tmp_path, "BookedOrdersLate", series, "10m", {}, said) == ""


def test_a_stopped_connection_says_its_cause(tmp_path: Path) -> None:
    """And how many are stopped in all."""
    series = {
        'booked_connection_stopped{connection="books",cause="token_revoked"}': "1x30",
        "booked_connections_stopped": "3x30",
    }
    said = {
        "summary": "Connection books is stopped",
        "description": "It needs a person: token_revoked. Its orders wait meanwhile. Stopped in all: 3.",
    }
    labels = {"connection": "books", "cause": "token_revoked"}
    assert _said(tmp_path, "BookedConnectionStopped", series, "5m", labels, said) == ""
