"""Plots as SVG: milliseconds against pages, on logarithmic axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 190, 30, 50
_COLOURS = ("#1f5fa8", "#b3541e", "#3b7d3b", "#7a4aa0")
_FONT = 'font-family="system-ui, sans-serif" font-size="13" fill="#222"'


@dataclass(frozen=True, slots=True)
class Line:
    """A named series of (pages, milliseconds)."""

    name: str
    points: Sequence[tuple[float, float]]


def growth(results: dict[str, Any]) -> str:
    """Plot the latency of a search, in total and for the sketch scan."""
    rows = results["growth"]
    total = Line("search, total", [(one["pages"], one["p50_ms"]) for one in rows])
    scans = [(one["pages"], one["stages_ms"]["sketch"]) for one in rows if one["stages_ms"].get("sketch")]
    return svg([total, Line("sketches alone", scans)], across="pages in scope", up="milliseconds, p50")


def svg(lines: Sequence[Line], *, across: str, up: str) -> str:
    """Draw the lines on axes that span the powers of ten around them."""
    spread = [_decades([point[axis] for line in lines for point in line.points]) for axis in (0, 1)]
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        right = (math.log10(x) - spread[0][0]) / (spread[0][1] - spread[0][0])
        above = (math.log10(y) - spread[1][0]) / (spread[1][1] - spread[1][0])
        return round(_LEFT + width * right, 1), round(_TOP + height * (1 - above), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(up)} against {escape(across)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for power in range(spread[0][0], spread[0][1] + 1):
        x, _ = place(10.0**power, 10.0 ** spread[1][0])
        parts.append(f'<line x1="{x}" y1="{_TOP}" x2="{x}" y2="{_TOP + height}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{_TOP + height + 20}" text-anchor="middle" {_FONT}>{10**power:,}</text>')
    for power in range(spread[1][0], spread[1][1] + 1):
        _, y = place(10.0 ** spread[0][0], 10.0**power)
        parts.append(f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + width}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" {_FONT}>{10.0**power:g}</text>')
    for number, line in enumerate(lines):
        parts += _shape([place(*point) for point in line.points], line.name, _COLOURS[number % len(_COLOURS)])
    middle = _TOP + height / 2
    turned = f'transform="rotate(-90 16 {middle})" x="16" y="{middle}"'
    parts += [
        f'<text x="{_LEFT + width / 2}" y="{_HEIGHT - 8}" text-anchor="middle" {_FONT}>{escape(across)}</text>',
        f'<text {turned} text-anchor="middle" {_FONT}>{escape(up)}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _shape(points: Sequence[tuple[float, float]], name: str, colour: str) -> list[str]:
    path = " ".join(f"{x},{y}" for x, y in points)
    x, y = points[-1]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>',
        *(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in points),
        f'<text x="{x + 10}" y="{y + 4}" {_FONT.replace("#222", colour)}>{escape(name)}</text>',
    ]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten around them."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)
