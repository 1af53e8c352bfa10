"""The pictures of the dashboards: there for each, of the panels that it has now, and shown and told of in the docs."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest

from deploy.monitoring.answers import Answered, Line
from deploy.monitoring.generate import FOLDER
from deploy.monitoring.graphs import LEGEND_ROWS_MAX, graph
from deploy.monitoring.half_an_hour import DISTURBANCES, SHOPS, plans_for, selling_moments
from deploy.monitoring.pictures import ROOT, main
from sandbox.prometheus import RULES, find
from tests.monitoring.test_dashboards import BOARDS

PAGE = ROOT / "docs" / "metrics.md"
SPAN = (1_000.0, 1_600.0)


def _picture(file: Path) -> Path:
    return ROOT / "docs" / "pictures" / f"dashboard-{file.stem}.svg"


def _panels(file: Path) -> list[Mapping[str, Any]]:
    panels: list[Mapping[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["panels"]
    return panels


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_each_dashboard_has_a_picture_of_all_its_panels(file: Path) -> None:
    """Of those that it has now, each with figures of the demo; `make pictures` draws them again."""
    picture = _picture(file).read_text(encoding="utf-8")
    titles = [panel["title"] for panel in _panels(file)]
    assert len(titles) > 10
    assert [title for title in titles if f">{escape(title)}</text>" not in picture] == []
    assert "nothing to show" not in picture


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_a_picture_stands_in_the_docs_with_words_for_who_cannot_see_it(file: Path) -> None:
    """The page shows it, and the words beside it tell what is to be seen."""
    shown = dict(re.findall(r"!\[([^\]]+)\]\(pictures/(dashboard-\w+\.svg)\)", PAGE.read_text(encoding="utf-8")))
    words = {name: text for text, name in shown.items()}
    assert len(words[_picture(file).name].split()) >= 20


def test_no_picture_is_of_a_dashboard_that_is_gone() -> None:
    """A picture without its dashboard would show what nobody gets."""
    drawn = {path.name for path in (ROOT / "docs" / "pictures").glob("dashboard-*.svg")}
    assert drawn == {_picture(file).name for file in FOLDER.glob("*.json")}


# ---- the demo that is drawn ----


def test_orders_come_all_the_time_and_in_waves() -> None:
    """Every order has its moment within the time; a wave's middle has several times as many as what lies between."""
    moments = list(selling_moments(900, 1800.0))
    assert len(moments) == 900
    assert moments == sorted(moments)
    assert 0 <= moments[0] < 60
    assert 1740 < moments[-1] < 1800
    middle = sum(240 <= moment < 360 for moment in moments)
    between = sum(540 <= moment < 660 for moment in moments)
    assert middle > 3 * between > 0


def test_each_shop_sells_and_each_organisation_has_its_day() -> None:
    """As many orders as were wanted; one organisation is small enough to run out of calls."""
    plans = {plan.connection: plan for plan in plans_for(1.0, datetime(2026, 11, 21, tzinfo=UTC))}
    assert {name: len(plan.orders) for name, plan in plans.items()} == {
        name: sum(orders.values()) for name, (orders, _) in SHOPS.items()
    }
    # The first order of a customer costs two calls, each further one costs one.
    assert plans["corner"].settings["calls_per_day"] < len(plans["corner"].orders) * 1.3
    for plan in plans.values():
        assert plan.limits["per_day"] == plan.settings["calls_per_day"]
        assert len({order.key for order in plan.orders}) == len(plan.orders)


def test_what_disturbs_comes_one_after_the_other() -> None:
    """Each within the time, in its order."""
    shares = [share for share, _, _ in DISTURBANCES]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1


def test_without_prometheus_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The package by its name, and the way without root."""
    monkeypatch.setattr("sandbox.prometheus.UNPACKED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--minutes", "1"]) == 69
    said = capsys.readouterr().err
    assert "Debian's package prometheus" in said
    assert "python -m tests.monitoring.prometheus" in said
    (tmp_path / "prometheus").touch()
    assert find() == tmp_path / "prometheus"
    assert RULES.is_file()


# ---- how a graph is drawn ----


def _graph(*lines: Line, unit: str = "short", stacked: bool = False) -> str:
    panel = Answered(title="P", kind="timeseries", unit=unit, place={}, lines=lines, stacked=stacked)
    return "\n".join(graph(panel, SPAN, width=400, height=240))


def _points(*values: float, begin: float = 1_000.0, every: float = 100.0) -> list[tuple[float, float]]:
    return [(begin + place * every, value) for place, value in enumerate(values)]


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    """A process that was away leaves a gap, and no straight line over it."""
    whole = Line(name="a", points=_points(1, 2, 3, 4))
    broken = Line(name="b", points=[*_points(1, 2), *_points(3, 4, begin=1_500.0)])
    assert _graph(whole).count("<polyline") == 1
    assert _graph(broken).count("<polyline") == 2


def test_axes_have_round_figures_and_no_half_orders() -> None:
    """Counts by whole ones, times by minutes, figures with decimals by tenths."""
    assert re.findall(r'text-anchor="end"[^>]*>([^<]+)<', _graph(Line(name="a", points=_points(1, 3)))) == [
        *("0", "1", "2", "3", "4")
    ]
    seconds = _graph(Line(name="a", points=_points(10, 400)), unit="s")
    assert re.findall(r'text-anchor="end"[^>]*>([^<]+)<', seconds) == ["0 s", "2 min", "4 min", "6 min", "8 min"]
    rates = _graph(Line(name="a", points=_points(0.1, 0.36)), unit="ops")
    assert re.findall(r'text-anchor="end"[^>]*>([^<]+)<', rates) == ["0/s", "0.1/s", "0.2/s", "0.3/s", "0.4/s"]


def test_stacked_lines_stand_on_each_other() -> None:
    """The highest line is the sum of all; the other one keeps its own height."""
    picture = _graph(Line(name="a", points=_points(3, 3)), Line(name="b", points=_points(1, 1)), stacked=True)
    heights = [float(y) for y in re.findall(r'<polyline points="[\d.]+,([\d.]+) ', picture)]
    bottom, top = (float(y) for y in (re.findall(r'V([\d.]+)"', picture)[0], 34))
    assert [round(4 * (bottom - height) / (bottom - top), 1) for height in heights] == [4.0, 1.0]


def test_a_legend_stays_within_its_panel_and_counts_what_it_leaves_out() -> None:
    """Twenty names do not fit: the greatest are named, the others counted, nothing beyond the panel's edge."""
    lines = [Line(name=f"operation_{place:02}", points=_points(1, 100 - place)) for place in range(20)]
    picture = _graph(*lines)
    named = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>(operation_\d+|and \d+ more)<', picture)
    assert len({y for _, y, _ in named}) == LEGEND_ROWS_MAX
    assert named[0][2] == "operation_00"
    assert int(named[-1][2].split()[1]) == 20 - (len(named) - 1)
    assert all(float(x) + 6 * len(name) <= 400 for x, _, name in named)
    assert math.isclose(max(float(y) for _, y, _ in named), 240, abs_tol=16)
