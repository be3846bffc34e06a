"""Where the pages are kept, their exact scores, and the leading subsets that can be searched alone."""

from pathlib import Path

import numpy as np

from benchmarks.harness.household import FOLDER
from benchmarks.search import synthetic
from benchmarks.search.many import documents
from benchmarks.search.many.documents import CHUNK, Numbering
from benchmarks.search.synthetic import Floats

EMAIL = "large@benchmarks.example"
_SIZES = (1000, 3000, 10_000, 30_000, 100_000, 300_000)


def folder(pages: int) -> Path:
    """Return the folder of so many pages."""
    return FOLDER / f"world-{synthetic.EDITION}" / f"many-{documents.EDITION}-{pages}"


def scores_folder(pages: int) -> Path:
    """Return the folder that has a file of scores for each chunk."""
    return folder(pages) / "scores"


def scores(pages: int) -> Floats:
    """Return the exact score of each page for each query: (queries, pages)."""
    numbering, files = Numbering(pages), scores_folder(pages)
    all_scores = np.empty((synthetic.QUESTIONS, pages), dtype=np.float32)
    for chunk in range(pages // CHUNK):
        all_scores[:, numbering.of_chunk(chunk)] = np.load(files / f"{chunk}.npy")
    return all_scores


def sizes(pages: int) -> list[int]:
    """Return how many of the first pages are searched, up to all of them."""
    return [*(size for size in _SIZES if size < pages), pages]


def size_of(number: int, pages: int) -> int:
    """Return the smallest subset that the page belongs to."""
    return next(size for size in sizes(pages) if number < size)


def name_of(size: int) -> str:
    """Name the collection of the pages that belong to no smaller subset."""
    return f"to-{size}"


def collections(size: int) -> frozenset[str]:
    """Return the collections of the first pages."""
    return frozenset(name_of(one) for one in (*_SIZES, size) if one <= size)
