"""The words of a picture: figures with their units, and texts in SVG."""

from html import escape
from typing import Final

_STEPS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms"))
_WHOLE_FROM: Final = 1000  # from here on decimals say nothing
_CENTS_FROM: Final = 100
_MILLION: Final = 1_000_000


def worded(value: float, unit: str) -> str:
    """Write a figure with its unit, as short as a person wants it."""
    if unit == "percentunit":
        return f"{value * 100:.2f} %"
    if unit == "s":
        size, name = next(((size, name) for size, name in _STEPS if abs(value) >= size), (1, "s"))
        return f"{value / size:.3g} {name}"
    return _number(value) + ("/s" if unit == "ops" else "")


def _number(value: float) -> str:
    if abs(value) >= _MILLION:
        return f"{value / _MILLION:.3g} M"
    if value == int(value) or abs(value) >= _WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= _CENTS_FROM else f"{value:.3g}"


def text(
    x: float, y: float, words: str, *, size: int, bold: bool = False, anchor: str = "start", colour: str = "#24292e"
) -> str:
    """Write words at a place of a picture."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(words)}</text>"
    )
