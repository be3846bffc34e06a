"""Answer regions: the parts of a page that the query's vectors match best.

Every vector of a query matches everything on a page a little, so what counts is contrast. A match is scaled to 0 at the
mean of all matches of that vector and to 1 at its best match, and a vector's influence grows with how far its best
match stands out.
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

MAX_REGIONS = 8
MAX_TOKENS = 32
MAX_CELLS = 32  # of a map, in a row and in a column
_MAX_PATCHES = 64
_MIN_HEAT = 0.35  # of the hottest patch
_SHARPNESS = 4
# How far apart patches of one region may be, in heights: grid cells touch, and words of a line have a space between.
_GAPS = {"grid": (0.1, 0.1), "boxes": (2.0, 0.5)}


@dataclass(frozen=True, slots=True)
class Region:
    """A box, the normalised score of its inside alone, and the query's vectors whose best match is in it."""

    box: Box
    score: float
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokenMatch:
    """One vector of the query: its best match, that match's box, and a map of the page's contrast in 255 steps."""

    number: int
    score: float
    box: Box
    map: bytes


@dataclass(frozen=True, slots=True)
class AnswerRegions:
    """Regions, best first, and the vectors that stand out most, whose maps have n_y rows of n_x cells."""

    n_x: int
    n_y: int
    regions: tuple[Region, ...] = ()
    tokens: tuple[TokenMatch, ...] = ()


def answer_regions(
    query: maxsim.Query, page: MultiVector, layout: Any, *, weights: Weights | None = None
) -> AnswerRegions:
    """Find the answer regions of one page; none if the positions of its vectors are unknown."""
    patches = boxes.boxes_of(layout, count=len(page))
    positioned = ~np.isnan(patches[:, 0])
    tokens = np.arange(len(query)) if weights is None else np.flatnonzero(weights > 0)
    n_x, n_y = _map_size(layout)
    if not positioned.any() or not len(tokens):
        return AnswerRegions(n_x, n_y)
    patches = patches[positioned]
    with single_threaded():
        everywhere = query[tokens].astype(np.float32) @ page.astype(np.float32).T
    if layout["kind"] == "boxes":
        # A vector of the whole query matches those of passages, which have no box: it does not point to a word.
        about_words = positioned[everywhere.argmax(axis=1)]
        tokens, everywhere = tokens[about_words], everywhere[about_words]
        if not len(tokens):
            return AnswerRegions(n_x, n_y)
    matches = everywhere[:, positioned]
    mean, best = matches.mean(axis=1, keepdims=True), matches.max(axis=1, keepdims=True)
    prominence = np.maximum(best - mean, np.float32(1e-6))
    contrast = ((matches - mean) / prominence).clip(0, 1)
    influence = prominence[:, 0] * (1 if weights is None else weights[tokens])
    heat = influence @ contrast**_SHARPNESS
    return AnswerRegions(
        n_x,
        n_y,
        regions=_regions(
            patches,
            heat,
            matches,
            token_weights=None if weights is None else weights[tokens],
            tokens=tokens,
            gaps=_GAPS[layout["kind"]],
        ),
        tokens=tuple(
            TokenMatch(
                int(tokens[row]),
                float(best[row, 0]),
                _box(patches[matches[row].argmax()]),
                _map(contrast[row], patches, n_x, n_y),
            )
            for row in np.sort(np.argsort(-influence, kind="stable")[:MAX_TOKENS])
        ),
    )


def _map_size(layout: Any) -> tuple[int, int]:
    match layout:
        case {"kind": "grid", "n_x": int(n_x), "n_y": int(n_y)}:
            return min(n_x, MAX_CELLS), min(n_y, MAX_CELLS)
        case _:
            return MAX_CELLS, MAX_CELLS


def _regions(
    patches: Boxes,
    heat: NDArray[np.float32],
    matches: NDArray[np.float32],
    *,
    token_weights: Weights | None,
    tokens: NDArray[np.int64],
    gaps: tuple[float, float],
) -> tuple[Region, ...]:
    hottest = np.argsort(-heat, kind="stable")[:_MAX_PATCHES]
    hottest = hottest[heat[hottest] >= _MIN_HEAT * heat.max()]
    x, y = (patches[:, 0] + patches[:, 2]) / 2, (patches[:, 1] + patches[:, 3]) / 2
    best_patches = matches.argmax(axis=1)
    regions = []
    for group in _groups(patches[hottest], gaps):
        members = patches[hottest[group]]
        left, top = members[:, :2].min(axis=0)
        right, bottom = members[:, 2:].max(axis=0)
        inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        best = matches[:, inside].max(axis=1)
        score = float(best.mean() if token_weights is None else best @ token_weights / token_weights.sum())
        matched = tuple(int(token) for token in tokens[inside[best_patches]][:MAX_TOKENS])
        regions.append(Region((float(left), float(top), float(right), float(bottom)), score, matched))
    return tuple(sorted(regions, key=lambda region: (-region.score, region.box))[:MAX_REGIONS])


def _groups(patches: Boxes, gaps: tuple[float, float]) -> list[list[int]]:
    """Group boxes that are no further apart than these gaps, across and down; return their numbers."""
    height = patches[:, 3] - patches[:, 1]
    across, down = gaps[0] / 2 * height, gaps[1] / 2 * height
    grown = patches + np.stack([-across, -down, across, down], axis=1)
    touch = (
        (grown[:, None, 0] <= grown[None, :, 2])
        & (grown[None, :, 0] <= grown[:, None, 2])
        & (grown[:, None, 1] <= grown[None, :, 3])
        & (grown[None, :, 1] <= grown[:, None, 3])
    )
    groups: list[list[int]] = []
    ungrouped = set(range(len(patches)))
    while ungrouped:
        group, pending = [], [ungrouped.pop()]
        while pending:
            number = pending.pop()
            group.append(number)
            near = [other for other in ungrouped if touch[number, other]]
            ungrouped.difference_update(near)
            pending += near
        groups.append(sorted(group))
    return groups


def _map(contrast: NDArray[np.float32], patches: Boxes, n_x: int, n_y: int) -> bytes:
    """Return the strongest contrast in each cell, of all boxes that reach into it."""
    cells = np.zeros((n_y, n_x), dtype=np.uint8)
    steps = np.rint(contrast * 255).astype(np.uint8)
    # A box that ends where a cell begins does not reach into it.
    firsts = np.clip(np.floor(patches[:, :2] * (n_x, n_y) + 1e-3), 0, (n_x - 1, n_y - 1)).astype(int)
    lasts = np.clip(np.ceil(patches[:, 2:] * (n_x, n_y) - 1e-3), firsts + 1, (n_x, n_y)).astype(int)
    for number in np.flatnonzero(steps):
        (left, top), (right, bottom) = firsts[number], lasts[number]
        cells[top:bottom, left:right] = np.maximum(cells[top:bottom, left:right], steps[number])
    return cells.tobytes()


def _box(patch: NDArray[np.float32]) -> Box:
    left, top, right, bottom = (float(edge) for edge in patch)
    return left, top, right, bottom
