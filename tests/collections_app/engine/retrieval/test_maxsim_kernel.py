"""The machine code finds the best products, whatever is left over of the numbers that it takes at once."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval import maxsim_kernel, sketch_scan
from collections_app.engine.retrieval.sketch import small
from paliapi.env import ROOT
from tests.collections_app.engine.retrieval.numpy_kernels import as_written
from tests.environment import measured

SIZES = [1, 2, 3, 4, 5, 31, 32, 33, 36, 67]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("count", "dim"), [(1, 20), (2, 128), (3, 7), (4, 16), (5, 33), (9, 64)])
def test_the_best_product_of_each_vector_is_found(
    monkeypatch: pytest.MonkeyPatch, count: int, dim: int, *, compiled: bool
) -> None:
    if not compiled:
        as_written(monkeypatch, maxsim_kernel)
    rng = np.random.default_rng(count)
    query = rng.normal(size=(count, dim)).astype(np.float32)
    best = np.empty(count, dtype=np.float32)
    for size in SIZES if compiled else (1, 5, 33):
        halves = rng.normal(size=(size, dim)).astype(np.float16)
        steps = rng.integers(-127, 127, size=(size, dim)).astype(np.int8)
        maxsim_kernel.of_page(query, halves.view(np.int16), best)
        np.testing.assert_allclose(best, (query @ halves.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)
        maxsim_kernel.of_page(query, steps, best)
        np.testing.assert_allclose(best, (query @ steps.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", [np.int16, np.int8])
def test_each_page_is_found_where_it_is(monkeypatch: pytest.MonkeyPatch, kind: Any, *, compiled: bool) -> None:
    if not compiled:
        as_written(monkeypatch, maxsim_kernel)
    pages = _random_pages(kind, SIZES if compiled else [1, 5, 33])
    query = np.random.default_rng(1).normal(size=(5, 20)).astype(np.float32)
    gains = np.array([1, -0.5, 2, 0, 3], dtype=np.float32)
    sums, counter = np.empty(len(pages), dtype=np.float32), np.zeros(1, dtype=np.int64)
    maxsim_kernel.sums_of_pages(query, *_placed(pages), np.empty((0, 0), dtype=kind), gains, counter, sums)
    floats = [(page.view(np.float16) if kind is np.int16 else page).astype(np.float32) for page in pages]
    expected = [gains @ (query @ page.T).max(axis=1) for page in floats]
    np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-3)
    assert counter[0] == len(pages) + 1


def test_who_shares_a_counter_takes_each_page_once() -> None:
    pages = _random_pages(np.int8, [1, 40, 3] * 300)
    where, query, gains = _placed(pages), np.ones((3, 20), dtype=np.float32), np.ones(3, dtype=np.float32)
    kind, counter, begin = (
        np.empty((0, 0), dtype=np.int8),
        np.zeros(1, dtype=np.int64),
        threading.Barrier(4, timeout=30),
    )
    sums = np.full((4, len(pages)), np.nan, dtype=np.float32)

    def work(row: int) -> None:
        begin.wait()
        maxsim_kernel.sums_of_pages(query, *where, kind, gains, counter, sums[row])

    threads = [threading.Thread(target=work, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ((~np.isnan(sums)).sum(axis=0) == 1).all()
    expected = [3 * page.astype(np.float32).sum(axis=1).max() for page in pages]
    np.testing.assert_allclose(np.nansum(sums, axis=0), expected)
    assert counter[0] == len(pages) + 4


def _random_pages(kind: Any, sizes: list[int]) -> list[NDArray[Any]]:
    rng = np.random.default_rng(2)
    if kind is np.int16:
        return [rng.normal(size=(size, 20)).astype(np.float16).view(np.int16) for size in sizes]
    return [rng.integers(-127, 127, size=(size, 20)).astype(np.int8) for size in sizes]


def _placed(pages: list[NDArray[Any]]) -> tuple[maxsim_kernel.Numbers, maxsim_kernel.Numbers]:
    """Their addresses and lengths."""
    addresses = [page.__array_interface__["data"][0] for page in pages]
    return np.array(addresses, dtype=np.int64), np.array([len(page) for page in pages], dtype=np.int64)


def test_it_is_the_same_on_any_processor(tmp_path: Path) -> None:
    """One with the least that all of its kind have, whose registers are narrow."""
    code = (
        "import numpy as np; from collections_app.engine.retrieval import maxsim_kernel, simd, sketch, sketch_scan\n"
        "rng = np.random.default_rng(1); best = np.empty(5, dtype=np.float32); rows = np.arange(1)\n"
        "query, page = rng.normal(size=(5, 37)).astype(np.float32), rng.normal(size=(21, 37)).astype(np.float16)\n"
        "maxsim_kernel.of_page(query, page.view(np.int16), best)\n"
        "kept = sketch.small(page).sketch; loaded, _ = sketch_scan.load(kept, np.array([len(kept)]), dim=37)\n"
        "found = sketch_scan.coarsely(sketch_scan.asked(query), loaded.coarse, rows, dim=37)\n"
        "print(simd.FLOATS_AT_ONCE, *best, *found)"
    )
    env = {**measured(), "NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    at_once, *found = map(float, told.stdout.split())
    rng = np.random.default_rng(1)
    query, page = rng.normal(size=(5, 37)).astype(np.float32), rng.normal(size=(21, 37)).astype(np.float16)
    kept = small(page).sketch
    loaded, _ = sketch_scan.load(kept, np.array([len(kept)]), dim=37)
    assert at_once == 8
    np.testing.assert_allclose(found[:5], (query @ page.astype(np.float32).T).max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(
        found[5:], sketch_scan.coarsely(sketch_scan.asked(query), loaded.coarse, np.arange(1), dim=37)
    )


def test_rows_that_are_left_over_get_the_last_vector_again() -> None:
    page = np.array([[1, -2.5], [65504, 6e-8]], dtype=np.float16)
    rows = np.empty((4, 2), dtype=np.float32)
    maxsim_kernel.decode(page.view(np.int16), rows)
    assert rows.tolist() == page.astype(np.float32)[[0, 1, 1, 1]].tolist()
