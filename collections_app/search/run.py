"""The verb of searching: what is asked, of which pages, ranked how, and what the best of them belong to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from django.conf import settings
from django.db import OperationalError
from psycopg.errors import QueryCanceled

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app.engine.input.filter_conditions import Filter
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.errors import EmbeddingsUnavailable, EmbeddingsUntrustworthy
from collections_app.search import hit_rows, recall, scope, word_search
from collections_app.search import query as queries
from collections_app.search import ranking as rankings
from collections_app.search.errors import RankingNeedsWords, SearchTookTooLong
from collections_app.search.hit_rows import ShownPage
from collections_app.search.query import Asked, Kept
from collections_app.search.ranking import Ask, Placed, Ranked, Ranking
from collections_app.search.regions import Pointed, point
from collections_app.search.scope import Scope
from collections_app.search.vector_search import Mode, Query
from embeddings import contract

How: TypeAlias = Literal["exact", "sketch", "lexical"]

# A page that goes while it is scored may have given its place to a newer one, which only another look finds.
_LOOKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, of which collections (None: all), and how much of the answer is wanted."""

    asked: Asked
    collections: frozenset[str] | None = None
    filter: Filter | None = None
    ranking: Ranking | Literal["auto"] = "auto"
    mode: Mode = "auto"
    top_k: int = 3
    offset: int = 0
    min_score: float | None = None  # of the normalised score
    by_document: bool = False
    with_text: bool = False
    with_regions: bool = False
    allow_degraded: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One page of the answer, with its document, collection and image; without a score where words alone decided."""

    page: ShownPage
    score: float | None
    normalized_score: float | None
    placed: Placed
    pointed: Pointed | None = None  # None: not asked for, or there is nothing to compare


@dataclass(slots=True, kw_only=True)
class Receipt:
    """How an answer was obtained."""

    watch: Stopwatch
    mode: How = "exact"
    ranking: Ranking = "maxsim"
    degraded: bool = False
    space: contract.VectorSpace | None = None  # None: there was nothing to compare with
    pages_in_scope: int = 0
    pages_compared: int = 0
    pages_scored: int = 0
    pages_matched: int | None = None  # None: words were not looked for
    best: tuple[int, ...] = ()  # by score alone, whatever became of that ranking

    @property
    def pages_left_out(self) -> int:
        """Pages in scope without vectors, or with those of another model."""
        return 0 if self.mode == "lexical" else self.pages_in_scope - self.pages_compared


@dataclass(frozen=True, slots=True)
class Answer:
    """The best pages, best first; what they were compared with, if anything was, and where they were looked for."""

    receipt: Receipt
    hits: list[Hit] = field(default_factory=list)
    query: Query | None = None
    where: Scope | None = None


def run(caller: Caller, question: Question) -> Answer:
    """Search; call it outside a transaction, for it may ask the embeddings service."""
    receipt = Receipt(watch=Stopwatch())
    words = queries.words_of(question.asked)
    if question.ranking in ("hybrid", "lexical") and not words:
        raise RankingNeedsWords
    kept = Kept()
    if queries.names_pages(question.asked):
        with receipt.watch.stage("query"), _looking(caller) as tx:
            kept = queries.kept_of(tx, caller, question.asked)
    where = Scope(collections=question.collections, filter=question.filter, but=kept.page_ids)
    if question.ranking != "lexical" and not queries.is_at_hand(caller, question.asked):
        with receipt.watch.stage("scope"), _looking(caller):
            if not scope.has_vectors(caller, where):
                # Nobody need be asked for the question's vectors.
                receipt.pages_in_scope = scope.pages(caller, where).count()
                return Answer(receipt)
    with receipt.watch.stage("query"):
        query = _query(caller, question, kept, receipt)
    _choose_ranking(question, query, receipt)
    hits: list[Hit] = []
    until = _until()
    for look in range(_LOOKS):
        ask = _ask(caller, question, query, words, where, receipt, until=until, afresh=look > 0)
        hits, complete = _look(ask, query, question, receipt)
        if complete:
            break
    return Answer(receipt, hits, query, where)


def _query(caller: Caller, question: Question, kept: Kept, receipt: Receipt) -> Query | None:
    """The question's vectors; None where it is answered by its words alone."""
    if question.ranking == "lexical":
        return None
    degradable = question.allow_degraded and bool(queries.words_of(question.asked))
    try:
        return queries.query_of(caller, question.asked, kept, fail_fast=degradable)
    except (EmbeddingsUnavailable, EmbeddingsUntrustworthy):
        if not degradable:
            raise
        receipt.degraded = True
        return None


def _choose_ranking(question: Question, query: Query | None, receipt: Receipt) -> None:
    if query is None:
        receipt.ranking, receipt.mode = "lexical", "lexical"
    elif question.ranking == "auto":
        # A model that only reads gains by identifiers and by no other words; one that sees would lose what is no word.
        reads = queries.only_words(question.asked) and query.space.text_only
        named = reads and word_search.may_name_something(queries.words_of(question.asked))
        receipt.ranking = "hybrid" if named else "maxsim"
    else:
        receipt.ranking = question.ranking
    receipt.space = query.space if query else None


def _ask(
    caller: Caller,
    question: Question,
    query: Query | None,
    words: str,
    where: Scope,
    receipt: Receipt,
    *,
    until: float,
    afresh: bool,
) -> Ask:
    least = None if question.min_score is None or query is None else question.min_score * query.size
    return Ask(
        caller=caller,
        where=where,
        words=words,
        most=question.offset + question.top_k,
        at_least=least,
        by_document=question.by_document,
        mode=question.mode,
        afresh=afresh,
        until=until,
        watch=receipt.watch,
    )


def _look(ask: Ask, query: Query | None, question: Question, receipt: Receipt) -> tuple[list[Hit], bool]:
    """The hits, and whether everything that was in scope at the beginning was still there at the end."""
    with _looking(ask.caller, until=ask.until):
        found = _ranked(ask, query, receipt.ranking)
        with receipt.watch.stage("fetch"):
            wanted = found.placed[question.offset :]
            rows = hit_rows.read(ask.caller, [placed.page_id for placed in wanted], with_text=question.with_text)
        pointed: dict[int, Pointed] = {}
        if question.with_regions and query is not None:
            with receipt.watch.stage("regions"):
                pointed = point(ask.caller, query, list(rows))
    _tell(receipt, found)
    hits = [
        _hit(rows[placed.page_id], placed, query, pointed.get(placed.page_id))
        for placed in wanted
        if placed.page_id in rows
    ]
    return hits, len(hits) == len(wanted) and (found.scored is None or found.scored.complete)


def _until() -> float:
    return time.monotonic() + settings.ENV.search_timeout_s


@contextmanager
def _looking(caller: Caller, *, until: float | None = None) -> Iterator[OwnerTransaction]:
    """`acting_for` the caller, but never for longer than a search may take."""
    try:
        with acting_for(caller.owner_id, until=until or _until()) as tx:
            yield tx
    except (OperationalError, QueryCanceled) as problem:
        if isinstance(problem, QueryCanceled) or isinstance(problem.__cause__, QueryCanceled):
            raise SearchTookTooLong from problem
        raise


def _ranked(ask: Ask, query: Query | None, ranking: Ranking) -> Ranked:
    if query is None:
        return rankings.by_words(ask)
    return rankings.by_both(ask, query) if ranking == "hybrid" else rankings.by_score(ask, query)


def _tell(receipt: Receipt, found: Ranked) -> None:
    receipt.pages_in_scope, receipt.pages_matched = found.pages, found.matched
    if found.scored is not None:
        receipt.pages_compared, receipt.pages_scored = found.scored.compared, found.scored.candidates
        receipt.best = tuple(page_id for page_id, _ in found.scored.ranked[: recall.K])
        receipt.mode = "exact" if found.scored.exact else "sketch"


def _hit(page: ShownPage, placed: Placed, query: Query | None, pointed: Pointed | None) -> Hit:
    score = placed.score
    return Hit(page, score, None if score is None or query is None else score / query.size, placed, pointed)
