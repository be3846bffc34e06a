"""How near each vector of a query comes to a page: its best product with any of the page's vectors.

A page's vectors are decoded some at a time, where the processor has them at hand, and multiplied at once, four with two
of the query's. A library for matrices is slower for a query of few vectors: the whole page is decoded and copied first.
What is summed, and in which order, depends on the page and the query alone; so a page has the same score whatever it
is scored with.
"""

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from collections_app.engine.compiled import compiled

Floats = NDArray[np.float32]

_QUERY = types.float32[:, ::1]
_HALVES = types.Array(types.int16, 2, "C", readonly=True)
_STEPS = types.Array(types.int8, 2, "C", readonly=True)
_BEST = types.float32[::1]
_STARTS = types.int64[::1]
_AT_ONCE = 32  # 16 kB at 128 dimensions: they stay in the nearest cache

_NUMBERS = np.int32(-0x70002000)  # a half moved up by 13 bits, without what its sign has left between
_REBIAS = np.float32(2.0**112)


@compiled(types.int64(types.int64))
def _in_fours(count: int) -> int:
    """Where the last four are not whole, the page's last vector is looked at again."""
    return count + -count % 4


@compiled(types.void(_HALVES, _QUERY))
def decode(page: NDArray[np.int16], rows: Floats) -> None:
    """The first vectors of a page, whose numbers are the bits of halves; its last one again where rows are left.

    It is exact for all finite numbers, and others are not kept: sign and digits go to their places, and the exponent
    is mended by a product.
    """
    bits = rows.view(np.int32)
    for r in range(len(rows)):
        row = page[min(r, len(page) - 1)]
        for k in range(len(row)):
            bits[r, k] = (np.int32(row[k]) << np.int32(13)) & _NUMBERS
        for k in range(len(row)):
            rows[r, k] *= _REBIAS


@compiled(types.void(_QUERY, _QUERY, types.int64, _BEST), reorder=True)
def _multiply(query: Floats, rows: Floats, count: int, best: Floats) -> None:
    """The first `count` rows, a multiple of four, against all of the query's vectors; an odd one comes by itself."""
    even = len(query) - len(query) % 2
    for i in range(0, even, 2):
        for r in range(0, count, 4):
            a = b = c = d = e = f = g = h = np.float32(0)
            for k in range(query.shape[1]):
                one, other = query[i, k], query[i + 1, k]
                a += one * rows[r, k]
                b += one * rows[r + 1, k]
                c += one * rows[r + 2, k]
                d += one * rows[r + 3, k]
                e += other * rows[r, k]
                f += other * rows[r + 1, k]
                g += other * rows[r + 2, k]
                h += other * rows[r + 3, k]
            best[i] = max(best[i], a, b, c, d)
            best[i + 1] = max(best[i + 1], e, f, g, h)
    for i in range(even, len(query)):
        for r in range(count):
            a = np.float32(0)
            for k in range(query.shape[1]):
                a += query[i, k] * rows[r, k]
            best[i] = max(best[i], a)


@compiled(types.void(_QUERY, _HALVES, _BEST), reorder=True)
def of_halves(query: Floats, page: NDArray[np.int16], best: Floats) -> None:
    """`best` becomes what each of the query's vectors reaches on the page, whose numbers are the bits of halves."""
    rows = np.empty((_AT_ONCE, query.shape[1]), dtype=np.float32)
    best[:] = -np.inf
    for start in range(0, len(page), _AT_ONCE):
        count = _in_fours(min(len(page) - start, _AT_ONCE))
        decode(page[start:], rows[:count])
        _multiply(query, rows, count, best)


@compiled(types.void(_QUERY, _STEPS, _BEST), reorder=True)
def of_steps(query: Floats, page: NDArray[np.int8], best: Floats) -> None:
    """The same of whole numbers."""
    rows = np.empty((_AT_ONCE, query.shape[1]), dtype=np.float32)
    best[:] = -np.inf
    for start in range(0, len(page), _AT_ONCE):
        count = _in_fours(min(len(page) - start, _AT_ONCE))
        for r in range(count):
            row = page[min(start + r, len(page) - 1)]
            for k in range(len(row)):
                rows[r, k] = row[k]
        _multiply(query, rows, count, best)


@compiled(types.void(_QUERY, _STEPS, _STARTS, _BEST, _BEST), reorder=True)
def sums_of_steps(
    query: Floats, pages: NDArray[np.int8], starts: NDArray[np.int64], gains: Floats, sums: Floats
) -> None:
    """Of each page, from `starts[i]` to `starts[i + 1]`, what all of the query's vectors reach, each times its gain."""
    best = np.empty(len(query), dtype=np.float32)
    for i in range(len(sums)):
        of_steps(query, pages[starts[i] : starts[i + 1]], best)
        total = np.float32(0)
        for j in range(len(query)):
            total += gains[j] * best[j]
        sums[i] = total
