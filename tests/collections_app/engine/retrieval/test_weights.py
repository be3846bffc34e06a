"""Queries of several parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from collections_app.engine.retrieval import maxsim
from collections_app.engine.retrieval.weights import combine, condense, merge
from tests.collections_app.searchable import Halves, random_vectors

PAGE = [random_vectors(9, count=30)]


@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    weights=st.lists(st.floats(-10, 10, width=16).filter(bool), min_size=4, max_size=4),
)
def test_part_counts_by_its_weight_whatever_its_length(counts: list[int], weights: list[float]) -> None:
    parts = [(random_vectors(number, count=count), weights[number]) for number, count in enumerate(counts)]
    mean = sum(counts) / len(counts)
    expected = sum(weight * mean * float(maxsim.scores(vectors, PAGE)[0]) / len(vectors) for vectors, weight in parts)
    vectors, combined_weights = combine(parts)
    assert len(vectors) == len(combined_weights) == sum(counts)
    assert float(maxsim.scores(vectors, PAGE, weights=combined_weights)[0]) == pytest.approx(
        expected, rel=1e-3, abs=1e-3
    )


def test_single_part_scores_as_without_weights() -> None:
    vectors = random_vectors(1, count=7)
    both, weights = combine([(vectors, 1.0)])
    assert np.array_equal(weights, np.ones(7, dtype=np.float32))
    assert maxsim.scores(both, PAGE, weights=weights) == pytest.approx(maxsim.scores(vectors, PAGE))


def test_negative_part_lowers_the_score() -> None:
    vectors = random_vectors(1, count=7)
    _, weights = combine([(vectors, -1.0)])
    assert maxsim.scores(vectors, PAGE, weights=weights) == pytest.approx(-maxsim.scores(vectors, PAGE))


def test_long_query_is_condensed_and_keeps_its_total_weight() -> None:
    long = random_vectors(1, count=700)
    vectors, weights = condense(long, None)
    assert weights is not None
    assert len(vectors) == len(weights) == 128
    assert weights.sum() == pytest.approx(700)
    assert condense(long[:128], None)[1] is None


def test_vectors_of_different_weights_are_condensed_apart() -> None:
    both, combined_weights = combine([(random_vectors(1, count=300), 1.0), (random_vectors(2, count=300), -0.5)])
    vectors, weights = condense(both, combined_weights)
    assert weights is not None
    assert (len(vectors), int((weights > 0).sum()), int((weights < 0).sum())) == (256, 128, 128)
    assert weights[weights > 0].sum() == pytest.approx(-2 * weights[weights < 0].sum())


def slow_merge(query: Halves, weights: NDArray[np.float32], limit: int) -> NDArray[np.float64]:
    """Return the weighted sum of each cluster the slow and obvious way: apply the cheapest merge again and again."""
    sums, totals = list(query.astype(np.float64) * weights[:, None]), list(weights.astype(np.float64))
    while len(sums) > limit:
        means, sizes = np.array(sums) / np.array(totals)[:, None], np.array(totals)
        costs = ((means[:, None] - means) ** 2).sum(axis=2) * (sizes[:, None] * sizes) / (sizes[:, None] + sizes)
        np.fill_diagonal(costs, np.inf)
        first, second = sorted(divmod(int(costs.argmin()), len(sums)))
        sums[first] += sums.pop(second)
        totals[first] += totals.pop(second)
    return np.array(sorted(sums, key=tuple))


@given(seed=st.integers(0, 2**16), count=st.integers(1, 40), limit=st.integers(1, 12))
def test_merged_vectors_are_those_of_plain_ward(seed: int, count: int, limit: int) -> None:
    query = random_vectors(seed, count=count)
    weights = np.random.default_rng(seed).uniform(0.1, 3, count).astype(np.float32)
    vectors, totals = merge(query, weights, limit=limit)
    expected = slow_merge(query, weights, limit)
    sums = np.array(sorted(vectors * totals[:, None], key=tuple))
    assert sums.shape == expected.shape == (min(count, limit), 8)
    np.testing.assert_allclose(sums, expected, atol=1e-3)
    assert totals.sum() == pytest.approx(weights.sum(), rel=1e-5)


def test_repeated_vectors_are_merged_without_a_change_of_score() -> None:
    distinct = random_vectors(1, count=8)
    query = distinct[[0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 3, 3, 3, 7, 6, 0]]
    vectors, counts = merge(query, None, limit=8)
    assert sorted(counts) == [1, 1, 1, 1, 2, 2, 4, 4]
    assert maxsim.scores(vectors, PAGE, weights=counts) == pytest.approx(maxsim.scores(query, PAGE), rel=1e-3)


@pytest.mark.parametrize("count", [1, 7, 8])
def test_query_of_few_vectors_is_left_as_it_is(count: int) -> None:
    query, weights = random_vectors(1, count=count), np.arange(1, count + 1, dtype=np.float32)
    vectors, counts = merge(query, weights, limit=8)
    assert np.array_equal(vectors, query)
    assert np.array_equal(counts, weights)
    assert np.array_equal(merge(query, None, limit=8)[1], np.ones(count))


def test_vectors_to_be_avoided_are_merged_apart_and_those_without_weight_are_dropped() -> None:
    wanted = random_vectors(1, count=20)
    query = np.concatenate([wanted, wanted, wanted[:3]])
    weights = np.repeat(np.array([1, -0.5, 0], dtype=np.float32), [20, 20, 3])
    vectors, counts = merge(query, weights, limit=6)
    assert (len(vectors), int((counts > 0).sum()), int((counts < 0).sum())) == (12, 6, 6)
    np.testing.assert_allclose(vectors[:6], vectors[6:], atol=1e-5)
    np.testing.assert_allclose(counts[:6], -2 * counts[6:], rtol=1e-5)


@pytest.mark.parametrize("value", [0, 6e-8, 65504])
def test_equal_and_extreme_vectors_are_merged_to_finite_ones(value: float) -> None:
    vectors, counts = merge(np.full((40, 128), value, dtype=np.float16), None, limit=8)
    np.testing.assert_allclose(vectors, np.full((8, 128), np.float16(value)), rtol=1e-3)
    assert counts.sum() == 40
