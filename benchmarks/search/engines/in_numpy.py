"""Every page as float32 in memory, multiplied by NumPy."""

import numpy as np

from benchmarks.search.corpus import BEST
from benchmarks.search.engines.base import Engine
from benchmarks.search.synthetic import DIM, VECTORS

_AT_ONCE = 16


class Numpy(Engine):
    note = "float32 in memory, every page"

    def build(self) -> None:
        self._pages = np.empty((len(self.corpus), VECTORS, DIM), dtype=np.float32)
        for number, page in enumerate(self.corpus.pages):
            self._pages[number] = page

    def search(self, question: int, setting: str) -> list[int]:  # noqa: ARG002 - there is but one way
        query = self.corpus.questions[question].T
        scores = np.empty(len(self._pages), dtype=np.float32)
        for start in range(0, len(self._pages), _AT_ONCE):
            pages = self._pages[start : start + _AT_ONCE]
            products = pages.reshape(-1, DIM) @ query
            best = products.reshape(len(pages), VECTORS, -1).max(axis=1)
            scores[start : start + len(pages)] = best.sum(axis=1)
        return [int(one) for one in np.lexsort((np.arange(len(scores)), -scores))[:BEST]]

    def bytes_per_page(self) -> float:
        return self._pages.nbytes / len(self._pages)
