"""Several questions as one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval import maxsim
from collections_app.engine.retrieval.weights import condensed, together
from tests.collections_app.searchable import random_vectors

PAGE = [random_vectors(9, count=30)]


@given(
    counts=st.lists(st.integers(1, 20), min_size=1, max_size=4),
    weights=st.lists(st.floats(-10, 10, width=16).filter(bool), min_size=4, max_size=4),
)
def test_each_part_counts_by_its_weight_however_long_it_is(counts: list[int], weights: list[float]) -> None:
    parts = [(random_vectors(number, count=count), weights[number]) for number, count in enumerate(counts)]
    mean = sum(counts) / len(counts)
    expected = sum(weight * mean * float(maxsim.scores(vectors, PAGE)[0]) / len(vectors) for vectors, weight in parts)
    vectors, spread = together(parts)
    assert len(vectors) == len(spread) == sum(counts)
    assert float(maxsim.scores(vectors, PAGE, weights=spread)[0]) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_one_part_alone_scores_as_if_it_had_no_weight() -> None:
    vectors = random_vectors(1, count=7)
    both, weights = together([(vectors, 1.0)])
    assert np.array_equal(weights, np.ones(7, dtype=np.float32))
    assert maxsim.scores(both, PAGE, weights=weights) == pytest.approx(maxsim.scores(vectors, PAGE))


def test_what_is_avoided_lowers_the_score() -> None:
    vectors = random_vectors(1, count=7)
    _, weights = together([(vectors, -1.0)])
    assert maxsim.scores(vectors, PAGE, weights=weights) == pytest.approx(-maxsim.scores(vectors, PAGE))


def test_a_query_as_long_as_a_page_is_condensed_and_counts_as_much() -> None:
    long = random_vectors(1, count=700)
    vectors, weights = condensed(long, None)
    assert weights is not None
    assert len(vectors) == len(weights) == 128
    assert weights.sum() == pytest.approx(700)
    assert condensed(long[:128], None)[1] is None


def test_what_is_sought_and_what_is_avoided_are_condensed_each_by_itself() -> None:
    both, spread = together([(random_vectors(1, count=300), 1.0), (random_vectors(2, count=300), -0.5)])
    vectors, weights = condensed(both, spread)
    assert weights is not None
    assert (len(vectors), int((weights > 0).sum()), int((weights < 0).sum())) == (256, 128, 128)
    assert weights[weights > 0].sum() == pytest.approx(-2 * weights[weights < 0].sum())
