"""Lines over time in a picture: axes with round figures, gaps where nothing was measured, and a legend that fits."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from deploy.monitoring.answers import Answered, Line
from deploy.monitoring.words import text, worded

COLOURS: Final = (
    *("#3274d9", "#e0752d", "#299c46", "#b877d9", "#d44a3a", "#1aa5a5", "#c9a20c", "#7a7a7a"),
    *("#0a437c", "#8f3bb8", "#705da0", "#508642", "#bf1b00", "#6d1f62"),
)
LEFT: Final = 56.0
RIGHT: Final = 14.0
TOP: Final = 34.0
LEGEND_HEIGHT: Final = 14.0  # of one of its rows
LEGEND_ROWS_MAX: Final = 3
LETTER_WIDTH: Final = 6.3  # of the legend's letters, generously
STEPS: Final = 4  # of the axis of values
_GREY: Final = "#6e6e6e"
_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_ROUND_SECONDS: Final = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)


def graph(panel: Answered, span: tuple[float, float], *, width: float, height: float) -> Iterator[str]:
    """Draw a panel's lines, the greatest first, within its box."""
    lines = sorted(panel.lines, key=lambda line: -max(value for _, value in line.points))
    legend = _legend_rows([line.name for line in lines], width - LEFT - RIGHT)
    bottom = height - 24.0 - LEGEND_HEIGHT * len(legend)
    drawn = _stacked(lines) if panel.stacked else [line.points for line in lines]
    values = [value for points in drawn for _, value in points]
    step = _step(max(values), seconds=panel.unit == "s")
    if panel.unit == "short" and all(value == int(value) for value in values):
        step = max(1.0, step)  # there is no half an order
    box = _Box(span=span, highest=step * STEPS, width=width, bottom=bottom)
    yield from _axes(box, step, panel.unit)
    for place, points in enumerate(drawn):
        yield from _line(box, points, COLOURS[place % len(COLOURS)], filled=panel.stacked)
    for row, names in enumerate(legend):
        yield from _legend(names, bottom + 31.0 + row * LEGEND_HEIGHT)


class _Box:
    """Where moments and values are drawn."""

    def __init__(self, *, span: tuple[float, float], highest: float, width: float, bottom: float) -> None:
        self.span, self.highest, self.bottom, self.right = span, highest, bottom, width - RIGHT

    def x(self, moment: float) -> float:
        begin, end = self.span
        return LEFT + (self.right - LEFT) * ((moment - begin) / (end - begin) if end > begin else 1.0)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - TOP) * max(0.0, value) / self.highest


def _step(highest: float, *, seconds: bool) -> float:
    """Give a round figure of which a few make at least the highest value."""
    wanted = (highest if highest > 0 else 1.0) / STEPS
    if seconds and wanted > _ROUND_SECONDS[0] / 2:
        return next((step for step in (15.0, 30.0, *_ROUND_SECONDS) if step >= wanted), wanted)
    size = 10.0 ** math.floor(math.log10(wanted))
    return size * next(one for one in _ROUND if one * size >= wanted * 0.9999)


def _stacked(lines: Sequence[Line]) -> list[list[tuple[float, float]]]:
    """Give the lines, each on top of those after it."""
    below: dict[float, float] = {}
    stacked = []
    for line in reversed(lines):
        below |= {at: below.get(at, 0.0) + value for at, value in line.points}
        stacked.append([(at, below[at]) for at, _ in line.points])
    return stacked[::-1]


def _axes(box: _Box, step: float, unit: str) -> Iterator[str]:
    for count in range(STEPS + 1):
        y = box.y(step * count)
        yield f'<path d="M{LEFT:g} {y:.1f}H{box.right:g}" stroke="#e4e4e4"/>'
        yield text(LEFT - 6, y + 4, worded(step * count, unit), size=10, anchor="end", colour=_GREY)
    for moment in _moments(*box.span):
        x = box.x(moment)
        yield f'<path d="M{x:.1f} {TOP:g}V{box.bottom:g}" stroke="#f0f0f0"/>'
        clock = datetime.fromtimestamp(moment, UTC).strftime("%H:%M")
        yield text(round(x, 1), box.bottom + 13, clock, size=10, anchor="middle", colour=_GREY)


def _moments(begin: float, end: float) -> list[float]:
    """Give some round moments in between."""
    every = next((step for step in _ROUND_SECONDS if (end - begin) / step <= STEPS), _ROUND_SECONDS[-1])
    first = math.ceil(begin / every)
    return [every * count for count in range(first, math.floor(end / every) + 1)]


def _line(box: _Box, points: Sequence[tuple[float, float]], colour: str, *, filled: bool) -> Iterator[str]:
    for part in _unbroken(points):
        places = [f"{box.x(at):.1f},{box.y(value):.1f}" for at, value in part]
        if filled:
            floor = f"{box.x(part[-1][0]):.1f},{box.bottom:g} {box.x(part[0][0]):.1f},{box.bottom:g}"
            # What lies below is drawn over it: only the line's own share keeps its colour.
            yield f'<polygon points="{" ".join(places)} {floor}" fill="white"/>'
            yield f'<polygon points="{" ".join(places)} {floor}" fill="{colour}" fill-opacity="0.2"/>'
        if len(part) == 1:
            yield f'<circle cx="{box.x(part[0][0]):.1f}" cy="{box.y(part[0][1]):.1f}" r="1.6" fill="{colour}"/>'
        yield f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _unbroken(points: Sequence[tuple[float, float]]) -> Iterator[Sequence[tuple[float, float]]]:
    """Give the parts of a line between which nothing was measured."""
    apart = min((later - at for (at, _), (later, _) in itertools.pairwise(points)), default=0.0)
    begin = 0
    for place in range(1, len(points)):
        if points[place][0] - points[place - 1][0] > 1.5 * apart:
            yield points[begin:place]
            begin = place
    yield points[begin:]


def _legend_rows(names: Sequence[str], width: float) -> list[Mapping[str, str]]:
    """Put the names with their colours into rows; what does not fit is counted."""
    rows: list[dict[str, str]] = [{}]
    used = 0.0
    for place, name in enumerate(names):
        # The last row keeps room for the count of what is left, unless nothing will be.
        left = len(names) - place - 1
        more = _wide(f"and {left} more") if len(rows) == LEGEND_ROWS_MAX and left else 0.0
        if used and used + _wide(name) + more > width:
            if len(rows) == LEGEND_ROWS_MAX:
                rows[-1][f"and {left + 1} more"] = "none"
                break
            rows.append({})
            used = 0.0
        rows[-1][name] = COLOURS[place % len(COLOURS)]
        used += _wide(name)
    return [*rows]


def _wide(name: str) -> float:
    return 26 + LETTER_WIDTH * len(name)


def _legend(names: Mapping[str, str], y: float) -> Iterator[str]:
    x = LEFT
    for name, colour in names.items():
        yield f'<rect x="{x:g}" y="{y - 6:g}" width="10" height="4" fill="{colour}"/>'
        yield text(x + 14, y, name, size=10)
        x = round(x + _wide(name), 1)
