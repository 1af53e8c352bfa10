"""Asks Prometheus what the panels of a dashboard ask: the newest figure, a table, or lines over time."""

import json
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 30.0
POINTS = 120  # of a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series: what it is called, and its points as (unix seconds, value)."""

    name: str
    points: Sequence[tuple[float, float]]

    @property
    def newest(self) -> float:
        """Give the last value."""
        return self.points[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A panel with what Prometheus answered; no line: there is nothing to show.

    A figure is green, and red from ``bad_from`` on; None: it has no colour. Lines may be ``stacked``.
    """

    title: str
    kind: str
    unit: str
    place: Mapping[str, int]
    lines: Sequence[Line] = ()
    bad_from: float | None = None
    stacked: bool = False


def ask_board(prometheus: str, board: Mapping[str, Any], *, begin: float, end: float) -> list[Answered]:
    """Ask all that a dashboard asks. Raises OSError, or ValueError where Prometheus refuses a query."""
    return [_panel(prometheus, panel, begin, end) for panel in board["panels"]]


def _panel(prometheus: str, panel: Mapping[str, Any], begin: float, end: float) -> Answered:
    lines: list[Line] = []
    for target in panel.get("targets", []):
        over_time = panel["type"] == "timeseries"
        span = {"start": begin, "end": end, "step": max(1.0, (end - begin) / POINTS)} if over_time else {"time": end}
        for series in _ask(prometheus, "query_range" if over_time else "query", {"query": target["expr"], **span}):
            points = series["values"] if over_time else [series["value"]]
            kept = [(float(at), float(value)) for at, value in points if value not in {"NaN", "+Inf", "-Inf"}]
            if kept:
                lines.append(Line(name=_named(target["legendFormat"], series["metric"]), points=kept))
    shown: Mapping[str, Any] = panel.get("fieldConfig", {}).get("defaults", {})
    return Answered(
        title=panel["title"],
        kind=panel["type"],
        unit=shown.get("unit", "short"),
        place=panel["gridPos"],
        lines=lines,
        bad_from=max((step["value"] for step in _steps(shown) if step["value"] is not None), default=None),
        stacked=shown.get("custom", {}).get("stacking", {}).get("mode") == "normal",
    )


def _steps(shown: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    steps: Sequence[Mapping[str, Any]] = shown.get("thresholds", {}).get("steps", ())
    return steps


def _named(legend: str, labels: Mapping[str, str]) -> str:
    if legend == "__auto":
        return " ".join(value for name, value in sorted(labels.items()) if name != "__name__")
    for name, value in labels.items():
        legend = legend.replace("{{" + name + "}}", value)
    return legend


def _ask(prometheus: str, path: str, words: Mapping[str, object]) -> list[Any]:
    if not prometheus.startswith(("http://", "https://")):
        raise ValueError(f"{prometheus} is no address of a Prometheus")
    url = f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode(words)}"
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 the scheme is looked at above
        told = json.load(answer)
    if told.get("status") != "success":
        raise ValueError(f"Prometheus refuses {words['query']}: {told.get('error')}")
    result: list[Any] = told["data"]["result"]
    return result
