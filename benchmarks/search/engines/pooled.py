"""Pages pooled to 32 vectors each, as PaliAPI pools them, for engines that select candidates with such vectors."""

import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from benchmarks.search.corpus import Corpus
from benchmarks.search.synthetic import Halves
from collections_app.engine.retrieval.pooling import pool

_PAGES_OF_A_TASK = 50


def pooled(corpus: Corpus) -> Halves:
    """Return the pooled vectors of all pages: (pages, 32, 128)."""
    parts = [corpus.pages[start : start + _PAGES_OF_A_TASK] for start in range(0, len(corpus), _PAGES_OF_A_TASK)]
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        return np.concatenate(list(workers.map(_each, parts)))


def _each(pages: Halves) -> Halves:
    return np.stack([pool(page).coarse for page in pages]).astype(np.float16)
