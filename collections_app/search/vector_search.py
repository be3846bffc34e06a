"""Late-interaction search. The score of a hit is always exact; the plan decides which pages get one.

If few pages are in scope, all are scored. If many are, sketches select candidates, pooled vectors order these, and the
best are scored exactly.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from collections_app.engine.retrieval import candidates, maxsim
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.engine.retrieval.plan import PLAN, Plan, Steps
from collections_app.engine.retrieval.segment import SegmentPart
from collections_app.engine.retrieval.top_k import TopK
from collections_app.engine.retrieval.weights import condense
from collections_app.models import Page
from collections_app.search import index, scope, vector_cache
from collections_app.search.context import SearchContext
from collections_app.search.errors import QueryTooLongForExact, SearchTookTooLong
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.request import Mode
from collections_app.search.scope import CollectionVersion
from collections_app.search.vector_cache import StoredPage, VectorForm
from collections_app.storage.vectors import OnlyCodes

Result = TypeVar("Result")

# Pages whose vectors are in memory at once: some megabytes, at 1,030 vectors of 128 dimensions each.
_BATCH = 16
# Candidates that are scored between two checks whether more are worth it.
_CANDIDATES_PER_CHECK = 4
# A longer query, such as a whole page, may only be compared with every page if these are few.
MAX_EXACT_VECTORS = 512
# How often a search of several collections follows changes of them until it has all as of one moment.
_MAX_CATCHING_UP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPages:
    """The best pages with their exact scores, and how many pages it took to find them."""

    ranked: list[tuple[int, float]] = field(default_factory=list)  # (page id, score), best first
    in_scope: int = 0
    compared: int = 0  # pages in scope with vectors of the query's space
    scored: int = 0  # pages that got an exact score
    complete: bool = True  # no page was deleted before it was scored
    form: VectorForm | None = None  # None: no vectors were compared
    vectors_per_page: float | None = None  # the mean of the pages scored

    @property
    def exact(self) -> bool:
        """Whether every page got its exact score."""
        return self.scored == self.compared


def in_one_form(context: SearchContext, rank: Callable[[SearchContext], Result]) -> Result:
    """Return the result of `rank`, with every page scored in the same form.

    If a collection in scope is compact, all pages are scored by their codes. If a page of a full one turns out to be
    compact, which may be while the collection is converted, the ranking is repeated by codes.
    """
    try:
        return rank(context)
    except OnlyCodes:
        return rank(replace(context, compact=True))


def best(
    context: SearchContext,
    query: QueryVectors,
    *,
    limit: int,
    mode: Mode = "auto",
    min_score: float | None = None,
    by_document: bool = False,
    plan: Plan = PLAN,
) -> ScoredPages:
    """Return the best pages in scope, or the best page of each document. `min_score` isn't normalised."""
    with context.stopwatch.stage("index"):
        space_id, versions = scope.collection_versions(context.tx, context.caller, context.scope, query.space)
        versions, parts = ([], []) if space_id is None else _parts_in_scope(context, query, space_id, versions)
    if space_id is None:
        return ScoredPages(in_scope=scope.count_pages(context.tx, context.caller, context.scope))
    compared = sum(len(part) for part in parts)
    steps = None if mode == "exact" else plan.steps(compared, hits=limit)
    if mode == "exact" and compared > plan.exhaustive and len(query.vectors) > MAX_EXACT_VECTORS:
        raise QueryTooLongForExact
    form = _form(context, versions)
    scorer = _Scorer(context, query, form, limit=limit, min_score=min_score, by_document=by_document)
    if steps is None:
        page_ids = np.concatenate([np.empty(0, dtype=np.int64), *(part.page_ids() for part in parts)]).tolist()
        with context.stopwatch.stage("score"):
            # A scan of everything would only evict from the cache what other searches use again and again.
            scorer.score(page_ids, use_cache=compared <= PLAN.exhaustive)
    else:
        short_query = QueryVectors(query.space, *condense(query.vectors, query.weights))
        per_document = plan.pooled_per_document if by_document else None
        sketched = _best_by_sketch(context, short_query, parts, steps, per_document=per_document)
        ordered = _order_candidates(context, short_query, sketched)
        with context.stopwatch.stage("score"):
            scorer.score([*np.concatenate([part.unsketched for part in parts]).tolist(), *ordered.unpooled])
            _score_candidates(scorer, ordered, steps)
    return ScoredPages(
        ranked=scorer.best.ranking(),
        in_scope=sum(part.pages for part in parts),
        compared=compared - scorer.unreadable,
        scored=scorer.scored,
        complete=scorer.complete,
        form=form,
        vectors_per_page=scorer.vectors / scorer.scored if scorer.scored else None,
    )


def scores_of(
    context: SearchContext, query: QueryVectors, page_ids: Sequence[int], form: VectorForm | None
) -> dict[int, float]:
    """Return the scores of those of the pages that are in scope and have vectors of the query's space."""
    if not page_ids or form is None:
        return {}
    space_id, _ = scope.collection_versions(context.tx, context.caller, context.scope, query.space)
    if space_id is None:
        return {}
    rows = scope.embedded_pages(context.tx, context.caller, context.scope)
    rows = rows.filter(space_id=space_id, page_id__in=page_ids).order_by("page_id")
    scores: dict[int, float] = {}
    for batch in _batches(list(rows.values_list("page_id", flat=True)), context.deadline):
        pages = vector_cache.read(context.tx, batch, dim=query.space.dim, form=form)
        batch_scores = _scores(query, list(pages.values()), form)
        scores |= zip(pages, batch_scores.tolist(), strict=True)
    return scores


def _form(context: SearchContext, versions: Sequence[CollectionVersion]) -> VectorForm:
    """Return the form in which all pages in scope are scored."""
    if context.compact or any(version.vector_storage == VectorStorage.COMPACT for version in versions):
        return VectorForm(VectorStorage.COMPACT)
    replaced = sorted((version.collection_id, version.sketches_seq) for version in versions if version.sketches_seq)
    return VectorForm(VectorStorage.FULL, tuple(replaced))


def _scores(query: QueryVectors, pages: list[Any], form: VectorForm) -> maxsim.Scores:
    score = maxsim.code_scores if form.is_compact else maxsim.scores
    return score(query.vectors, pages, weights=query.weights)


def _parts_in_scope(
    context: SearchContext, query: QueryVectors, space_id: int, versions: list[CollectionVersion]
) -> tuple[list[CollectionVersion], list[SegmentPart]]:
    """Return the collections and the part in scope of each one's segment, all as of one moment.

    Otherwise, a document that is moved from one to another meanwhile would be in both, or in none.
    """
    tx, space = context.tx, query.space
    documents = scope.filtered_document_ids(tx, context.caller, context.scope)
    segments = index.process_index.segments(
        tx, versions, space_id=space_id, dim=space.dim, force_reload=context.force_reload
    )
    for _ in range(_MAX_CATCHING_UP if len(versions) > 1 else 0):
        if all(segment.seq == version.vectors_seq for segment, version in zip(segments, versions, strict=True)):
            break
        _, versions = scope.collection_versions(tx, context.caller, context.scope, space)
        segments = index.process_index.segments(tx, versions, space_id=space_id, dim=space.dim)
    excluded = np.array(sorted(context.scope.excluded_page_ids), dtype=np.int64)
    return versions, [segment.part(documents, excluded_page_ids=excluded) for segment in segments]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Pages with the scores of their pooled vectors, best first; and the pages without pooled vectors."""

    page_ids: list[int]
    estimates: list[float]
    unpooled: list[int]


def _best_by_sketch(
    context: SearchContext, query: QueryVectors, parts: list[SegmentPart], steps: Steps, *, per_document: int | None
) -> Numbers:
    """Return the pages with the best sketches."""
    with context.stopwatch.stage("sketch"):
        return candidates.select(parts, query.vectors, query.weights, steps, per_document=per_document)


def _order_candidates(context: SearchContext, query: QueryVectors, sketched: Numbers) -> _Candidates:
    with context.stopwatch.stage("pooled"):
        page_ids = sketched.tolist()
        pooled = vector_cache.read_pooled(context.tx, page_ids, dim=query.space.dim)
        pooled_ids = list(pooled)
        scores = maxsim.pooled_scores(query.vectors, list(pooled.values()), weights=query.weights)
        order = np.lexsort((np.array(pooled_ids), -scores))
        unpooled = [page_id for page_id in page_ids if page_id not in pooled]
        return _Candidates([pooled_ids[position] for position in order.tolist()], scores[order].tolist(), unpooled)


class _Scorer:
    """Scores pages in any order, and keeps the best."""

    def __init__(
        self,
        context: SearchContext,
        query: QueryVectors,
        form: VectorForm,
        *,
        limit: int,
        min_score: float | None,
        by_document: bool,
    ) -> None:
        self._context, self._query, self._form, self._by_document = context, query, form, by_document
        self.best = TopK(limit) if min_score is None else TopK(limit, min_score=min_score)
        self.scored = self.vectors = 0
        self.unreadable = 0
        self.complete = True

    def score(self, page_ids: list[int], *, use_cache: bool = True) -> dict[int, float]:
        """Return the exact score of each page that still has vectors."""
        tx, dim = self._context.tx, self._query.space.dim
        scores: dict[int, float] = {}
        for batch in _batches(page_ids, self._context.deadline):
            read = vector_cache.read if use_cache else vector_cache.read_stored
            pages: dict[int, StoredPage] = read(tx, batch, dim=dim, form=self._form)
            if len(pages) < len(batch):
                self._count_unreadable(set(batch) - set(pages))
            groups = list(pages)
            if self._by_document:
                documents = scope.documents_of(tx, groups)
                # A page that was deleted meanwhile has no document: it is a group of its own.
                groups = [documents.get(page_id, -page_id) for page_id in pages]
            batch_scores = _scores(self._query, list(pages.values()), self._form).tolist()
            self.best.add(batch_scores, ids=pages, groups=groups)
            self.scored += len(pages)
            self.vectors += sum(map(len, pages.values()))
            scores |= zip(pages, batch_scores, strict=True)
        return scores

    def _count_unreadable(self, page_ids: set[int]) -> None:
        """Count pages without readable vectors: deleted since, or with vectors that don't fit their space."""
        self.unreadable += len(page_ids)
        existing = Page.objects.filter(owner_id=self._context.tx.owner_id, pk__in=page_ids).count()
        self.complete = self.complete and existing == len(page_ids)


def _score_candidates(scorer: _Scorer, ordered: _Candidates, steps: Steps) -> None:
    """Score candidates until the next one has hardly a chance of being among the best."""
    gaps: list[float] = []
    done = 0
    total = len(ordered.page_ids)
    limit = min(steps.max_exact, total)
    while done < limit:
        end = min(limit, done + _CANDIDATES_PER_CHECK if done else steps.min_exact)
        batch = ordered.page_ids[done:end]
        scores = scorer.score(batch)
        estimates = zip(batch, ordered.estimates[done:end], strict=True)
        gaps += [scores[page_id] - estimate for page_id, estimate in estimates if page_id in scores]
        done = end
        if done == total:
            return
        if gaps and steps.is_settled(gaps, estimate=ordered.estimates[done], threshold=scorer.best.threshold()):
            return


def _batches(page_ids: list[int], deadline: float) -> Iterator[list[int]]:
    for start in range(0, len(page_ids), _BATCH):
        if time.monotonic() > deadline:
            raise SearchTookTooLong
        yield page_ids[start : start + _BATCH]
