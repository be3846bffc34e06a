"""Rankings: how `auto` is resolved, and what limits, offsets, minimum scores and groups do."""

import dataclasses

import pytest

from accounts.ownership import acting_for
from collections_app.search import ImageQuery, QueryInput, SearchRequest, TextQuery, ranking
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.ranking import RankingDecision
from tests.cast import Someone
from tests.collections_app.search.by_page import page_ids, random_pages, search_by_page
from tests.collections_app.searchable import TOY, random_vectors, search_context, with_vectors

IDENTIFIER = TextQuery("invoice 0042", at="/query")
VECTORS = QueryVectors(TOY, random_vectors(0, count=5))
READS_TEXT = QueryVectors(dataclasses.replace(TOY, model="paliapi/embedded-minilm-ocr-v1"), VECTORS.vectors)


@pytest.mark.parametrize(
    ("query", "vectors", "expected"),
    [
        (IDENTIFIER, READS_TEXT, "hybrid"),
        (TextQuery("invoice", at="/query"), READS_TEXT, "maxsim"),
        (ImageQuery("", at="/query"), READS_TEXT, "maxsim"),
        (IDENTIFIER, QueryVectors(dataclasses.replace(TOY, model="vidore/colpali-v1.3"), VECTORS.vectors), "maxsim"),
    ],
)
def test_auto_is_hybrid_for_identifiers_if_the_model_reads_only_text(
    query: QueryInput, vectors: QueryVectors, expected: str
) -> None:
    decision = ranking.choose_ranking(SearchRequest(query=query), vectors)
    assert (decision.ranking, decision.query, decision.degraded) == (expected, vectors, False)


@pytest.mark.parametrize("requested", ["maxsim", "hybrid"])
def test_explicit_ranking_is_used_as_requested(requested: str) -> None:
    request = SearchRequest(query=IDENTIFIER, ranking=requested)  # type: ignore[arg-type]
    assert ranking.choose_ranking(request, VECTORS).ranking == requested


def test_top_k_and_offset_cut_the_same_ranking(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(4, count=30))
    everything = page_ids(search_by_page(alice))
    assert page_ids(search_by_page(alice, top_k=3)) == everything[:3]
    assert page_ids(search_by_page(alice, top_k=4, offset=10)) == everything[10:14]
    assert page_ids(search_by_page(alice, top_k=5, offset=28)) == everything[28:]
    assert page_ids(search_by_page(alice, offset=30)) == []


def test_min_score_excludes_lower_scores(alice: Someone) -> None:
    with_vectors(alice, "x", random_pages(5, count=30))
    everything = search_by_page(alice).hits
    score = everything[12].normalized_score
    assert score is not None
    expected = [hit.page.pk for hit in everything[:13]]
    assert page_ids(search_by_page(alice, min_score=score - 1e-6)) == expected
    assert page_ids(search_by_page(alice, min_score=1.0)) == []


def test_grouped_by_document_each_has_its_best_page(alice: Someone) -> None:
    for number in range(12):
        with_vectors(alice, f"d{number}", random_pages(6 + number, count=7))
    firsts: dict[int, int] = {}
    for hit in search_by_page(alice).hits:
        firsts.setdefault(hit.page.document_id, hit.page.pk)
    assert page_ids(search_by_page(alice, group_by="document")) == list(firsts.values())
    assert page_ids(search_by_page(alice, group_by="document", top_k=5, offset=2)) == list(firsts.values())[2:7]


@pytest.mark.parametrize(("requested", "used", "hits"), [("hybrid", "lexical", 1), ("auto", "maxsim", 0)])
def test_hybrid_falls_back_to_text_if_nothing_can_be_compared(
    alice: Someone, requested: str, used: str, hits: int
) -> None:
    with_vectors(alice, "x", [None, None], texts=["invoice 0042", "a letter"])
    request = SearchRequest(query=IDENTIFIER, ranking=requested)  # type: ignore[arg-type]
    with acting_for(alice.id) as tx:
        decision = RankingDecision(ranking="hybrid", query=READS_TEXT)
        ranked = ranking.rank(search_context(tx, alice), request, decision)
    assert (ranked.ranking, len(ranked.pages), ranked.in_scope) == (used, hits, 2)


def test_hybrid_keeps_only_pages_with_a_score(alice: Someone) -> None:
    scored, _ = with_vectors(alice, "x", [random_vectors(1, count=2), None], texts=["a letter", "invoice 0042"])
    with acting_for(alice.id) as tx:
        request = SearchRequest(query=IDENTIFIER, ranking="hybrid")
        decision = RankingDecision(ranking="hybrid", query=VECTORS)
        ranked = ranking.rank(search_context(tx, alice), request, decision)
    assert [(page.page_id, page.lexical_rank) for page in ranked.pages] == [(scored, None)]
    assert (ranked.ranking, ranked.matched) == ("hybrid", 0)
