"""A hundred thousand pages: the reduced forms of all, and all vectors of those that may be scored.

A search reads nothing else. All vectors of all pages would take 26 GB.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from benchmarks.harness.household import FOLDER
from benchmarks.search import corpus, synthetic
from benchmarks.search.corpus import BEST
from benchmarks.search.synthetic import DIM, PAGES_OF_A_DOCUMENT, VECTORS, Floats, Halves, World
from collections_app.engine.retrieval import pooling, sketch
from collections_app.engine.retrieval.single_threaded_blas import single_threaded
from collections_app.engine.retrieval.sketch import CompactForms

# These leading subsets are also searched separately.
PARTS = (1000, 3000, 10_000, 30_000)
# For each query, this many of the best pages by pooled vectors, and the overall best, keep all their vectors.
SAMPLED = 100
_PAGES_OF_A_TASK = 50 * PAGES_OF_A_DOCUMENT

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Large:
    """The pages, the queries, and the exact score of each page for each query."""

    sketches: Bytes  # (pages, bytes of one)
    pooled: Bytes  # (pages, bytes of one)
    questions: list[Floats]
    scores: Floats  # (questions, pages)
    sampled: dict[int, int]  # the number of a page, and its place in `vectors`
    vectors: Halves  # (sampled, 1030, 128)

    def __len__(self) -> int:
        return len(self.sketches)

    def compact_forms(self, page: int) -> CompactForms:
        return CompactForms(self.pooled[page].tobytes(), self.sketches[page].tobytes())

    def whole(self, page: int) -> Halves | None:
        """Return all vectors of the page, if they were kept."""
        place = self.sampled.get(page)
        return None if place is None else self.vectors[place]

    def best(self, question: int, *, among: int) -> list[int]:
        """Return the ten best of the first pages."""
        return [int(one) for one in np.argsort(-self.scores[question, :among], kind="stable")[:BEST]]


def load(pages: int) -> Large:
    """Load the pages, creating them if needed."""
    folder = _folder(pages)
    if not folder.exists():
        _make(folder, pages)
    numbers = np.load(folder / "sampled.npy")
    return Large(
        np.load(folder / "sketches.npy", mmap_mode="r"),
        np.load(folder / "pooled.npy", mmap_mode="r"),
        corpus.load(synthetic.QUESTIONS).questions,
        np.load(folder / "scores.npy"),
        {int(number): place for place, number in enumerate(numbers)},
        np.load(folder / "vectors.npy", mmap_mode="r"),
    )


def _folder(pages: int) -> Path:
    """Return the folder; its name depends on the code of the reduced forms."""
    written = Path(sketch.__file__).read_bytes() + Path(pooling.__file__).read_bytes()
    return FOLDER / f"world-{synthetic.EDITION}" / f"large-{pages}-{hashlib.sha256(written).hexdigest()[:8]}"


def _make(folder: Path, pages: int) -> None:
    questions = corpus.load(synthetic.QUESTIONS).questions
    draft = folder.with_name(f"draft-{os.getpid()}")
    draft.mkdir()
    try:
        first = sketch.compact_forms(World().document(0).pages()[0])
        for name, one in (("sketches", first.sketch), ("pooled", first.pooled)):
            open_memmap(draft / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(pages, len(one))).flush()
        bounds = pairwise([*range(0, pages, _PAGES_OF_A_TASK), pages])
        with ProcessPoolExecutor(os.cpu_count()) as workers:
            parts = list(workers.map(partial(_part, draft, questions), bounds))
            exact, by_pooled = (np.concatenate([part[way] for part in parts], axis=1) for way in (0, 1))
            np.save(draft / "scores.npy", exact)
            sampled = _sampled(exact, by_pooled)
            np.save(draft / "sampled.npy", sampled)
            _keep_whole(draft / "vectors.npy", sampled, workers)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _part(folder: Path, questions: Sequence[Floats], bounds: tuple[int, int]) -> tuple[Floats, Floats]:
    """Write the reduced forms of some pages; return their scores, exact and by pooled vectors."""
    start, end = bounds
    world = World()
    sketches = np.load(folder / "sketches.npy", mmap_mode="r+")
    pooled_file = np.load(folder / "pooled.npy", mmap_mode="r+")
    exact, by_pooled = [], []
    with single_threaded():
        for page in range(start, end, PAGES_OF_A_DOCUMENT):
            pages = world.document(page // PAGES_OF_A_DOCUMENT).pages()[: end - page]
            forms = [sketch.compact_forms(one) for one in pages]
            for place, page_forms in enumerate(forms, start=page):
                sketches[place] = np.frombuffer(page_forms.sketch, dtype=np.uint8)
                pooled_file[place] = np.frombuffer(page_forms.pooled, dtype=np.uint8)
            exact.append(corpus.scores(pages, questions))
            few = (sketch.decode_pooled(page_forms.pooled, dim=DIM) for page_forms in forms)
            fine = np.stack([one.numbers * np.float16(one.step) for one in few])
            by_pooled.append(corpus.scores(fine, questions))
    return np.concatenate(exact, axis=1), np.concatenate(by_pooled, axis=1)


def _sampled(exact: Floats, by_pooled: Floats) -> NDArray[np.int64]:
    """Return the pages that a search over all pages, or over a leading subset, may score."""
    sizes = [size for size in (*PARTS, exact.shape[1]) if size <= exact.shape[1]]
    selections = [(by_pooled[:, :size], SAMPLED) for size in sizes] + [(exact[:, :size], BEST) for size in sizes]
    return np.unique(np.concatenate([_highest(scores, limit) for scores, limit in selections]))


def _highest(scores: Floats, limit: int) -> NDArray[np.int64]:
    """Return the pages among the best of any query."""
    limit = min(limit, scores.shape[1])
    return np.unique(np.argpartition(-scores, limit - 1, axis=1)[:, :limit])


def _keep_whole(file: Path, numbers: NDArray[np.int64], workers: ProcessPoolExecutor) -> None:
    """Store all vectors of those pages, generated again."""
    stored = open_memmap(file, mode="w+", dtype=np.float16, shape=(len(numbers), VECTORS, DIM))
    place = 0
    for pages in workers.map(_whole, _by_document(numbers), chunksize=8):
        stored[place : place + len(pages)] = pages
        place += len(pages)
    stored.flush()


def _by_document(numbers: NDArray[np.int64]) -> Iterator[list[int]]:
    documents = numbers // PAGES_OF_A_DOCUMENT
    for document in np.unique(documents):
        yield numbers[documents == document].tolist()


def _whole(numbers: list[int]) -> Halves:
    pages = World().document(numbers[0] // PAGES_OF_A_DOCUMENT).pages()
    return pages[[number % PAGES_OF_A_DOCUMENT for number in numbers]]
