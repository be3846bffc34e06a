"""Where on a page each of its vectors comes from, as boxes from 0 at the left and the top to 1."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Box: TypeAlias = tuple[float, float, float, float]
"""left, top, right, bottom."""

Boxes: TypeAlias = NDArray[np.float32]
"""(n, 4); not-a-number where a vector has no place."""


def of_layout(layout: Any, *, count: int) -> Boxes:
    """The box of each of `count` vectors; a layout that does not go with them has none to tell."""
    boxes = np.full((count, 4), np.nan, dtype=np.float32)
    match layout:
        case {"kind": "grid", "n_x": int(n_x), "n_y": int(n_y), "offset": int(offset)} if offset + n_x * n_y <= count:
            columns, lines = np.tile(np.arange(n_x), n_y) / n_x, np.repeat(np.arange(n_y), n_x) / n_y
            cells = np.stack([columns, lines, columns + 1 / n_x, lines + 1 / n_y], axis=1)
            boxes[offset : offset + n_x * n_y] = cells
        case {"kind": "boxes", "boxes": list(found)} if len(found) == count:
            for place, box in enumerate(found):
                if box is not None:
                    boxes[place] = box
    return boxes


def inside(layout: Any, box: Box, *, count: int) -> NDArray[np.bool_]:
    """Which vectors have the middle of their box in this one; those without a place have not."""
    boxes = of_layout(layout, count=count)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    left, top, right, bottom = box
    return np.asarray((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
