"""From a real Booked through a real Prometheus to the dashboards: every query is answered, and the rules are loaded."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.monitoring.answers import Answered, Line, ask_board
from deploy.monitoring.picture import BAD, GOOD, draw
from deploy.monitoring.words import worded
from sandbox.processes import json_line
from sandbox.prometheus import prometheus
from tests.acceptance.conftest import installation
from tests.acceptance.installation import Installation, order
from tests.acceptance.waiting import until
from tests.monitoring.prometheus import binary
from tests.monitoring.test_alerts import ALERTS
from tests.monitoring.test_dashboards import BOARDS
from tests.observability.test_figures_process import figures_process

__all__ = ["installation"]


async def _get(url: str) -> Any:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        return (await client.get(url)).json()["data"]


async def _value(url: str, query: str) -> float:
    found = (await _get(f"{url}/api/v1/query?query={query}"))["result"]
    return float(found[0]["value"][1]) if found else 0.0


@pytest.mark.acceptance
async def test_the_dashboards_are_answered_by_a_run_of_booked(installation: Installation, tmp_path: Path) -> None:
    """Two orders are booked; every panel's query is understood, and all but those of what did not happen show it."""
    await installation.apply()
    await installation.connect()
    async with installation.process() as booked, figures_process(installation) as figures:
        targets = {one.name: str((await json_line(one, "listens"))["listens"]) for one in (booked, figures)}
        async with prometheus(tmp_path, {"booked": targets}, binary=binary("prometheus")) as url:
            await installation.publish("paid", [order("D-1"), order("D-2", total="99.99")])
            await installation.synced(2)
            shown = lambda: _value(url, 'sum(booked_orders{state=~"booked|parked"})')  # noqa: E731 asked again and again
            await until(shown, lambda orders: orders >= 2 * len(targets), what="both processes tell of both orders")
            end = await _value(url, "vector(time())")
            boards = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in BOARDS}
            asked = [asyncio.to_thread(ask_board, url, board, begin=end - 20, end=end) for board in boards.values()]
            told = dict(zip(boards, await asyncio.gather(*asked), strict=True))
            rules = [rule for group in (await _get(f"{url}/api/v1/rules"))["groups"] for rule in group["rules"]]
    silent = {one.title for panels in told.values() for one in panels if one.kind == "stat" and not one.lines}
    # No order is five minutes old yet, so that the promise has nothing to show; and no comparison or replay was made.
    assert silent <= {"Within five minutes (day)", "Money that differs", "Last success"}
    lines = {one.title: one.lines for panels in told.values() for one in panels}
    assert {line.newest for line in lines["Parked"]} == {1}
    assert [line.name for line in lines["Parked orders"]] == ["shop"]
    assert {line.name for line in lines["Lag in seconds"]} == {
        installation.topics[kind] for kind in ("order.paid", "order.updated", "order.cancelled")
    }
    loaded = {rule["name"] for rule in rules if rule["type"] == "alerting"}
    assert loaded == set(ALERTS)
    assert {rule["health"] for rule in rules} == {"ok"}
    assert all("<svg" in draw(boards[name]["title"], panels) for name, panels in told.items())


def test_a_picture_shows_titles_names_and_figures_and_hides_no_silence() -> None:
    """Each kind of panel; a title is text and no markup."""
    place = {"x": 0, "y": 0, "w": 8, "h": 8}
    line = Line(name="shop <b>", points=[(0.0, 1.0), (60.0, 90.0)])
    panels = [
        Answered(title="Now", kind="row", unit="short", place=place),
        Answered(title="Age & lag", kind="stat", unit="s", place=place, lines=[line]),
        Answered(title="By shop", kind="table", unit="short", place=place, lines=[line]),
        Answered(title="Over time", kind="timeseries", unit="s", place=place, lines=[line]),
        Answered(title="Empty", kind="timeseries", unit="s", place=place),
    ]
    picture = draw("Booked", panels)
    assert "Age &amp; lag" in picture
    assert picture.count("shop &lt;b&gt;") == 2
    assert ">1.5 min<" in picture
    assert picture.count("nothing to show") == 1
    assert picture.count("<polyline") == 1


def test_a_figure_is_red_from_where_grafana_makes_it_red() -> None:
    """Green below, without colour where nothing is bad."""
    place = {"x": 0, "y": 0, "w": 4, "h": 4}

    def colours(newest: float, bad_from: float | None) -> tuple[bool, bool]:
        line = Line(name="", points=[(0.0, newest)])
        picture = draw("B", [Answered(title="P", kind="stat", unit="s", place=place, lines=[line], bad_from=bad_from)])
        return GOOD in picture, BAD in picture

    assert [colours(59, 60), colours(60, 60), colours(60, None)] == [(True, False), (False, True), (False, False)]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.9991, "percentunit", "99.91 %"),
        (5400, "s", "1.5 h"),
        (0.25, "s", "250 ms"),
        (12345, "short", "12,345"),
        (1234.5, "short", "1,234"),
        (634.25, "short", "634.25"),
        (6_020_000, "short", "6.02 M"),
        (2, "ops", "2/s"),
        (0.361, "ops", "0.361/s"),
    ],
)
def test_figures_are_written_with_their_unit(value: float, unit: str, words: str) -> None:
    """As a person reads them."""
    assert worded(value, unit) == words
