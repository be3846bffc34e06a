"""A hundred thousand pages: the small forms of all, all vectors of those that may have to be scored.

That is as much as a search reads. With all vectors of all pages it would be 26 GB, most of which nobody looks at.
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
from collections_app.engine.retrieval.sketch import Small

# The first so many pages are also searched by themselves.
PARTS = (1000, 3000, 10_000, 30_000)
# Of each question, as many of the best by pooled vectors, and of the best of all, have all their vectors.
SAMPLED = 100
_PAGES_OF_A_TASK = 50 * PAGES_OF_A_DOCUMENT

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Large:
    """The pages, the questions, and the exact score of each page for each question."""

    sketches: Bytes  # (pages, bytes of one)
    pooled: Bytes  # (pages, bytes of one)
    questions: list[Floats]
    scores: Floats  # (questions, pages)
    sampled: dict[int, int]  # the number of a page, and its place in `vectors`
    vectors: Halves  # (sampled, 1030, 128)

    def __len__(self) -> int:
        return len(self.sketches)

    def small(self, page: int) -> Small:
        return Small(self.pooled[page].tobytes(), self.sketches[page].tobytes())

    def whole(self, page: int) -> Halves | None:
        """All vectors of the page, where they were kept."""
        place = self.sampled.get(page)
        return None if place is None else self.vectors[place]

    def best(self, question: int, *, among: int) -> list[int]:
        """The ten best of the first pages."""
        return [int(one) for one in np.argsort(-self.scores[question, :among], kind="stable")[:BEST]]


def load(pages: int) -> Large:
    """So many pages; makes them where they are not there yet."""
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
    """Another one for other small forms."""
    written = Path(sketch.__file__).read_bytes() + Path(pooling.__file__).read_bytes()
    return FOLDER / f"world-{synthetic.EDITION}" / f"large-{pages}-{hashlib.sha256(written).hexdigest()[:8]}"


def _make(folder: Path, pages: int) -> None:
    questions = corpus.load(synthetic.QUESTIONS).questions
    draft = folder.with_name(f"draft-{os.getpid()}")
    draft.mkdir()
    try:
        first = sketch.small(World().document(0).pages()[0])
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
    """Write the small forms of some pages; their scores, exact and by the pooled vectors."""
    start, end = bounds
    made = World()
    sketches = np.load(folder / "sketches.npy", mmap_mode="r+")
    kept = np.load(folder / "pooled.npy", mmap_mode="r+")
    exact, by_pooled = [], []
    with single_threaded():
        for page in range(start, end, PAGES_OF_A_DOCUMENT):
            pages = made.document(page // PAGES_OF_A_DOCUMENT).pages()[: end - page]
            smalls = [sketch.small(one) for one in pages]
            for place, small in enumerate(smalls, start=page):
                sketches[place] = np.frombuffer(small.sketch, dtype=np.uint8)
                kept[place] = np.frombuffer(small.pooled, dtype=np.uint8)
            exact.append(corpus.scores(pages, questions))
            few = (sketch.pooled_page(small.pooled, dim=DIM) for small in smalls)
            fine = np.stack([one.numbers * np.float16(one.step) for one in few])
            by_pooled.append(corpus.scores(fine, questions))
    return np.concatenate(exact, axis=1), np.concatenate(by_pooled, axis=1)


def _sampled(exact: Floats, by_pooled: Floats) -> NDArray[np.int64]:
    """The pages that a search in all of them, or in the first so many, may want to score."""
    sizes = [size for size in (*PARTS, exact.shape[1]) if size <= exact.shape[1]]
    wanted = [(by_pooled[:, :size], SAMPLED) for size in sizes] + [(exact[:, :size], BEST) for size in sizes]
    return np.unique(np.concatenate([_highest(scores, most) for scores, most in wanted]))


def _highest(scores: Floats, most: int) -> NDArray[np.int64]:
    """The pages that are among the best of any question."""
    most = min(most, scores.shape[1])
    return np.unique(np.argpartition(-scores, most - 1, axis=1)[:, :most])


def _keep_whole(file: Path, numbers: NDArray[np.int64], workers: ProcessPoolExecutor) -> None:
    """All vectors of those pages, made once more."""
    kept = open_memmap(file, mode="w+", dtype=np.float16, shape=(len(numbers), VECTORS, DIM))
    place = 0
    for pages in workers.map(_whole, _by_document(numbers), chunksize=8):
        kept[place : place + len(pages)] = pages
        place += len(pages)
    kept.flush()


def _by_document(numbers: NDArray[np.int64]) -> Iterator[list[int]]:
    documents = numbers // PAGES_OF_A_DOCUMENT
    for document in np.unique(documents):
        yield numbers[documents == document].tolist()


def _whole(numbers: list[int]) -> Halves:
    made = World().document(numbers[0] // PAGES_OF_A_DOCUMENT).pages()
    return made[[number % PAGES_OF_A_DOCUMENT for number in numbers]]
