"""Late-interaction search: exact scores, and how few pages are scored."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accounts.ownership import acting_for
from collections_app.engine.retrieval.plan import Plan
from collections_app.models import PageEmbedding
from collections_app.search import index, vector_search
from collections_app.search.errors import QueryTooLongForExact
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.scope import Scope
from collections_app.search.vector_cache import VectorForm
from collections_app.search.vector_search import ScoredPages
from tests.cast import Someone
from tests.collections_app.search.by_page import (
    QUERY_VECTORS,
    naive_score,
    page_ids,
    random_pages,
    search_by_page,
)
from tests.collections_app.searchable import TOY, Halves, random_vectors, search_context, with_vectors

QUERY = QueryVectors(TOY, QUERY_VECTORS)
# Nothing is scored exactly at once, and every later step takes fewer pages than the one before.
NARROW = Plan(exhaustive=0, coarse_candidates=60, pooled_candidates=30, min_exact=10, max_exact=10, max_exact_per_hit=1)
# The same steps, each wide enough for everything.
WIDE = replace(NARROW, coarse_candidates=10**6, pooled_candidates=10**6, patience=math.inf)


@pytest.fixture(autouse=True)
def empty_index() -> None:
    index.process_index.reset()


def best(who: Someone, **how: Any) -> ScoredPages:
    with acting_for(who.id) as tx:
        return vector_search.best(search_context(tx, who), QUERY, **{"limit": 10, **how})


def fill(who: Someone, *, documents: int, pages: int) -> list[int]:
    ids: list[int] = []
    for number in range(documents):
        vectors = [random_vectors(1000 * number + page, count=1 + (1000 * number + page) % 7) for page in range(pages)]
        ids += with_vectors(who, f"d{number}", vectors, collection="filled")
    return ids


@pytest.mark.parametrize("seed", [1, 2])
def test_ranking_equals_brute_force(alice: Someone, seed: int) -> None:
    stored: dict[int, Halves] = {}
    for name in ("a", "b", "c"):
        pages = random_pages(seed + ord(name), count=25)
        stored |= zip(with_vectors(alice, name, pages, collection=f"collection-{name}"), pages, strict=True)
    result = search_by_page(alice)
    assert page_ids(result) == sorted(stored, key=lambda page_id: -naive_score(stored[page_id]))
    for hit in result.hits:
        assert hit.score == pytest.approx(naive_score(stored[hit.page.pk]), rel=1e-5)
        assert hit.score is not None
        assert hit.normalized_score == pytest.approx(hit.score / 5)


def test_older_page_comes_first_among_equals(alice: Someone) -> None:
    ids = with_vectors(alice, "x", [random_vectors(3, count=4)] * 40)
    assert page_ids(search_by_page(alice, top_k=7)) == ids[:7]


def test_negative_scores_stay_negative(alice: Someone) -> None:
    (opposite,) = with_vectors(alice, "x", [-QUERY_VECTORS[:1].repeat(3, axis=0)])
    (hit,) = search_by_page(alice).hits
    assert hit.page.pk == opposite
    assert hit.score == pytest.approx(naive_score(-QUERY_VECTORS[:1]), rel=1e-4)


def test_wide_steps_give_the_exact_result(alice: Someone) -> None:
    ids = fill(alice, documents=3, pages=30)
    exact = best(alice, mode="exact", limit=1000)
    assert len(exact.ranked) == len(ids)
    assert exact.exact
    wide = best(alice, plan=replace(WIDE, max_exact=len(ids) - 1))
    assert (wide.scored, wide.exact) == (len(ids) - 1, False)
    assert wide.ranked == exact.ranked[:10]


def test_narrow_steps_score_few_pages_and_exactly(alice: Someone) -> None:
    fill(alice, documents=4, pages=30)
    exact = dict(best(alice, mode="exact", limit=1000).ranked)
    narrow = best(alice, plan=NARROW)
    assert (narrow.in_scope, narrow.compared, narrow.scored, narrow.exact) == (120, 120, 10, False)
    assert all(exact[page_id] == score for page_id, score in narrow.ranked)
    assert len(set(dict(narrow.ranked)) & set(list(exact)[:10])) >= 6


def test_scoring_stops_when_the_result_is_fairly_certain(alice: Someone) -> None:
    fill(alice, documents=4, pages=30)
    plan = replace(NARROW, max_exact=100, min_exact=4)
    scored = [best(alice, plan=replace(plan, patience=patience), limit=3).scored for patience in (-100, math.inf)]
    assert scored == [5, 100]


@pytest.mark.parametrize("avoided", [0, 10])
def test_long_query_finds_the_best_pages_by_merged_vectors(alice: Someone, avoided: int) -> None:
    ids = fill(alice, documents=4, pages=30)
    weights = np.repeat(np.array([1, -0.5], dtype=np.float32), [24 - avoided, avoided])
    long = QueryVectors(TOY, random_vectors(5, count=24), weights)
    with acting_for(alice.id) as tx:
        context = search_context(tx, alice)
        exact = vector_search.best(context, long, limit=1000, mode="exact").ranked
        merging = replace(WIDE, fine_cost=0, max_exact=len(ids) - 1)
        wide = vector_search.best(context, long, limit=10, plan=merging)
        narrow = vector_search.best(context, long, limit=10, plan=replace(NARROW, coarse_candidates=20, fine_cost=0))
    assert wide.ranked == exact[:10]
    assert all(dict(exact)[page_id] == score for page_id, score in narrow.ranked)
    assert len(set(dict(narrow.ranked)) & set(dict(exact[:10]))) >= 6


def test_grouped_by_document_every_document_is_found(alice: Someone) -> None:
    fill(alice, documents=8, pages=15)
    exact = best(alice, mode="exact", by_document=True).ranked
    narrow = best(alice, plan=replace(NARROW, max_exact=24), by_document=True).ranked
    assert len(narrow) == len(exact) == 8


def test_page_without_a_sketch_is_found(alice: Someone) -> None:
    ids = fill(alice, documents=2, pages=30)
    first = best(alice, mode="exact", limit=1).ranked
    with acting_for(alice.id):
        PageEmbedding.objects.filter(owner_id=alice.id, pk=first[0][0]).update(sketch=None)
    index.process_index.reset()
    result = best(alice, plan=NARROW, limit=1)
    assert (result.ranked, result.scored, result.compared) == (first, 11, len(ids))


def test_scores_of_pages_in_scope_equal_those_of_a_search(alice: Someone, charlie: Someone) -> None:
    ids = fill(alice, documents=1, pages=20)
    (elsewhere,) = with_vectors(alice, "y", random_pages(1, count=1), collection="elsewhere")
    others = fill(charlie, documents=1, pages=1)
    exact = dict(best(alice, mode="exact", limit=1000).ranked)
    excluded = Scope(collections=frozenset({"filled"}), excluded_page_ids=frozenset(ids[:1]))
    with acting_for(alice.id) as tx:
        context = search_context(tx, alice, excluded)
        assert vector_search.scores_of(context, QUERY, [], VectorForm()) == {}
        scores = vector_search.scores_of(context, QUERY, [*ids, elsewhere, *others], VectorForm())
        assert scores == {page_id: exact[page_id] for page_id in ids[1:]}
        unknown = QueryVectors(replace(TOY, revision="2"), np.ascontiguousarray(QUERY_VECTORS))
        assert vector_search.scores_of(context, unknown, ids, VectorForm()) == {}


def test_small_owner_finds_everything_among_large_ones(alice: Someone, charlie: Someone) -> None:
    fill(charlie, documents=4, pages=50)
    own = fill(alice, documents=1, pages=1)
    assert [page_id for page_id, _ in best(alice).ranked] == own
    assert len(best(charlie, plan=NARROW).ranked) == 10


def test_long_query_is_compared_with_every_page_only_if_these_are_few(alice: Someone) -> None:
    fill(alice, documents=1, pages=30)
    long = QueryVectors(TOY, random_vectors(1, count=vector_search.MAX_EXACT_VECTORS + 1))
    with acting_for(alice.id) as tx:
        context = search_context(tx, alice)
        assert vector_search.best(context, long, limit=10, mode="exact").exact
        assert vector_search.best(context, long, limit=10, plan=NARROW).ranked
        with pytest.raises(QueryTooLongForExact):
            vector_search.best(context, long, limit=10, mode="exact", plan=NARROW)
        assert vector_search.best(context, QUERY, limit=10, mode="exact", plan=NARROW).exact
    assert str(vector_search.MAX_EXACT_VECTORS) in QueryTooLongForExact.title
