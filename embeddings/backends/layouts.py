"""Where on the page a model's vectors come from, told from its tokens. Pure: arrays in, layouts out."""

import re
from collections.abc import Sequence
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from embeddings.contract import Layout

_TILE = re.compile(r"<row_(\d+)_col_(\d+)>")


def grid(of_image: NDArray[np.bool_], *, n_x: int, n_y: int) -> Layout | None:
    """The layout of a page whose vectors (n,) run line by line where `of_image` is true; None if they do not."""
    at = np.flatnonzero(of_image)
    if len(at) == 0 or len(at) != n_x * n_y or at[-1] - at[0] + 1 != len(at):
        return None
    return {"kind": "grid", "n_x": n_x, "n_y": n_y, "offset": int(at[0])}


def square(of_image: NDArray[np.bool_]) -> Layout | None:
    """The layout of a page that was pressed into a square, which is how models without a grid of their own see it."""
    side = isqrt(int(of_image.sum()))
    return grid(of_image, n_x=side, n_y=side)


def placed(of_image: NDArray[np.bool_], *, x: NDArray[np.int64], y: NDArray[np.int64]) -> Layout | None:
    """The layout of a page whose model numbers its columns `x` and lines `y`; what comes before the first has none."""
    lines = y[of_image]
    if len(lines) < 2:
        return None
    # The mark that an image begins stands on a line of its own, above and left of the page.
    at = np.flatnonzero(of_image & (y > lines[0]))
    columns, rows = x[at] - x[at].min(), y[at] - y[at].min()
    n_x, n_y = int(columns.max()) + 1, int(rows.max()) + 1
    boxes: list[list[float] | None] = [None] * len(of_image)
    for position, column, row in zip(at, columns, rows, strict=True):
        boxes[position] = _box(column / n_x, row / n_y, 1 / n_x, 1 / n_y)
    return {"kind": "boxes", "boxes": boxes}


def tiles(of_image: NDArray[np.bool_], *, tokens: Sequence[str], per_tile: int) -> Layout | None:
    """The layout of a page that was cut into tiles of `per_tile` vectors each, with `<row_r_col_c>` before each.

    The small picture of the whole page that follows the tiles has no boxes.
    """
    found = [(int(match[1]) - 1, int(match[2]) - 1) for token in tokens if (match := _TILE.fullmatch(token))]
    at = np.flatnonzero(of_image)
    if not found or len(at) not in (len(found) * per_tile, (len(found) + 1) * per_tile):
        return None
    rows, columns = (max(numbers) + 1 for numbers in zip(*found, strict=True))
    side = isqrt(per_tile)
    boxes: list[list[float] | None] = [None] * len(of_image)
    for number, position in enumerate(at[: len(found) * per_tile]):
        tile, inside = divmod(number, per_tile)
        row, column = found[tile]
        y, x = divmod(inside, side)
        left, top = (column + x / side) / columns, (row + y / side) / rows
        boxes[position] = _box(left, top, 1 / (side * columns), 1 / (side * rows))
    return {"kind": "boxes", "boxes": boxes}


def _box(left: float, top: float, width: float, height: float) -> list[float]:
    return [round(float(edge), 5) for edge in (left, top, left + width, top + height)]
