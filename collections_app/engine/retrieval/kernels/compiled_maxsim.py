"""Compiled MaxSim: the best product of each vector of a query with any vector of a page.

Some vectors of a page at a time are transposed, so that one register holds the same dimension of many of them, and are
multiplied at once with four vectors of the query. A BLAS is slower for queries of few vectors, because the whole page
has to be decoded and copied first. What is summed, and in which order, depends only on the page and the query, so the
score of a page does not depend on the pages it is scored with.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.np.numpy_support import carray

from collections_app.engine.retrieval.arrays import Floats, Numbers, Page
from collections_app.engine.retrieval.kernels.jit import compiled
from collections_app.engine.retrieval.kernels.simd import (
    FLOATS_AT_ONCE,
    broadcast_float,
    fetch_add,
    load_floats,
    max_floats,
    max_lane,
    multiply_add,
    store_floats,
    to_float,
    to_pointer,
    transpose_block,
)

_MATRIX = types.float32[:, ::1]
_HALVES = types.Array(types.int16, 2, "C", readonly=True)
_STEPS = types.Array(types.int8, 2, "C", readonly=True)
_FLOATS = types.float32[::1]
_NUMBERS = types.int64[::1]

_PAIR = 2 * FLOATS_AT_ONCE  # vectors of a page at a time: 16 kB at 128 dimensions, which fit the L1 cache
_FOUR = 4  # vectors of the query at a time: with a pair that makes eight sums, enough to keep a processor busy


@compiled(types.void(_HALVES, _MATRIX))
def decode_halves(page: Page, rows: Floats) -> None:
    """Decode float16 bits into `rows`, repeating the last vector where rows are left."""
    for r in range(len(rows)):
        row = page[min(r, len(page) - 1)]
        for k in range(len(row)):
            rows[r, k] = to_float(row[k])


@compiled(types.void(_MATRIX, _FLOATS, _FLOATS))
def _multiply(query: Floats, columns: Floats, best: Floats) -> None:
    """Raise `best` to the products of each vector of the query with the transposed vectors of the page."""
    for i in range(0, len(query), _FOUR):
        last = len(query) - 1
        u, v, w, x = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        a = b = c = d = e = f = g = h = broadcast_float(np.float32(0))
        for k in range(query.shape[1]):
            left, right = load_floats(columns, k * _PAIR), load_floats(columns, k * _PAIR + FLOATS_AT_ONCE)
            a, b = multiply_add(a, left, u[k]), multiply_add(b, right, u[k])
            c, d = multiply_add(c, left, v[k]), multiply_add(d, right, v[k])
            e, f = multiply_add(e, left, w[k]), multiply_add(f, right, w[k])
            g, h = multiply_add(g, left, x[k]), multiply_add(h, right, x[k])
        at = i * FLOATS_AT_ONCE
        for products in (max_floats(a, b), max_floats(c, d), max_floats(e, f), max_floats(g, h)):
            store_floats(best, at, max_floats(load_floats(best, at), products))
            at += FLOATS_AT_ONCE


@compiled(types.float32[::1](types.int64))
def _lowest_products(count: int) -> Floats:
    """Return a register of -inf for each of so many vectors of a query, rounded up to a multiple of four."""
    return np.full((count + -count % _FOUR) * FLOATS_AT_ONCE, -np.inf, dtype=np.float32)


@compiled([types.void(_MATRIX, _HALVES, _FLOATS), types.void(_MATRIX, _STEPS, _FLOATS)])
def best_products(query: Floats, page: Page, best: Floats) -> None:
    """Store in `best` the highest product of each vector of the query with any vector of the page."""
    dim = query.shape[1]
    whole = dim - dim % FLOATS_AT_ONCE
    numbers, columns = page.ravel(), np.empty(dim * _PAIR, dtype=np.float32)
    products = _lowest_products(len(query))
    for start in range(0, len(page), _PAIR):
        for half in (0, FLOATS_AT_ONCE):
            first = min(start + half, len(page) - 1)
            for k in range(0, whole, FLOATS_AT_ONCE):
                transpose_block(numbers, first * dim + k, dim, len(page) - first, columns, k * _PAIR + half, _PAIR)
        for k in range(whole, dim):
            for r in range(_PAIR):
                columns[k * _PAIR + r] = to_float(page[min(start + r, len(page) - 1), k])
        _multiply(query, columns, products)
    for i in range(len(best)):
        best[i] = max_lane(load_floats(products, i * FLOATS_AT_ONCE))


def _sum_over_pages_of(kind: types.Array) -> Any:
    return types.void(_MATRIX, _NUMBERS, _NUMBERS, kind, _FLOATS, _NUMBERS, _FLOATS)


@compiled([_sum_over_pages_of(_HALVES), _sum_over_pages_of(_STEPS)])
def sum_over_pages(
    query: Floats, addresses: Numbers, lengths: Numbers, kind: Page, gains: Floats, counter: Numbers, sums: Floats
) -> None:
    """Store for each page the sum of the best products of all vectors of the query, each times its gain.

    A page is the array of `lengths[i]` vectors at `addresses[i]`, with numbers of the type of `kind`, which may be
    empty. Calls that share a counter, which begins at zero, share the work: each takes the next page until none is
    left.
    """
    best = np.empty(len(query), dtype=np.float32)
    number = fetch_add(counter)
    while number < len(addresses):
        shape = int(lengths[number]), query.shape[1]
        page: Any = carray(to_pointer(addresses[number]), shape, kind.dtype)
        best_products(query, page, best)
        total = np.float32(0)
        for j in range(len(query)):
            total += gains[j] * best[j]
        sums[number] = total
        number = fetch_add(counter)
