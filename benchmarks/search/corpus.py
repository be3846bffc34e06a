"""The synthetic pages on disk, with the exact scores for every query: created once, then memory-mapped."""

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

from benchmarks.harness.household import FOLDER
from benchmarks.search import synthetic
from benchmarks.search.synthetic import DIM, PAGES_OF_A_DOCUMENT, VECTORS, Floats, Halves, World
from collections_app.engine.retrieval.single_threaded_blas import single_threaded

BEST = 10


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Pages, queries, and the exact score of each page for each query."""

    pages: Halves  # (pages, 1030, 128), on disk
    questions: list[Floats]
    scores: Floats  # (questions, pages)

    def __len__(self) -> int:
        return len(self.pages)

    def best(self, question: int) -> list[int]:
        """Return the numbers of the ten best pages, by descending score and ascending number."""
        order = np.lexsort((np.arange(len(self)), -self.scores[question]))
        return [int(one) for one in order[:BEST]]

    def recall(self, question: int, hits: Sequence[int]) -> float:
        """Return the share of the ten best pages among the first ten results."""
        return len(set(self.best(question)) & set(hits[:BEST])) / BEST


def load(pages: int) -> Corpus:
    """Load the first pages, creating them if needed."""
    folder = _folder()
    sizes = [int(one.name) for one in folder.glob("[0-9]*") if one.is_dir()]
    enough = min((count for count in sizes if count >= pages), default=None)
    if enough is None:
        enough = pages
        _make(folder / str(pages), pages)
    stored = folder / str(enough)
    return Corpus(
        np.load(stored / "pages.npy", mmap_mode="r")[:pages],
        _questions(stored),
        np.load(stored / "scores.npy")[:, :pages],
    )


def scores(pages: Halves, questions: Sequence[Floats]) -> Floats:
    """Return the exact MaxSim of every query and page: (queries, pages)."""
    queries = np.concatenate(questions)
    starts = np.cumsum([0, *map(len, questions)])[:-1]
    result = np.empty((len(questions), len(pages)), dtype=np.float32)
    for number, page in enumerate(pages):
        best = (page.astype(np.float32) @ queries.T).max(axis=0)
        result[:, number] = np.add.reduceat(best, starts)
    return result


def _folder() -> Path:
    folder = FOLDER / f"world-{synthetic.EDITION}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _make(folder: Path, pages: int) -> None:
    draft = folder.with_name(f"draft-{os.getpid()}")
    draft.mkdir()
    try:
        np.savez(draft / "questions.npz", *World().questions())
        open_memmap(draft / "pages.npy", mode="w+", dtype=np.float16, shape=(pages, VECTORS, DIM)).flush()
        bounds = [*range(0, pages, 25 * PAGES_OF_A_DOCUMENT), pages]
        with ProcessPoolExecutor(os.cpu_count()) as workers:
            parts = list(workers.map(partial(_part, draft), pairwise(bounds)))
        np.save(draft / "scores.npy", np.concatenate(parts, axis=1))
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _questions(folder: Path) -> list[Floats]:
    with np.load(folder / "questions.npz") as arrays:
        return [arrays[f"arr_{number}"] for number in range(synthetic.QUESTIONS)]


def _part(folder: Path, bounds: tuple[int, int]) -> Floats:
    """Write some whole documents and return their scores."""
    start, end = bounds
    world = World()
    pages = np.load(folder / "pages.npy", mmap_mode="r+")
    for page in range(start, end, PAGES_OF_A_DOCUMENT):
        pages[page : min(page + PAGES_OF_A_DOCUMENT, end)] = world.document(page // PAGES_OF_A_DOCUMENT).pages()[
            : end - page
        ]
    pages.flush()
    with single_threaded():
        return scores(pages[start:end], _questions(folder))
