"""The scans equal their slow versions, for pages and queries of every size, and score only the rows they are given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from collections_app.engine.retrieval.sketch import compact_forms
from collections_app.engine.retrieval.sketch_scan import (
    LoadedSketches,
    concatenate,
    encode_query,
    load,
    score_coarse,
    score_fine,
    select,
)

Floats = NDArray[np.float32]


def random_pages(seed: int, sizes: list[int], dim: int) -> list[NDArray[np.float16]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(size, dim)).astype(np.float16) for size in sizes]


def load_sketches(pages: list[NDArray[np.float16]], dim: int) -> LoadedSketches:
    stored = [compact_forms(page).sketch for page in pages]
    loaded, valid = load(b"".join(stored), np.array([len(data) for data in stored]), dim=dim)
    assert valid.all()
    return loaded


def signs_of(page: NDArray[np.float16]) -> Floats:
    return np.where(page > 0, 1, -1).astype(np.float32)


def slow_coarse(query: Floats, weights: Floats, page: NDArray[np.float16]) -> float:
    gains = np.linalg.norm(query, axis=1) * weights
    return float((np.where(query > 0, 1, -1) @ signs_of(page).T).max(axis=1) @ gains)


def slow_fine(query: Floats, weights: Floats, page: NDArray[np.float16]) -> float:
    """Score with numbers in sixteen steps; adds the term that the scan leaves out."""
    steps = np.abs(query).max(axis=1, keepdims=True) / 7.5
    levels = np.floor(query / np.where(steps > 0, steps, 1)).clip(-8, 7) + 0.5
    best = (levels @ signs_of(page).T).max(axis=1) + levels.sum(axis=1)
    return float(best @ (steps[:, 0] * weights))


def same(left: LoadedSketches, right: LoadedSketches) -> bool:
    pairs = [(left.fine, right.fine), (left.coarse, right.coarse)]
    return all(np.array_equal(a.words, b.words) and np.array_equal(a.starts, b.starts) for a, b in pairs)


@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(1, 128), min_size=1, max_size=8),
    dim=st.sampled_from([1, 7, 8, 64, 65, 127, 128, 129, 300, 520]),
    count=st.integers(1, 9),
    data=st.data(),
)
@settings(max_examples=60)
def test_scans_equal_their_slow_versions(
    seed: int, sizes: list[int], dim: int, count: int, data: st.DataObject
) -> None:
    pages = random_pages(seed, sizes, dim)
    rng = np.random.default_rng(seed + 1)
    query, weights = rng.normal(size=(count, dim)).astype(np.float32), rng.normal(size=count).astype(np.float32)
    chosen = data.draw(st.lists(st.integers(0, len(pages) - 1), max_size=6))
    rows = np.array(chosen, dtype=np.int64)
    codes, encoded = load_sketches(pages, dim).fine, encode_query(query, weights)
    coarse, fine = score_coarse(encoded, codes, rows, dim=dim), score_fine(encoded, codes, rows)
    scale = float(np.abs(query).sum() * np.abs(weights).max()) + 1
    np.testing.assert_allclose(
        coarse, [slow_coarse(query, weights, pages[row]) for row in rows], atol=1e-5 * scale * dim
    )
    np.testing.assert_allclose(fine, [slow_fine(query, weights, pages[row]) for row in rows], atol=1e-5 * scale)


def test_zero_query_and_zero_page_score_zero() -> None:
    pages = [np.zeros((2, 128), dtype=np.float16), *random_pages(1, [3], 128)]
    codes, encoded = load_sketches(pages, 128).fine, encode_query(np.zeros((2, 128), dtype=np.float32))
    rows = np.arange(2)
    assert score_coarse(encoded, codes, rows, dim=128).tolist() == [0, 0]
    assert score_fine(encoded, codes, rows).tolist() == [0, 0]


def test_page_that_equals_the_query_comes_first() -> None:
    pages = random_pages(2, [60] * 50, 128)
    sketches = load_sketches(pages, 128)
    encoded = encode_query(pages[17][:20])
    rows = np.arange(50)
    for scores in (
        score_coarse(encoded, sketches.fine, rows, dim=128),
        score_coarse(encoded, sketches.coarse, rows, dim=128),
        score_fine(encoded, sketches.fine, rows),
        score_fine(encoded, sketches.coarse, rows),
    ):
        assert scores.argmax() == 17


@pytest.mark.parametrize("dim", [8, 128, 200])
def test_sketches_are_concatenated_and_selected(dim: int) -> None:
    pages = random_pages(3, [1, 40, 128, 2, 77], dim)
    whole = load_sketches(pages, dim)
    assert same(concatenate([load_sketches(pages[:2], dim), load_sketches(pages[2:], dim)]), whole)
    assert same(select(whole, np.array([4, 0, 2])), load_sketches([pages[4], pages[0], pages[2]], dim))
    assert len(select(whole, np.empty(0, dtype=np.int64))) == 0


def test_invalid_sketches_are_left_out_and_reported() -> None:
    dim = 128
    good = [compact_forms(page).sketch for page in random_pages(4, [5, 200], dim)]
    stored = [b"", good[0], b"\1", good[0][:-1], b"\7" + good[0][1:], good[1], b"\1\0\0"]
    loaded, valid = load(b"".join(stored), np.array([len(data) for data in stored]), dim=dim)
    assert valid.tolist() == [False, True, False, False, False, True, False]
    assert same(loaded, load(b"".join(good), np.array([len(data) for data in good]), dim=dim)[0])
    nothing, valid = load(b"", np.zeros(3, dtype=np.int64), dim=dim)
    assert len(nothing) == 0
    assert not valid.any()
