"""The best of a stream are the best of all that was in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.retrieval.top_k import Best

# Few different numbers, so that there are many ties.
scored = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), max_size=60)


def fed(
    best: Best, scores: list[float], *, groups: list[int] | None = None, at_once: int = 7
) -> list[tuple[int, float]]:
    for start in range(0, len(scores), at_once):
        ids = list(range(start, min(start + at_once, len(scores))))
        best.add([scores[i] for i in ids], ids=ids, groups=[groups[i] for i in ids] if groups else ids)
    return best.ranked()


def sorted_pairs(scores: list[float]) -> list[tuple[int, float]]:
    return sorted(enumerate(scores), key=lambda pair: (-pair[1], pair[0]))


@given(scored, st.integers(1, 20), st.integers(1, 9))
def test_it_equals_sorting_everything_and_ties_go_by_id(scores: list[float], most: int, at_once: int) -> None:
    assert fed(Best(most), scores, at_once=at_once) == sorted_pairs(scores)[:most]


@given(scored, st.integers(1, 20), st.sampled_from([-0.5, 0.0, 0.3]))
def test_what_scores_too_little_is_not_among_them(scores: list[float], most: int, least: float) -> None:
    reached = [pair for pair in sorted_pairs(scores) if pair[1] >= least]
    assert fed(Best(most, at_least=least), scores) == reached[:most]


@given(scored, st.integers(1, 8), st.data())
def test_of_each_group_only_the_best_is_among_them(scores: list[float], most: int, data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 5), min_size=len(scores), max_size=len(scores)))
    firsts: dict[int, tuple[int, float]] = {}
    for pair in sorted_pairs(scores):
        firsts.setdefault(groups[pair[0]], pair)
    assert fed(Best(most), scores, groups=groups) == list(firsts.values())[:most]


@pytest.mark.parametrize("grouped", [False, True])
def test_a_long_stream_keeps_little_and_forgets_nothing_good(grouped: bool) -> None:
    scores = [float((number * 7919) % 5003) for number in range(20_000)]
    groups = [number % 5003 for number in range(20_000)] if grouped else None
    best = Best(10)
    found = fed(best, scores, groups=groups, at_once=64)
    assert found == (sorted_pairs(scores)[:10] if not grouped else sorted_pairs(scores[:5003])[:10])


def test_nothing_is_ranked_when_nothing_came() -> None:
    assert Best(3).ranked() == []
