"""Where vectors come from."""

from typing import Any

import numpy as np
import pytest

from collections_app.engine.retrieval.boxes import inside, of_layout

GRID = {"kind": "grid", "n_x": 2, "n_y": 2, "offset": 1}


def test_the_cells_of_a_grid_run_line_by_line_from_its_offset() -> None:
    boxes = of_layout(GRID, count=6)
    assert boxes[1:5].tolist() == [[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]
    assert np.isnan(boxes[[0, 5]]).all()


def test_boxes_are_taken_as_they_are_and_null_is_nowhere() -> None:
    boxes = of_layout({"kind": "boxes", "boxes": [[0, 0, 1, 0.5], None]}, count=2)
    assert boxes[0].tolist() == [0, 0, 1, 0.5]
    assert np.isnan(boxes[1]).all()


@pytest.mark.parametrize(
    "layout", [None, {}, {"kind": "grid", "n_x": 9, "n_y": 9, "offset": 0}, {"kind": "boxes", "boxes": [None]}, "x"]
)
def test_a_layout_that_does_not_go_with_the_vectors_tells_nothing(layout: Any) -> None:
    assert np.isnan(of_layout(layout, count=6)).all()
    assert not inside(layout, (0, 0, 1, 1), count=6).any()


def test_inside_is_what_has_its_middle_in_the_box() -> None:
    assert inside(GRID, (0, 0, 1, 0.5), count=6).tolist() == [False, True, True, False, False, False]
    assert inside(GRID, (0.4, 0.4, 0.6, 0.6), count=6).sum() == 0
    assert inside(GRID, (0, 0, 1, 1), count=6).sum() == 4
