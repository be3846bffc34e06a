"""Compiled MaxSim finds the best products for sizes that do not fill a register as well."""

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.kernels import compiled_maxsim
from tests.collections_app.engine.retrieval.kernels.simd_in_numpy import interpret

SIZES = [1, 2, 3, 4, 5, 31, 32, 33, 36, 67]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("count", "dim"), [(1, 20), (2, 128), (3, 7), (4, 16), (5, 33), (9, 64)])
def test_best_product_of_each_vector_is_found(
    monkeypatch: pytest.MonkeyPatch, count: int, dim: int, *, compiled: bool
) -> None:
    if not compiled:
        interpret(monkeypatch, compiled_maxsim)
    rng = np.random.default_rng(count)
    query = rng.normal(size=(count, dim)).astype(np.float32)
    best = np.empty(count, dtype=np.float32)
    for size in SIZES if compiled else (1, 5, 33):
        halves = rng.normal(size=(size, dim)).astype(np.float16)
        steps = rng.integers(-127, 127, size=(size, dim)).astype(np.int8)
        compiled_maxsim.best_products(query, halves.view(np.int16), best)
        np.testing.assert_allclose(best, (query @ halves.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)
        compiled_maxsim.best_products(query, steps, best)
        np.testing.assert_allclose(best, (query @ steps.astype(np.float32).T).max(axis=1), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", [np.int16, np.int8])
def test_pages_are_read_at_their_addresses(monkeypatch: pytest.MonkeyPatch, kind: Any, *, compiled: bool) -> None:
    if not compiled:
        interpret(monkeypatch, compiled_maxsim)
    pages = random_pages(kind, SIZES if compiled else [1, 5, 33])
    query = np.random.default_rng(1).normal(size=(5, 20)).astype(np.float32)
    gains = np.array([1, -0.5, 2, 0, 3], dtype=np.float32)
    sums, counter = np.empty(len(pages), dtype=np.float32), np.zeros(1, dtype=np.int64)
    empty = np.empty((0, 0), dtype=kind)
    compiled_maxsim.sum_over_pages(query, *addresses_and_lengths(pages), empty, gains, counter, sums)
    floats = [(page.view(np.float16) if kind is np.int16 else page).astype(np.float32) for page in pages]
    expected = [gains @ (query @ page.T).max(axis=1) for page in floats]
    np.testing.assert_allclose(sums, expected, rtol=1e-4, atol=1e-3)
    assert counter[0] == len(pages) + 1


def test_threads_that_share_a_counter_score_each_page_once() -> None:
    pages = random_pages(np.int8, [1, 40, 3] * 300)
    positions, query, gains = addresses_and_lengths(pages), np.ones((3, 20), dtype=np.float32), np.ones(3, np.float32)
    empty, counter = np.empty((0, 0), dtype=np.int8), np.zeros(1, dtype=np.int64)
    begin = threading.Barrier(4, timeout=30)
    sums = np.full((4, len(pages)), np.nan, dtype=np.float32)

    def work(row: int) -> None:
        begin.wait()
        compiled_maxsim.sum_over_pages(query, *positions, empty, gains, counter, sums[row])

    threads = [threading.Thread(target=work, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ((~np.isnan(sums)).sum(axis=0) == 1).all()
    expected = [3 * page.astype(np.float32).sum(axis=1).max() for page in pages]
    np.testing.assert_allclose(np.nansum(sums, axis=0), expected)
    assert counter[0] == len(pages) + 4


def test_rows_left_over_repeat_the_last_vector() -> None:
    page = np.array([[1, -2.5], [65504, 6e-8]], dtype=np.float16)
    rows = np.empty((4, 2), dtype=np.float32)
    compiled_maxsim.decode_halves(page.view(np.int16), rows)
    assert rows.tolist() == page.astype(np.float32)[[0, 1, 1, 1]].tolist()


def random_pages(kind: Any, sizes: list[int]) -> list[NDArray[Any]]:
    rng = np.random.default_rng(2)
    if kind is np.int16:
        return [rng.normal(size=(size, 20)).astype(np.float16).view(np.int16) for size in sizes]
    return [rng.integers(-127, 127, size=(size, 20)).astype(np.int8) for size in sizes]


def addresses_and_lengths(pages: list[NDArray[Any]]) -> tuple[Numbers, Numbers]:
    addresses = [page.__array_interface__["data"][0] for page in pages]
    return np.array(addresses, dtype=np.int64), np.array([len(page) for page in pages], dtype=np.int64)
