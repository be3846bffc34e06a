"""Scores of pages, by late interaction. A hit's score is always exact; which pages get one, the plan says.

Few pages in scope are all scored. Of many, sketches tell the likely ones, pooled vectors the likeliest of these.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from accounts.access import Caller
from collections_app.engine.retrieval import maxsim, segment, sketch_scan
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.plan import PLAN, Plan, Steps
from collections_app.engine.retrieval.segment import Numbers, Part
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.engine.retrieval.top_k import Best
from collections_app.engine.retrieval.weights import Weights, condensed
from collections_app.models import Page
from collections_app.search import index, scope, vector_cache
from collections_app.search.errors import SearchTookTooLong
from collections_app.search.scope import Scope
from collections_app.storage import vectors
from embeddings import contract

Mode: TypeAlias = Literal["auto", "exact"]

# Pages whose vectors are in memory at once: at 1,030 vectors of 128 dimensions each, some megabytes.
_AT_ONCE = 16
# Between two looks at whether more are worth it.
_A_FEW = 4


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One late-interaction query; no weights: each of its vectors counts the same."""

    space: contract.VectorSpace
    vectors: MultiVector
    weights: Weights | None = None

    @property
    def size(self) -> float:
        """The score of a page on which every vector finds itself."""
        return float(len(self.vectors) if self.weights is None else np.abs(self.weights).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the ranking is wanted, how it is to be made, and until when (by `time.monotonic`)."""

    most: int
    at_least: float | None = None
    by_document: bool = False
    mode: Mode = "auto"
    afresh: bool = False  # what is in memory is known to be behind
    until: float = float("inf")
    plan: Plan = PLAN
    watch: Stopwatch = field(default_factory=Stopwatch)


@dataclass(slots=True, kw_only=True)
class Scored:
    """Page ids with their exact scores, best first; and how they were found.

    pages: how many are in scope; compared: how many of them have vectors to compare with; candidates: how many were
    scored exactly; complete: none was gone before its turn came.
    """

    ranked: list[tuple[int, float]] = field(default_factory=list)
    pages: int = 0
    compared: int = 0
    candidates: int = 0
    complete: bool = True

    @property
    def exact(self) -> bool:
        """Whether every page had its exact score."""
        return self.candidates == self.compared


def best(caller: Caller, query: Query, where: Scope, wanted: Wanted) -> Scored:
    """The best pages in scope, or the best page of each document; inside `acting_for`."""
    with wanted.watch.stage("index"):
        parts = _parts(caller, query, where, afresh=wanted.afresh)
    if parts is None:
        return Scored(pages=scope.pages(caller, where).count())
    pages = sum(len(part) for part in parts)
    scored = Scored(pages=sum(part.pages for part in parts), compared=pages)
    steps = None if wanted.mode == "exact" else wanted.plan.steps(pages, hits=wanted.most)
    turn = _Turn(caller, query, wanted, scored)
    if steps is None:
        with wanted.watch.stage("score"):
            turn.score(_all(parts), kept_in_memory=pages <= PLAN.exact_at_once)
    else:
        short = Query(query.space, *condensed(query.vectors, query.weights))
        likely = _likeliest(caller, short, _sketched(short, parts, steps, wanted), wanted)
        with wanted.watch.stage("score"):
            turn.score([*np.concatenate([part.unsketched for part in parts]).tolist(), *likely.unpooled])
            _score_likeliest(turn, likely, steps)
    scored.ranked = turn.best.ranked()
    return scored


def of(caller: Caller, query: Query, where: Scope, page_ids: Sequence[int], *, until: float) -> dict[int, float]:
    """The scores of those of the pages that are in scope and have vectors to compare with; inside `acting_for`."""
    space_id, _ = scope.places(caller, where, query.space) if page_ids else (None, [])
    if space_id is None:
        return {}
    rows = scope.embedded(caller, where).filter(space_id=space_id, page_id__in=page_ids)
    found = list(rows.order_by("page_id").values_list("page_id", flat=True))
    scores: dict[int, float] = {}
    for some in _batched(found, until):
        read = vector_cache.whole(caller.owner_id, some, dim=query.space.dim)
        scores |= zip(read, _scores(query, list(read.values())).tolist(), strict=True)
    return scores


def _parts(caller: Caller, query: Query, where: Scope, *, afresh: bool) -> list[Part] | None:
    """What is in scope, of each collection; None where nothing can be compared with the query."""
    space_id, places = scope.places(caller, where, query.space)
    if space_id is None:
        return None
    documents = scope.documents(caller, where)
    kept = index.Space(space_id, query.space.dim)
    segments = index.here.segments(caller.owner_id, places, kept, afresh=afresh)
    but = np.array(sorted(where.but), dtype=np.int64)
    return [segment.within(documents, but=but) for segment in segments]


def _all(parts: list[Part]) -> list[int]:
    found: list[int] = np.concatenate([np.empty(0, dtype=np.int64), *(part.page_ids() for part in parts)]).tolist()
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Likely:
    """Pages with what their pooled vectors score, best first; and those that have none."""

    page_ids: list[int]
    estimates: list[float]
    unpooled: list[int]


def _sketched(query: Query, parts: list[Part], steps: Steps, wanted: Wanted) -> Numbers:
    """The pages that are best by their sketches, if they have one."""
    with wanted.watch.stage("sketch"):
        asked = sketch_scan.asked(query.vectors, query.weights)
        each = wanted.plan.of_each_document if wanted.by_document else None
        return segment.best(parts, asked, most=steps.pooled, glanced_at=steps.glanced_at, of_each_document=each)


def _likeliest(caller: Caller, query: Query, sketched: Numbers, wanted: Wanted) -> _Likely:
    with wanted.watch.stage("pooled"):
        ids = sketched.tolist()
        pooled = vector_cache.pooled(caller.owner_id, ids, dim=query.space.dim)
        there = list(pooled)
        scores = maxsim.pooled_scores(query.vectors, list(pooled.values()), weights=query.weights)
        order = np.lexsort((np.array(there), -scores))
        unpooled = [page_id for page_id in ids if page_id not in pooled]
        return _Likely([there[place] for place in order], scores[order].tolist(), unpooled)


class _Turn:
    """One ranking in the making: pages are scored in whatever order, and the best of them are kept."""

    def __init__(self, caller: Caller, query: Query, wanted: Wanted, scored: Scored) -> None:
        self._caller, self._query, self._wanted, self._scored = caller, query, wanted, scored
        self.best = Best(wanted.most) if wanted.at_least is None else Best(wanted.most, at_least=wanted.at_least)

    def score(self, page_ids: list[int], *, kept_in_memory: bool = True) -> dict[int, float]:
        """The exact score of each page that is still there."""
        # What is read from end to end would only push out of memory what is asked for again and again.
        read = vector_cache.whole if kept_in_memory else vectors.read
        told: dict[int, float] = {}
        for some in _batched(page_ids, self._wanted.until):
            found = read(self._caller.owner_id, some, dim=self._query.space.dim)
            if len(found) < len(some):
                _without(self._caller, set(some) - set(found), self._scored)
            groups = _documents(self._caller, list(found)) if self._wanted.by_document else list(found)
            scores = _scores(self._query, list(found.values())).tolist()
            self.best.add(scores, ids=found, groups=groups)
            self._scored.candidates += len(found)
            told |= zip(found, scores, strict=True)
        return told


def _score_likeliest(turn: _Turn, likely: _Likely, steps: Steps) -> None:
    """As many as it takes until the next one has hardly a chance."""
    gaps: list[float] = []
    done = 0
    most = min(steps.most, len(likely.page_ids))
    while done < most:
        until = min(most, steps.least if not done else done + _A_FEW)
        some = likely.page_ids[done:until]
        scores = turn.score(some)
        both = zip(some, likely.estimates[done:until], strict=True)
        gaps += [scores[page_id] - estimate for page_id, estimate in both if page_id in scores]
        done = until
        if done == len(likely.page_ids):
            return
        if gaps and steps.is_settled(gaps, estimate=likely.estimates[done], bar=turn.best.bar()):
            return


def _without(caller: Caller, missing: set[int], scored: Scored) -> None:
    """Pages that have no vectors that could be read: gone since, or not what their space says."""
    there = Page.objects.filter(owner_id=caller.owner_id, pk__in=missing).count()
    scored.complete = scored.complete and there == len(missing)
    scored.compared -= len(missing)


def _documents(caller: Caller, page_ids: list[int]) -> list[int]:
    rows = Page.objects.filter(owner_id=caller.owner_id, pk__in=page_ids)
    documents = dict(rows.values_list("pk", "revision__document_id"))
    # What is gone meanwhile is in no document, and alone.
    return [documents.get(page_id, -page_id) for page_id in page_ids]


def _scores(query: Query, pages: list[MultiVector]) -> maxsim.Scores:
    return maxsim.scores(query.vectors, pages, weights=query.weights)


def _batched(page_ids: list[int], until: float) -> Iterator[list[int]]:
    for start in range(0, len(page_ids), _AT_ONCE):
        if time.monotonic() > until:
            raise SearchTookTooLong
        yield page_ids[start : start + _AT_ONCE]
