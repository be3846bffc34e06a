"""Rankings of pages: by late interaction (`maxsim`), by text (`lexical`), or by both (`hybrid`)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from collections_app.engine.retrieval import fusion
from collections_app.search import query as queries
from collections_app.search import scope, vector_search, word_search
from collections_app.search.context import SearchContext
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.request import Ranking, SearchRequest
from collections_app.search.vector_search import ScoredPages

# How many of the best by score are fused. A page further down would gain next to nothing from its position.
_FUSED_OF_ALL = 1000
# Fewer if not every page has a score: each one that is fused has to be scored exactly.
_FUSED_OF_CANDIDATES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingDecision:
    """How a query will be ranked."""

    ranking: Ranking
    query: QueryVectors | None = None  # None: `lexical`, or no page in scope has vectors
    degraded: bool = False  # text has to do, because the embeddings service is unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPage:
    """A page with its score, and its position in each ranking, from 1."""

    page_id: int
    score: float | None = None
    maxsim_rank: int | None = None
    lexical_rank: int | None = None
    fused_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPages:
    """The best pages, best first, and the ranking that was really used."""

    ranking: Ranking
    pages: list[RankedPage]
    in_scope: int
    scored: ScoredPages | None = None  # None: no page was scored
    matched: int | None = None  # pages with words of the query; None: the text was not searched


def choose_ranking(request: SearchRequest, query: QueryVectors) -> RankingDecision:
    """Resolve `auto`, now that the model is known."""
    ranking = request.ranking
    if ranking == "auto":
        # Text search helps a model that reads only text to find identifiers, and nothing else. A model that sees pages
        # would lose what is not text.
        reads_text = query.space.text_only and queries.is_text_only(request.query)
        has_identifier = reads_text and word_search.may_contain_identifier(queries.text_of(request.query))
        ranking = "hybrid" if has_identifier else "maxsim"
    return RankingDecision(ranking=ranking, query=query)


def rank(context: SearchContext, request: SearchRequest, decision: RankingDecision) -> RankedPages:
    """Return the best pages in scope, up to the limit of the request."""
    if decision.ranking == "lexical":
        return _rank_lexical(context, request)
    if decision.query is None:
        return RankedPages(ranking="maxsim", pages=[], in_scope=_count_pages(context))
    if decision.ranking == "hybrid":
        return _rank_hybrid(context, request, decision.query)
    return _rank_maxsim(context, request, decision.query)


def _rank_maxsim(context: SearchContext, request: SearchRequest, query: QueryVectors) -> RankedPages:
    scored = vector_search.best(
        context,
        query,
        limit=request.limit,
        mode=request.mode,
        min_score=_min_raw_score(request, query),
        by_document=request.group_by == "document",
    )
    pages = [
        RankedPage(page_id=page_id, score=score, maxsim_rank=position)
        for position, (page_id, score) in enumerate(scored.ranked, 1)
    ]
    return RankedPages(ranking="maxsim", pages=pages, in_scope=scored.in_scope, scored=scored)


def _rank_lexical(context: SearchContext, request: SearchRequest) -> RankedPages:
    in_scope = _count_pages(context)
    with context.stopwatch.stage("words"):
        matches = word_search.matches(context, queries.text_of(request.query), pages_in_scope=in_scope)
    # Without a score, no page reaches a minimum.
    hits = matches if request.min_score is None else []
    pages = [RankedPage(page_id=match.page_id, lexical_rank=position) for position, match in enumerate(hits, 1)]
    pages = _cut(context, request, pages)
    return RankedPages(ranking="lexical", pages=pages, in_scope=in_scope, matched=len(matches))


def _rank_hybrid(context: SearchContext, request: SearchRequest, query: QueryVectors) -> RankedPages:
    """Fuse both rankings by position. Every page of the result has its exact score."""
    depth = max(_FUSED_OF_ALL if request.mode == "exact" else _FUSED_OF_CANDIDATES, request.limit)
    scored = vector_search.best(context, query, limit=depth, mode=request.mode)
    if not scored.compared and scored.complete:
        # Nothing to fuse: no page in scope has vectors of this space. `auto` promises scores, `hybrid` asks for text.
        if request.ranking == "hybrid":
            return _rank_lexical(context, request)
        return RankedPages(ranking="maxsim", pages=[], in_scope=scored.in_scope, scored=scored)
    with context.stopwatch.stage("words"):
        matches = word_search.matches(context, queries.text_of(request.query), pages_in_scope=scored.in_scope)
    # If pages contain an identifier of the query, pages that only have similar words gain nothing from these.
    any_exact = any(match.exact for match in matches)
    matched = [match.page_id for match in matches if match.exact or not any_exact][:depth]
    scores = dict(scored.ranked)
    maxsim_ranks = {page_id: position for position, page_id in enumerate(scores, 1)}
    unscored = [page_id for page_id in matched if page_id not in scores]
    with context.stopwatch.stage("score"):
        scores |= vector_search.scores_of(context, query, unscored)
    # A page without vectors of this space has no score, so it can't be a hit.
    matched = [page_id for page_id in matched if page_id in scores]
    lexical_ranks = {page_id: position for position, page_id in enumerate(matched, 1)}
    min_score = _min_raw_score(request, query)
    pages = [
        RankedPage(
            page_id=page_id,
            score=scores[page_id],
            maxsim_rank=maxsim_ranks.get(page_id),
            lexical_rank=lexical_ranks.get(page_id),
            fused_score=fused_score,
        )
        for page_id, fused_score in fusion.fuse(list(maxsim_ranks), matched)
        if scores[page_id] >= (-math.inf if min_score is None else min_score)
    ]
    pages = _cut(context, request, pages)
    return RankedPages(
        ranking="hybrid", pages=pages, in_scope=scored.in_scope, scored=scored, matched=len(lexical_ranks)
    )


def _count_pages(context: SearchContext) -> int:
    return scope.pages(context.tx, context.caller, context.scope).count()


def _min_raw_score(request: SearchRequest, query: QueryVectors) -> float | None:
    return None if request.min_score is None else request.min_score * query.max_score


def _cut(context: SearchContext, request: SearchRequest, pages: Sequence[RankedPage]) -> list[RankedPage]:
    """Return the best pages up to the limit; if grouped, only the best page of each document."""
    if request.group_by is None:
        return list(pages[: request.limit])
    documents = scope.documents_of(context.tx, [page.page_id for page in pages])
    existing = {page.page_id: page for page in pages if page.page_id in documents}
    return [
        existing[page_id] for page_id in fusion.first_of_each_group(list(existing), groups=documents)[: request.limit]
    ]
