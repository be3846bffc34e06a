"""Late interaction: how well a page answers is the sum, over the query's vectors, of the best match each finds on it.

Nothing is padded: a row of zeros would win on a page that has nothing but negative similarities.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine import closest
from collections_app.engine.blas import single_threaded
from collections_app.engine.multivector import MultiVector
from collections_app.engine.sketch import PooledPage
from collections_app.engine.spread import spread
from collections_app.engine.weighing import Weights

Query: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(q, dim), q >= 1."""

Scores: TypeAlias = NDArray[np.float32]
"""(pages,)."""

_FEW = 128
_BLOCK = 2048  # vectors decoded at a time: a megabyte in float32 at 128 dimensions, which the cache of a core holds
_PRODUCTS = 2**22  # in memory at once
_PART = 2**14  # products of vectors: about a tenth of a millisecond


def scores(query: Query, pages: Sequence[MultiVector], *, weights: Weights | None = None) -> Scores:
    """MaxSim of the query with each page; with weights, each vector of the query counts by its own."""
    asked = np.ascontiguousarray(query, dtype=np.float32)
    found = np.empty(len(pages), dtype=np.float32)
    for page in pages:
        _check(asked, page)

    def some(start: int, stop: int) -> None:
        best = np.empty(len(asked), dtype=np.float32)
        for number in range(start, stop):
            _find_best(asked, np.ascontiguousarray(pages[number]).view(np.int16), best)
            found[number] = best.sum() if weights is None else weights @ best

    spread(some, len(pages), each=_worth_it(asked, sum(map(len, pages)), len(pages)))
    return found


def pooled_scores(query: Query, pages: Sequence[PooledPage], *, weights: Weights | None = None) -> Scores:
    """The same of pooled vectors."""
    if not pages:
        return np.empty(0, dtype=np.float32)
    asked = np.ascontiguousarray(query, dtype=np.float32)
    for page in pages:
        _check(asked, page.numbers)
    gains = np.ones(len(asked), dtype=np.float32) if weights is None else np.ascontiguousarray(weights, np.float32)
    starts = np.cumsum([0, *(len(page.numbers) for page in pages)])
    # In one piece: a page takes hardly longer than the way into compiled code and back.
    numbers = np.concatenate([page.numbers for page in pages])
    found = np.empty(len(pages), dtype=np.float32)

    def some(start: int, stop: int) -> None:
        closest.sums_of_steps(asked, numbers, starts[start : stop + 1], gains, found[start:stop])

    spread(some, len(pages), each=_worth_it(asked, len(numbers), len(pages)))
    return found * np.array([page.step for page in pages], dtype=np.float32)


def _worth_it(query: NDArray[np.float32], vectors: int, pages: int) -> int:
    """So many of the pages are enough for a part of the work."""
    return max(1, _PART * pages // max(1, len(query) * vectors))


def _find_best(query: NDArray[np.float32], page: NDArray[np.int16], best: NDArray[np.float32]) -> None:
    if len(query) <= _FEW:
        closest.of_page(query, page, best)
        return
    # For a query as long as a page, the library for matrices is the quicker one.
    best[:] = -np.inf
    block = max(1, min(_BLOCK, _PRODUCTS // len(query)))
    rows = np.empty((min(block, len(page)), query.shape[1]), dtype=np.float32)
    with single_threaded():
        for start in range(0, len(page), block):
            some = rows[: len(page) - start]
            closest.decode(page[start:], some)
            np.maximum(best, (query @ some.T).max(axis=1), out=best)


def _check(query: NDArray[np.float32], page: NDArray[np.float16] | NDArray[np.int8]) -> None:
    """What is compiled would read beyond the end."""
    if not len(query) or page.shape[1:] != query.shape[1:]:
        raise ValueError(f"a query of shape {query.shape} for a page of shape {page.shape}, of other dimensions")
    if not len(page):
        raise ValueError("a page without vectors")
