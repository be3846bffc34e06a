"""Late interaction: how well a page answers is the sum, over the query's vectors, of the best match each finds on it.

Every page is multiplied by itself, and a long one in blocks that are counted from its first vector. The last bits of
a product depend on where in a matrix a row lies; so a page has the same score whatever pages it is scored with.
Nothing is padded: a row of zeros would win on a page that has nothing but negative similarities.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.blas import single_threaded
from collections_app.engine.multivector import MultiVector
from collections_app.engine.sketch import PooledPage
from collections_app.engine.weighing import Weights

Query: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(q, dim), q >= 1."""

Scores: TypeAlias = NDArray[np.float32]
"""(pages,)."""

# Vectors decoded at a time: a megabyte in float32 at 128 dimensions, which the cache of a core holds.
_BLOCK = 2048
_POOLED_AT_ONCE = 16
_PRODUCTS = 2**22  # in memory at once, for queries that are as long as pages

_NUMBERS = np.int32(-0x70002000)  # a half moved up by 13 bits, without what its sign has left between
_REBIAS = np.float32(2.0**112)


def scores(query: Query, pages: Sequence[MultiVector], *, weights: Weights | None = None) -> Scores:
    """MaxSim of the query with each page; with weights, each vector of the query counts by its own."""
    asked = np.ascontiguousarray(query, dtype=np.float32)
    if not len(asked) or any(page.shape[1] != asked.shape[1] for page in pages):
        raise ValueError(f"a query of shape {asked.shape} for pages of other dimensions")
    block = max(1, min(_BLOCK, _PRODUCTS // len(asked)))
    scratch = np.empty((block, asked.shape[1]), dtype=np.int32)
    found = np.empty(len(pages), dtype=np.float32)
    with single_threaded():
        for number, page in enumerate(pages):
            similar = _best(asked, page, scratch)
            found[number] = similar.sum() if weights is None else weights @ similar
    return found


def pooled_scores(query: Query, pages: Sequence[PooledPage], *, weights: Weights | None = None) -> Scores:
    """The same of pooled vectors, many pages at a time: they choose among pages and need not agree to the last bit."""
    asked = np.ascontiguousarray(query, dtype=np.float32)
    found = [np.empty(0, dtype=np.float32)]
    with single_threaded():
        for start in range(0, len(pages), _POOLED_AT_ONCE):
            some = pages[start : start + _POOLED_AT_ONCE]
            firsts = np.cumsum([0, *(len(page.numbers) for page in some[:-1])])
            rows = np.concatenate([page.numbers for page in some]).astype(np.float32)
            similar = np.maximum.reduceat(asked @ rows.T, firsts, axis=1)
            similar *= np.array([page.step for page in some], dtype=np.float32)
            found.append(similar.sum(axis=0) if weights is None else weights @ similar)
    return np.concatenate(found)


def _best(query: NDArray[np.float32], page: MultiVector, scratch: NDArray[np.int32]) -> NDArray[np.float32]:
    """The similarity that each of the query's vectors reaches on the page: (q,)."""
    best: NDArray[np.float32] | None = None
    for start in range(0, len(page), len(scratch)):
        found = (query @ _floats(page[start : start + len(scratch)], scratch).T).max(axis=1)
        best = found if best is None else np.maximum(best, found, out=best)
    if best is None:
        raise ValueError("a page without vectors")
    return best


def _floats(block: MultiVector, scratch: NDArray[np.int32]) -> NDArray[np.float32]:
    """The block in float32, in memory that the next call uses again.

    NumPy's own conversion takes four times as long. This one is exact for all finite numbers, and others are not kept:
    sign and digits go to their places, and the exponent is mended by a product.
    """
    bits = scratch[: len(block)]
    np.copyto(bits, np.ascontiguousarray(block).view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _NUMBERS, out=bits)
    floats = bits.view(np.float32)
    return np.multiply(floats, _REBIAS, out=floats)
