"""The rotation keeps products, spreads vectors, and is the same for every process."""

import numpy as np
import pytest

from collections_app.engine.retrieval.codes.rotation import rotate, rotate_back


@pytest.mark.parametrize("dim", [1, 2, 3, 8, 96, 128, 130, 768])
def test_products_are_kept_and_the_rotation_can_be_undone(dim: int) -> None:
    columns = np.random.default_rng(dim).normal(size=(dim, 7)).astype(np.float32)
    rotated = columns.copy()
    rotate(rotated)
    np.testing.assert_allclose(rotated.T @ rotated, columns.T @ columns, rtol=1e-4, atol=1e-3)
    rotate_back(rotated)
    np.testing.assert_allclose(rotated, columns, atol=1e-5)


@pytest.mark.parametrize("dim", [128, 130, 384, 768])
def test_single_number_is_spread_over_all_dimensions(dim: int) -> None:
    columns = np.eye(dim, dtype=np.float32)
    rotate(columns)
    assert np.abs(columns).max() <= 4 / np.sqrt(dim)


def test_rotation_never_changes_because_stored_pages_depend_on_it() -> None:
    columns = np.eye(8, 1, dtype=np.float32)
    rotate(columns)
    assert "".join("+" if number > 0 else "-" for number in columns[:, 0]) == "+-+++---"
