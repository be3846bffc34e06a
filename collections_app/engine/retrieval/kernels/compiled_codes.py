"""Compiled MaxSim over codes of four bits: sums of products that are exact, by the instructions of `compiled_bytes`.

`codes.codec` says how codes are arranged. Those of a register's vectors are loaded as they are stored: the lower and
the upper halves of the bytes are multiplied one after the other with the query, whose numbers are from -127 to 127.
Because codes are at most 15, the sum of two products fits 16 bits.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.np.numpy_support import carray

from collections_app.engine.retrieval.arrays import Bytes, Floats, Integers, Numbers
from collections_app.engine.retrieval.kernels.jit import compiled
from collections_app.engine.retrieval.kernels.simd import (
    FLOATS_AT_ONCE,
    add_products,
    add_products_in_steps,
    broadcast_float,
    broadcast_integer,
    fetch_add,
    load_float16,
    load_floats,
    load_lower_halves,
    load_upper_halves,
    max_floats,
    max_lane,
    multiply_add,
    multiply_floats,
    store_floats,
    to_floats,
    to_pointer,
)

_QUERY = types.int32[:, ::1]
_FLOATS = types.float32[::1]
_NUMBERS = types.int64[::1]
_DATA = types.uint8[::1]

_HEADER = 8  # bytes
_SIXTEEN = 16
_ROW = 64
_FOUR = 4
_EIGHT = 8  # vectors of the query at a time


@compiled(types.void(_QUERY, _DATA, types.int64, types.int64, _FLOATS, _FLOATS))
def _multiply(query: Integers, data: Bytes, start: int, step: int, offsets: Floats, best: Floats) -> None:
    """Raise `best` to the products of each vector of the query with the vectors whose codes begin at `start`."""
    last, steps = len(query) - 1, load_float16(data, step)
    for i in range(0, len(query), _EIGHT):
        s, t, u, v = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        w, x, y, z = (
            query[min(i + 4, last)],
            query[min(i + 5, last)],
            query[min(i + 6, last)],
            query[min(i + 7, last)],
        )
        a = b = c = d = e = f = g = h = broadcast_integer(np.int32(0))
        for k in range(0, query.shape[1], 2):
            column = load_lower_halves(data, start + k * (_ROW // 2))
            a, b = add_products(a, column, s[k]), add_products(b, column, t[k])
            c, d = add_products(c, column, u[k]), add_products(d, column, v[k])
            e, f = add_products(e, column, w[k]), add_products(f, column, x[k])
            g, h = add_products(g, column, y[k]), add_products(h, column, z[k])
            column = load_upper_halves(data, start + k * (_ROW // 2))
            a, b = add_products(a, column, s[k + 1]), add_products(b, column, t[k + 1])
            c, d = add_products(c, column, u[k + 1]), add_products(d, column, v[k + 1])
            e, f = add_products(e, column, w[k + 1]), add_products(f, column, x[k + 1])
            g, h = add_products(g, column, y[k + 1]), add_products(h, column, z[k + 1])
        at, j = i * FLOATS_AT_ONCE, i
        for sums in (a, b, c, d, e, f, g, h):
            levels = multiply_add(broadcast_float(-offsets[min(j, last)]), to_floats(sums), np.float32(2))
            store_floats(best, at, max_floats(load_floats(best, at), multiply_floats(levels, steps)))
            at += FLOATS_AT_ONCE
            j += 1


@compiled(types.void(_QUERY, _DATA, types.int64, types.int64, _FLOATS, _FLOATS))
def _multiply_in_steps(query: Integers, data: Bytes, start: int, step: int, offsets: Floats, best: Floats) -> None:
    """Do the same by the instructions of processors without VNNI, which need more registers."""
    last, steps = len(query) - 1, load_float16(data, step)
    for i in range(0, len(query), _FOUR):
        u, v, w, x = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        a = b = c = d = broadcast_integer(np.int32(0))
        for k in range(0, query.shape[1], 2):
            column = load_lower_halves(data, start + k * (_ROW // 2))
            a, b = add_products_in_steps(a, column, u[k]), add_products_in_steps(b, column, v[k])
            c, d = add_products_in_steps(c, column, w[k]), add_products_in_steps(d, column, x[k])
            column = load_upper_halves(data, start + k * (_ROW // 2))
            a, b = add_products_in_steps(a, column, u[k + 1]), add_products_in_steps(b, column, v[k + 1])
            c, d = add_products_in_steps(c, column, w[k + 1]), add_products_in_steps(d, column, x[k + 1])
        at, j = i * FLOATS_AT_ONCE, i
        for sums in (a, b, c, d):
            levels = multiply_add(broadcast_float(-offsets[min(j, last)]), to_floats(sums), np.float32(2))
            store_floats(best, at, max_floats(load_floats(best, at), multiply_floats(levels, steps)))
            at += FLOATS_AT_ONCE
            j += 1


@compiled(types.void(_QUERY, types.int64, _NUMBERS, _NUMBERS, _FLOATS, _FLOATS, _NUMBERS, _FLOATS, types.boolean))
def sum_over_code_pages(
    query: Integers,
    dim: int,
    addresses: Numbers,
    lengths: Numbers,
    offsets: Floats,
    gains: Floats,
    counter: Numbers,
    sums: Floats,
    in_steps: bool,  # noqa: FBT001
) -> None:
    """Store for each page the sum of the best products of all vectors of the query, each times its gain.

    A page is a compact form with `lengths[i]` vectors at `addresses[i]`; products are in half steps. The query has
    four signed bytes in each number; `dim` and its rows are rounded up to eight dimensions. `offsets` has 15 times the
    sum of each row. The other arguments are those of `compiled_maxsim.sum_over_pages`.
    """
    room = (len(query) + -len(query) % _EIGHT) * FLOATS_AT_ONCE
    number = fetch_add(counter)
    while number < len(addresses):
        padded = int(lengths[number]) + -int(lengths[number]) % _SIXTEEN
        codes = _HEADER + 2 * padded
        data: Any = carray(to_pointer(addresses[number]), (codes + padded * dim // 2,), np.uint8)
        products = np.full(room, -np.inf, dtype=np.float32)
        for vector in range(0, padded, FLOATS_AT_ONCE):
            lane = vector % _SIXTEEN
            start = codes + (vector - lane) * dim // 2 + _FOUR * lane
            if in_steps:
                _multiply_in_steps(query, data, start, _HEADER + 2 * vector, offsets, products)
            else:
                _multiply(query, data, start, _HEADER + 2 * vector, offsets, products)
        total = np.float32(0)
        for j in range(len(query)):
            total += gains[j] * max_lane(load_floats(products, j * FLOATS_AT_ONCE))
        sums[number] = total
        number = fetch_add(counter)
