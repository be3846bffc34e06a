"""Late interaction (MaxSim): a page's score is the sum, over the query's vectors, of their best match on the page.

Nothing is padded: a row of zeros would win on a page that has only negative similarities.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import Integers, Numbers
from collections_app.engine.retrieval.codes.codec import DIMENSIONS_AT_ONCE, LARGEST_CODE, CodedPage
from collections_app.engine.retrieval.codes.rotation import rotate
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.parallel import run_in_chunks, run_shared
from collections_app.engine.retrieval.single_threaded_blas import single_threaded
from collections_app.engine.retrieval.sketch import PooledPage
from collections_app.engine.retrieval.weights import Weights

Query: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""(q, dim), q >= 1."""

Scores: TypeAlias = NDArray[np.float32]
"""(pages,)."""

_SHORT_QUERY = 128
_BLOCK = 2048  # vectors decoded at a time: 1 MiB of float32 at 128 dimensions, which fits the cache of a core
_MAX_PRODUCTS = 2**22  # in memory at once
_CHUNK = 2**14  # products of vectors in one chunk of work: about a tenth of a millisecond
_BYTES_CHUNK = 2**15  # the same for bytes
_CODES_CHUNK = 2**16  # the same for codes
_MAX_LEVEL = np.float32(64)  # of the numbers of a query that is multiplied with bytes; see `kernels.compiled_bytes`

_MAX_CODE_LEVEL = np.float32(127)  # of the numbers of a query that is multiplied with codes

_FLOATS = np.dtype(np.float16)
# Empty arrays by which the kernels recognise the numbers of a page.
_HALVES, _STEPS = np.empty((0, 0), dtype=np.int16), np.empty((0, 0), dtype=np.int8)


def scores(query: Query, pages: Sequence[MultiVector], *, weights: Weights | None = None) -> Scores:
    """Return the MaxSim score of each page; with weights, each vector of the query counts by its own."""
    floats = np.ascontiguousarray(query, dtype=np.float32)
    contiguous = [np.ascontiguousarray(page) for page in pages]
    _check(floats, contiguous, _FLOATS)
    if len(floats) > _SHORT_QUERY:
        return _scores_by_blas(floats, contiguous, weights)
    addresses = [page.__array_interface__["data"][0] for page in contiguous]
    counts = [len(page) for page in contiguous]
    return _scores_by_kernel(floats, contiguous, counts, addresses, _HALVES, _gains(floats, weights))


def pooled_scores(query: Query, pages: Sequence[PooledPage], *, weights: Weights | None = None) -> Scores:
    """Return the MaxSim score of each page's pooled vectors, with the query's numbers as small integers as well."""
    floats = np.ascontiguousarray(query, dtype=np.float32)
    if not len(query) or {page.dim for page in pages} - {floats.shape[1]}:
        raise ValueError(f"a query of shape {query.shape} for pages of other dimensions")
    steps = np.abs(floats).max(axis=1) / _MAX_LEVEL
    levels = np.rint(floats / np.where(steps > 0, steps, 1)[:, None])
    gains = _gains(floats, weights) * steps
    addresses = [page.address for page in pages]
    score = _scores_by_kernel if dispatch.BYTE_PRODUCTS is None else _scores_by_bytes
    counts = [page.count for page in pages]
    sums = score(levels, pages, counts, addresses, _STEPS, gains)
    return sums * np.array([page.step for page in pages], dtype=np.float32)


def code_scores(query: Query, pages: Sequence[CodedPage], *, weights: Weights | None = None) -> Scores:
    """Return the MaxSim score of each page by its codes, with the query rotated and its numbers as small integers."""
    columns = np.array(query.T, dtype=np.float32, order="C")
    dim = len(columns)
    if not len(query) or any(page.dim != dim for page in pages):
        raise ValueError(f"a query of shape {query.shape} for pages of other dimensions")
    rotate(columns)
    steps = np.abs(columns).max(axis=0) / _MAX_CODE_LEVEL
    levels = np.zeros((len(query), dim + -dim % DIMENSIONS_AT_ONCE), dtype=np.float32)
    levels[:, :dim] = np.rint(columns / np.where(steps > 0, steps, 1)).T
    offsets = LARGEST_CODE * levels.sum(axis=1)
    gains = _gains(columns.T, weights) * steps / 2  # products are in half steps
    words: Integers = levels.astype(np.int8).view(np.int32)
    instruction = dispatch.BYTE_PRODUCTS

    def work(starts: Numbers, lengths: Numbers, counter: Numbers, sums: Scores) -> None:
        if instruction is None:
            dispatch.sum_over_float_code_pages(levels, starts, lengths, offsets, gains, counter, sums)
            return
        width, in_steps = levels.shape[1], instruction != "vpdpbusd"
        dispatch.sum_over_code_pages(words, width, starts, lengths, offsets, gains, counter, sums, in_steps)

    counts = [len(page) for page in pages]
    return _shared(work, levels, pages, counts, [page.address for page in pages], chunk=_CODES_CHUNK)


def _gains(query: NDArray[np.float32], weights: Weights | None) -> Weights:
    gains = np.ones(len(query), dtype=np.float32) if weights is None else np.ascontiguousarray(weights, np.float32)
    if gains.shape != query.shape[:1]:
        raise ValueError(f"weights of shape {gains.shape} for a query of shape {query.shape}")
    return gains


def _scores_by_kernel(
    query: NDArray[np.float32],
    pages: Sequence[object],
    counts: list[int],
    addresses: list[int],
    kind: NDArray[np.int16] | NDArray[np.int8],
    gains: Weights,
) -> Scores:
    """Score all pages with one kernel call per thread: a call costs more than a small page does."""

    def work(starts: Numbers, lengths: Numbers, counter: Numbers, sums: Scores) -> None:
        dispatch.sum_over_pages(query, starts, lengths, kind, gains, counter, sums)

    return _shared(work, query, pages, counts, addresses, chunk=_CHUNK)


def _scores_by_bytes(
    levels: NDArray[np.float32],
    pages: Sequence[object],
    counts: list[int],
    addresses: list[int],
    _kind: object,
    gains: Weights,
) -> Scores:
    """Score pages of bytes with a query of small integers."""
    count, dim = levels.shape
    padded = np.zeros((count, dim + -dim % 4), dtype=np.int8)
    padded[:, :dim] = levels
    offsets = 128 * padded.sum(axis=1, dtype=np.int32)
    in_steps = dispatch.BYTE_PRODUCTS != "vpdpbusd"

    def work(starts: Numbers, lengths: Numbers, counter: Numbers, sums: Scores) -> None:
        words = padded.view(np.int32)
        dispatch.sum_over_byte_pages(words, dim, starts, lengths, offsets, gains, counter, sums, in_steps)

    return _shared(work, levels, pages, counts, addresses, chunk=_BYTES_CHUNK)


def _shared(
    work: Callable[[Numbers, Numbers, Numbers, Scores], None],
    query: NDArray[np.float32],
    pages: Sequence[object],
    counts: list[int],
    addresses: list[int],
    *,
    chunk: int,
) -> Scores:
    """Let as many threads as are idle share the pages, given by the numbers of their vectors and their addresses."""
    sums = np.empty(len(counts), dtype=np.float32)
    if counts:
        starts, lengths, counter = np.array(addresses, np.int64), np.array(counts, np.int64), np.zeros(1, np.int64)

        def share(_referenced: object = pages) -> None:
            # An address alone keeps no array alive, so each thread holds a reference to the pages.
            work(starts, lengths, counter, sums)

        run_shared(share, parts=-(-len(counts) // _pages_per_chunk(query, sum(counts), len(counts), chunk)))
    return sums


def _scores_by_blas(query: NDArray[np.float32], pages: Sequence[MultiVector], weights: Weights | None) -> Scores:
    """Score pages with matrix products, which are faster for queries about as long as a page."""
    sums = np.empty(len(pages), dtype=np.float32)

    def work(start: int, stop: int) -> None:
        for number in range(start, stop):
            best = _best_products(query, pages[number].view(np.int16))
            sums[number] = best.sum() if weights is None else weights @ best

    run_in_chunks(work, len(pages), size=_pages_per_chunk(query, sum(map(len, pages)), len(pages), _CHUNK))
    return sums


def _pages_per_chunk(query: NDArray[np.float32], vectors: int, pages: int, chunk: int) -> int:
    return max(1, chunk * pages // max(1, len(query) * vectors))


def _best_products(query: NDArray[np.float32], page: NDArray[np.int16]) -> NDArray[np.float32]:
    best = np.full(len(query), -np.inf, dtype=np.float32)
    block = max(1, min(_BLOCK, _MAX_PRODUCTS // len(query)))
    buffer = np.empty((min(block, len(page)), query.shape[1]), dtype=np.float32)
    with single_threaded():
        for start in range(0, len(page), block):
            rows = buffer[: len(page) - start]
            dispatch.decode_halves(page[start:], rows)
            np.maximum(best, (query @ rows.T).max(axis=1), out=best)
    return best


def _check(query: NDArray[np.float32], pages: Sequence[NDArray[Any]], kind: np.dtype[Any]) -> None:
    """Raise ValueError for shapes and types with which a kernel would read out of bounds."""
    for page in pages:
        if page.shape[1:] != query.shape[1:] or not len(query):
            raise ValueError(f"a query of shape {query.shape} for a page of shape {page.shape}, of other dimensions")
        if not len(page):
            raise ValueError("a page without vectors")
        if page.dtype != kind:
            raise ValueError(f"a page of {page.dtype}, not of {kind}")
