"""How near each vector of a query comes to a page: its best product with any of the page's vectors.

Of a page's vectors some at a time are turned, so that the processor has the same number of many of them at hand, and
multiplies these at once with four of the query's vectors. A library for matrices is slower for a query of few vectors:
the whole page is decoded and copied first. What is summed, and in which order, depends on the page and the query alone;
so a page has the same score whatever it is scored with.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.np.numpy_support import carray
from numpy.typing import NDArray

from collections_app.engine.retrieval.jit import compiled
from collections_app.engine.retrieval.simd import (
    FLOATS_AT_ONCE,
    as_float,
    floats_at,
    floats_of,
    higher,
    highest,
    keep_floats,
    next_of,
    plus_products,
    pointer_to,
    turn,
)

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

_QUERY = types.float32[:, ::1]
_HALVES = types.Array(types.int16, 2, "C", readonly=True)
_STEPS = types.Array(types.int8, 2, "C", readonly=True)
_BEST = types.float32[::1]
_NUMBERS = types.int64[::1]

_PAIR = 2 * FLOATS_AT_ONCE  # vectors of a page at a time: 16 kB at 128 dimensions, which stay in the nearest cache
_FOUR = 4  # vectors of the query: eight sums are as many as it takes to keep a processor busy


@compiled(types.void(_HALVES, _QUERY))
def decode(page: NDArray[np.int16], rows: Floats) -> None:
    """The first vectors of a page, whose numbers are the bits of halves; its last one again where rows are left."""
    for r in range(len(rows)):
        row = page[min(r, len(page) - 1)]
        for k in range(len(row)):
            rows[r, k] = as_float(row[k])


@compiled(types.void(_QUERY, _BEST, _BEST))
def _multiply(query: Floats, columns: Floats, best: Floats) -> None:
    """Of each of the query's vectors the best products, with as many of the page's vectors as are at hand."""
    for i in range(0, len(query), _FOUR):
        last = len(query) - 1
        u, v, w, x = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        a = b = c = d = e = f = g = h = floats_of(np.float32(0))
        for k in range(query.shape[1]):
            one, other = floats_at(columns, k * _PAIR), floats_at(columns, k * _PAIR + FLOATS_AT_ONCE)
            a, b = plus_products(a, one, u[k]), plus_products(b, other, u[k])
            c, d = plus_products(c, one, v[k]), plus_products(d, other, v[k])
            e, f = plus_products(e, one, w[k]), plus_products(f, other, w[k])
            g, h = plus_products(g, one, x[k]), plus_products(h, other, x[k])
        at = i * FLOATS_AT_ONCE
        for found in (higher(a, b), higher(c, d), higher(e, f), higher(g, h)):
            keep_floats(best, at, higher(floats_at(best, at), found))
            at += FLOATS_AT_ONCE


@compiled(types.float32[::1](types.int64))
def _nothing_yet(count: int) -> Floats:
    """For the best products of so many vectors of a query, and of those that make the last four whole."""
    return np.full((count + -count % _FOUR) * FLOATS_AT_ONCE, -np.inf, dtype=np.float32)


@compiled([types.void(_QUERY, _HALVES, _BEST), types.void(_QUERY, _STEPS, _BEST)])
def of_page(query: Floats, page: NDArray[np.int16] | NDArray[np.int8], best: Floats) -> None:
    """`best` becomes what each of the query's vectors reaches on the page: numbers, or the bits of halves."""
    dim = query.shape[1]
    whole = dim - dim % FLOATS_AT_ONCE
    numbers, columns, found = page.ravel(), np.empty(dim * _PAIR, dtype=np.float32), _nothing_yet(len(query))
    for start in range(0, len(page), _PAIR):
        for half in (0, FLOATS_AT_ONCE):
            first = min(start + half, len(page) - 1)
            for k in range(0, whole, FLOATS_AT_ONCE):
                turn(numbers, first * dim + k, dim, len(page) - first, columns, k * _PAIR + half, _PAIR)
        for k in range(whole, dim):
            for r in range(_PAIR):
                columns[k * _PAIR + r] = as_float(page[min(start + r, len(page) - 1), k])
        _multiply(query, columns, found)
    for i in range(len(best)):
        best[i] = highest(floats_at(found, i * FLOATS_AT_ONCE))


def _of_pages(kind: types.Array) -> Any:
    return types.void(_QUERY, _NUMBERS, _NUMBERS, kind, _BEST, _NUMBERS, _BEST)


@compiled([_of_pages(_HALVES), _of_pages(_STEPS)])
def sums_of_pages(
    query: Floats,
    addresses: Numbers,
    lengths: Numbers,
    kind: NDArray[np.int16] | NDArray[np.int8],
    gains: Floats,
    counter: Numbers,
    sums: Floats,
) -> None:
    """Of each page, what all of the query's vectors reach on it, each times its gain.

    A page is so many vectors from its address on, of numbers of the same kind as in `kind`, which may be empty. Whoever
    has the same counter, which begins at zero, shares the work: each takes the next page until there is none.
    """
    best = np.empty(len(query), dtype=np.float32)
    number = next_of(counter)
    while number < len(addresses):
        page = carray(pointer_to(addresses[number]), (lengths[number], query.shape[1]), kind.dtype)
        of_page(query, page, best)
        total = np.float32(0)
        for j in range(len(query)):
            total += gains[j] * best[j]
        sums[number] = total
        number = next_of(counter)
