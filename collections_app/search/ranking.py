"""Rankings of pages: by late interaction (`maxsim`), by text (`lexical`), or by both (`hybrid`)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collections_app.engine.retrieval import fusion
from collections_app.search import query as queries
from collections_app.search import scope, vector_search, word_search
from collections_app.search.context import SearchContext
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.request import Ranking, SearchRequest
from collections_app.search.vector_search import ScoredPages
from collections_app.search.word_search import TextMatches

# How many of the best by score are fused, with the best by words.
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
    rerank_score: float | None = None  # from 0 to 1


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
        # Text search helps a model that reads only text to find identifiers, and little else. A model that sees pages
        # would lose what is not text.
        reads_text = query.space.text_only and queries.is_text_only(request.query)
        has_identifier = reads_text and word_search.may_contain_identifier(queries.text_of(request.query))
        ranking = "hybrid" if has_identifier else "maxsim"
    return RankingDecision(ranking=ranking, query=query)


def rank(context: SearchContext, request: SearchRequest, decision: RankingDecision) -> RankedPages:
    """Return the best pages in scope, up to the limit of the request, all scored in the same form."""
    return vector_search.in_one_form(context, lambda attempt: _rank(attempt, request, decision))


def _rank(context: SearchContext, request: SearchRequest, decision: RankingDecision) -> RankedPages:
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
    hits = matches.ranked if request.min_score is None else []
    pages = [RankedPage(page_id=match.page_id, lexical_rank=position) for position, match in enumerate(hits, 1)]
    pages = _cut(context, request, pages)
    return RankedPages(ranking="lexical", pages=pages, in_scope=in_scope, matched=len(matches.ranked))


def _rank_hybrid(context: SearchContext, request: SearchRequest, query: QueryVectors) -> RankedPages:
    """Order pages by their scores and words. Every page of the result has its exact score."""
    depth = max(_FUSED_OF_ALL if request.mode == "exact" else _FUSED_OF_CANDIDATES, request.limit)
    scored = vector_search.best(context, query, limit=depth, mode=request.mode)
    if not scored.compared and scored.complete:
        # Nothing to fuse: no page in scope has vectors of this space. `auto` promises scores, `hybrid` asks for text.
        if request.ranking == "hybrid":
            return _rank_lexical(context, request)
        return RankedPages(ranking="maxsim", pages=[], in_scope=scored.in_scope, scored=scored)
    with context.stopwatch.stage("words"):
        matches = word_search.matches(context, queries.text_of(request.query), pages_in_scope=scored.in_scope)
    scores = dict(scored.ranked)
    maxsim_ranks = {page_id: position for position, page_id in enumerate(scores, 1)}
    unscored = [page_id for page_id in _best_by_words(matches, limit=depth) if page_id not in scores]
    with context.stopwatch.stage("score"):
        # A page without vectors of this space has no score, so it can't be a hit.
        scores |= vector_search.scores_of(context, query, unscored, scored.form)
    lexical_ranks = {match.page_id: position for position, match in enumerate(matches.ranked, 1)}
    fused = _fuse(scores, matches, max_score=query.max_score)
    min_score = _min_raw_score(request, query)
    pages = [
        RankedPage(
            page_id=page_id,
            score=scores[page_id],
            maxsim_rank=maxsim_ranks.get(page_id),
            lexical_rank=lexical_ranks.get(page_id),
            fused_score=fused[page_id],
        )
        # The better score breaks ties, then the lowest id.
        for page_id in sorted(scores, key=lambda page_id: (-fused[page_id], -scores[page_id], page_id))
        if scores[page_id] >= (-math.inf if min_score is None else min_score)
    ]
    pages = _cut(context, request, pages)
    matched = len(lexical_ranks.keys() & scores.keys())
    return RankedPages(ranking="hybrid", pages=pages, in_scope=scored.in_scope, scored=scored, matched=matched)


def _best_by_words(matches: TextMatches, *, limit: int) -> list[int]:
    """Return the pages that gain most from their words."""
    shares = matches.shares_of([match.page_id for match in matches.ranked])
    best = sorted(matches.ranked, key=lambda match: (not match.exact, -shares.get(match.page_id, 0.0)))
    return [match.page_id for match in best[:limit]]


def _fuse(scores: Mapping[int, float], matches: TextMatches, *, max_score: float) -> dict[int, float]:
    """Return the fused score of each page."""
    shares = matches.shares_of(list(scores))
    exact = {match.page_id for match in matches.ranked if match.exact}
    return {
        page_id: fusion.fused_score(score / max_score, words=shares.get(page_id, 0.0), has_identifier=page_id in exact)
        for page_id, score in scores.items()
    }


def _count_pages(context: SearchContext) -> int:
    return scope.count_pages(context.tx, context.caller, context.scope)


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
