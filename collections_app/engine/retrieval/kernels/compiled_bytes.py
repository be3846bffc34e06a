"""Compiled MaxSim over bytes: sums of products that are exact, and several times as fast as those of floats.

As many vectors of a page as a register has lanes are transposed, so that a lane has four dimensions of one vector. One
instruction (`vpdpbusd`) multiplies these with four dimensions of a vector of the query and adds the products; where the
processor lacks it, two do (`vpmaddubsw`, `vpmaddwd`). They take unsigned bytes on one side, so 128 is added to the
numbers of the page. What this adds to every product of a vector of the query is subtracted at the end. The numbers of
the query are from -64 to 64, so that the sum of two products fits 16 bits.

Only processors of x86 with AVX2 have these instructions. On others, ARM included, `compiled_maxsim` multiplies the same
numbers as floats, at its usual speed, and gets the same sums.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.np.numpy_support import carray

from collections_app.engine.retrieval.arrays import Floats, Integers, Numbers, Page
from collections_app.engine.retrieval.kernels.jit import compiled
from collections_app.engine.retrieval.kernels.simd import (
    FLOATS_AT_ONCE,
    add_products,
    add_products_in_steps,
    broadcast_integer,
    fetch_add,
    load_integers,
    max_integer_lane,
    max_integers,
    store_integers,
    to_pointer,
    transpose_bytes,
)

_PAGE = types.Array(types.int8, 2, "C", readonly=True)
_QUERY = types.int32[:, ::1]
_INTEGERS = types.int32[::1]

_FOUR = 4
_EIGHT = 8  # vectors of the query at a time


@compiled(types.void(_QUERY, _INTEGERS, _INTEGERS))
def _multiply(query: Integers, columns: Integers, best: Integers) -> None:
    """Raise `best` to the products of each vector of the query with the transposed vectors of the page."""
    last = len(query) - 1
    for i in range(0, len(query), _EIGHT):
        s, t, u, v = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        w, x, y, z = (
            query[min(i + 4, last)],
            query[min(i + 5, last)],
            query[min(i + 6, last)],
            query[min(i + 7, last)],
        )
        a = b = c = d = e = f = g = h = broadcast_integer(np.int32(0))
        for k in range(query.shape[1]):
            column = load_integers(columns, k * FLOATS_AT_ONCE)
            a, b = add_products(a, column, s[k]), add_products(b, column, t[k])
            c, d = add_products(c, column, u[k]), add_products(d, column, v[k])
            e, f = add_products(e, column, w[k]), add_products(f, column, x[k])
            g, h = add_products(g, column, y[k]), add_products(h, column, z[k])
        at = i * FLOATS_AT_ONCE
        for products in (a, b, c, d, e, f, g, h):
            store_integers(best, at, max_integers(load_integers(best, at), products))
            at += FLOATS_AT_ONCE


@compiled(types.void(_QUERY, _INTEGERS, _INTEGERS))
def _multiply_in_steps(query: Integers, columns: Integers, best: Integers) -> None:
    """Do the same by the instructions of processors without VNNI, which need more registers."""
    last = len(query) - 1
    for i in range(0, len(query), _FOUR):
        u, v, w, x = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        a = b = c = d = broadcast_integer(np.int32(0))
        for k in range(query.shape[1]):
            column = load_integers(columns, k * FLOATS_AT_ONCE)
            a, b = add_products_in_steps(a, column, u[k]), add_products_in_steps(b, column, v[k])
            c, d = add_products_in_steps(c, column, w[k]), add_products_in_steps(d, column, x[k])
        at = i * FLOATS_AT_ONCE
        for products in (a, b, c, d):
            store_integers(best, at, max_integers(load_integers(best, at), products))
            at += FLOATS_AT_ONCE


@compiled(types.void(_QUERY, _PAGE, _INTEGERS, types.boolean))
def best_byte_products(query: Integers, page: Page, best: Integers, in_steps: bool) -> None:  # noqa: FBT001
    """Store in `best` the highest product of each vector of the query with any vector of the page.

    128 is added to the page's numbers. The query has four signed bytes in each number; bytes beyond the page's
    dimensions are zero.
    """
    dim = page.shape[1]
    whole = dim - dim % (_FOUR * FLOATS_AT_ONCE)
    numbers, columns = page.ravel(), np.empty(query.shape[1] * FLOATS_AT_ONCE, dtype=np.int32)
    products = np.full((len(query) + -len(query) % _EIGHT) * FLOATS_AT_ONCE, -(2**31), dtype=np.int32)
    for start in range(0, len(page), FLOATS_AT_ONCE):
        for k in range(0, whole, _FOUR * FLOATS_AT_ONCE):
            transpose_bytes(numbers, start * dim + k, dim, len(page) - start, columns, k // _FOUR * FLOATS_AT_ONCE)
        for k in range(whole, dim, _FOUR):
            for r in range(FLOATS_AT_ONCE):
                row, four = min(start + r, len(page) - 1), np.uint32(0)
                for byte in range(min(_FOUR, dim - k)):
                    four |= np.uint32(np.uint8(page[row, k + byte]) ^ np.uint8(128)) << np.uint32(8 * byte)
                columns[k // _FOUR * FLOATS_AT_ONCE + r] = np.int32(four)
        if in_steps:
            _multiply_in_steps(query, columns, products)
        else:
            _multiply(query, columns, products)
    for i in range(len(best)):
        best[i] = max_integer_lane(load_integers(products, i * FLOATS_AT_ONCE))


@compiled(
    types.void(
        _QUERY,
        types.int64,
        types.int64[::1],
        types.int64[::1],
        _INTEGERS,
        types.float32[::1],
        types.int64[::1],
        types.float32[::1],
        types.boolean,
    )
)
def sum_over_byte_pages(
    query: Integers,
    dim: int,
    addresses: Numbers,
    lengths: Numbers,
    offsets: Integers,
    gains: Floats,
    counter: Numbers,
    sums: Floats,
    in_steps: bool,  # noqa: FBT001
) -> None:
    """Store for each page the sum of the best products of all vectors of the query, each times its gain.

    `offsets` has what adding 128 to the page's numbers adds to the products of each vector of the query. The other
    arguments are those of `compiled_maxsim.sum_over_pages`.
    """
    best = np.empty(len(query), dtype=np.int32)
    number = fetch_add(counter)
    while number < len(addresses):
        page: Any = carray(to_pointer(addresses[number]), (int(lengths[number]), dim), np.int8)
        best_byte_products(query, page, best, in_steps)
        total = np.float32(0)
        for j in range(len(query)):
            total += gains[j] * np.float32(best[j] - offsets[j])
        sums[number] = total
        number = fetch_add(counter)
