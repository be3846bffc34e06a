"""The retrieval metrics follow their usual definitions."""

import math

import pytest

from benchmarks.search.metrics import ndcg, recall, reciprocal_rank

RELEVANT = {"a": 1, "b": 2}


def test_perfect_ranking_scores_one() -> None:
    ranking = ["b", "a", "x"]
    assert ndcg(ranking, RELEVANT, at=5) == recall(ranking, RELEVANT, at=2) == reciprocal_rank(ranking, RELEVANT) == 1


def test_empty_ranking_scores_zero() -> None:
    assert ndcg(["x"], RELEVANT, at=5) == recall(["x"], RELEVANT, at=5) == reciprocal_rank(["x"], RELEVANT) == 0


def test_gain_increases_with_grade_and_decreases_with_rank() -> None:
    best = 3 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(["a", "x", "b"], RELEVANT, at=5) == pytest.approx((1 / math.log2(2) + 3 / math.log2(4)) / best)


def test_items_after_the_cutoff_do_not_count() -> None:
    assert recall(["x", "a", "b"], RELEVANT, at=2) == 0.5
    assert ndcg(["x", "x", "b"], RELEVANT, at=2) == 0


def test_reciprocal_rank_uses_the_first_relevant_item() -> None:
    assert reciprocal_rank(["x", "y", "a", "b"], RELEVANT) == pytest.approx(1 / 3)
