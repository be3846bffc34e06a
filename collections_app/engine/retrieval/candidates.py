"""Which pages become candidates: those that score best by their sketches.

All pages are compared by their coarse sketches, and the best of them by their fine ones. If a query has many vectors,
most of this is done with a few merged ones, which take a third of the time. They rank slightly worse, so twice as many
pages are compared by their fine sketches; the best of these are compared again, with all vectors.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.arrays import Floats, Numbers
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.plan import Steps
from collections_app.engine.retrieval.segment import Block, RevisionTable, SegmentPart
from collections_app.engine.retrieval.sketch_scan import EncodedQuery
from collections_app.engine.retrieval.weights import Weights, merge

_NONE: Numbers = np.empty(0, dtype=np.int64)

_SAMPLED = 32  # every so many-th score
_SAMPLING_ERRORS = 3  # standard deviations of how many of the best scores a sample has
_SPARE = 2  # more pages of a document are left after the preselection than are returned


def select(
    parts: Sequence[SegmentPart],
    query: MultiVector | Floats,
    weights: Weights | None,
    steps: Steps,
    *,
    per_document: int | None = None,
) -> Numbers:
    """Return the ids of the pages that score best by their sketches, best first; see `best`."""
    vectors, merged_weights = merge(query, weights, limit=steps.merged_limit(len(query)))
    preselection = None
    if len(vectors) < len(query):
        merged = sketch_scan.encode_query(vectors, merged_weights)
        preselection = Preselection(merged, steps.merged_coarse_candidates, steps.merged_fine_candidates)
    return best(
        parts,
        sketch_scan.encode_query(query, weights),
        limit=steps.pooled_candidates,
        coarse_candidates=steps.coarse_candidates,
        preselection=preselection,
        per_document=per_document,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Preselection:
    """A query of fewer vectors that selects the pages which the whole query is compared with, and how many."""

    query: EncodedQuery
    coarse_candidates: int  # by coarse scores
    fine_candidates: int  # by fine scores, of those


def best(
    parts: Sequence[SegmentPart],
    query: EncodedQuery,
    *,
    limit: int,
    coarse_candidates: int,
    preselection: Preselection | None = None,
    per_document: int | None = None,
) -> Numbers:
    """Return the ids of the `limit` pages that score best by their sketches, best first.

    Fine scores are computed only for the `coarse_candidates` best pages by coarse scores, or for those that the
    preselection leaves. At most `per_document` pages of each document are returned. Pages without a sketch are not
    returned.
    """
    selections = [
        _Selection(block, rows, part.segment.revisions)
        for part in parts
        for block, rows in zip(part.segment.blocks, part.rows, strict=True)
        if len(rows)
    ]
    if preselection is None:
        selections = _coarse_best(selections, query, coarse_candidates)
    else:
        spare = None if per_document is None else _SPARE * per_document
        selections = _coarse_best(selections, preselection.query, preselection.coarse_candidates)
        if _count(selections) > preselection.fine_candidates:
            ranking = _ranked(selections, preselection.query, per_document=spare)
            selections = _rows_at(selections, np.sort(ranking[: preselection.fine_candidates]))
    if not selections:
        return _NONE
    ranking = _ranked(selections, query, per_document=per_document)
    return np.concatenate([selection.page_ids for selection in selections])[ranking[:limit]]


@dataclass(frozen=True, slots=True, eq=False)
class _Selection:
    """Rows of one block, and the revisions that their documents are looked up in."""

    block: Block
    rows: Numbers
    revisions: RevisionTable

    @property
    def page_ids(self) -> Numbers:
        return self.block.page_ids[self.rows]

    @property
    def document_ids(self) -> Numbers:
        index = np.searchsorted(self.revisions.revision_ids, self.block.revision_ids[self.rows])
        return self.revisions.document_ids[index]


def _count(selections: list[_Selection]) -> int:
    return sum(len(selection.rows) for selection in selections)


def _coarse_best(selections: list[_Selection], query: EncodedQuery, limit: int) -> list[_Selection]:
    """Return the `limit` rows of the highest coarse scores; among equal scores at the end, those of the lowest ids."""
    if _count(selections) <= limit:
        return selections
    scores = np.concatenate([_coarse_scores(query, selection) for selection in selections])
    high = _at_least(scores, limit)
    threshold = np.partition(scores[high], -limit)[-limit]
    best = high[scores[high] >= threshold]
    ties = np.flatnonzero(scores[best] == threshold)
    surplus = len(best) - limit
    if surplus:
        ids = np.concatenate([selection.page_ids for selection in _rows_at(selections, best)])
        best = np.delete(best, ties[np.argsort(ids[ties])[len(ties) - surplus :]])
    return _rows_at(selections, best)


def _coarse_scores(query: EncodedQuery, selection: _Selection) -> Floats:
    sketches = selection.block.sketches
    return sketch_scan.score_coarse(query, sketches.coarse, selection.rows, dim=sketches.dim)


def _at_least(scores: Floats, limit: int) -> Numbers:
    """Return the positions of all scores that are not below some bar, and at least `limit` of them, in ascending order.

    If there are many scores, a sample yields a bar, which is quicker than ordering all of them.
    """
    sample = scores[::_SAMPLED]
    rank = limit // _SAMPLED + int(_SAMPLING_ERRORS * math.sqrt(limit / _SAMPLED)) + 1
    if rank < len(sample):
        positions = np.flatnonzero(scores >= np.partition(sample, -rank)[-rank])
        if len(positions) >= limit:
            return positions
    return np.arange(len(scores))


def _rows_at(selections: list[_Selection], positions: Numbers) -> list[_Selection]:
    """Return the rows at these positions in the concatenation of all, which must be ascending."""
    ends = np.cumsum([len(selection.rows) for selection in selections])
    cuts = np.searchsorted(positions, ends)
    pairs = zip(selections, ends, np.split(positions, cuts[:-1]), strict=True)
    return [
        replace(selection, rows=selection.rows[chosen - (end - len(selection.rows))])
        for selection, end, chosen in pairs
        if len(chosen)
    ]


def _ranked(selections: list[_Selection], query: EncodedQuery, *, per_document: int | None) -> Numbers:
    """Return the positions of the rows, best fine score first, ties by id; at most so many of each document."""
    scores = [sketch_scan.score_fine(query, selection.block.sketches.fine, selection.rows) for selection in selections]
    ids = np.concatenate([selection.page_ids for selection in selections])
    order = np.lexsort((ids, -np.concatenate(scores)))
    if per_document is not None:
        document_ids = np.concatenate([selection.document_ids for selection in selections])
        order = order[_rank_in_group(document_ids[order]) < per_document]
    return order


def _rank_in_group(groups: Numbers) -> Numbers:
    """Return for each element how many of the same group come before it."""
    order = np.argsort(groups, kind="stable")
    _, firsts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(firsts, sizes)
    return ranks
