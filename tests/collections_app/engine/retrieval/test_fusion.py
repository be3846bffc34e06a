"""Fusion of scores and words, and the first item of each group."""

import pytest

from collections_app.engine.retrieval.fusion import first_of_each_group, fused_score


def test_words_decide_between_pages_of_similar_scores_only() -> None:
    without, with_words = (fused_score(0.7, words=share, has_identifier=False) for share in (0, 1))
    assert without == 0.7
    assert without < with_words == pytest.approx(0.8)
    assert fused_score(0.85, words=0, has_identifier=False) > with_words


def test_few_shared_words_hardly_count() -> None:
    assert fused_score(0.7, words=0.5, has_identifier=False) < 0.707


def test_identifier_outweighs_any_score_and_words() -> None:
    worst, best = fused_score(-1, words=0, has_identifier=True), fused_score(1, words=1, has_identifier=False)
    assert worst > best


def test_first_item_of_each_group_keeps_its_order() -> None:
    assert first_of_each_group([1, 2, 3, 4], groups={1: 10, 2: 20, 3: 10, 4: 30}) == [1, 2, 4]
