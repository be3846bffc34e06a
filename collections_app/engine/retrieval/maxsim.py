"""Late interaction: how well a page answers is the sum, over the query's vectors, of the best match each finds on it.

Nothing is padded: a row of zeros would win on a page that has nothing but negative similarities.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval import maxsim_kernel
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.parallel import spread, together
from collections_app.engine.retrieval.single_threaded_blas import single_threaded
from collections_app.engine.retrieval.sketch import PooledPage
from collections_app.engine.retrieval.weights import Weights

Query: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(q, dim), q >= 1."""

Scores: TypeAlias = NDArray[np.float32]
"""(pages,)."""

_FEW = 128
_BLOCK = 2048  # vectors decoded at a time: a megabyte in float32 at 128 dimensions, which the cache of a core holds
_PRODUCTS = 2**22  # in memory at once
_PART = 2**14  # products of vectors: about a tenth of a millisecond

_FLOATS = np.dtype(np.float16)
# What the compiled loops know the numbers of a page by.
_HALVES, _STEPS = np.empty((0, 0), dtype=np.int16), np.empty((0, 0), dtype=np.int8)


def scores(query: Query, pages: Sequence[MultiVector], *, weights: Weights | None = None) -> Scores:
    """MaxSim of the query with each page; with weights, each vector of the query counts by its own."""
    asked = np.ascontiguousarray(query, dtype=np.float32)
    whole = [np.ascontiguousarray(page) for page in pages]
    _check(asked, whole, _FLOATS)
    if len(asked) > _FEW:
        return _products(asked, whole, weights)
    return _sums(asked, whole, [page.__array_interface__["data"][0] for page in whole], _HALVES, weights)


def pooled_scores(query: Query, pages: Sequence[PooledPage], *, weights: Weights | None = None) -> Scores:
    """The same of pooled vectors."""
    asked = np.ascontiguousarray(query, dtype=np.float32)
    numbers = [page.numbers for page in pages]
    _check(asked, numbers, _STEPS.dtype)
    found = _sums(asked, numbers, [page.address for page in pages], _STEPS, weights)
    return found * np.array([page.step for page in pages], dtype=np.float32)


def _sums(
    query: NDArray[np.float32],
    pages: Sequence[NDArray[Any]],
    addresses: list[int],
    kind: NDArray[np.int16] | NDArray[np.int8],
    weights: Weights | None,
) -> Scores:
    """One call into compiled code for each who helps: the way there and back takes longer than a small page does."""
    found = np.empty(len(pages), dtype=np.float32)
    if not pages:
        return found
    gains = np.ones(len(query), dtype=np.float32) if weights is None else np.ascontiguousarray(weights, np.float32)
    if gains.shape != query.shape[:1]:
        raise ValueError(f"weights of shape {gains.shape} for a query of shape {query.shape}")
    lengths = [len(page) for page in pages]
    where, long, counter = np.array(addresses, np.int64), np.array(lengths, np.int64), np.zeros(1, np.int64)

    def work(_held: object = pages) -> None:
        # Whoever reads the pages holds them as well: an address alone holds nothing.
        maxsim_kernel.sums_of_pages(query, where, long, kind, gains, counter, found)

    together(work, parts=-(-len(pages) // _worth_it(query, sum(lengths), len(pages))))
    return found


def _products(query: NDArray[np.float32], pages: Sequence[MultiVector], weights: Weights | None) -> Scores:
    """For a query as long as a page, the library for matrices is the quicker one."""
    found = np.empty(len(pages), dtype=np.float32)

    def some(start: int, stop: int) -> None:
        for number in range(start, stop):
            best = _best_products(query, pages[number].view(np.int16))
            found[number] = best.sum() if weights is None else weights @ best

    spread(some, len(pages), each=_worth_it(query, sum(map(len, pages)), len(pages)))
    return found


def _worth_it(query: NDArray[np.float32], vectors: int, pages: int) -> int:
    """So many of the pages are enough for a part of the work."""
    return max(1, _PART * pages // max(1, len(query) * vectors))


def _best_products(query: NDArray[np.float32], page: NDArray[np.int16]) -> NDArray[np.float32]:
    best = np.full(len(query), -np.inf, dtype=np.float32)
    block = max(1, min(_BLOCK, _PRODUCTS // len(query)))
    rows = np.empty((min(block, len(page)), query.shape[1]), dtype=np.float32)
    with single_threaded():
        for start in range(0, len(page), block):
            some = rows[: len(page) - start]
            maxsim_kernel.decode(page[start:], some)
            np.maximum(best, (query @ some.T).max(axis=1), out=best)
    return best


def _check(query: NDArray[np.float32], pages: Sequence[NDArray[Any]], kind: np.dtype[Any]) -> None:
    """What is compiled would read beyond the end."""
    for page in pages:
        if page.shape[1:] != query.shape[1:] or not len(query):
            raise ValueError(f"a query of shape {query.shape} for a page of shape {page.shape}, of other dimensions")
        if not len(page):
            raise ValueError("a page without vectors")
        if page.dtype != kind:
            raise ValueError(f"a page of {page.dtype}, not of {kind}")
