"""Candidates are the best pages by sketch, whatever blocks they are in."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_app.engine.retrieval import candidates, sketch_scan
from collections_app.engine.retrieval.candidates import Preselection
from collections_app.engine.retrieval.plan import PLAN
from collections_app.engine.retrieval.segment import EMPTY, Block, Unsketched
from collections_app.engine.retrieval.sketch_scan import EncodedQuery, encode_query
from collections_app.engine.retrieval.weights import merge
from tests.collections_app.engine.retrieval.test_segment import DIM, NO_PAGES, QUERY, block, ranking, table, update


def test_candidates_of_several_segments_are_ranked_together_with_ties_by_id() -> None:
    shown = {revision: [100 * revision + page for page in range(30)] for revision in range(1, 9)}
    odd = update(EMPTY, {key: shown[key] for key in (1, 3, 5, 7)}, seq=1)
    even = update(EMPTY, {key: shown[key] for key in (2, 4, 6, 8)}, seq=1)
    parts = [built.part(None, excluded_page_ids=NO_PAGES) for built in (odd, even)]
    whole = ranking([page for pages in shown.values() for page in pages])
    assert candidates.best(parts, QUERY, limit=50, coarse_candidates=1000).tolist() == whole[:50]
    narrowed = candidates.best(parts, QUERY, limit=50, coarse_candidates=60).tolist()
    assert len(narrowed) == 50
    assert narrowed == [page for page in whole if page in set(narrowed)]
    assert candidates.best([], QUERY, limit=5, coarse_candidates=5).tolist() == []


@pytest.mark.parametrize("per_document", [1, 2])
def test_candidates_per_document_are_limited(per_document: int) -> None:
    shown = {revision: [100 * revision + page for page in range(6)] for revision in range(1, 5)}
    part = update(EMPTY, shown, seq=1).part(None, excluded_page_ids=NO_PAGES)
    whole = candidates.best([part], QUERY, limit=1000, coarse_candidates=1000).tolist()
    limited = candidates.best([part], QUERY, limit=1000, coarse_candidates=1000, per_document=per_document).tolist()
    expected = [
        page
        for rank, page in enumerate(whole)
        if sum(better // 100 == page // 100 for better in whole[:rank]) < per_document
    ]
    assert limited == expected


def test_preselection_leaves_the_best_pages_by_the_shorter_query() -> None:
    shorter = encode_query(np.random.default_rng(98).normal(size=(1, DIM)).astype(np.float32))
    shown = {revision: [100 * revision + page for page in range(30)] for revision in range(1, 9)}
    parts = [
        update(EMPTY, {key: shown[key] for key in keys}, seq=1).part(None, excluded_page_ids=NO_PAGES)
        for keys in ((1, 3, 5, 7), (2, 4, 6, 8))
    ]

    def ranked(query: EncodedQuery, **how: Any) -> list[int]:
        return list(candidates.best(parts, query, coarse_candidates=1000, **{"limit": 1000, **how}))

    whole, by_shorter = ranked(QUERY), ranked(shorter)
    assert ranked(QUERY, preselection=Preselection(shorter, 1000, 1000)) == whole
    left = set(by_shorter[:40])
    assert ranked(QUERY, preselection=Preselection(shorter, 1000, 40)) == [page for page in whole if page in left]
    narrowed = set(candidates.best(parts, shorter, limit=1000, coarse_candidates=60).tolist())
    left = set([page for page in by_shorter if page in narrowed][:40])
    best = [page for page in whole if page in left][:9]
    assert ranked(QUERY, preselection=Preselection(shorter, 60, 40), limit=9) == best
    nothing = candidates.best([], QUERY, limit=5, coarse_candidates=5, preselection=Preselection(shorter, 5, 5))
    assert nothing.tolist() == []


def test_long_query_is_merged_for_a_preselection_and_a_short_one_is_not() -> None:
    shown = {revision: [100 * revision + page for page in range(90)] for revision in range(1, 9)}
    parts = [update(EMPTY, shown, seq=1).part(None, excluded_page_ids=NO_PAGES)]
    steps = replace(PLAN, fine_cost=0.1).steps(720, hits=10)
    assert steps is not None
    for count, signs in ((8, 1), (24, 1), (24, np.where(np.arange(24) % 3, 1, -0.5))):
        query = np.random.default_rng(count).normal(size=(count, DIM)).astype(np.float16)
        weights = (signs * np.ones(count)).astype(np.float32)
        how: dict[str, Any] = {"limit": steps.pooled_candidates, "coarse_candidates": steps.coarse_candidates}
        unmerged = candidates.best(parts, encode_query(query, weights), **how)
        vectors, merged_weights = merge(query, weights, limit=8)
        preselection = Preselection(
            encode_query(vectors, merged_weights), steps.merged_coarse_candidates, steps.merged_fine_candidates
        )
        merged = candidates.best(parts, encode_query(query, weights), preselection=preselection, **how)
        selected = candidates.select(parts, query, weights, steps)
        assert np.array_equal(selected, unmerged if count == 8 else merged)
        assert np.isin(selected[:20], unmerged).mean() > 0.8


def test_preselection_leaves_pages_of_many_documents_if_these_are_limited() -> None:
    shown = {revision: [100 * revision + page for page in range(30)] for revision in range(1, 9)}
    part = update(EMPTY, shown, seq=1).part(None, excluded_page_ids=NO_PAGES)
    limited = candidates.best(
        [part], QUERY, limit=16, coarse_candidates=1000, preselection=Preselection(QUERY, 1000, 32), per_document=2
    )
    assert sorted(page // 100 for page in limited.tolist()) == sorted([*shown, *shown])


@given(
    seed=st.integers(0, 2**16),
    distinct=st.sampled_from([1, 2, 7, 40]),
    limit=st.sampled_from([1, 5, 63, 64, 200, 3000, 4999]),
)
@settings(max_examples=40)
def test_best_of_many_pages_are_those_of_a_full_sort(seed: int, distinct: int, limit: int) -> None:
    """Of very many scores, most are put aside by a sample; few distinct pages mean many ties."""
    rng = np.random.default_rng(seed)
    once = block(1, list(range(distinct)))
    which = rng.integers(0, distinct, 5000)
    if seed % 2:
        which.sort()
    ids = rng.permutation(5000)
    many = Block(ids, np.ones(5000, dtype=np.int64), sketch_scan.select(once.sketches, which), np.arange(5000))
    built = EMPTY.updated(1, table({1: list(range(5000))}), [many], Unsketched(NO_PAGES, NO_PAGES))
    parts = [built.part(None, excluded_page_ids=NO_PAGES)]
    coarse = sketch_scan.score_coarse(QUERY, many.sketches.coarse, many.rows, dim=DIM)
    expected = ids[np.lexsort((ids, -coarse))[:limit]]
    assert set(candidates.best(parts, QUERY, limit=5000, coarse_candidates=limit)) == set(expected)
