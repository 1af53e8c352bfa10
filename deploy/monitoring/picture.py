"""Draws a dashboard as SVG from what a Prometheus holds: the same panels, places and queries that Grafana would show.

``python -m deploy.monitoring.picture http://127.0.0.1:9090 docs/pictures --minutes 30`` writes one file per dashboard.
It is for the docs, and for a look without Grafana; it knows the kinds of panels that the dashboards have.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from deploy.monitoring.answers import Answered, ask_board
from deploy.monitoring.generate import FOLDER
from deploy.monitoring.graphs import graph
from deploy.monitoring.words import text, worded

CELL_WIDTH: Final = 50  # of Grafana's grid, in units of the picture
CELL_HEIGHT: Final = 30
GAP: Final = 6
HEAD: Final = 44
ROWS_MAX: Final = 8  # of a table
GOOD, BAD = "#299c46", "#d44a3a"
_FONT: Final = 'font-family="Helvetica, Arial, sans-serif"'


def draw(title: str, panels: Sequence[Answered]) -> str:
    """Give the picture of a dashboard. All its graphs show the same time."""
    rows = max(panel.place["y"] + panel.place["h"] for panel in panels)
    width, height = 24 * CELL_WIDTH + GAP, rows * CELL_HEIGHT + HEAD + GAP
    moments = [at for panel in panels if panel.kind == "timeseries" for line in panel.lines for at, _ in line.points]
    span = (min(moments, default=0.0), max(moments, default=1.0))
    names = ", ".join(panel.title for panel in panels if panel.kind != "row")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(names)}</desc>",
        f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>',
        text(14, 29, title, size=20, bold=True),
        *(part for panel in panels for part in _panel(panel, span)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(panel: Answered, span: tuple[float, float]) -> Iterator[str]:
    x, y = panel.place["x"] * CELL_WIDTH + GAP, panel.place["y"] * CELL_HEIGHT + HEAD
    width, height = panel.place["w"] * CELL_WIDTH - GAP, panel.place["h"] * CELL_HEIGHT - GAP
    if panel.kind == "row":
        yield text(x + 6, y + 18, panel.title, size=13, bold=True)
        return
    fill = _fill(panel)
    yield f'<g transform="translate({x} {y})">'
    yield f'<rect width="{width}" height="{height}" rx="3" fill="{fill or "white"}" stroke="#d8d9da"/>'
    yield text(10, 19, panel.title, size=12, bold=True, colour="white" if fill else "#24292e")
    if not panel.lines:
        yield text(width / 2, height / 2 + 12, "nothing to show", size=12, anchor="middle", colour="#8e8e8e")
    elif panel.kind == "stat":
        figure = worded(panel.lines[0].newest, panel.unit)
        yield text(width / 2, height / 2 + 22, figure, size=26, anchor="middle", colour="white" if fill else "#24292e")
    elif panel.kind == "table":
        yield from _table(panel, width)
    else:
        yield from graph(panel, span, width=width, height=height)
    yield "</g>"


def _fill(panel: Answered) -> str:
    """Give the colour of a figure; empty where it has none."""
    if panel.kind != "stat" or panel.bad_from is None or not panel.lines:
        return ""
    return BAD if panel.lines[0].newest >= panel.bad_from else GOOD


def _table(panel: Answered, width: float) -> Iterator[str]:
    for place, line in enumerate(panel.lines[:ROWS_MAX]):
        y = 44 + place * 22
        yield text(12, y, line.name, size=12)
        yield text(width - 12, y, worded(line.newest, panel.unit), size=12, anchor="end")


def draw_boards(prometheus: str, folder: Path, *, begin: float, end: float) -> dict[Path, int]:
    """Draw all dashboards over this time, and tell of each file how many panels have figures.

    Raises OSError where Prometheus does not answer, ValueError where it refuses a query.
    """
    drawn = {}
    for file in sorted(FOLDER.glob("*.json")):
        board = json.loads(file.read_text(encoding="utf-8"))
        answered = ask_board(prometheus, board, begin=begin, end=end)
        path = folder / f"dashboard-{file.stem}.svg"
        path.write_text(draw(board["title"], answered), encoding="utf-8")
        drawn[path] = sum(bool(one.lines) for one in answered)
    return drawn


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw all dashboards."""
    parser = argparse.ArgumentParser(prog="python -m deploy.monitoring.picture", description=__doc__)
    parser.add_argument("prometheus", help="its address, as http://127.0.0.1:9090")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--minutes", type=float, default=30.0, help="how far back")
    given = parser.parse_args(arguments)
    end = time.time()
    for path, figures in draw_boards(given.prometheus, given.folder, begin=end - given.minutes * 60, end=end).items():
        sys.stdout.write(f"{path}: {figures} panels with figures\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
