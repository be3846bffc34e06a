"""Scores of pages: exact late interaction over everything in scope, a few pages at a time, however many there are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import numpy as np

from accounts.access import Caller
from collections_app import scope, vectors
from collections_app.engine import maxsim
from collections_app.engine.maxsim import Packed
from collections_app.engine.multivector import MultiVector
from collections_app.engine.ranking import Best
from collections_app.engine.weighing import Weights
from collections_app.models import Space
from collections_app.scope import Scope
from embeddings import contract

T = TypeVar("T")

# Pages whose vectors are in memory at once: at 1,030 vectors of 128 dimensions each, a few megabytes.
_AT_ONCE = 16
_IDS_AT_ONCE = 1024


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


@dataclass(slots=True)
class Scored:
    """Page ids with their scores, best first; how many were scored; whether none was gone before its turn came."""

    ranked: list[tuple[int, float]] = field(default_factory=list)
    pages: int = 0
    complete: bool = True


def best(
    caller: Caller, query: Query, where: Scope, *, most: int, at_least: float | None = None, by_document: bool = False
) -> Scored:
    """The best pages in scope, or the best page of each document; inside `acting_for`."""
    kept = Best(most) if at_least is None else Best(most, at_least=at_least)
    scored = Scored()
    space = _space(query)
    if space is None:
        return scored
    rows = scope.embedded(caller, where).filter(space=space).values_list("page_id", "page__revision__document_id")
    for some in _batched(rows.iterator(chunk_size=_IDS_AT_ONCE), _AT_ONCE):
        documents = dict(some)
        found, packed = vectors.read_packed(caller.owner_id, list(documents), dim=query.space.dim)
        scored.complete = scored.complete and len(found) == len(documents)
        if packed is not None:
            groups = [documents[page_id] for page_id in found] if by_document else found
            kept.add(_scores(query, packed), ids=found, groups=groups)
            scored.pages += len(found)
    scored.ranked = kept.ranked()
    return scored


def of(caller: Caller, query: Query, where: Scope, page_ids: Sequence[int]) -> dict[int, float]:
    """The scores of those of the pages that are in scope and have vectors to compare with; inside `acting_for`."""
    space = _space(query)
    if space is None or not page_ids:
        return {}
    rows = scope.embedded(caller, where).filter(space=space, page_id__in=page_ids)
    scores: dict[int, float] = {}
    for some in _batched(rows.values_list("page_id", flat=True), _AT_ONCE):
        found, packed = vectors.read_packed(caller.owner_id, some, dim=query.space.dim)
        if packed is not None:
            scores |= zip(found, _scores(query, packed).tolist(), strict=True)
    return scores


def _scores(query: Query, pages: Packed) -> maxsim.Scores:
    return maxsim.scores(query.vectors, pages, weights=query.weights)


def _space(query: Query) -> Space | None:
    told = query.space
    return Space.objects.filter(model=told.model, revision=told.revision, dim=told.dim).first()


def _batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    some = iter(rows)
    while batch := list(islice(some, size)):
        yield batch
