"""Boxes of a page's vectors."""

from typing import Any

import numpy as np
import pytest

from collections_app.engine.retrieval.boxes import boxes_of, vectors_inside

GRID = {"kind": "grid", "n_x": 2, "n_y": 2, "offset": 1}


def test_grid_cells_are_numbered_row_by_row_from_the_offset() -> None:
    boxes = boxes_of(GRID, count=6)
    assert boxes[1:5].tolist() == [[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]
    assert np.isnan(boxes[[0, 5]]).all()


def test_listed_boxes_are_used_and_null_has_no_position() -> None:
    boxes = boxes_of({"kind": "boxes", "boxes": [[0, 0, 1, 0.5], None]}, count=2)
    assert boxes[0].tolist() == [0, 0, 1, 0.5]
    assert np.isnan(boxes[1]).all()


@pytest.mark.parametrize(
    "layout", [None, {}, {"kind": "grid", "n_x": 9, "n_y": 9, "offset": 0}, {"kind": "boxes", "boxes": [None]}, "x"]
)
def test_layout_that_does_not_fit_the_vectors_is_ignored(layout: Any) -> None:
    assert np.isnan(boxes_of(layout, count=6)).all()
    assert not vectors_inside(layout, (0, 0, 1, 1), count=6).any()


def test_vector_is_inside_if_its_centre_is() -> None:
    assert vectors_inside(GRID, (0, 0, 1, 0.5), count=6).tolist() == [False, True, True, False, False, False]
    assert vectors_inside(GRID, (0.4, 0.4, 0.6, 0.6), count=6).sum() == 0
    assert vectors_inside(GRID, (0, 0, 1, 1), count=6).sum() == 4
