"""Reranking: the embeddings service's reranker reads the query with the text of each of the best pages.

Pages with text are ordered by the mean of two scores: that of the ranking so far, and the reranker's, which counts
twice. Each is scaled to 0 to 1 over these pages, because they have no common scale. A page without text keeps its
place.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from collections_app import embeddings_client
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.search import hit_rows
from collections_app.search import query as queries
from collections_app.search.context import SearchContext
from collections_app.search.errors import SearchTookTooLong
from collections_app.search.ranking import RankedPage, RankedPages
from collections_app.search.request import SearchRequest
from collections_app.search.scope import collection_names

CANDIDATES = 50
# A dense page has about five thousand characters. Longer texts come from spreadsheets and the like.
MAX_TEXT_LENGTH = 10_000
# With equal weights, the reranker could never reverse the order of just two pages.
_WEIGHT_OF_RERANKER = 2


@dataclass(frozen=True, slots=True)
class Reranking:
    """What the reranker did. The pages are those that it scored, of the candidates."""

    model: str
    revision: str
    candidates: int
    pages: int


@dataclass(frozen=True, slots=True)
class RerankedPages:
    """The pages in their new order, or in the former one if the service is unavailable."""

    ranked: RankedPages
    reranking: Reranking | None = None
    degraded: bool = False


def applies_to(request: SearchRequest) -> bool:
    """Return whether any hit may be one of the candidates."""
    return request.rerank and request.offset < CANDIDATES


def with_candidates(request: SearchRequest) -> SearchRequest:
    """Return the request with a limit that includes all candidates."""
    return replace(request, offset=0, top_k=max(request.limit, CANDIDATES))


def read_texts(context: SearchContext, ranked: RankedPages) -> dict[int, str]:
    """Return the text of each candidate that has one."""
    page_ids = [page.page_id for page in ranked.pages[:CANDIDATES]]
    with context.stopwatch.stage("fetch"):
        rows = hit_rows.read(
            context.tx,
            context.caller,
            page_ids,
            collections=collection_names(context.caller, context.scope),
            with_text=True,
            max_text=MAX_TEXT_LENGTH,
        )
    texts = {page_id: (row.text or "").strip() for page_id, row in rows.items()}
    return {page_id: text for page_id, text in texts.items() if text}


def rerank(context: SearchContext, request: SearchRequest, ranked: RankedPages, texts: dict[int, str]) -> RerankedPages:
    """Reorder the candidates. Call outside a transaction: it calls the embeddings service."""
    if time.monotonic() >= context.deadline:
        raise SearchTookTooLong
    with context.stopwatch.stage("rerank"):
        try:
            scored = embeddings_client.rerank(
                queries.text_of(request.query),
                list(texts.values()),
                at="/query",
                until=context.deadline,
                fail_fast=request.allow_degraded,
            )
        except (EmbeddingsUnavailable, EmbeddingsUntrustworthy):
            if not request.allow_degraded:
                raise
            return RerankedPages(ranked, degraded=True)
    relevance = dict(zip(texts, scored.scores, strict=True))
    candidates = [replace(page, rerank_score=relevance.get(page.page_id)) for page in ranked.pages[:CANDIDATES]]
    pages = [*_reorder(candidates), *ranked.pages[CANDIDATES:]]
    reranking = Reranking(scored.model, scored.revision, candidates=len(candidates), pages=len(relevance))
    return RerankedPages(replace(ranked, pages=pages), reranking)


def _reorder(pages: list[RankedPage]) -> list[RankedPage]:
    """Return the pages by both scores; those without one of the reranker stay where they are."""
    places = [place for place, page in enumerate(pages) if page.rerank_score is not None]
    by_reranker = _scaled([pages[place].rerank_score or 0.0 for place in places])
    by_ranking = _scaled([_score_of(pages[place]) for place in places])
    blended = [
        _WEIGHT_OF_RERANKER * reranked + ranked for reranked, ranked in zip(by_reranker, by_ranking, strict=True)
    ]
    best_first = sorted(range(len(places)), key=lambda number: (-blended[number], number))
    reordered = list(pages)
    for place, number in zip(places, best_first, strict=True):
        reordered[place] = pages[places[number]]
    return reordered


def _score_of(page: RankedPage) -> float:
    """Return the score by which the page was ranked. A ranking by words alone has none that is comparable."""
    score = page.score if page.fused_score is None else page.fused_score
    return score or 0.0


def _scaled(scores: Sequence[float]) -> list[float]:
    """Return the scores from 0 to 1; zeros if they are all the same."""
    lowest = min(scores, default=0.0)
    width = max(scores, default=0.0) - lowest
    return [(score - lowest) / width if width > 0 else 0.0 for score in scores]
