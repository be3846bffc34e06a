"""A fixed rotation that spreads each vector evenly over its dimensions, so that equal steps fit all of them.

Signs, a Hadamard transform, and signs again. A Hadamard transform needs a power of two: for other dimensions, one
transforms as many of the first as possible and a second one as many of the last. Only sums, differences and
multiplications of single numbers are used, so a vector is rotated to the same bits alone and among others.
"""

import hashlib
from functools import lru_cache

import numpy as np

from collections_app.engine.retrieval.arrays import Floats

_SEED = b"paliapi rotation 1"


def rotate(columns: Floats) -> None:
    """Rotate vectors in place; each is a column of (dim, n)."""
    dim = len(columns)
    first, second = _signs(dim)
    size = _largest_power_of_two(dim)
    columns *= first
    _transform(columns[:size])
    columns *= second
    if size < dim:
        _transform(columns[dim - size :])


def rotate_back(columns: Floats) -> None:
    """Undo `rotate` in place."""
    dim = len(columns)
    first, second = _signs(dim)
    size = _largest_power_of_two(dim)
    if size < dim:
        _transform(columns[dim - size :])
    columns *= second
    _transform(columns[:size])
    columns *= first


@lru_cache(maxsize=16)
def _signs(dim: int) -> tuple[Floats, Floats]:
    """Return two columns of signs, which depend on nothing but the number of dimensions."""
    bits = np.frombuffer(hashlib.shake_256(_SEED).digest(2 * dim), dtype=np.uint8) & 1
    signs = (1 - 2 * bits.astype(np.float32)).reshape(2, dim, 1)
    return signs[0], signs[1]


def _largest_power_of_two(dim: int) -> int:
    return 1 << (dim.bit_length() - 1)


def _transform(columns: Floats) -> None:
    """Multiply by the normalised Hadamard matrix, which is its own inverse."""
    size, count = columns.shape
    half = 1
    while half < size:
        pairs = columns.reshape(size // (2 * half), 2, half, count)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
        half *= 2
    columns *= np.float32(1 / np.sqrt(size))
