"""Rankings fused by place, and the first of each group."""

import pytest

from collections_app.engine.retrieval.fusion import firsts, fused


def test_what_both_rankings_have_comes_before_what_one_of_them_has() -> None:
    assert [one for one, _ in fused([1, 2, 3], [9, 3])] == [3, 1, 9, 2]


def test_the_score_is_the_sum_over_the_rankings_of_one_over_sixty_and_the_place() -> None:
    assert dict(fused([7], [5, 7])) == {7: pytest.approx(1 / 61 + 1 / 62), 5: pytest.approx(1 / 61)}


def test_of_equals_the_first_ranking_decides() -> None:
    assert [one for one, _ in fused([5], [4])] == [5, 4]
    assert [one for one, _ in fused([1, 2], [2, 1])] == [1, 2]


def test_one_ranking_stays_as_it_is_and_none_is_empty() -> None:
    assert [one for one, _ in fused([3, 1, 2], [])] == [3, 1, 2]
    assert fused([], []) == []


def test_of_each_group_the_first_stays_in_its_place() -> None:
    assert firsts([1, 2, 3, 4], groups={1: 10, 2: 20, 3: 10, 4: 30}) == [1, 2, 4]
