"""Scores of pages, by late interaction. A hit's score is always exact; which pages get one, the plan says.

Few pages in scope are all scored. Of many, sketches tell the likely ones, pooled vectors the likeliest of these.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from accounts.access import Caller
from collections_app import index, nearby, scope, vectors
from collections_app.engine import hamming, maxsim, segment
from collections_app.engine.multivector import MultiVector
from collections_app.engine.plan import PLAN, Plan, Steps
from collections_app.engine.ranking import Best
from collections_app.engine.segment import Numbers, Part
from collections_app.engine.stopwatch import Stopwatch
from collections_app.engine.weighing import Weights
from collections_app.errors import SearchTookTooLong
from collections_app.models import Page, Space
from collections_app.scope import Scope
from embeddings import contract

Mode: TypeAlias = Literal["auto", "exact"]

# Pages whose vectors are in memory at once: at 1,030 vectors of 128 dimensions each, some megabytes.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One late-interaction query; no weights: each of its vectors counts the same."""

    space: contract.Space
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
    page_ids = _all(parts) if steps is None else _candidates(caller, query, parts, steps, wanted)
    with wanted.watch.stage("score"):
        _score(caller, query, page_ids, scored, wanted)
    return scored


def of(caller: Caller, query: Query, where: Scope, page_ids: Sequence[int], *, until: float) -> dict[int, float]:
    """The scores of those of the pages that are in scope and have vectors to compare with; inside `acting_for`."""
    space = _space(query)
    if space is None or not page_ids:
        return {}
    rows = scope.embedded(caller, where).filter(space=space, page_id__in=page_ids)
    found = list(rows.order_by("page_id").values_list("page_id", flat=True))
    scores: dict[int, float] = {}
    for some in _batched(found, until):
        read = nearby.whole(caller.owner_id, some, dim=space.dim)
        scores |= zip(read, _scores(query, list(read.values())).tolist(), strict=True)
    return scores


def _parts(caller: Caller, query: Query, where: Scope, *, afresh: bool) -> list[Part] | None:
    """What is in scope, of each collection; None where nothing can be compared with the query."""
    space = _space(query)
    if space is None:
        return None
    places = scope.places(caller, where)
    documents = scope.documents(caller, where)
    segments = index.here.segments(caller.owner_id, places, space, afresh=afresh)
    but = np.array(sorted(where.but), dtype=np.int64)
    return [segment.within(documents, but=but) for segment in segments]


def _all(parts: list[Part]) -> list[int]:
    found: list[int] = np.concatenate([np.empty(0, dtype=np.int64), *(part.page_ids() for part in parts)]).tolist()
    return found


def _candidates(caller: Caller, query: Query, parts: list[Part], steps: Steps, wanted: Wanted) -> list[int]:
    """The pages that are worth an exact score, and all that have no sketch to tell."""
    with wanted.watch.stage("sketch"):
        asked = hamming.asked(query.vectors, query.weights)
        each = wanted.plan.of_each_document if wanted.by_document else None
        likely = segment.best(parts, asked, most=steps.pooled, glanced_at=steps.glanced_at, of_each_document=each)
    with wanted.watch.stage("pooled"):
        chosen = _likeliest(caller, query, likely, most=steps.exact)
    return [*chosen, *np.concatenate([part.unsketched for part in parts]).tolist()]


def _likeliest(caller: Caller, query: Query, likely: Numbers, *, most: int) -> list[int]:
    """The best by their pooled vectors, and those that have none."""
    ids = likely.tolist()
    pooled = nearby.pooled(caller.owner_id, ids, dim=query.space.dim)
    without = [page_id for page_id in ids if page_id not in pooled]
    there = [page_id for page_id in ids if page_id in pooled]
    scores = maxsim.pooled_scores(query.vectors, [pooled[page_id] for page_id in there], weights=query.weights)
    order = np.lexsort((there, -scores))[:most]
    return [*(there[place] for place in order), *without]


def _score(caller: Caller, query: Query, page_ids: list[int], scored: Scored, wanted: Wanted) -> None:
    kept = Best(wanted.most) if wanted.at_least is None else Best(wanted.most, at_least=wanted.at_least)
    # What is read from end to end would only push out of memory what is asked for again and again.
    read = nearby.whole if len(page_ids) < scored.compared or len(page_ids) <= PLAN.exact_at_once else vectors.read
    for some in _batched(page_ids, wanted.until):
        found = read(caller.owner_id, some, dim=query.space.dim)
        if len(found) < len(some):
            _without(caller, set(some) - set(found), scored)
        groups = _documents(caller, list(found)) if wanted.by_document else list(found)
        kept.add(_scores(query, list(found.values())), ids=list(found), groups=groups)
        scored.candidates += len(found)
    scored.ranked = kept.ranked()


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


def _space(query: Query) -> Space | None:
    told = query.space
    return Space.objects.filter(model=told.model, revision=told.revision, dim=told.dim).first()


def _batched(page_ids: list[int], until: float) -> Iterator[list[int]]:
    for start in range(0, len(page_ids), _AT_ONCE):
        if time.monotonic() > until:
            raise SearchTookTooLong
        yield page_ids[start : start + _AT_ONCE]
