"""Late interaction: how well a page answers is the sum, over the query's vectors, of the best match each finds on it.

Every page is multiplied by itself, and a long one in blocks that are counted from its first vector. The last bits of
a product depend on where in a matrix a row lies; so a page has the same score whatever pages it is scored with.
Nothing is padded: a row of zeros would win on a page that has nothing but negative similarities.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.blas import single_threaded
from collections_app.engine.multivector import MultiVector
from collections_app.engine.weighing import Weights

Query: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(q, dim), q >= 1."""

Scores: TypeAlias = NDArray[np.float32]
"""(pages,)."""

# Vectors decoded at a time: a megabyte in float32 at 128 dimensions, which the cache of a core holds.
_BLOCK = 2048
_PRODUCTS = 2**22  # in memory at once, for queries that are as long as pages

_NUMBERS = np.int32(-0x70002000)  # a half moved up by 13 bits, without what its sign has left between
_REBIAS = np.float32(2.0**112)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The multi-vectors of many pages, one after the other.

    vectors: (n_0 + n_1 + ..., dim); page i is `vectors[offsets[i] : offsets[i + 1]]`, and no page is empty.
    """

    vectors: MultiVector
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[MultiVector]:
        return (self.vectors[start:end] for start, end in pairwise(self.offsets.tolist()))


def pack(pages: Sequence[MultiVector]) -> Packed:
    """Pages of equal dim as one array; at least one page."""
    offsets = np.zeros(len(pages) + 1, dtype=np.int64)
    np.cumsum([len(page) for page in pages], out=offsets[1:])
    return Packed(np.concatenate(pages), offsets)


def scores(query: Query, pages: Packed, *, weights: Weights | None = None) -> Scores:
    """MaxSim of the query with each page; with weights, each vector of the query counts by its own."""
    asked = np.ascontiguousarray(query, dtype=np.float32)
    if not len(asked) or asked.shape[1] != pages.vectors.shape[1]:
        raise ValueError(f"a query of shape {asked.shape} for pages of {pages.vectors.shape[1]} dimensions")
    block = max(1, min(_BLOCK, _PRODUCTS // len(asked)))
    scratch = np.empty((block, asked.shape[1]), dtype=np.int32)
    found = np.empty(len(pages), dtype=np.float32)
    with single_threaded():
        for number, page in enumerate(pages):
            similar = _best(asked, page, scratch)
            found[number] = similar.sum() if weights is None else weights @ similar
    return found


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
