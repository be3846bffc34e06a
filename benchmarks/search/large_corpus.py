"""The sketches of many synthetic pages, and their exact scores for every query: created once, then memory-mapped."""

import hashlib
import os
import shutil
from collections.abc import Sequence
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
from benchmarks.search.synthetic import PAGES_OF_A_DOCUMENT, Floats, World
from collections_app.engine.retrieval import pooling, sketch
from collections_app.engine.retrieval.single_threaded_blas import single_threaded

_PAGES_OF_A_TASK = 50 * PAGES_OF_A_DOCUMENT


@dataclass(frozen=True, slots=True, eq=False)
class Large:
    """The pages, the queries, and the exact score of each page for each query."""

    sketches: NDArray[np.uint8]  # (pages, bytes of one)
    questions: list[Floats]
    scores: Floats  # (questions, pages)

    def __len__(self) -> int:
        return len(self.sketches)

    def best(self, question: int, *, among: int) -> list[int]:
        """Return the ten best of the first pages."""
        return [int(one) for one in np.argsort(-self.scores[question, :among], kind="stable")[:BEST]]


def load(pages: int) -> Large:
    """Load the pages, creating them if needed."""
    folder = _folder(pages)
    if not folder.exists():
        _make(folder, pages)
    return Large(
        np.load(folder / "sketches.npy", mmap_mode="r"),
        corpus.load(synthetic.QUESTIONS).questions,
        np.load(folder / "scores.npy"),
    )


def _folder(pages: int) -> Path:
    """Return the folder; its name depends on the code of the sketches."""
    written = Path(sketch.__file__).read_bytes() + Path(pooling.__file__).read_bytes()
    return FOLDER / f"world-{synthetic.EDITION}" / f"large-{pages}-{hashlib.sha256(written).hexdigest()[:8]}"


def _make(folder: Path, pages: int) -> None:
    questions = corpus.load(synthetic.QUESTIONS).questions
    draft = folder.with_name(f"draft-{os.getpid()}")
    draft.mkdir()
    try:
        length = len(sketch.compact_forms(World().document(0).pages()[0]).sketch)
        open_memmap(draft / "sketches.npy", mode="w+", dtype=np.uint8, shape=(pages, length)).flush()
        bounds = pairwise([*range(0, pages, _PAGES_OF_A_TASK), pages])
        with ProcessPoolExecutor(os.cpu_count()) as workers:
            scores = list(workers.map(partial(_part, draft, questions), bounds))
        np.save(draft / "scores.npy", np.concatenate(scores, axis=1))
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _part(folder: Path, questions: Sequence[Floats], bounds: tuple[int, int]) -> Floats:
    """Write the sketches of some pages, and return their exact scores."""
    start, end = bounds
    world = World()
    sketches = np.load(folder / "sketches.npy", mmap_mode="r+")
    scores = []
    with single_threaded():
        for page in range(start, end, PAGES_OF_A_DOCUMENT):
            pages = world.document(page // PAGES_OF_A_DOCUMENT).pages()[: end - page]
            for place, one in enumerate(pages, start=page):
                sketches[place] = np.frombuffer(sketch.compact_forms(one).sketch, dtype=np.uint8)
            scores.append(corpus.scores(pages, questions))
    return np.concatenate(scores, axis=1)
