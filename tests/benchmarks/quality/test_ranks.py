"""Scores, ranks and intervals."""

import numpy as np
import pytest

from benchmarks.quality.encoded import Encoded
from benchmarks.quality.ranks import interval, maxsim, ranks
from embeddings import scoring


def encoded(rng: np.random.Generator, lengths: list[int]) -> Encoded:
    rows = rng.standard_normal((sum(lengths), 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Encoded(rows.astype(np.float16), np.cumsum([0, *lengths[:-1]]))


def test_scores_are_those_of_late_interaction_divided_by_the_vectors_of_the_question() -> None:
    rng = np.random.default_rng(1)
    questions, pages = encoded(rng, [3, 1, 7]), encoded(rng, [5, 9000, 2, 40])
    scores = maxsim(questions, pages)
    for question, length in enumerate([3, 1, 7]):
        for page in range(4):
            expected = scoring.maxsim(questions.halves(question), pages.halves(page)) / length
            assert scores[question, page] == pytest.approx(expected, abs=1e-4)


def test_rank_is_that_of_the_best_right_page() -> None:
    assert ranks(np.array([[0.5, 0.9, 0.7, 0.1]]), [[0, 2]]).tolist() == [2]


def test_pages_of_equal_scores_share_the_middle_place() -> None:
    assert ranks(np.array([[0.0, 0.0, 0.0, 0.0, 0.0]]), [[3]]).tolist() == [3]
    assert ranks(np.array([[0.9, 0.5, 0.5, 0.1]]), [[1]]).tolist() == [2.5]


def test_interval_contains_the_mean_and_excludes_zero_for_a_clear_difference() -> None:
    better, worse = np.array([1.0] * 40 + [2.0] * 10), np.array([4.0] * 50)
    mean, low, high = interval(better, worse)
    assert mean == pytest.approx(0.65)
    assert 0 < low < mean < high
    assert interval(worse, worse) == (0, 0, 0)
    assert interval(np.array([np.inf]), np.array([1.0]))[0] == -1
