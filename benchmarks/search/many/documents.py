"""Ten pages for each page of the synthetic world: itself, and nine that recombine pages of a document.

The vectors of a page are put in order of their concepts and cut into five sections. A recombined page takes each
section from another page of the document (two pages alternate in one of nine). So its exact score follows from the best
matches of each section, and its pooled vectors from the clusters of each section, which takes a quarter of the time.
Documents that queries are about are not recombined, but others, which are left out themselves: pages that share
vectors with an answer would be too easy to find.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.synthetic import DIM, PAGES_OF_A_DOCUMENT, TARGETS, VECTORS, Drawn, Floats, Halves, World
from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.pooling import Clusters, pool_clusters
from collections_app.engine.retrieval.single_threaded_blas import single_threaded
from collections_app.engine.retrieval.sketch import CompactForms

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

# Increase this when the pages change, or what is stored of them.
EDITION = 1

SECTIONS = 5
DOCUMENTS_OF_A_CHUNK = 10
_ROWS = VECTORS // SECTIONS
_CLUSTERS = 51  # of a section; those of five are about as many as pooling leaves of parts
# For each recombined page, the page that each section comes from: no two are equal.
SOURCES: Numbers = np.array(
    [
        [(start + step * section) % PAGES_OF_A_DOCUMENT for section in range(SECTIONS)]
        for step in range(1, PAGES_OF_A_DOCUMENT)
        for start in range(PAGES_OF_A_DOCUMENT)
    ]
)
EXPANDED = PAGES_OF_A_DOCUMENT + len(SOURCES)  # pages of a document, with the recombined ones
CHUNK = EXPANDED * DOCUMENTS_OF_A_CHUNK
_ANY_SECTION = np.arange(SECTIONS)
_LEFT_OUT = 10_000_000  # the first document that is recombined instead of one with answers


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Some pages as they are stored, but without their vectors, and their exact scores."""

    pooled: Bytes  # (pages, bytes of one)
    sketches: Bytes  # (pages, bytes of one)
    scores: Floats  # (queries, pages)


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of so many pages: those of the world come first, then the recombined ones, by document."""

    pages: int

    def __post_init__(self) -> None:
        if self.pages < 1 or self.pages % CHUNK:
            raise ValueError(f"{self.pages} pages are no multiple of {CHUNK}")

    @property
    def world(self) -> int:
        """The number of pages that are not recombined."""
        return self.pages // EXPANDED * PAGES_OF_A_DOCUMENT

    def of_chunk(self, chunk: int) -> Numbers:
        """Return the numbers of the pages of `make`."""
        first, count = chunk * DOCUMENTS_OF_A_CHUNK, DOCUMENTS_OF_A_CHUNK
        drawn = np.arange(first * PAGES_OF_A_DOCUMENT, (first + count) * PAGES_OF_A_DOCUMENT)
        recombined = np.arange(first * len(SOURCES), (first + count) * len(SOURCES))
        return np.concatenate([drawn, self.world + recombined])

    def places(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Return the document of each page, and its place among the pages of that."""
        drawn = numbers < self.world
        recombined = numbers - self.world
        documents = np.where(drawn, numbers // PAGES_OF_A_DOCUMENT, recombined // len(SOURCES))
        places = np.where(drawn, numbers % PAGES_OF_A_DOCUMENT, PAGES_OF_A_DOCUMENT + recombined % len(SOURCES))
        return documents, places


def make(chunk: int, questions: Sequence[Floats]) -> Made:
    """Make the pages of ten documents: first those of the world, then the recombined ones."""
    numbers = range(chunk * DOCUMENTS_OF_A_CHUNK, (chunk + 1) * DOCUMENTS_OF_A_CHUNK)
    made = [make_document(number, questions) for number in numbers]
    order = np.argsort(np.tile(np.arange(EXPANDED) >= PAGES_OF_A_DOCUMENT, len(made)), kind="stable")
    return Made(
        np.concatenate([one.pooled for one in made])[order],
        np.concatenate([one.sketches for one in made])[order],
        np.concatenate([one.scores for one in made], axis=1)[:, order],
    )


def make_document(document: int, questions: Sequence[Floats]) -> Made:
    """Make the pages of a document, and then the recombined ones."""
    world = World()
    starts = np.cumsum([0, *map(len, questions)])[:-1]
    query = np.concatenate(questions)
    drawn = world.document(document)
    with single_threaded():
        forms = [sketch.compact_forms(page) for page in drawn.pages()]
        sections = _sections(drawn)
        matches = _best_matches(sections, query)
        best = matches.max(axis=1)
        if _source(document) != document:
            sections = _sections(world.document(_source(document)))
            matches = _best_matches(sections, query)
        clusters = [[Clusters.of(rows).reduced(_CLUSTERS) for rows in page] for page in sections.astype(np.float32)]
        forms += [_recombined([clusters[page][at] for at, page in enumerate(source)]) for source in SOURCES]
    best = np.concatenate([best, matches[SOURCES, _ANY_SECTION].max(axis=1)])
    pooled, sketches = (
        np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(forms), -1)
        for rows in ([one.pooled for one in forms], [one.sketch for one in forms])
    )
    return Made(pooled, sketches, np.ascontiguousarray(np.add.reduceat(best, starts, axis=1).T))


def vectors(document: int, places: Sequence[int]) -> list[Halves]:
    """Return all vectors of some pages of a document."""
    world, first = World(), PAGES_OF_A_DOCUMENT
    pages, sections = world.document(document).pages(), _sections(world.document(_source(document)))
    return [
        pages[place] if place < first else sections[SOURCES[place - first], _ANY_SECTION].reshape(VECTORS, DIM)
        for place in places
    ]


def _source(document: int) -> int:
    """Return the document that is recombined."""
    return _LEFT_OUT + document if document < TARGETS // PAGES_OF_A_DOCUMENT else document


def _sections(drawn: Drawn) -> Halves:
    """Return the sections of each page: (10, 5, 206, 128)."""
    order = np.argsort(drawn.concepts, axis=1, kind="stable")
    ordered = np.take_along_axis(drawn.pages(), order[:, :, None], axis=1)
    return ordered.reshape(PAGES_OF_A_DOCUMENT, SECTIONS, _ROWS, DIM)


def _best_matches(sections: Halves, query: Floats) -> Floats:
    """Return the best match of each vector of the queries in each section: (10, 5, query vectors)."""
    best = np.empty((*sections.shape[:2], len(query)), dtype=np.float32)
    products = np.empty((_ROWS, len(query)), dtype=np.float32)
    for page, of_page in enumerate(sections.astype(np.float32)):
        for at, rows in enumerate(of_page):
            np.matmul(rows, query.T, out=products)
            products.max(axis=0, out=best[page, at])
    return best


def _recombined(parts: Sequence[Clusters]) -> CompactForms:
    centres, weights, lengths = (
        np.concatenate(arrays)
        for arrays in zip(*((one.centres, one.weights, one.lengths) for one in parts), strict=True)
    )
    return sketch.encode(pool_clusters(Clusters(centres, weights, lengths)))
