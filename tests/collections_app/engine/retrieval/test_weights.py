"""Queries of several parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval import maxsim
from collections_app.engine.retrieval.weights import combine, condense
from tests.collections_app.searchable import random_vectors

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
