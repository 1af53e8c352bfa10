"""The dashboards: made by code and fresh, with queries that Prometheus can read and that name only what exists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.observability.figures_metrics import FiguresMetrics
from consumer.observability.metrics import Metrics
from deploy.monitoring.generate import FOLDER, main, rendered
from tests.monitoring.test_alerts import RULES, promtool

BOARDS = sorted(FOLDER.glob("*.json"))
FOREIGN = {"kube_job_status_failed"}  # of kube-state-metrics
_NAME = re.compile(r"\b(?:booked|kube)_[a-z0-9_]+\b")


def _board(file: Path) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return board


def _queries(file: Path) -> Iterator[str]:
    for panel in _board(file)["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


def _exposed(text: str) -> dict[str, set[str]]:
    """Give every name that can be asked for, with its labels; ``le`` where it has buckets."""
    names: dict[str, set[str]] = {}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {name + ending: {"le"} if ending == "_bucket" else set() for ending in endings}
    return names


def _unknown(text: str) -> set[str]:
    """Give the metrics that a query names and that the program does not have."""
    return set(_NAME.findall(text)) - set(_exposed(Metrics().text().decode())) - FOREIGN


def test_the_dashboards_are_fresh() -> None:
    """The files are what the code makes now; `make dashboards` writes them."""
    assert {file: file.read_text(encoding="utf-8") for file in rendered() if file.is_file()} == rendered()
    assert sorted(rendered()) == BOARDS
    assert main(["--check"]) == 0


def test_there_are_the_three_that_were_asked_for() -> None:
    """Business, pipeline and replay, each with an address that stays."""
    told = {(_board(file)["uid"], _board(file)["title"]) for file in BOARDS}
    assert told == {
        ("booked-business", "Booked: Business"),
        ("booked-pipeline", "Booked: Pipeline"),
        ("booked-replay", "Booked: Replay"),
    }


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_a_dashboards_queries_name_only_metrics_that_exist(file: Path) -> None:
    """And each panel asks something, of the Prometheus that is chosen above."""
    panels = [panel for panel in _board(file)["panels"] if panel["type"] != "row"]
    assert len(panels) >= 10
    assert all(panel["targets"] and panel["description"] for panel in panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    queries = list(_queries(file))
    assert all(_NAME.search(query) for query in queries)
    assert {name for query in queries for name in _unknown(query)} == set()


def test_the_rules_name_only_metrics_that_exist() -> None:
    """In expressions and in what the alerts say."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    texts = [
        text
        for group in groups
        for rule in group["rules"]
        for text in (rule["expr"], *rule.get("annotations", {}).values())
    ]
    assert {name for text in texts for name in _unknown(text)} == set()


def test_a_metric_that_does_not_exist_is_found() -> None:
    """The checks above can fail."""
    assert _unknown("max(booked_orders) + rate(booked_batch_seconds_bucket[5m]) + booked_orderz") == {"booked_orderz"}


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_prometheus_can_read_a_dashboards_queries(file: Path, tmp_path: Path) -> None:
    """Promtool reads each as a rule."""
    rules = [{"record": f"query:{place}", "expr": query} for place, query in enumerate(_queries(file))]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    done = promtool("check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(rules)} rules found" in done.stdout


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_panels_do_not_overlap(file: Path) -> None:
    """Each has its own place within the width of 24."""
    taken: set[tuple[int, int]] = set()
    for panel in _board(file)["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_databases_figures_are_those_of_the_small_process_too() -> None:
    """What `booked figures` shows is a part of what `booked run` shows, and not its counters of work."""
    small = set(_exposed(FiguresMetrics().text().decode()))
    assert "booked_oldest_unbooked_seconds" in small
    assert small < set(_exposed(Metrics().text().decode()))
    assert not small & {"booked_tasks", "booked_intake_lag_seconds", "booked_bookings_total"}
