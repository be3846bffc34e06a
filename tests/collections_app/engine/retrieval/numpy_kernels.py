"""Operations of compiled loops as NumPy has them, so that the loops can be run as they are written."""

import ctypes
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from collections_app.engine.retrieval.simd import FLOATS_AT_ONCE, WORDS_AT_ONCE


def _as_float(number: np.signedinteger[Any]) -> np.float32:
    return np.float32(number.view(np.float16) if number.dtype == np.int16 else number)


def _turn(rows: NDArray[Any], place: int, each: int, count: int, into: NDArray[Any], to: int, apart: int) -> None:
    for row in range(FLOATS_AT_ONCE):
        begin = place + min(row, count - 1) * each
        for number in range(FLOATS_AT_ONCE):
            into[to + number * apart + row] = _as_float(rows[begin + number])


def _keep_floats(numbers: NDArray[Any], place: int, floats: NDArray[Any]) -> None:
    numbers[place : place + FLOATS_AT_ONCE] = floats


def _next_of(counter: NDArray[np.int64]) -> int:
    counter[0] += 1
    return int(counter[0]) - 1


_OPERATIONS = {
    "words_of": lambda word: np.full(WORDS_AT_ONCE, word),
    "words_at": lambda words, place: words[place : place + WORDS_AT_ONCE],
    "bits_apart": lambda words, word: np.bitwise_count(words ^ word).astype(np.uint64),
    "sums": np.add,
    "lower": np.minimum,
    "lowest": lambda words: int(words.min()),
    "floats_of": lambda number: np.full(FLOATS_AT_ONCE, number),
    "floats_at": lambda numbers, place: numbers[place : place + FLOATS_AT_ONCE],
    "keep_floats": _keep_floats,
    "plus_products": lambda so_far, floats, number: so_far + floats * number,
    "higher": np.maximum,
    "highest": np.max,
    "as_float": _as_float,
    "turn": _turn,
    "ones_of": np.bitwise_count,
    "pointer_to": lambda address: ctypes.c_void_p(int(address)),
    "next_of": _next_of,
}


def as_written(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Nothing of the module is machine code until the end of the test."""
    for name, thing in vars(module).copy().items():
        if name in _OPERATIONS:
            monkeypatch.setattr(module, name, _OPERATIONS[name])
        elif hasattr(thing, "py_func"):
            monkeypatch.setattr(module, name, thing.py_func)
