"""Answer regions of a page."""

from typing import Any

import numpy as np
import pytest

from collections_app.engine.retrieval.regions import MAX_CELLS, MAX_REGIONS, MAX_TOKENS, answer_regions
from tests.collections_app.searchable import Halves, random_vectors

AXES = np.eye(8, dtype=np.float16)
GRID = {"kind": "grid", "n_x": 4, "n_y": 3, "offset": 1}


def grid_page(**cells: int) -> Halves:
    """Return 13 vectors: a leading one, then 4 x 3 cells of the last axis; `xNyM` sets the axis of one cell."""
    page = np.repeat(AXES[7:], 13, axis=0)
    for name, axis in cells.items():
        page[1 + int(name[3]) * 4 + int(name[1])] = AXES[axis]
    return page


def test_matching_cell_is_the_region() -> None:
    result = answer_regions(AXES[:1], grid_page(x2y1=0), GRID)
    (region,) = result.regions
    assert region.box == pytest.approx((0.5, 1 / 3, 0.75, 2 / 3))
    assert (region.score, region.tokens) == (1, (0,))


def test_adjacent_cells_are_one_region() -> None:
    result = answer_regions(AXES[:2], grid_page(x0y0=0, x1y0=1, x3y2=0), GRID)
    assert [region.box for region in result.regions] == [
        pytest.approx((0, 0, 0.5, 1 / 3)),
        pytest.approx((0.75, 2 / 3, 1, 1)),
    ]
    assert [region.score for region in result.regions] == [1, 0.5]  # the second one matches half of the query
    assert [region.tokens for region in result.regions] == [(0, 1), ()]


def test_map_scales_each_cell_between_mean_and_best_match() -> None:
    result = answer_regions(AXES[:2], grid_page(x2y1=0, x0y0=1), GRID)
    assert (result.n_x, result.n_y) == (4, 3)
    first, second = (np.frombuffer(token.map, dtype=np.uint8).reshape(3, 4) for token in result.tokens)
    assert np.argwhere(first == 255).tolist() == [[1, 2]]
    assert np.argwhere(second == 255).tolist() == [[0, 0]]
    assert first.sum() == second.sum() == 255
    assert [token.box for token in result.tokens] == [
        pytest.approx((0.5, 1 / 3, 0.75, 2 / 3)),
        pytest.approx((0, 0, 0.25, 1 / 3)),
    ]


def test_vector_that_matches_a_passage_points_to_no_word() -> None:
    layout = {"kind": "boxes", "boxes": [[0.1, 0.1, 0.2, 0.12], [0.6, 0.5, 0.7, 0.52], None]}
    # The second vector of the query matches the passage, and the second word a little.
    page = np.stack([AXES[0], AXES[7] + AXES[1] / 4, AXES[1]]).astype(np.float16)
    result = answer_regions(AXES[:2], page, layout)
    assert [region.box for region in result.regions] == [pytest.approx((0.1, 0.1, 0.2, 0.12))]
    assert [token.number for token in result.tokens] == [0]
    assert answer_regions(AXES[1:2], page, layout).regions == ()


def test_words_of_one_line_are_one_region() -> None:
    boxes = [[0.10, 0.1, 0.20, 0.12], [0.21, 0.1, 0.30, 0.12], [0.10, 0.5, 0.2, 0.52], [0.6, 0.1, 0.7, 0.12], None]
    page = AXES[[0, 1, 7, 7, 0]]
    result = answer_regions(AXES[:2], page, {"kind": "boxes", "boxes": boxes})
    assert [region.box for region in result.regions] == [pytest.approx((0.10, 0.1, 0.30, 0.12))]
    cells = np.frombuffer(result.tokens[0].map, dtype=np.uint8).reshape(result.n_y, result.n_x)
    assert {tuple(place) for place in np.argwhere(cells)} == {(3, column) for column in range(3, 7)}


def test_negative_parts_have_no_regions() -> None:
    page = grid_page(x2y1=0, x0y0=1)
    result = answer_regions(AXES[:2], page, GRID, weights=np.array([2, -1], dtype=np.float32))
    assert [token.number for token in result.tokens] == [0]
    assert [region.box for region in result.regions] == [pytest.approx((0.5, 1 / 3, 0.75, 2 / 3))]
    assert answer_regions(AXES[:1], page, GRID, weights=np.array([-1], dtype=np.float32)).regions == ()


@pytest.mark.parametrize("layout", [None, {"kind": "boxes", "boxes": [None] * 13}, {"kind": "grid"}, 5])
def test_page_without_positions_has_no_regions(layout: Any) -> None:
    result = answer_regions(AXES[:1], grid_page(x2y1=0), layout)
    assert (result.regions, result.tokens) == ((), ())


def test_uniform_page_is_one_region() -> None:
    result = answer_regions(AXES[:1], grid_page(), GRID)
    assert result.regions[0].box == pytest.approx((0, 0, 1, 1))


def test_result_is_bounded_for_long_queries_and_pages() -> None:
    page, query = random_vectors(1, count=70 * 60), random_vectors(2, count=300)
    result = answer_regions(query, page, {"kind": "grid", "n_x": 70, "n_y": 60, "offset": 0})
    assert (result.n_x, result.n_y) == (MAX_CELLS, MAX_CELLS)
    assert len(result.tokens) == MAX_TOKENS
    assert len(result.regions) <= MAX_REGIONS
    assert all(len(token.map) == MAX_CELLS**2 for token in result.tokens)
    assert all(len(region.tokens) <= MAX_TOKENS for region in result.regions)
