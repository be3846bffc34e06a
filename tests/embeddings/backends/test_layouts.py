"""The layouts of pages."""

import numpy as np

from embeddings.backends import layouts

PAGE = np.array([False, False, *[True] * 6, False])


def test_grid_starts_at_the_first_token_of_the_image() -> None:
    assert layouts.grid(PAGE, n_x=3, n_y=2) == {"kind": "grid", "n_x": 3, "n_y": 2, "offset": 2}


def test_tokens_that_do_not_fill_the_grid_have_no_layout() -> None:
    assert layouts.grid(PAGE, n_x=4, n_y=2) is None
    assert layouts.grid(np.zeros(4, dtype=bool), n_x=0, n_y=0) is None
    assert layouts.grid(np.array([True, False, True]), n_x=2, n_y=1) is None
    assert layouts.square(PAGE) is None


def test_resized_page_is_a_square() -> None:
    assert layouts.square(np.array([True] * 9)) == {"kind": "grid", "n_x": 3, "n_y": 3, "offset": 0}


def test_tiles_are_assembled_and_the_thumbnail_has_no_boxes() -> None:
    tokens = ["<row_1_col_1>", *"iiii", "<row_1_col_2>", *"iiii", "\n", "<global-img>", *"iiii"]
    image_mask = np.array([token == "i" for token in tokens])
    layout = layouts.tiles(image_mask, tokens=tokens, per_tile=4)
    assert layout is not None
    boxes = layout["boxes"]
    assert len(boxes) == len(tokens)
    assert boxes[1] == [0.0, 0.0, 0.25, 0.5]
    assert boxes[4] == [0.25, 0.5, 0.5, 1.0]
    assert boxes[6] == [0.5, 0.0, 0.75, 0.5]
    assert boxes[9] == [0.75, 0.5, 1.0, 1.0]
    assert sum(box is not None for box in boxes) == 8
    assert layouts.tiles(image_mask, tokens=tokens, per_tile=16) is None
    assert layouts.tiles(image_mask, tokens=["x"] * len(tokens), per_tile=4) is None


def test_token_that_begins_a_numbered_page_has_no_box() -> None:
    image_mask = np.array([False, True, True, True, False, True, True, False])
    y = np.array([0, 1, 2, 2, 2, 3, 3, 3])
    x = np.array([0, 1, 2, 3, 4, 2, 3, 4])
    layout = layouts.numbered(image_mask, x=x, y=y)
    assert layout is not None
    assert layout["boxes"] == [
        None,
        None,
        [0, 0, 0.5, 0.5],
        [0.5, 0, 1, 0.5],
        None,
        [0, 0.5, 0.5, 1],
        [0.5, 0.5, 1, 1],
        None,
    ]
    assert layouts.numbered(np.array([False, True]), x=x[:2], y=y[:2]) is None
