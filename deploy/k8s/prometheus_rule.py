"""Writes the alert rules as the object that Prometheus' operator takes; ``--check`` tells whether it is fresh.

``python -m deploy.k8s.prometheus_rule``. The rules themselves stand in `deploy/monitoring/rules/booked.yaml`, as
Prometheus reads them, so that `promtool` can check and test them.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = ROOT / "deploy" / "monitoring" / "rules" / "booked.yaml"
OBJECT: Final = ROOT / "deploy" / "k8s" / "components" / "monitoring" / "prometheus-rule.yaml"
_HEAD: Final = "# Made from deploy/monitoring/rules/booked.yaml by python -m deploy.k8s.prometheus_rule.\n"


def rule_object(rules: Any) -> dict[str, Any]:
    """Give the object whose ``spec`` is the plain rules."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "booked",
            "labels": {"app.kubernetes.io/name": "booked", "app.kubernetes.io/part-of": "booked"},
        },
        "spec": rules,
    }


def text() -> str:
    """Give the file as it has to be."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return _HEAD + yaml.safe_dump(rule_object(rules), sort_keys=False, allow_unicode=True, width=118)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; 1 where it is stale."""
    parser = argparse.ArgumentParser(prog="python -m deploy.k8s.prometheus_rule", description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args(arguments).check:
        OBJECT.write_text(text(), encoding="utf-8")
        return 0
    if not OBJECT.exists() or OBJECT.read_text(encoding="utf-8") != text():
        sys.stderr.write(f"{OBJECT.name} is stale: run python -m deploy.k8s.prometheus_rule\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
