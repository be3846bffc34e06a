"""Derives from a model's tokens the place on the page that each vector comes from. Depends on NumPy only."""

import re
from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from embeddings.contract import Layout

_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")


def grid(image_mask: NDArray[np.bool_], *, n_x: int, n_y: int) -> Layout | None:
    """Return the layout of a page whose vectors (n,) run line by line where the mask is true; None if they do not."""
    positions = np.flatnonzero(image_mask)
    if len(positions) == 0 or len(positions) != n_x * n_y or positions[-1] - positions[0] + 1 != len(positions):
        return None
    return {"kind": "grid", "n_x": n_x, "n_y": n_y, "offset": int(positions[0])}


def square(image_mask: NDArray[np.bool_]) -> Layout | None:
    """Return the layout of a page that the model resized to a square."""
    side = isqrt(int(image_mask.sum()))
    return grid(image_mask, n_x=side, n_y=side)


def numbered(image_mask: NDArray[np.bool_], *, x: NDArray[np.int64], y: NDArray[np.int64]) -> Layout | None:
    """Return the layout of a page whose model numbers its columns `x` and lines `y`.

    The token that begins the image is on a line of its own, above and left of the page; it has no box.
    """
    lines = y[image_mask]
    if len(lines) < 2:
        return None
    positions = np.flatnonzero(image_mask & (y > lines[0]))
    columns, rows = x[positions] - x[positions].min(), y[positions] - y[positions].min()
    n_x, n_y = int(columns.max()) + 1, int(rows.max()) + 1
    boxes: list[list[float] | None] = [None] * len(image_mask)
    for position, column, row in zip(positions, columns, rows, strict=True):
        boxes[position] = _box(column / n_x, row / n_y, 1 / n_x, 1 / n_y)
    return {"kind": "boxes", "boxes": boxes}


def tiles(image_mask: NDArray[np.bool_], *, tokens: Sequence[str], per_tile: int) -> Layout | None:
    """Return the layout of a page cut into tiles of `per_tile` vectors, each preceded by `<row_r_col_c>`.

    The thumbnail of the whole page that follows the tiles has no boxes.
    """
    places = [(int(match[1]) - 1, int(match[2]) - 1) for token in tokens if (match := _TILE.fullmatch(token))]
    positions = np.flatnonzero(image_mask)
    if not places or len(positions) not in (len(places) * per_tile, (len(places) + 1) * per_tile):
        return None
    rows, columns = (max(numbers) + 1 for numbers in zip(*places, strict=True))
    side = isqrt(per_tile)
    boxes: list[list[float] | None] = [None] * len(image_mask)
    for number, position in enumerate(positions[: len(places) * per_tile]):
        tile, inside = divmod(number, per_tile)
        row, column = places[tile]
        y, x = divmod(inside, side)
        left, top = (column + x / side) / columns, (row + y / side) / rows
        boxes[position] = _box(left, top, 1 / (side * columns), 1 / (side * rows))
    return {"kind": "boxes", "boxes": boxes}


def _box(left: float, top: float, width: float, height: float) -> list[float]:
    return [round(float(edge), 5) for edge in (left, top, left + width, top + height)]
