"""Shares by day, as coordinates of an SVG."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEFT, TOP, WIDTH, HEIGHT = 48, 12, 400, 96
_FLOORS = (0.9, 0.5, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The share of one day."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The shares between two days, above a floor that shows their differences."""

    points: list[Point]
    floor: float
    first: date
    last: date

    @property
    def path(self) -> str:
        return " ".join(f"{point.x},{point.y}" for point in self.points)


def line(shares: Mapping[date, float], *, days: int, today: date) -> Line:
    """Return the line of shares between 0 and 1 that ends today and has these days, or as many as are needed."""
    first = min([today - timedelta(days=days), *shares])
    floor = next(one for one in _FLOORS if min(shares.values(), default=1) >= one)
    per_day = WIDTH / ((today - first).days or 1)
    points = [
        Point(
            x=round(LEFT + (day - first).days * per_day, 1),
            y=round(TOP + (1 - share) / (1 - floor) * HEIGHT, 1),
        )
        for day, share in shares.items()
    ]
    return Line(points=points, floor=floor, first=first, last=today)
