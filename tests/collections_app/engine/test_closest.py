"""The machine code finds the best products, whatever is left over of the fours and twos in which it multiplies."""

from typing import Any

import numpy as np
import pytest

from collections_app.engine import closest

SIZES = [1, 2, 3, 4, 5, 31, 32, 33, 36, 67]


def as_written(function: Any) -> Any:
    return function.py_func


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_the_best_product_of_each_vector_is_found(count: int, *, compiled: bool) -> None:
    rng = np.random.default_rng(count)
    query = rng.normal(size=(count, 20)).astype(np.float32)
    best = np.empty(count, dtype=np.float32)
    of_halves = closest.of_halves if compiled else as_written(closest.of_halves)
    of_steps = closest.of_steps if compiled else as_written(closest.of_steps)
    for size in SIZES if compiled else SIZES[:6]:
        halves = rng.normal(size=(size, 20)).astype(np.float16)
        steps = rng.integers(-127, 127, size=(size, 20)).astype(np.int8)
        of_halves(query, halves.view(np.int16), best)
        np.testing.assert_allclose(best, (query @ halves.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)
        of_steps(query, steps, best)
        np.testing.assert_allclose(best, (query @ steps.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)


def test_rows_that_are_left_over_get_the_last_vector_again() -> None:
    page = np.array([[1, -2.5], [65504, 6e-8]], dtype=np.float16)
    rows = np.empty((4, 2), dtype=np.float32)
    closest.decode(page.view(np.int16), rows)
    assert rows.tolist() == page.astype(np.float32)[[0, 1, 1, 1]].tolist()
