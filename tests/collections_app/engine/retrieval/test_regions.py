"""Where on a page the answer lies."""

from typing import Any

import numpy as np
import pytest

from collections_app.engine.retrieval.regions import MOST_CELLS, MOST_REGIONS, MOST_TOKENS, of_page
from tests.collections_app.searchable import Halves, random_vectors

AXES = np.eye(8, dtype=np.float16)
GRID = {"kind": "grid", "n_x": 4, "n_y": 3, "offset": 1}


def grid_page(**cells: int) -> Halves:
    """13 vectors: one of its own, then 4 x 3 cells that show the last axis; `xNyM` shows another one."""
    page = np.repeat(AXES[7:], 13, axis=0)
    for name, axis in cells.items():
        page[1 + int(name[3]) * 4 + int(name[1])] = AXES[axis]
    return page


def test_the_cell_that_matches_is_the_region() -> None:
    found = of_page(AXES[:1], grid_page(x2y1=0), GRID)
    (region,) = found.regions
    assert region.box == pytest.approx((0.5, 1 / 3, 0.75, 2 / 3))
    assert (region.score, region.tokens) == (1, (0,))


def test_cells_that_touch_are_one_region_and_others_are_not() -> None:
    found = of_page(AXES[:2], grid_page(x0y0=0, x1y0=1, x3y2=0), GRID)
    assert [region.box for region in found.regions] == [
        pytest.approx((0, 0, 0.5, 1 / 3)),
        pytest.approx((0.75, 2 / 3, 1, 1)),
    ]
    assert [region.score for region in found.regions] == [1, 0.5]  # the second answers half of the question
    assert [region.tokens for region in found.regions] == [(0, 1), ()]


def test_a_map_shows_each_cell_between_the_mean_and_the_best() -> None:
    found = of_page(AXES[:2], grid_page(x2y1=0, x0y0=1), GRID)
    assert (found.n_x, found.n_y) == (4, 3)
    first, second = (np.frombuffer(token.map, dtype=np.uint8).reshape(3, 4) for token in found.tokens)
    assert np.argwhere(first == 255).tolist() == [[1, 2]]
    assert np.argwhere(second == 255).tolist() == [[0, 0]]
    assert first.sum() == second.sum() == 255
    assert [token.box for token in found.tokens] == [
        pytest.approx((0.5, 1 / 3, 0.75, 2 / 3)),
        pytest.approx((0, 0, 0.25, 1 / 3)),
    ]


def test_words_of_one_line_are_one_region() -> None:
    boxes = [[0.10, 0.1, 0.20, 0.12], [0.21, 0.1, 0.30, 0.12], [0.10, 0.5, 0.2, 0.52], [0.6, 0.1, 0.7, 0.12], None]
    page = AXES[[0, 1, 7, 7, 0]]
    found = of_page(AXES[:2], page, {"kind": "boxes", "boxes": boxes})
    assert [region.box for region in found.regions] == [pytest.approx((0.10, 0.1, 0.30, 0.12))]
    cells = np.frombuffer(found.tokens[0].map, dtype=np.uint8).reshape(found.n_y, found.n_x)
    assert {tuple(place) for place in np.argwhere(cells)} == {(3, column) for column in range(3, 7)}


def test_what_is_to_be_avoided_points_nowhere() -> None:
    page = grid_page(x2y1=0, x0y0=1)
    found = of_page(AXES[:2], page, GRID, weights=np.array([2, -1], dtype=np.float32))
    assert [token.number for token in found.tokens] == [0]
    assert [region.box for region in found.regions] == [pytest.approx((0.5, 1 / 3, 0.75, 2 / 3))]
    assert of_page(AXES[:1], page, GRID, weights=np.array([-1], dtype=np.float32)).regions == ()


@pytest.mark.parametrize("layout", [None, {"kind": "boxes", "boxes": [None] * 13}, {"kind": "grid"}, 5])
def test_a_page_without_places_has_no_regions(layout: Any) -> None:
    found = of_page(AXES[:1], grid_page(x2y1=0), layout)
    assert (found.regions, found.tokens) == ((), ())


def test_a_page_that_is_the_same_everywhere_has_regions_all_the_same() -> None:
    found = of_page(AXES[:1], grid_page(), GRID)
    assert found.regions[0].box == pytest.approx((0, 0, 1, 1))


def test_an_answer_is_bounded_however_long_query_and_page_are() -> None:
    page, query = random_vectors(1, count=70 * 60), random_vectors(2, count=300)
    found = of_page(query, page, {"kind": "grid", "n_x": 70, "n_y": 60, "offset": 0})
    assert (found.n_x, found.n_y) == (MOST_CELLS, MOST_CELLS)
    assert len(found.tokens) == MOST_TOKENS
    assert len(found.regions) <= MOST_REGIONS
    assert all(len(token.map) == MOST_CELLS**2 for token in found.tokens)
    assert all(len(region.tokens) <= MOST_TOKENS for region in found.regions)
