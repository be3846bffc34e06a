"""Pooling: the clusters are those of Ward's method, and any finite page can be pooled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from collections_app.engine.retrieval.pooling import COARSE, FINE, pool

Halves = NDArray[np.float16]


def clustered_page(seed: int, *, count: int, dim: int = 32, around: int = 40) -> Halves:
    """Return unit vectors in clusters, as the patches of a real page are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(around, dim))
    rows = centres[rng.integers(0, around, count)] + 0.6 * rng.normal(size=(count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float16)


def ward(page: Halves, limit: int) -> list[list[int]]:
    """Return the members of each cluster the slow and obvious way: apply the cheapest merge again and again."""
    clusters = [[number] for number in range(len(page))]
    vectors = page.astype(np.float64)
    while len(clusters) > limit:
        means = np.array([vectors[members].mean(axis=0) for members in clusters])
        sizes = np.array([len(members) for members in clusters])
        costs = ((means[:, None] - means) ** 2).sum(axis=2) * (sizes[:, None] * sizes) / (sizes[:, None] + sizes)
        np.fill_diagonal(costs, np.inf)
        first, second = sorted(divmod(int(costs.argmin()), len(clusters)))
        clusters[first] += clusters.pop(second)
    return clusters


def test_clusters_of_up_to_256_vectors_equal_plain_ward() -> None:
    page = clustered_page(1, count=150)
    pooled = pool(page)
    for centres, limit in ((pooled.fine, FINE), (pooled.coarse, COARSE)):
        means = np.array([page[members].astype(np.float64).mean(axis=0) for members in ward(page, limit)])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        nearest = (centres @ means.T).argmax(axis=1)
        assert sorted(nearest) == list(range(limit))
        np.testing.assert_allclose(centres, means[nearest], atol=2e-3)


def mean_distance(page: Halves, centres: NDArray[np.float32]) -> float:
    """Return the mean distance of the vectors from their nearest centre."""
    return float(1 - (page.astype(np.float32) @ centres.T).max(axis=1).mean())


def test_clustering_long_pages_by_parts_loses_little() -> None:
    page = clustered_page(2, count=420, around=150)
    by_parts = mean_distance(page, pool(page).fine)
    means = np.array([page[::2][members].astype(np.float64).mean(axis=0) for members in ward(page[::2], FINE)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert by_parts <= mean_distance(page, means.astype(np.float32))


@pytest.mark.parametrize("count", [1, 2, COARSE, COARSE + 1, FINE, FINE + 1, 256, 257, 1030])
def test_page_is_pooled_to_both_sizes_and_a_short_one_is_unchanged(count: int) -> None:
    page = clustered_page(3, count=count)
    pooled = pool(page)
    assert (len(pooled.fine), len(pooled.coarse)) == (min(count, FINE), min(count, COARSE))
    if count <= FINE:
        assert (pooled.fine == page).all()
    np.testing.assert_allclose(np.linalg.norm(pooled.fine, axis=1), 1, atol=2e-3)


@given(
    arrays.arrays(
        np.float16,
        st.tuples(st.integers(1, 300), st.integers(1, 4)),
        elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, 65504.0, -65504.0, 6e-8]),
        fill=st.just(np.float16(0)),
    )
)
@settings(max_examples=40)
def test_extreme_vectors_give_finite_pooled_ones(page: Halves) -> None:
    pooled = pool(page)
    assert np.isfinite(pooled.fine).all()
    assert np.isfinite(pooled.coarse).all()
    assert 1 <= len(pooled.coarse) <= len(pooled.fine) <= min(FINE, len(page))


def test_equal_vectors_pool_to_that_vector() -> None:
    page = np.repeat(clustered_page(4, count=1), 2000, axis=0)
    pooled = pool(page)
    np.testing.assert_allclose(pooled.fine, np.repeat(page[:1], len(pooled.fine), axis=0), atol=1e-3)


def test_pooling_is_deterministic() -> None:
    page = clustered_page(5, count=600)
    assert (pool(page).fine == pool(page.copy()).fine).all()
