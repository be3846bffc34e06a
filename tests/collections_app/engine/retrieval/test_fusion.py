"""Reciprocal rank fusion, and the first item of each group."""

import pytest

from collections_app.engine.retrieval.fusion import first_of_each_group, fuse


def test_items_of_both_rankings_come_before_items_of_one() -> None:
    assert [item for item, _ in fuse([1, 2, 3], [9, 3])] == [3, 1, 9, 2]


def test_score_is_the_sum_of_reciprocal_ranks_offset_by_sixty() -> None:
    assert dict(fuse([7], [5, 7])) == {7: pytest.approx(1 / 61 + 1 / 62), 5: pytest.approx(1 / 61)}


def test_first_ranking_breaks_ties() -> None:
    assert [item for item, _ in fuse([5], [4])] == [5, 4]
    assert [item for item, _ in fuse([1, 2], [2, 1])] == [1, 2]


def test_single_ranking_is_unchanged_and_no_ranking_is_empty() -> None:
    assert [item for item, _ in fuse([3, 1, 2], [])] == [3, 1, 2]
    assert fuse([], []) == []


def test_first_item_of_each_group_keeps_its_order() -> None:
    assert first_of_each_group([1, 2, 3, 4], groups={1: 10, 2: 20, 3: 10, 4: 30}) == [1, 2, 4]
