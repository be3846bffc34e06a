"""The scans equal their slow versions, for pages and queries of every size, and see only the pages they are told."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.sketch import small
from collections_app.engine.retrieval.sketch_scan import Sketched, asked, coarsely, finely, joined, load, taken
from paliapi.env import ROOT
from tests.collections_app.engine.retrieval.numpy_kernels import as_written
from tests.environment import measured

Floats = NDArray[np.float32]


def pages_of(seed: int, sizes: list[int], dim: int) -> list[NDArray[np.float16]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(size, dim)).astype(np.float16) for size in sizes]


def sketched(pages: list[NDArray[np.float16]], dim: int) -> Sketched:
    kept = [small(page).sketch for page in pages]
    loaded, usable = load(b"".join(kept), np.array([len(one) for one in kept]), dim=dim)
    assert usable.all()
    return loaded


def sides(page: NDArray[np.float16]) -> Floats:
    return np.where(page > 0, 1, -1).astype(np.float32)


def slow_coarse(query: Floats, weights: Floats, page: NDArray[np.float16]) -> float:
    gains = np.linalg.norm(query, axis=1) * weights
    return float((np.where(query > 0, 1, -1) @ sides(page).T).max(axis=1) @ gains)


def slow_fine(query: Floats, weights: Floats, page: NDArray[np.float16]) -> float:
    """With numbers in sixteen steps; the scan leaves out what is the same for every page."""
    steps = np.abs(query).max(axis=1, keepdims=True) / 7.5
    levels = np.floor(query / np.where(steps > 0, steps, 1)).clip(-8, 7) + 0.5
    best = (levels @ sides(page).T).max(axis=1) + levels.sum(axis=1)
    return float(best @ (steps[:, 0] * weights))


@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(1, 128), min_size=1, max_size=8),
    dim=st.sampled_from([1, 7, 8, 64, 65, 127, 128, 129, 300, 520]),
    count=st.integers(1, 9),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_the_scans_equal_their_slow_versions(
    seed: int, sizes: list[int], dim: int, count: int, data: st.DataObject
) -> None:
    pages = pages_of(seed, sizes, dim)
    rng = np.random.default_rng(seed + 1)
    query, weights = rng.normal(size=(count, dim)).astype(np.float32), rng.normal(size=count).astype(np.float32)
    chosen = data.draw(st.lists(st.integers(0, len(pages) - 1), max_size=6))
    rows = np.array(chosen, dtype=np.int64)
    codes, told = sketched(pages, dim).fine, asked(query, weights)
    coarse, fine = coarsely(told, codes, rows, dim=dim), finely(told, codes, rows)
    scale = float(np.abs(query).sum() * np.abs(weights).max()) + 1
    np.testing.assert_allclose(
        coarse, [slow_coarse(query, weights, pages[row]) for row in rows], atol=1e-5 * scale * dim
    )
    np.testing.assert_allclose(fine, [slow_fine(query, weights, pages[row]) for row in rows], atol=1e-5 * scale)


def test_a_query_of_zeros_and_a_page_of_zeros_score_like_any_other() -> None:
    pages = [np.zeros((2, 128), dtype=np.float16), *pages_of(1, [3], 128)]
    codes, told = sketched(pages, 128).fine, asked(np.zeros((2, 128), dtype=np.float32))
    rows = np.arange(2)
    assert coarsely(told, codes, rows, dim=128).tolist() == [0, 0]
    assert finely(told, codes, rows).tolist() == [0, 0]


def test_a_page_that_is_the_question_comes_first() -> None:
    pages = pages_of(2, [60] * 50, 128)
    codes = sketched(pages, 128)
    told = asked(pages[17][:20])
    rows = np.arange(50)
    for found in (
        coarsely(told, codes.fine, rows, dim=128),
        coarsely(told, codes.coarse, rows, dim=128),
        finely(told, codes.fine, rows),
        finely(told, codes.coarse, rows),
    ):
        assert found.argmax() == 17


@pytest.mark.parametrize("dim", [20, 130, 300])
def test_what_is_compiled_does_what_it_says_in_python(monkeypatch: pytest.MonkeyPatch, dim: int) -> None:
    pages = pages_of(6, [3, 1], dim)
    told, rows = asked(pages_of(7, [2], dim)[0]), np.array([1, 0])
    codes = sketched(pages, dim)
    found = [coarsely(told, codes.coarse, rows, dim=dim), finely(told, codes.fine, rows)]
    as_written(monkeypatch, sketch_scan)
    assert same(sketched(pages, dim), codes)
    again = [coarsely(told, codes.coarse, rows, dim=dim), finely(told, codes.fine, rows)]
    np.testing.assert_allclose(again, found, rtol=1e-6)


def same(one: Sketched, other: Sketched) -> bool:
    pairs = [(one.fine, other.fine), (one.coarse, other.coarse)]
    return all(np.array_equal(a.words, b.words) and np.array_equal(a.starts, b.starts) for a, b in pairs)


@pytest.mark.parametrize("dim", [8, 128, 200])
def test_parts_join_and_rows_are_taken(dim: int) -> None:
    pages = pages_of(3, [1, 40, 128, 2, 77], dim)
    whole = sketched(pages, dim)
    assert same(joined([sketched(pages[:2], dim), sketched(pages[2:], dim)]), whole)
    assert same(taken(whole, np.array([4, 0, 2])), sketched([pages[4], pages[0], pages[2]], dim))
    assert len(taken(whole, np.empty(0, dtype=np.int64))) == 0


def test_what_cannot_be_used_is_left_out_and_told() -> None:
    dim = 128
    good = [small(page).sketch for page in pages_of(4, [5, 200], dim)]
    kept = [b"", good[0], b"\1", good[0][:-1], b"\7" + good[0][1:], good[1], b"\1\0\0"]
    loaded, usable = load(b"".join(kept), np.array([len(one) for one in kept]), dim=dim)
    assert usable.tolist() == [False, True, False, False, False, True, False]
    assert same(loaded, load(b"".join(good), np.array([len(one) for one in good]), dim=dim)[0])
    nothing, usable = load(b"", np.zeros(3, dtype=np.int64), dim=dim)
    assert len(nothing) == 0
    assert not usable.any()


def test_it_runs_where_the_sources_cannot_be_written(tmp_path: Path) -> None:
    """As in an image whose files belong to somebody else: what is compiled goes to a folder of its own."""
    code = (
        "import os, numba, tempfile; from pathlib import Path; from unittest import mock\n"
        "with mock.patch.object(os, 'access', return_value=False):\n"
        "    from collections_app.engine.retrieval import jit\n"
        "print(numba.config.CACHE_DIR)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"TMPDIR": str(tmp_path), **measured()},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(told.stdout.strip())
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
