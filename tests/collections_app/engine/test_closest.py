"""The machine code finds the best products, whatever is left over of the numbers that it takes at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from collections_app.engine import closest, hamming
from collections_app.engine.sketch import small
from paliapi.env import ROOT
from tests.collections_app.engine.written import as_written
from tests.environment import measured

SIZES = [1, 2, 3, 4, 5, 31, 32, 33, 36, 67]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("count", "dim"), [(1, 20), (2, 128), (3, 7), (4, 16), (5, 33), (9, 64)])
def test_the_best_product_of_each_vector_is_found(
    monkeypatch: pytest.MonkeyPatch, count: int, dim: int, *, compiled: bool
) -> None:
    if not compiled:
        as_written(monkeypatch, closest)
    rng = np.random.default_rng(count)
    query = rng.normal(size=(count, dim)).astype(np.float32)
    best = np.empty(count, dtype=np.float32)
    for size in SIZES if compiled else (1, 5, 33):
        halves = rng.normal(size=(size, dim)).astype(np.float16)
        steps = rng.integers(-127, 127, size=(size, dim)).astype(np.int8)
        closest.of_page(query, halves.view(np.int16), best)
        np.testing.assert_allclose(best, (query @ halves.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)
        closest.of_page(query, steps, best)
        np.testing.assert_allclose(best, (query @ steps.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)


def test_it_is_the_same_on_any_processor(tmp_path: Path) -> None:
    """One with the least that all of its kind have, whose registers are narrow."""
    code = (
        "import numpy as np; from collections_app.engine import closest, hamming, lanes, sketch\n"
        "rng = np.random.default_rng(1); best = np.empty(5, dtype=np.float32); rows = np.arange(1)\n"
        "query, page = rng.normal(size=(5, 37)).astype(np.float32), rng.normal(size=(21, 37)).astype(np.float16)\n"
        "closest.of_page(query, page.view(np.int16), best)\n"
        "kept = sketch.small(page).sketch; loaded, _ = hamming.load(kept, np.array([len(kept)]), dim=37)\n"
        "found = hamming.coarsely(hamming.asked(query), loaded.coarse, rows, dim=37)\n"
        "print(lanes.FLOATS_AT_ONCE, *best, *found)"
    )
    env = {**measured(), "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    at_once, *found = map(float, told.stdout.split())
    rng = np.random.default_rng(1)
    query, page = rng.normal(size=(5, 37)).astype(np.float32), rng.normal(size=(21, 37)).astype(np.float16)
    kept = small(page).sketch
    loaded, _ = hamming.load(kept, np.array([len(kept)]), dim=37)
    assert at_once == 8
    np.testing.assert_allclose(found[:5], (query @ page.astype(np.float32).T).max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found[5:], hamming.coarsely(hamming.asked(query), loaded.coarse, np.arange(1), dim=37))


def test_rows_that_are_left_over_get_the_last_vector_again() -> None:
    page = np.array([[1, -2.5], [65504, 6e-8]], dtype=np.float16)
    rows = np.empty((4, 2), dtype=np.float32)
    closest.decode(page.view(np.int16), rows)
    assert rows.tolist() == page.astype(np.float32)[[0, 1, 1, 1]].tolist()
