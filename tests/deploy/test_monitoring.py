"""The component monitoring holds what `deploy/monitoring` holds: the same rules, every dashboard."""

import json
from collections.abc import Sequence
from copy import deepcopy

import yaml

from deploy.k8s.prometheus_rule import RULES, main, text
from tests.deploy.built import ROOT, Document, named

Built = Sequence[Document]
DASHBOARDS = ROOT / "deploy" / "monitoring" / "dashboards"
PAGE = "https://git.example.com/booked/blob/main/docs/runbook.md"  # of overlays/production/runbook.yaml
# `kubectl apply` keeps what it applied in an annotation, and annotations are of 256 KiB at most.
APPLIED_BYTES_MAX = 250_000


def test_the_rules_are_those_that_promtool_tested(production: Built) -> None:
    """The PrometheusRule's spec is the plain rules file, to the letter but for where the links begin."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    built = deepcopy(named(production, "PrometheusRule", "booked")["spec"])
    alerts = [rule for group in built["groups"] for rule in group["rules"] if "alert" in rule]
    for alert in alerts:
        alert["annotations"]["runbook_url"] = alert["annotations"]["runbook_url"].replace(PAGE, "docs/runbook.md", 1)
    assert built == rules
    assert len(alerts) >= 10


def test_every_alert_links_to_its_section_of_the_page_that_the_overlay_names(production: Built) -> None:
    """A whole address, as a pager shows it, from one place; the place itself is not sent to the cluster."""
    rules = named(production, "PrometheusRule", "booked")["spec"]
    links = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert links == {alert: f"{PAGE}#{alert.lower()}" for alert in links}
    assert not [one for one in production if one["metadata"]["name"] == "booked-runbook"]


def test_the_file_is_fresh_and_a_stale_one_is_found() -> None:
    """What the command would write is what stands there."""
    assert main(["--check"]) == 0
    assert text().startswith("# Made from")


def test_every_dashboard_is_provisioned(production: Built) -> None:
    """Each dashboard has a ConfigMap with the label that Grafana's sidecar looks for, whole, and small enough."""
    provisioned = {
        name: text
        for one in production
        if one["kind"] == "ConfigMap" and one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
        for name, text in one["data"].items()
    }
    files = {file.name: file.read_text(encoding="utf-8") for file in DASHBOARDS.glob("*.json")}
    assert provisioned == files
    assert len(files) == 3
    assert all(json.loads(text)["title"] for text in files.values())
    assert max(len(text.encode()) for text in files.values()) < APPLIED_BYTES_MAX
