"""Bars with intervals, as coordinates of an SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROW, LABEL, WIDTH = 28, 80, 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One ranking of the chart: a bar from 0 to its mean, and a line from the lower to the upper end."""

    name: str
    mean: float
    y: int
    middle: int
    width: float
    low: float
    high: float


def bars(means: Sequence[tuple[str, Mapping[str, float]]]) -> list[Bar]:
    """Return the bars of means between 0 and 1, from top to bottom."""
    return [
        Bar(
            name=name,
            mean=mean["mean"],
            y=index * ROW + 4,
            middle=index * ROW + ROW // 2,
            width=round(mean["mean"] * WIDTH, 1),
            low=round(LABEL + mean["low"] * WIDTH, 1),
            high=round(LABEL + mean["high"] * WIDTH, 1),
        )
        for index, (name, mean) in enumerate(means)
    ]
