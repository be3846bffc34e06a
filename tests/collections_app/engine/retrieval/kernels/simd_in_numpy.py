"""The SIMD operations in NumPy, so that compiled kernels can be run as the Python code they are written in."""

import ctypes
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import WORDS_AT_ONCE
from collections_app.engine.retrieval.kernels.simd import FLOATS_AT_ONCE


def _to_float(number: np.signedinteger[Any]) -> np.float32:
    return np.float32(number.view(np.float16) if number.dtype == np.int16 else number)


def _transpose_block(
    rows: NDArray[Any], start: int, stride: int, count: int, out: NDArray[Any], to: int, out_stride: int
) -> None:
    for row in range(FLOATS_AT_ONCE):
        begin = start + min(row, count - 1) * stride
        for number in range(FLOATS_AT_ONCE):
            out[to + number * out_stride + row] = _to_float(rows[begin + number])


def _transpose_bytes(
    rows: NDArray[np.int8], start: int, stride: int, count: int, out: NDArray[np.int32], to: int
) -> None:
    for row in range(FLOATS_AT_ONCE):
        begin = start + min(row, count - 1) * stride
        flipped = rows[begin : begin + 4 * FLOATS_AT_ONCE].view(np.uint8) ^ np.uint8(128)
        out[to + row : to + row + FLOATS_AT_ONCE**2 : FLOATS_AT_ONCE] = flipped.view(np.int32)


def _add_products(totals: NDArray[np.int32], integers: NDArray[np.int32], four: np.int32) -> NDArray[np.int32]:
    """Add products as the processor does: without saturation only while two of them fit 16 bits."""
    unsigned = integers.view(np.uint8).reshape(-1, 4).astype(np.int32)
    products = unsigned * np.full(1, four).view(np.int8).astype(np.int32)
    pairs = (products[:, ::2] + products[:, 1::2]).clip(-(2**15), 2**15 - 1)
    return np.asarray(totals + pairs.sum(axis=1, dtype=np.int32))


def _store(array: NDArray[Any], index: int, lanes: NDArray[Any]) -> None:
    array[index : index + FLOATS_AT_ONCE] = lanes


def _fetch_add(counter: NDArray[np.int64]) -> int:
    counter[0] += 1
    return int(counter[0]) - 1


def _load_halves(data: NDArray[np.uint8], index: int, shift: int) -> NDArray[np.int32]:
    return (data[index : index + 4 * FLOATS_AT_ONCE] >> np.uint8(shift) & np.uint8(15)).view(np.int32)


def _load_float16(data: NDArray[np.uint8], index: int) -> NDArray[np.float32]:
    return data[index : index + 2 * FLOATS_AT_ONCE].view(np.float16).astype(np.float32)


_OPERATIONS = {
    "broadcast_word": lambda word: np.full(WORDS_AT_ONCE, word),
    "load_words": lambda words, index: words[index : index + WORDS_AT_ONCE],
    "differing_bits": lambda words, word: np.bitwise_count(words ^ word).astype(np.uint64),
    "add_words": np.add,
    "min_words": np.minimum,
    "min_lane": lambda words: int(words.min()),
    "broadcast_float": lambda number: np.full(FLOATS_AT_ONCE, number),
    "load_floats": lambda array, index: array[index : index + FLOATS_AT_ONCE],
    "store_floats": _store,
    "broadcast_integer": lambda number: np.full(FLOATS_AT_ONCE, number),
    "load_integers": lambda array, index: array[index : index + FLOATS_AT_ONCE],
    "store_integers": _store,
    "add_products": _add_products,
    "add_products_in_steps": _add_products,
    "max_integers": np.maximum,
    "max_integer_lane": np.max,
    "transpose_bytes": _transpose_bytes,
    "load_lower_halves": lambda data, index: _load_halves(data, index, 0),
    "load_upper_halves": lambda data, index: _load_halves(data, index, 4),
    "load_float16": _load_float16,
    "to_floats": lambda integers: integers.astype(np.float32),
    "multiply_floats": np.multiply,
    "multiply_add": lambda total, floats, number: total + floats * number,
    "max_floats": np.maximum,
    "max_lane": np.max,
    "to_float": _to_float,
    "transpose_block": _transpose_block,
    "popcount": np.bitwise_count,
    "prefetch": lambda *_: None,
    "to_pointer": lambda address: ctypes.c_void_p(int(address)),
    "fetch_add": _fetch_add,
}


def interpret(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Replace the compiled functions of the module with their Python code until the end of the test."""
    for name, value in vars(module).copy().items():
        if name in _OPERATIONS:
            monkeypatch.setattr(module, name, _OPERATIONS[name])
        elif hasattr(value, "py_func"):
            monkeypatch.setattr(module, name, value.py_func)
