"""Compiled MaxSim over codes of four bits on processors that `compiled_codes` has no instructions for.

The codes of sixteen vectors at a time are converted to floats, which multiply and add such small integers exactly.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.np.numpy_support import carray

from collections_app.engine.retrieval.arrays import Bytes, Floats, Numbers
from collections_app.engine.retrieval.kernels.jit import compiled
from collections_app.engine.retrieval.kernels.simd import (
    FLOATS_AT_ONCE,
    broadcast_float,
    fetch_add,
    load_float16,
    load_floats,
    max_floats,
    max_lane,
    multiply_add,
    multiply_floats,
    store_floats,
    to_pointer,
)

_QUERY = types.float32[:, ::1]
_FLOATS = types.float32[::1]
_NUMBERS = types.int64[::1]
_DATA = types.uint8[::1]

_HEADER = 8  # bytes
_SIXTEEN = 16
_ROW = 64
_FOUR = 4
_EIGHT = 8


@compiled(types.void(_DATA, types.int64, _FLOATS))
def _unpack(data: Bytes, start: int, columns: Floats) -> None:
    """Store the codes of sixteen vectors by dimension."""
    for row in range(len(columns) // (_EIGHT * _SIXTEEN)):
        for vector in range(_SIXTEEN):
            for byte in range(_FOUR):
                both = data[start + row * _ROW + vector * _FOUR + byte]
                at = (row * _EIGHT + byte) * _SIXTEEN + vector
                columns[at] = np.float32(both & np.uint8(15))
                columns[at + _FOUR * _SIXTEEN] = np.float32(both >> np.uint8(4))


@compiled(types.void(_QUERY, _FLOATS, types.int64, _DATA, types.int64, _FLOATS, _FLOATS))
def _multiply(query: Floats, columns: Floats, lane: int, data: Bytes, step: int, offsets: Floats, best: Floats) -> None:
    """Raise `best` to the products of each vector of the query with the vectors from `lane` on."""
    last, steps = len(query) - 1, load_float16(data, step)
    for i in range(0, len(query), _FOUR):
        u, v, w, x = query[i], query[min(i + 1, last)], query[min(i + 2, last)], query[min(i + 3, last)]
        a = b = c = d = broadcast_float(np.float32(0))
        for k in range(query.shape[1]):
            column = load_floats(columns, k * _SIXTEEN + lane)
            a, b = multiply_add(a, column, u[k]), multiply_add(b, column, v[k])
            c, d = multiply_add(c, column, w[k]), multiply_add(d, column, x[k])
        at, j = i * FLOATS_AT_ONCE, i
        for sums in (a, b, c, d):
            levels = multiply_add(broadcast_float(-offsets[min(j, last)]), sums, np.float32(2))
            store_floats(best, at, max_floats(load_floats(best, at), multiply_floats(levels, steps)))
            at += FLOATS_AT_ONCE
            j += 1


@compiled(types.void(_QUERY, _NUMBERS, _NUMBERS, _FLOATS, _FLOATS, _NUMBERS, _FLOATS))
def sum_over_float_code_pages(
    query: Floats, addresses: Numbers, lengths: Numbers, offsets: Floats, gains: Floats, counter: Numbers, sums: Floats
) -> None:
    """Do what `compiled_codes.sum_over_code_pages` does, with the query's integers as floats."""
    dim = query.shape[1]
    room = (len(query) + -len(query) % _FOUR) * FLOATS_AT_ONCE
    columns = np.empty(dim * _SIXTEEN, dtype=np.float32)
    number = fetch_add(counter)
    while number < len(addresses):
        padded = int(lengths[number]) + -int(lengths[number]) % _SIXTEEN
        codes = _HEADER + 2 * padded
        data: Any = carray(to_pointer(addresses[number]), (codes + padded * dim // 2,), np.uint8)
        products = np.full(room, -np.inf, dtype=np.float32)
        for vector in range(0, padded, _SIXTEEN):
            _unpack(data, codes + vector * dim // 2, columns)
            for lane in range(0, _SIXTEEN, FLOATS_AT_ONCE):
                _multiply(query, columns, lane, data, _HEADER + 2 * (vector + lane), offsets, products)
        total = np.float32(0)
        for j in range(len(query)):
            total += gains[j] * max_lane(load_floats(products, j * FLOATS_AT_ONCE))
        sums[number] = total
        number = fetch_add(counter)
