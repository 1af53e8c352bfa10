"""Draws a dashboard as SVG from what a Prometheus holds: the same panels, places and queries that Grafana would show.

``python -m deploy.monitoring.picture http://127.0.0.1:9090 docs/pictures --minutes 30`` writes one file per dashboard.
It is for the docs, and for a look without Grafana; it knows the three kinds of panels that the dashboards have.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final

from deploy.monitoring.answers import Answered, Line, ask_board
from deploy.monitoring.generate import FOLDER

CELL_WIDTH: Final = 50  # of Grafana's grid, in units of the picture
CELL_HEIGHT: Final = 30
GAP: Final = 6
HEAD: Final = 44
LINES_MAX: Final = 8  # that a table or a legend names
COLOURS: Final = ("#3274d9", "#e0752d", "#299c46", "#b877d9", "#d44a3a", "#1aa5a5", "#c9a20c", "#7a7a7a")
_FONT: Final = 'font-family="Helvetica, Arial, sans-serif"'
_STEPS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def worded(value: float, unit: str) -> str:
    """Write a figure with its unit."""
    if unit == "percentunit":
        return f"{value * 100:.2f} %"
    if unit == "s":
        size, name = next(((size, name) for size, name in _STEPS if value >= size), (1, "s"))
        return f"{value / size:.3g} {name}"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}" + ("/s" if unit == "ops" else "")


def draw(title: str, panels: Sequence[Answered]) -> str:
    """Give the picture of a dashboard."""
    rows = max(panel.place["y"] + panel.place["h"] for panel in panels)
    width, height = 24 * CELL_WIDTH + GAP, rows * CELL_HEIGHT + HEAD + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {_FONT}>',
        f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>',
        _text(14, 29, title, size=20, bold=True),
        *(part for panel in panels for part in _panel(panel)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(panel: Answered) -> Iterator[str]:
    x, y = panel.place["x"] * CELL_WIDTH + GAP, panel.place["y"] * CELL_HEIGHT + HEAD
    width, height = panel.place["w"] * CELL_WIDTH - GAP, panel.place["h"] * CELL_HEIGHT - GAP
    if panel.kind == "row":
        yield _text(x + 6, y + 18, panel.title, size=13, bold=True)
        return
    yield f'<g transform="translate({x} {y})">'
    yield f'<rect width="{width}" height="{height}" rx="3" fill="white" stroke="#d8d9da"/>'
    yield _text(10, 19, panel.title, size=12, bold=True)
    if not panel.lines:
        yield _text(width / 2, height / 2 + 12, "nothing to show", size=12, anchor="middle", colour="#8e8e8e")
    elif panel.kind == "stat":
        yield _text(width / 2, height / 2 + 22, worded(panel.lines[0].newest, panel.unit), size=26, anchor="middle")
    elif panel.kind == "table":
        yield from _table(panel, width)
    else:
        yield from _graph(panel, width, height)
    yield "</g>"


def _table(panel: Answered, width: float) -> Iterator[str]:
    for place, line in enumerate(panel.lines[:LINES_MAX]):
        y = 44 + place * 22
        yield _text(12, y, line.name, size=12)
        yield _text(width - 12, y, worded(line.newest, panel.unit), size=12, anchor="end")


def _graph(panel: Answered, width: float, height: float) -> Iterator[str]:
    left, top, bottom = 56.0, 34.0, height - 34.0
    moments = [at for line in panel.lines for at, _ in line.points]
    begin, end = min(moments), max(moments)
    highest = max((value for line in panel.lines for _, value in line.points), default=0.0) or 1.0

    def at(moment: float, value: float) -> str:
        x = left + (width - left - 12) * ((moment - begin) / (end - begin) if end > begin else 1.0)
        return f"{x:.1f},{bottom - (bottom - top) * max(0.0, value) / highest:.1f}"

    for share in (0.0, 0.5, 1.0):
        y = bottom - (bottom - top) * share
        yield f'<path d="M{left} {y:.1f}H{width - 12}" stroke="#e4e4e4"/>'
        yield _text(left - 6, y + 4, worded(highest * share, panel.unit), size=10, anchor="end", colour="#6e6e6e")
    for place, line in enumerate(panel.lines):
        points = " ".join(at(*point) for point in line.points)
        yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[place % len(COLOURS)]}" stroke-width="1.6"/>'
    for moment, anchor, x in ((begin, "start", left), (end, "end", width - 12)):
        clock = datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")
        yield _text(x, bottom + 13, clock, size=10, anchor=anchor, colour="#6e6e6e")
    yield from _legend(panel.lines, left, height - 8)


def _legend(lines: Sequence[Line], x: float, y: float) -> Iterator[str]:
    for place, line in enumerate(lines[:LINES_MAX]):
        yield f'<rect x="{x}" y="{y - 8}" width="10" height="4" fill="{COLOURS[place % len(COLOURS)]}"/>'
        yield _text(x + 14, y, line.name, size=10)
        x += 26 + 5.6 * len(line.name)


def _text(
    x: float, y: float, text: str, *, size: int, bold: bool = False, anchor: str = "start", colour: str = "#24292e"
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw all dashboards."""
    parser = argparse.ArgumentParser(prog="python -m deploy.monitoring.picture", description=__doc__)
    parser.add_argument("prometheus", help="its address, as http://127.0.0.1:9090")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--minutes", type=float, default=30.0, help="how far back")
    given = parser.parse_args(arguments)
    end = time.time()
    for file in sorted(FOLDER.glob("*.json")):
        board = json.loads(file.read_text(encoding="utf-8"))
        answered = ask_board(given.prometheus, board, begin=end - given.minutes * 60, end=end)
        path = given.folder / f"dashboard-{file.stem}.svg"
        path.write_text(draw(board["title"], answered), encoding="utf-8")
        sys.stdout.write(f"{path}: {sum(bool(one.lines) for one in answered)} panels with figures\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
