"""The new order of reranked pages."""

import pytest

from collections_app.search import SearchRequest, TextQuery, reranking
from collections_app.search.ranking import RankedPage

QUERY = TextQuery("lighthouse", at="/query")


def order(*pages: tuple[float | None, float | None]) -> list[int]:
    """Return the places of pages with these scores, of the ranking and of the reranker, in their new order."""
    ranked = [RankedPage(page_id=n, score=score, rerank_score=again) for n, (score, again) in enumerate(pages)]
    return [page.page_id for page in reranking._reorder(ranked)]


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([(9, 0.1), (8, 0.9)], [1, 0]),  # the reranker decides between two pages
        ([(9, 0.5), (8, 0.5)], [0, 1]),  # if it is undecided, the ranking does
        ([(9, 0.6), (8, 0.1), (1, 0.7)], [0, 2, 1]),  # a little less relevant, but much better ranked
        ([(None, 0.1), (None, 0.9), (None, 0.5)], [1, 2, 0]),  # ranked by words alone
        ([(9, None), (8, 0.1), (7, None), (6, 0.9)], [0, 3, 2, 1]),  # without text, a page keeps its place
        ([(9, None), (8, None)], [0, 1]),
        ([(9, 0.0)], [0]),
        ([(-1, 0.2), (-2, 0.2), (-3, 0.3)], [2, 0, 1]),
    ],
)
def test_order_depends_on_both_scores(pages: list[tuple[float | None, float | None]], expected: list[int]) -> None:
    assert order(*pages) == expected


def test_a_fused_score_takes_precedence_over_the_score() -> None:
    pages = [
        RankedPage(page_id=number, score=score, fused_score=fused, rerank_score=0.5)
        for number, (score, fused) in enumerate([(1.0, 0.03), (9.0, 0.02)])
    ]
    assert [page.page_id for page in reranking._reorder(pages)] == [0, 1]


@pytest.mark.parametrize(
    ("request_", "applies"),
    [
        (SearchRequest(query=QUERY), False),
        (SearchRequest(query=QUERY, rerank=True, offset=reranking.CANDIDATES - 1), True),
        (SearchRequest(query=QUERY, rerank=True, offset=reranking.CANDIDATES), False),
    ],
)
def test_reranking_applies_if_a_hit_may_be_a_candidate(request_: SearchRequest, applies: bool) -> None:
    assert reranking.applies_to(request_) is applies


@pytest.mark.parametrize(("top_k", "offset", "limit"), [(3, 0, 50), (3, 10, 50), (100, 20, 120)])
def test_limit_includes_all_candidates(top_k: int, offset: int, limit: int) -> None:
    request = SearchRequest(query=QUERY, top_k=top_k, offset=offset, rerank=True)
    assert reranking.with_candidates(request).limit == limit
