"""nDCG, recall, MRR and their intervals, compared with values computed by hand."""

import math

import pytest

from collections_app.engine.evaluation import measures

# A page of grade 2 at rank 3, one of grade 1 at rank 1, one of grade 1 that was not found.
GAINED = 1 / math.log2(2) + 3 / math.log2(4)
BEST = 3 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)


def test_measures_of_one_question() -> None:
    values = measures.of_question([3, 1, None], [2, 1, 1])
    assert values["ndcg5"] == values["ndcg10"] == pytest.approx(GAINED / BEST)
    assert values["recall1"] == pytest.approx(1 / 3)
    assert values["recall5"] == values["recall100"] == pytest.approx(2 / 3)
    assert values["mrr"] == 1
    assert set(values) == set(measures.NAMES)


def test_ranks_beyond_the_cut_count_for_the_larger_cut_only() -> None:
    values = measures.of_question([7], [1])
    assert [values[name] for name in ("ndcg5", "recall5", "recall10")] == [0, 0, 1]
    assert values["ndcg10"] == pytest.approx(1 / 3)
    assert values["mrr"] == pytest.approx(1 / 7)


def test_ideal_ranking_has_only_as_many_items_as_the_cut() -> None:
    assert measures.of_question([1, 2, 3, 4, 5, 6], [1] * 6)["ndcg5"] == pytest.approx(1)
    assert measures.of_question([None], [1]) == dict.fromkeys(measures.NAMES, 0)


def test_interval_contains_the_mean_and_shrinks_with_more_questions() -> None:
    good, bad = measures.of_question([1], [1]), measures.of_question([None], [1])
    few, many = measures.means([good, bad] * 10)["mrr"], measures.means([good, bad] * 400)["mrr"]
    assert few.mean == many.mean == 0.5
    assert few.low < many.low < 0.5 < many.high < few.high
    # The normal approximation of the same interval: 1.96 standard errors of a mean of 800 values of 0 or 1.
    assert many.high - many.mean == pytest.approx(1.96 * 0.5 / math.sqrt(800), rel=0.1)


def test_difference_is_paired() -> None:
    results = [measures.of_question([rank], [1]) for rank in (1, 2, 5, 50)]
    same = measures.differences(results, results)["mrr"]
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    better = [measures.of_question([1], [1])] * 4
    assert measures.differences(results, better)["mrr"].mean == pytest.approx((0 + 0.5 + 0.8 + 0.98) / 4)


def test_nothing_has_no_means() -> None:
    assert measures.means([]) == measures.differences([], []) == {}
