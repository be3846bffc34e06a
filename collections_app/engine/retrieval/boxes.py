"""The boxes of a page's vectors: where on the page each comes from, in fractions of its width and height."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Box: TypeAlias = tuple[float, float, float, float]
"""left, top, right, bottom, from 0 at the left and the top to 1."""

Boxes: TypeAlias = NDArray[np.float32]
"""(n, 4); NaN where a vector has no position."""


def boxes_of(layout: Any, *, count: int) -> Boxes:
    """Return the box of each of `count` vectors; all NaN if the layout does not fit that many."""
    boxes = np.full((count, 4), np.nan, dtype=np.float32)
    match layout:
        case {"kind": "grid", "n_x": int(n_x), "n_y": int(n_y), "offset": int(offset)} if offset + n_x * n_y <= count:
            columns, lines = np.tile(np.arange(n_x), n_y) / n_x, np.repeat(np.arange(n_y), n_x) / n_y
            cells = np.stack([columns, lines, columns + 1 / n_x, lines + 1 / n_y], axis=1)
            boxes[offset : offset + n_x * n_y] = cells
        case {"kind": "boxes", "boxes": list(listed)} if len(listed) == count:
            for number, box in enumerate(listed):
                if box is not None:
                    boxes[number] = box
    return boxes


def vectors_inside(layout: Any, box: Box, *, count: int) -> NDArray[np.bool_]:
    """Return which vectors have the centre of their box inside this one; those without a position do not."""
    boxes = boxes_of(layout, count=count)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    left, top, right, bottom = box
    return np.asarray((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
