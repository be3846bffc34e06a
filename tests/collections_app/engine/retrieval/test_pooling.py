"""Few vectors for many: the clusters are those of Ward's method, and nothing a page may hold is too odd for it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from collections_app.engine.retrieval import pooling
from collections_app.engine.retrieval.pooling import COARSE, FINE, pool

Halves = NDArray[np.float16]


def heap(seed: int, *, count: int, dim: int = 32, around: int = 40) -> Halves:
    """Unit vectors in heaps, as patches of a page lie."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(around, dim))
    rows = centres[rng.integers(0, around, count)] + 0.6 * rng.normal(size=(count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float16)


def ward(page: Halves, most: int) -> list[list[int]]:
    """The members of each cluster, by the slow and obvious way: again and again the cheapest merge of all."""
    clusters = [[number] for number in range(len(page))]
    vectors = page.astype(np.float64)
    while len(clusters) > most:
        means = np.array([vectors[some].mean(axis=0) for some in clusters])
        sizes = np.array([len(some) for some in clusters])
        costs = ((means[:, None] - means) ** 2).sum(axis=2) * (sizes[:, None] * sizes) / (sizes[:, None] + sizes)
        np.fill_diagonal(costs, np.inf)
        one, other = sorted(divmod(int(costs.argmin()), len(clusters)))
        clusters[one] += clusters.pop(other)
    return clusters


def test_up_to_256_vectors_the_clusters_are_those_of_ward() -> None:
    page = heap(1, count=150)
    made = pool(page)
    for found, most in ((made.fine, FINE), (made.coarse, COARSE)):
        means = np.array([page[some].astype(np.float64).mean(axis=0) for some in ward(page, most)])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        nearest = (found @ means.T).argmax(axis=1)
        assert sorted(nearest) == list(range(most))
        np.testing.assert_allclose(found, means[nearest], atol=2e-3)


@pytest.mark.parametrize("count", [40, 257])
def test_what_is_compiled_does_what_it_says_in_python(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    page = heap(6, count=count, dim=4)
    found = pool(page)
    for name in ("_merge", "_label", "_add_up"):
        monkeypatch.setattr(pooling, name, getattr(pooling, name).py_func)
    again = pool(page)
    np.testing.assert_allclose(again.fine, found.fine, atol=1e-3)
    np.testing.assert_allclose(again.coarse, found.coarse, atol=1e-3)


def spread(page: Halves, centres: NDArray[np.float32]) -> float:
    """How far the vectors are from the centre nearest to them, on average."""
    return float(1 - (page.astype(np.float32) @ centres.T).max(axis=1).mean())


def test_the_short_cut_for_long_pages_loses_hardly_anything() -> None:
    page = heap(2, count=420, around=150)
    short = spread(page, pool(page).fine)
    means = np.array([page[::2][some].astype(np.float64).mean(axis=0) for some in ward(page[::2], FINE)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert short <= spread(page, means.astype(np.float32))


@pytest.mark.parametrize("count", [1, 2, COARSE, COARSE + 1, FINE, FINE + 1, 256, 257, 1030])
def test_a_page_is_pooled_to_so_many_and_a_short_one_stands_for_itself(count: int) -> None:
    page = heap(3, count=count)
    made = pool(page)
    assert (len(made.fine), len(made.coarse)) == (min(count, FINE), min(count, COARSE))
    if count <= FINE:
        assert (made.fine == page).all()
    np.testing.assert_allclose(np.linalg.norm(made.fine, axis=1), 1, atol=2e-3)


@given(
    arrays.arrays(
        np.float16,
        st.tuples(st.integers(1, 300), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 65504.0, -65504.0, 6e-8]),
        fill=st.just(np.float16(0)),
    )
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_vectors_are_finite_ones_come_out(page: Halves) -> None:
    made = pool(page)
    assert np.isfinite(made.fine).all()
    assert np.isfinite(made.coarse).all()
    assert 1 <= len(made.coarse) <= len(made.fine) <= min(FINE, len(page))


def test_a_page_of_equal_vectors_is_that_vector() -> None:
    page = np.repeat(heap(4, count=1), 2000, axis=0)
    made = pool(page)
    np.testing.assert_allclose(made.fine, np.repeat(page[:1], len(made.fine), axis=0), atol=1e-3)


def test_the_same_page_gives_the_same_vectors() -> None:
    page = heap(5, count=600)
    assert (pool(page).fine == pool(page.copy()).fine).all()
