"""The sketches of one collection in memory: which pages are there, and which of them are worth a closer look.

A segment never changes. What comes and goes makes a new one, which shares with the old one what stayed as it was, so
that searches may go on with theirs meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.sketch_scan import Asked, Sketched

Numbers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]

_NONE: Numbers = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What a collection shows: of each revision its id, its document and how many pages it has; by revision."""

    revisions: Numbers
    documents: Numbers
    pages: Numbers

    def of(self, documents: Numbers | None) -> "Contents":
        """Those of some documents; None: of all."""
        if documents is None:
            return self
        among = np.isin(self.documents, documents)
        return Contents(self.revisions[among], self.documents[among], self.pages[among])

    @property
    def nbytes(self) -> int:
        return self.revisions.nbytes + self.documents.nbytes + self.pages.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Pages with their sketches, as they were loaded together; `rows` are those that still count."""

    page_ids: Numbers
    revisions: Numbers
    sketched: Sketched
    rows: Numbers

    @property
    def nbytes(self) -> int:
        return self.page_ids.nbytes + self.revisions.nbytes + self.rows.nbytes + self.sketched.nbytes

    def of(self, revisions: Numbers) -> "Block":
        """The pages of those revisions only."""
        rows = self.rows[np.isin(self.revisions[self.rows], revisions)]
        sketched = sketch_scan.taken(self.sketched, rows)
        return Block(self.page_ids[rows], self.revisions[rows], sketched, np.arange(len(rows)))


@dataclass(frozen=True, slots=True, eq=False)
class Unsketched:
    """Pages with vectors and without a sketch that can be used: each is worth a closer look."""

    page_ids: Numbers
    revisions: Numbers

    def of(self, revisions: Numbers) -> "Unsketched":
        """The pages of those revisions only."""
        among = np.isin(self.revisions, revisions)
        return Unsketched(self.page_ids[among], self.revisions[among])


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The pages of one collection and one space as they were at `seq`."""

    seq: int
    contents: Contents
    blocks: tuple[Block, ...]
    unsketched: Unsketched

    @property
    def nbytes(self) -> int:
        return self.contents.nbytes + sum(block.nbytes for block in self.blocks) + 2 * self.unsketched.page_ids.nbytes

    def known(self) -> Numbers:
        """The revisions of which nothing need be loaded; those with pages that have no sketch may get one."""
        return np.setdiff1d(self.contents.revisions, self.unsketched.revisions)

    def renewed(self, seq: int, contents: Contents, loaded: Iterable[Block], unsketched: Unsketched) -> "Segment":
        """With what the collection shows now, of which all that was not `known` has been loaded."""
        staying = np.intersect1d(self.known(), contents.revisions)
        kept = [_still_there(block, staying) for block in self.blocks]
        return Segment(seq, contents, tuple(_merged([*kept, *loaded])), unsketched)

    def within(self, documents: Numbers | None, *, but: Numbers) -> "Part":
        """The part that a search may see."""
        contents = self.contents.of(documents)
        rows = tuple(block.rows for block in self.blocks)
        unsketched = self.unsketched.page_ids
        if documents is not None:
            rows = tuple(block.rows[np.isin(block.revisions[block.rows], contents.revisions)] for block in self.blocks)
            unsketched = self.unsketched.of(contents.revisions).page_ids
        left_out = 0
        if len(but):
            before = len(unsketched) + sum(map(len, rows))
            both = zip(self.blocks, rows, strict=True)
            rows = tuple(some[~np.isin(block.page_ids[some], but)] for block, some in both)
            unsketched = unsketched[~np.isin(unsketched, but)]
            left_out = before - len(unsketched) - sum(map(len, rows))
        return Part(self, rows, unsketched, int(contents.pages.sum()) - left_out)


NOTHING = Segment(-1, Contents(_NONE, _NONE, _NONE), (), Unsketched(_NONE, _NONE))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Pages of a segment: the rows of its blocks, those without a sketch, and how many with those without vectors."""

    segment: Segment
    rows: tuple[Numbers, ...]
    unsketched: Numbers
    pages: int

    def __len__(self) -> int:
        return len(self.unsketched) + sum(map(len, self.rows))

    def page_ids(self) -> Numbers:
        """All that have vectors."""
        pairs = zip(self.segment.blocks, self.rows, strict=True)
        return np.concatenate([self.unsketched, *(block.page_ids[rows] for block, rows in pairs)])


@dataclass(frozen=True, slots=True, eq=False)
class _Some:
    """Pages of one block, and the documents that they are of."""

    block: Block
    rows: Numbers
    contents: Contents

    def taken(self, rows: Numbers) -> "_Some":
        return _Some(self.block, rows, self.contents)

    @property
    def page_ids(self) -> Numbers:
        return self.block.page_ids[self.rows]

    @property
    def documents(self) -> Numbers:
        place = np.searchsorted(self.contents.revisions, self.block.revisions[self.rows])
        return self.contents.documents[place]


def best(
    parts: Sequence[Part], query: Asked, *, most: int, glanced_at: int, of_each_document: int | None = None
) -> Numbers:
    """The `most` pages that answer best by their sketches, best first, among the `glanced_at` best at a glance.

    Pages without a sketch are not among them.
    """
    places = [
        _Some(block, rows, part.segment.contents)
        for part in parts
        for block, rows in zip(part.segment.blocks, part.rows, strict=True)
        if len(rows)
    ]
    if sum(len(some.rows) for some in places) > glanced_at:
        glances = [_glance(query, some) for some in places]
        places = _highest(places, glances, glanced_at)
    if not places:
        return _NONE
    scores = np.concatenate([sketch_scan.finely(query, some.block.sketched.fine, some.rows) for some in places])
    ids = np.concatenate([some.page_ids for some in places])
    order = np.lexsort((ids, -scores))
    if of_each_document is not None:
        documents = np.concatenate([some.documents for some in places])
        order = order[_place_in_group(documents[order]) < of_each_document]
    return ids[order[:most]]


def _glance(query: Asked, some: _Some) -> Floats:
    sketched = some.block.sketched
    return sketch_scan.coarsely(query, sketched.coarse, some.rows, dim=sketched.dim)


def _highest(places: list[_Some], scores: list[Floats], most: int) -> list[_Some]:
    """Those of the highest scores, and of equals at the end those of the lowest ids."""
    every = np.concatenate(scores)
    bar = np.partition(every, -most)[-most]
    equal = np.flatnonzero(every == bar)
    ids = np.concatenate([some.page_ids for some in places])[equal]
    kept = every > bar
    kept[equal[np.argsort(ids)[: most - int(kept.sum())]]] = True
    parts = np.split(kept, np.cumsum([len(some.rows) for some in places])[:-1])
    chosen = [some.taken(some.rows[part]) for some, part in zip(places, parts, strict=True)]
    return [some for some in chosen if len(some.rows)]


def _place_in_group(groups: Numbers) -> Numbers:
    """How many of the same group come before each."""
    order = np.argsort(groups, kind="stable")
    _, firsts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    places = np.empty(len(groups), dtype=np.int64)
    places[order] = np.arange(len(groups)) - np.repeat(firsts, sizes)
    return places


def _still_there(block: Block, revisions: Numbers) -> Block:
    """The block with the rows that are still shown; a new one where most of it is gone."""
    rows = block.rows[np.isin(block.revisions[block.rows], revisions)]
    if 2 * len(rows) >= len(block.page_ids):
        return replace(block, rows=rows)
    return Block(
        block.page_ids[rows], block.revisions[rows], sketch_scan.taken(block.sketched, rows), np.arange(len(rows))
    )


def _merged(blocks: Iterable[Block]) -> list[Block]:
    """Few blocks, each at least twice as large as the next: what comes bit by bit is copied only now and then."""
    kept: list[Block] = []
    for block in blocks:
        kept.append(block)
        while len(kept) > 1 and len(kept[-2].page_ids) < 2 * len(kept[-1].page_ids):
            later, earlier = kept.pop(), kept.pop()
            kept.append(_joined(earlier, later))
    return [block for block in kept if len(block.rows)]


def _joined(one: Block, other: Block) -> Block:
    return Block(
        np.concatenate([one.page_ids, other.page_ids]),
        np.concatenate([one.revisions, other.revisions]),
        sketch_scan.joined([one.sketched, other.sketched]),
        np.concatenate([one.rows, other.rows + len(one.page_ids)]),
    )
