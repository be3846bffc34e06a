"""Running a search: embed the query, choose the ranking, rank the pages in scope, and read what the hits show."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from django.conf import settings
from django.db import OperationalError
from psycopg.errors import QueryCanceled

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app.engine.retrieval.parallel import searches
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.engine.retrieval.ttl_cache import TtlCache
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.search import hit_rows, ranking, recall, regions, reranking
from collections_app.search import query as queries
from collections_app.search import scope as scopes
from collections_app.search.context import SearchContext
from collections_app.search.errors import RankingNeedsWords, SearchTookTooLong
from collections_app.search.hit_rows import HitPage
from collections_app.search.query import StoredQueryPages
from collections_app.search.query_vectors import QueryVectors
from collections_app.search.ranking import RankedPage, RankedPages, RankingDecision
from collections_app.search.regions import PageRegions
from collections_app.search.request import Ranking, SearchRequest
from collections_app.search.reranking import Reranking
from collections_app.search.scope import Scope
from embeddings import contract
from paliapi.database import Command

# A page that is deleted while it is scored may have been replaced by a newer one, which only another attempt finds.
_MAX_ATTEMPTS = 3
# Where pages had vectors a short while ago. If they were deleted since, the model is called in vain, which is harmless.
_with_vectors: TtlCache[tuple[int, frozenset[str] | None], bool] = TtlCache(limit=1000, seconds=10)


@dataclass(frozen=True, slots=True)
class Hit:
    """One page of the result. Pages ranked by text alone have no score."""

    page: HitPage
    score: float | None
    normalized_score: float | None
    rank: RankedPage
    regions: PageRegions | None = None  # None: not requested, or ranked by text alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How a result was obtained."""

    stopwatch: Stopwatch
    mode: Literal["exact", "sketch", "lexical"]
    ranking: Ranking
    degraded: bool
    space: contract.VectorSpace | None  # None: no vectors were compared
    pages_in_scope: int
    pages_compared: int = 0
    pages_scored: int = 0
    pages_matched: int | None = None  # None: the text was not searched
    vector_storage: str | None = None  # the form that was scored; None: no vectors were compared
    vectors_per_page: float | None = None  # the mean of the pages scored
    best_by_score: tuple[int, ...] = ()  # before fusion
    reranking: Reranking | None = None  # None: not requested, or there was nothing to rerank

    @property
    def pages_left_out(self) -> int:
        """Pages in scope without vectors, or with those of another model."""
        return 0 if self.mode == "lexical" else self.pages_in_scope - self.pages_compared


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best pages, best first; the vectors they were compared with, if any; and where they were searched."""

    receipt: Receipt
    hits: list[Hit] = field(default_factory=list)
    query: QueryVectors | None = None
    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class _Attempt:
    ranked: RankedPages
    hits: list[Hit]
    complete: bool  # everything that was in scope at the beginning still existed at the end
    reranking: Reranking | None = None
    degraded: bool = False


def search(caller: Caller, request: SearchRequest) -> SearchResult:
    """Search the pages that the caller may read. Call outside a transaction: it may call the embeddings service."""
    stopwatch = Stopwatch()
    if (request.rerank or request.ranking in ("hybrid", "lexical")) and not queries.text_of(request.query):
        raise RankingNeedsWords
    stored = StoredQueryPages()
    if queries.names_pages(request.query):
        with stopwatch.stage("query"), _transaction(caller, _deadline()) as tx:
            stored = queries.read_stored_pages(tx, caller, request.query)
    scope = Scope(collections=request.collections, filter=request.query_filter, excluded_page_ids=stored.page_ids)
    decision = _decide(caller, request, scope, stored, stopwatch)
    reranks = reranking.applies_to(request) and not decision.degraded
    deadline = _deadline()
    space = decision.query.space if decision.query else None
    versions = scopes.collection_versions_command(caller, scope, space) if space else None
    number = 0
    while True:
        number += 1
        with searches.one(), _transaction(caller, deadline, first=versions) as tx:
            context = SearchContext(
                tx=tx,
                caller=caller,
                scope=scope,
                stopwatch=stopwatch,
                deadline=deadline,
                force_reload=number > 1,
            )
            ranked = ranking.rank(context, reranking.with_candidates(request) if reranks else request, decision)
            texts = reranking.read_texts(context, ranked) if reranks else {}
            attempt = None if texts else _read_hits(context, request, decision, ranked)
        if attempt is None:
            attempt = _rerank(context, request, decision, ranked, texts)
        if attempt.complete or number == _MAX_ATTEMPTS:
            break
    query = None if attempt.ranked.ranking == "lexical" else decision.query
    receipt = _receipt(attempt.ranked, query, stopwatch, degraded=decision.degraded or attempt.degraded)
    receipt = replace(receipt, reranking=attempt.reranking)
    return SearchResult(receipt, attempt.hits, query, scope)


def _decide(
    caller: Caller, request: SearchRequest, scope: Scope, stored: StoredQueryPages, stopwatch: Stopwatch
) -> RankingDecision:
    """Choose the ranking, and get the query's vectors if they are needed."""
    if (
        request.ranking != "lexical"
        and not queries.needs_no_model(caller, request.query)
        and not _has_vectors(caller, scope, stopwatch)
    ):
        # There is nothing to compare with, so the model need not be called. The text can still be searched.
        return RankingDecision(ranking="lexical" if request.ranking == "hybrid" else "maxsim")
    with stopwatch.stage("query"):
        if request.ranking == "lexical":
            return RankingDecision(ranking="lexical")
        degradable = request.allow_degraded and bool(queries.text_of(request.query))
        try:
            query = queries.embed(caller, request.query, stored, fail_fast=degradable)
        except (EmbeddingsUnavailable, EmbeddingsUntrustworthy):
            if not degradable:
                raise
            return RankingDecision(ranking="lexical", degraded=True)
    return ranking.choose_ranking(request, query)


def _has_vectors(caller: Caller, scope: Scope, stopwatch: Stopwatch) -> bool:
    """Return whether any page in scope has vectors, or had some a short while ago."""
    place = caller.owner_id, None if (names := scopes.collection_names(caller, scope)) is None else frozenset(names)
    if _with_vectors.get(place):
        return True
    with stopwatch.stage("scope"), _transaction(caller, _deadline()) as tx:
        has_vectors = scopes.has_vectors(tx, caller, scope)
    if has_vectors:
        _with_vectors.put(place, True)  # noqa: FBT003 - a value
    return has_vectors


def _rerank(
    context: SearchContext,
    request: SearchRequest,
    decision: RankingDecision,
    ranked: RankedPages,
    texts: dict[int, str],
) -> _Attempt:
    """Reorder the best pages outside a transaction, and read the hits in another one."""
    reranked = reranking.rerank(context, request, ranked, texts)
    # The reranker may have used all the time there was, and a degraded result is due even then.
    with _transaction(context.caller, _deadline()) as tx:
        attempt = _read_hits(replace(context, tx=tx), request, decision, reranked.ranked)
    return replace(attempt, reranking=reranked.reranking, degraded=reranked.degraded)


def _read_hits(
    context: SearchContext, request: SearchRequest, decision: RankingDecision, ranked: RankedPages
) -> _Attempt:
    tx, stopwatch = context.tx, context.stopwatch
    with stopwatch.stage("fetch"):
        pages = ranked.pages[request.offset : request.limit]
        page_ids = [page.page_id for page in pages]
        query = None if ranked.ranking == "lexical" else decision.query
        with_regions = "regions" in request.include and query is not None
        rows = hit_rows.read(
            tx,
            context.caller,
            page_ids,
            collections=scopes.collection_names(context.caller, context.scope),
            with_text="text" in request.include,
            is_last=not with_regions,
        )
    by_page: dict[int, PageRegions] = {}
    if with_regions and query is not None:
        with stopwatch.stage("regions"):
            by_page = regions.find_regions(tx, query, list(rows))
    hits = [
        Hit(
            page=rows[page.page_id],
            score=page.score,
            normalized_score=None if page.score is None or query is None else page.score / query.max_score,
            rank=page,
            regions=by_page.get(page.page_id),
        )
        for page in pages
        if page.page_id in rows
    ]
    complete = len(hits) == len(pages) and (ranked.scored is None or ranked.scored.complete)
    return _Attempt(ranked, hits, complete)


def _receipt(ranked: RankedPages, query: QueryVectors | None, stopwatch: Stopwatch, *, degraded: bool) -> Receipt:
    scored = ranked.scored
    if scored is None:
        return Receipt(
            stopwatch=stopwatch,
            mode="lexical" if ranked.ranking == "lexical" else "exact",
            ranking=ranked.ranking,
            degraded=degraded,
            space=query.space if query else None,
            pages_in_scope=ranked.in_scope,
            pages_matched=ranked.matched,
        )
    return Receipt(
        stopwatch=stopwatch,
        mode="exact" if scored.exact else "sketch",
        ranking=ranked.ranking,
        degraded=degraded,
        space=query.space if query else None,
        pages_in_scope=ranked.in_scope,
        pages_compared=scored.compared,
        pages_scored=scored.scored,
        pages_matched=ranked.matched,
        vector_storage=scored.form.storage.value if scored.form else None,
        vectors_per_page=scored.vectors_per_page,
        best_by_score=tuple(page_id for page_id, _ in scored.ranked[: recall.RECALL_K]),
    )


def _deadline() -> float:
    return time.monotonic() + settings.ENV.search_timeout_s


@contextmanager
def _transaction(caller: Caller, deadline: float, *, first: Command | None = None) -> Iterator[OwnerTransaction]:
    """Open the owner's transaction; raise `SearchTookTooLong` if a statement exceeds the deadline."""
    try:
        with acting_for(caller.owner_id, until=deadline, first=first) as tx:
            yield tx
    except (OperationalError, QueryCanceled) as error:
        if isinstance(error, QueryCanceled) or isinstance(error.__cause__, QueryCanceled):
            raise SearchTookTooLong from error
        raise
