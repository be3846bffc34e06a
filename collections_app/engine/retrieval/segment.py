"""The sketches of one collection in memory: which pages it has, and which of them become candidates.

A segment is immutable. A change of the collection makes a new one, which shares with the old one what stayed the same,
so that searches can go on with theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval import sketch_scan
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.files.mapped_file import MappedFile
from collections_app.engine.retrieval.sketch_scan import LoadedSketches

_NONE: Numbers = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class RevisionTable:
    """The revisions that a collection shows: their ids, in ascending order, their documents and page counts.

    `created` is the microsecond of each. If the database is restored from a backup, ids are used again, but not at the
    same moment.
    """

    revision_ids: Numbers
    document_ids: Numbers
    page_counts: Numbers
    created: Numbers

    def of_documents(self, document_ids: Numbers | None) -> "RevisionTable":
        """Return the revisions of those documents; of all documents for None."""
        if document_ids is None:
            return self
        return self.at(np.isin(self.document_ids, document_ids))

    def among(self, revision_ids: Numbers) -> "RevisionTable":
        """Return the rows of those revisions."""
        return self.at(np.isin(self.revision_ids, revision_ids))

    def without(self, revision_ids: Numbers) -> "RevisionTable":
        """Return the rows of all other revisions."""
        return self.at(~np.isin(self.revision_ids, revision_ids))

    def at(self, rows: NDArray[np.bool_]) -> "RevisionTable":
        """Return the rows that are true."""
        return RevisionTable(
            self.revision_ids[rows], self.document_ids[rows], self.page_counts[rows], self.created[rows]
        )

    @property
    def nbytes(self) -> int:
        return 4 * self.revision_ids.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Pages with their sketches, as they were loaded; `rows` are those that are still shown.

    The sketches may be in a file that other processes map as well.
    """

    page_ids: Numbers
    revision_ids: Numbers
    sketches: LoadedSketches
    rows: Numbers
    file: MappedFile | None = None

    @property
    def nbytes(self) -> int:
        """The memory that this process has for itself."""
        ids = self.page_ids.nbytes + self.revision_ids.nbytes + self.rows.nbytes
        return ids if self.file else ids + self.sketches.nbytes

    def of_revisions(self, revision_ids: Numbers) -> "Block":
        """Return a copy with only the pages of those revisions."""
        return self._copy(self._rows_of(revision_ids))

    def without_hidden(self, shown: Numbers) -> "Block":
        """Restrict the rows to the revisions that are shown; copy the block if fewer than half of its pages are."""
        rows = self._rows_of(shown)
        return replace(self, rows=rows) if 2 * len(rows) >= len(self.page_ids) else self._copy(rows)

    def of_shown(self, shown: Numbers) -> "Block":
        """Restrict the rows to the revisions that are shown."""
        return replace(self, rows=self._rows_of(shown))

    def without(self, revision_ids: Numbers) -> "Block":
        """Hide the pages of those revisions."""
        return replace(self, rows=self.rows[~np.isin(self.revision_ids[self.rows], revision_ids)])

    def without_hidden_pages(self) -> "Block":
        """Return the block with only the pages that are shown."""
        return self if len(self.rows) == len(self.page_ids) else self._copy(self.rows)

    def joined(self, other: "Block") -> "Block":
        return Block(
            np.concatenate([self.page_ids, other.page_ids]),
            np.concatenate([self.revision_ids, other.revision_ids]),
            sketch_scan.concatenate([self.sketches, other.sketches]),
            np.concatenate([self.rows, other.rows + len(self.page_ids)]),
        )

    def _rows_of(self, revision_ids: Numbers) -> Numbers:
        return self.rows[np.isin(self.revision_ids[self.rows], revision_ids)]

    def _copy(self, rows: Numbers) -> "Block":
        sketches = sketch_scan.select(self.sketches, rows)
        return Block(self.page_ids[rows], self.revision_ids[rows], sketches, np.arange(len(rows)))


@dataclass(frozen=True, slots=True, eq=False)
class Unsketched:
    """Pages that have vectors but no valid sketch; every one of them becomes a candidate."""

    page_ids: Numbers
    revision_ids: Numbers

    def of_revisions(self, revision_ids: Numbers) -> "Unsketched":
        rows = np.isin(self.revision_ids, revision_ids)
        return Unsketched(self.page_ids[rows], self.revision_ids[rows])

    def without(self, revision_ids: Numbers) -> "Unsketched":
        rows = ~np.isin(self.revision_ids, revision_ids)
        return Unsketched(self.page_ids[rows], self.revision_ids[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The pages of one collection and one vector space as of `seq`."""

    seq: int
    revisions: RevisionTable
    blocks: tuple[Block, ...]
    unsketched: Unsketched

    @property
    def nbytes(self) -> int:
        return self.revisions.nbytes + sum(block.nbytes for block in self.blocks) + 2 * self.unsketched.page_ids.nbytes

    @property
    def files(self) -> list[MappedFile]:
        return [block.file for block in self.blocks if block.file]

    def has_unchanged_files(self) -> bool:
        return all(file.is_unchanged() for file in self.files)

    def without_changed_files(self) -> "Segment":
        """Leave out the pages whose files were changed, replaced or deleted, so that they are loaded again."""
        changed = [block for block in self.blocks if block.file and not block.file.is_unchanged()]
        if not changed:
            return self
        lost = np.unique(np.concatenate([block.revision_ids[block.rows] for block in changed]))
        remaining = tuple(block for block in self.blocks if block not in changed)
        return replace(self, revisions=self.revisions.without(lost), blocks=remaining)

    def loaded_revisions(self) -> Numbers:
        """Return the revisions that need not be loaded again; those with unsketched pages may get sketches."""
        return np.setdiff1d(self.revisions.revision_ids, self.unsketched.revision_ids)

    def updated(
        self, seq: int, revisions: RevisionTable, new_blocks: Iterable[Block], unsketched: Unsketched
    ) -> "Segment":
        """Return a segment of what the collection shows now; expects blocks of all that was not loaded."""
        shown = np.intersect1d(self.loaded_revisions(), revisions.revision_ids)
        remaining = [block.without_hidden(shown) for block in self.blocks]
        return Segment(seq, revisions, tuple(_merged([*remaining, *new_blocks])), unsketched)

    def part(self, document_ids: Numbers | None, *, excluded_page_ids: Numbers) -> "SegmentPart":
        """Return the part that is in the scope of a search."""
        revisions = self.revisions.of_documents(document_ids)
        rows = tuple(block.rows for block in self.blocks)
        unsketched = self.unsketched.page_ids
        if document_ids is not None:
            shown = revisions.revision_ids
            rows = tuple(block.rows[np.isin(block.revision_ids[block.rows], shown)] for block in self.blocks)
            unsketched = self.unsketched.of_revisions(shown).page_ids
        excluded = 0
        if len(excluded_page_ids):
            before = len(unsketched) + sum(map(len, rows))
            pairs = zip(self.blocks, rows, strict=True)
            rows = tuple(shown[~np.isin(block.page_ids[shown], excluded_page_ids)] for block, shown in pairs)
            unsketched = unsketched[~np.isin(unsketched, excluded_page_ids)]
            excluded = before - len(unsketched) - sum(map(len, rows))
        return SegmentPart(self, rows, unsketched, int(revisions.page_counts.sum()) - excluded)


EMPTY = Segment(-1, RevisionTable(_NONE, _NONE, _NONE, _NONE), (), Unsketched(_NONE, _NONE))


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPart:
    """Pages of a segment: rows of its blocks, and pages without a sketch.

    `pages` counts those without vectors as well; `len()` counts only those with vectors.
    """

    segment: Segment
    rows: tuple[Numbers, ...]
    unsketched: Numbers
    pages: int

    def __len__(self) -> int:
        return len(self.unsketched) + sum(map(len, self.rows))

    def page_ids(self) -> Numbers:
        """Return the ids of all pages that have vectors."""
        pairs = zip(self.segment.blocks, self.rows, strict=True)
        return np.concatenate([self.unsketched, *(block.page_ids[rows] for block, rows in pairs)])


def _merged(blocks: Iterable[Block]) -> list[Block]:
    """Merge blocks until each is at least twice as large as the next, so that few exist and copies are rare."""
    merged: list[Block] = []
    for block in blocks:
        merged.append(block)
        while len(merged) > 1 and len(merged[-2].page_ids) < 2 * len(merged[-1].page_ids):
            later, earlier = merged.pop(), merged.pop()
            merged.append(earlier.joined(later))
    return [block for block in merged if len(block.rows)]
