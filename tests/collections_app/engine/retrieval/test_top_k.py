"""The best items of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval.top_k import TopK

# Few different numbers, so that there are many ties.
scored = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), max_size=60)


def rank(
    top_k: TopK, scores: list[float], *, groups: list[int] | None = None, batch_size: int = 7
) -> list[tuple[int, float]]:
    for start in range(0, len(scores), batch_size):
        ids = list(range(start, min(start + batch_size, len(scores))))
        top_k.add([scores[i] for i in ids], ids=ids, groups=[groups[i] for i in ids] if groups else ids)
    return top_k.ranking()


def sorted_pairs(scores: list[float]) -> list[tuple[int, float]]:
    return sorted(enumerate(scores), key=lambda pair: (-pair[1], pair[0]))


@given(scored, st.integers(1, 20), st.integers(1, 9))
def test_result_equals_sorting_all_items_with_ties_by_id(scores: list[float], limit: int, batch_size: int) -> None:
    assert rank(TopK(limit), scores, batch_size=batch_size) == sorted_pairs(scores)[:limit]


@given(scored, st.integers(1, 20), st.sampled_from([-0.5, 0.0, 0.3]))
def test_items_below_the_minimum_score_are_left_out(scores: list[float], limit: int, min_score: float) -> None:
    expected = [pair for pair in sorted_pairs(scores) if pair[1] >= min_score]
    assert rank(TopK(limit, min_score=min_score), scores) == expected[:limit]


@given(scored, st.integers(1, 8), st.data())
def test_only_the_best_item_of_each_group_is_returned(scores: list[float], limit: int, data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 5), min_size=len(scores), max_size=len(scores)))
    best_of_groups: dict[int, tuple[int, float]] = {}
    for pair in sorted_pairs(scores):
        best_of_groups.setdefault(groups[pair[0]], pair)
    assert rank(TopK(limit), scores, groups=groups) == list(best_of_groups.values())[:limit]


@pytest.mark.parametrize("grouped", [False, True])
def test_long_stream_loses_no_item_of_the_best(grouped: bool) -> None:
    scores = [float((number * 7919) % 5003) for number in range(20_000)]
    groups = [number % 5003 for number in range(20_000)] if grouped else None
    ranking = rank(TopK(10), scores, groups=groups, batch_size=64)
    assert ranking == (sorted_pairs(scores)[:10] if not grouped else sorted_pairs(scores[:5003])[:10])


def test_empty_stream_has_an_empty_ranking() -> None:
    assert TopK(3).ranking() == []
