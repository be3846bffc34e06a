"""Rankings: how `auto` is resolved, and what limits, offsets, minimum scores and groups do."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from accounts.ownership import acting_for
from collections_app.search import ImageQuery, QueryInput, SearchRequest, TextQuery, ranking
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.ranking import RankedPages, RankingDecision
from tests.cast import Someone
from tests.collections_app.search.by_page import naive_score, page_ids, random_pages, search_by_page
from tests.collections_app.searchable import TOY, random_vectors, search_context, with_vectors

IDENTIFIER = TextQuery("invoice 0042", at="/query")
VECTORS = QueryVectors(TOY, random_vectors(0, count=5))
READS_TEXT = QueryVectors(dataclasses.replace(TOY, model="paliapi/embedded-minilm-ocr-v1"), VECTORS.vectors)


@pytest.mark.parametrize(
    ("query", "vectors", "expected"),
    [
        (IDENTIFIER, READS_TEXT, "hybrid"),
        (TextQuery("where is total_due set", at="/query"), READS_TEXT, "hybrid"),
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


def hybrid(who: Someone, text: str, **options: int) -> RankedPages:
    with acting_for(who.id) as tx:
        request = SearchRequest(query=TextQuery(text, at="/query"), ranking="hybrid", **options)  # type: ignore[arg-type]
        return ranking.rank(search_context(tx, who), request, RankingDecision(ranking="hybrid", query=VECTORS))


def naive_shares(texts: Sequence[str], question: Sequence[str]) -> list[float]:
    counts = [sum(word in text.split() for text in texts) for word in question]
    rarity = [math.log1p((len(texts) - count + 0.5) / (count + 0.5)) for count in counts]
    return [
        sum(weight for word, weight in zip(question, rarity, strict=True) if word in text.split()) / sum(rarity)
        for text in texts
    ]


@pytest.mark.parametrize("count", [40, 260], ids=["all pages", "sketches"])
def test_hybrid_orders_pages_by_their_scores_and_words(alice: Someone, count: int) -> None:
    rng = np.random.default_rng(5)
    question = ["lens", "light", "tower", "keeper"]
    # The first word is on few pages, the last on all.
    texts = [
        " ".join(word for word, k in zip(question, (9, 2, 2, 1), strict=True) if not rng.integers(k))
        for _ in range(count)
    ]
    vectors = random_pages(8, count=count)
    stored = with_vectors(alice, "x", vectors, texts=texts)
    scores = [naive_score(page) / len(VECTORS.vectors) for page in vectors]
    fused = {
        page_id: score + 0.1 * share**4
        for page_id, score, share in zip(stored, scores, naive_shares(texts, question), strict=True)
    }
    ranked = hybrid(alice, " ".join(question), top_k=20)
    expected = sorted(fused, key=lambda page_id: -fused[page_id])[:20]
    assert [page.page_id for page in ranked.pages] == expected
    assert [page.fused_score for page in ranked.pages] == pytest.approx([fused[one] for one in expected], abs=1e-4)
    assert [page.score for page in ranked.pages] != sorted((page.score or 0 for page in ranked.pages), reverse=True)


def test_page_with_an_identifier_comes_first_although_no_sketch_selects_it(alice: Someone) -> None:
    vectors = random_pages(9, count=300)
    vectors[150] = np.asarray(-VECTORS.vectors[:1], dtype=np.float16)
    texts = ["the peer"] * 300
    texts[150] = "SO_PEERCRED"
    stored = with_vectors(alice, "x", vectors, texts=texts)
    ranked = hybrid(alice, "what is so-peercred for, or SO_PEERCRED?", top_k=3)
    first = ranked.pages[0]
    assert (first.page_id, first.lexical_rank, first.maxsim_rank) == (stored[150], 1, None)
    assert first.score == pytest.approx(naive_score(vectors[150]), abs=1e-3)
    assert ranked.scored
    assert not ranked.scored.exact
