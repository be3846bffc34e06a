"""Where on a page the answer lies: which of its parts the query's vectors find most like themselves.

A vector of a query finds everything on a page a little like itself. What counts is what stands out: a match is measured
between the mean of all matches of that vector, which is 0, and its best, which is 1; and a vector has as much to say as
its best stands out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval import boxes, maxsim
from collections_app.engine.retrieval.boxes import Box, Boxes
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.single_threaded_blas import single_threaded
from collections_app.engine.retrieval.weights import Weights

MOST_REGIONS = 8
MOST_TOKENS = 32
MOST_CELLS = 32  # of a map, in a line and in a column
_MOST_CHOSEN = 64
_LEAST_HEAT = 0.35  # of the hottest
_SHARPNESS = 4
# How far apart parts of one region may be, in heights: cells touch, and words of a line have a space between them.
_GAPS = {"grid": (0.1, 0.1), "boxes": (2.0, 0.5)}


@dataclass(frozen=True, slots=True)
class Region:
    """A box, what its inside alone scores (normalised), and the vectors of the query whose best match lies in it."""

    box: Box
    score: float
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """One vector of the query: its best match, where that is, and how all else on the page compares, in 255 steps."""

    number: int
    score: float
    box: Box
    map: bytes


@dataclass(frozen=True, slots=True)
class Regions:
    """The best regions first; maps of n_y lines of n_x cells, for the vectors that stand out most."""

    n_x: int
    n_y: int
    regions: tuple[Region, ...] = ()
    tokens: tuple[Token, ...] = ()


def of_page(query: maxsim.Query, page: MultiVector, layout: Any, *, weights: Weights | None = None) -> Regions:
    """The regions of one page; none where it is not known where its vectors come from."""
    places = boxes.of_layout(layout, count=len(page))
    placed = ~np.isnan(places[:, 0])
    wanted = np.arange(len(query)) if weights is None else np.flatnonzero(weights > 0)
    n_x, n_y = _cells(layout)
    if not placed.any() or not len(wanted):
        return Regions(n_x, n_y)
    places = places[placed]
    with single_threaded():
        alike = query[wanted].astype(np.float32) @ page[placed].astype(np.float32).T
    mean, best = alike.mean(axis=1, keepdims=True), alike.max(axis=1, keepdims=True)
    outstanding = np.maximum(best - mean, np.float32(1e-6))
    contrast = ((alike - mean) / outstanding).clip(0, 1)
    say = outstanding[:, 0] * (1 if weights is None else weights[wanted])
    heat = say @ contrast**_SHARPNESS
    return Regions(
        n_x,
        n_y,
        regions=_regions(
            places,
            heat,
            alike,
            say=None if weights is None else weights[wanted],
            numbers=wanted,
            gaps=_GAPS[layout["kind"]],
        ),
        tokens=tuple(
            Token(
                int(wanted[row]),
                float(best[row, 0]),
                _box(places[alike[row].argmax()]),
                _map(contrast[row], places, n_x, n_y),
            )
            for row in np.sort(np.argsort(-say, kind="stable")[:MOST_TOKENS])
        ),
    )


def _cells(layout: Any) -> tuple[int, int]:
    match layout:
        case {"kind": "grid", "n_x": int(n_x), "n_y": int(n_y)}:
            return min(n_x, MOST_CELLS), min(n_y, MOST_CELLS)
        case _:
            return MOST_CELLS, MOST_CELLS


def _regions(
    places: Boxes,
    heat: NDArray[np.float32],
    alike: NDArray[np.float32],
    *,
    say: Weights | None,
    numbers: NDArray[np.int64],
    gaps: tuple[float, float],
) -> tuple[Region, ...]:
    chosen = np.argsort(-heat, kind="stable")[:_MOST_CHOSEN]
    chosen = chosen[heat[chosen] >= _LEAST_HEAT * heat.max()]
    x, y = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
    bests = alike.argmax(axis=1)
    found = []
    for group in _neighbours(places[chosen], gaps):
        members = places[chosen[group]]
        left, top = members[:, :2].min(axis=0)
        right, bottom = members[:, 2:].max(axis=0)
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        matches = alike[:, inside].max(axis=1)
        score = float(matches.mean() if say is None else matches @ say / say.sum())
        tokens = tuple(int(number) for number in numbers[inside[bests]][:MOST_TOKENS])
        found.append(Region((float(left), float(top), float(right), float(bottom)), score, tokens))
    return tuple(sorted(found, key=lambda region: (-region.score, region.box))[:MOST_REGIONS])


def _neighbours(places: Boxes, gaps: tuple[float, float]) -> list[list[int]]:
    """The numbers of boxes that are no further apart than this, across and down, together."""
    height = places[:, 3] - places[:, 1]
    across, down = gaps[0] / 2 * height, gaps[1] / 2 * height
    grown = places + np.stack([-across, -down, across, down], axis=1)
    touch = (
        (grown[:, None, 0] <= grown[None, :, 2])
        & (grown[None, :, 0] <= grown[:, None, 2])
        & (grown[:, None, 1] <= grown[None, :, 3])
        & (grown[None, :, 1] <= grown[:, None, 3])
    )
    groups: list[list[int]] = []
    left = set(range(len(places)))
    while left:
        group, todo = [], [left.pop()]
        while todo:
            one = todo.pop()
            group.append(one)
            near = [other for other in left if touch[one, other]]
            left.difference_update(near)
            todo += near
        groups.append(sorted(group))
    return groups


def _map(contrast: NDArray[np.float32], places: Boxes, n_x: int, n_y: int) -> bytes:
    """The strongest match in each cell that a box reaches into."""
    cells = np.zeros((n_y, n_x), dtype=np.uint8)
    steps = np.rint(contrast * 255).astype(np.uint8)
    # A box that ends where a cell begins does not reach into it.
    firsts = np.clip(np.floor(places[:, :2] * (n_x, n_y) + 1e-3), 0, (n_x - 1, n_y - 1)).astype(int)
    lasts = np.clip(np.ceil(places[:, 2:] * (n_x, n_y) - 1e-3), firsts + 1, (n_x, n_y)).astype(int)
    for place in np.flatnonzero(steps):
        (left, top), (right, bottom) = firsts[place], lasts[place]
        cells[top:bottom, left:right] = np.maximum(cells[top:bottom, left:right], steps[place])
    return cells.tobytes()


def _box(place: NDArray[np.float32]) -> Box:
    left, top, right, bottom = (float(edge) for edge in place)
    return left, top, right, bottom
