"""Multi-vectors in the binary format of a Postgres `halfvec[]`, converted without Python code for each element.

All integers are big-endian. Header: int32 number of dimensions (1), int32 whether there are nulls (0), int32 type of
the elements, int32 count, int32 lower bound (1). Then for each vector: int32 number of bytes that follow, int16 dim,
int16 unused (0), and `dim` float16.
"""

import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

MultiVector: TypeAlias = NDArray[np.float16]
"""(n, dim), n >= 1: one page, or one query."""

MAX_DIMENSIONS = 16_000  # of a halfvec
_HEADER = struct.Struct(">iiIii")


class InvalidMultiVector(ValueError):
    """Bytes that Postgres would not send, or an array that it would not accept."""


def encode(vectors: MultiVector, *, element_oid: int) -> bytes:
    """Encode the array for Postgres; `element_oid` is the OID of `halfvec` in that database."""
    if vectors.ndim != 2 or vectors.dtype != np.float16 or not len(vectors):
        raise InvalidMultiVector(f"an array of shape {vectors.shape} and type {vectors.dtype}")
    count, dim = vectors.shape
    if not 1 <= dim <= MAX_DIMENSIONS:
        raise InvalidMultiVector(f"{dim} dimensions")
    rows = np.empty(count, dtype=_row_type(dim))
    rows["bytes"] = 4 + 2 * dim
    rows["dim"] = dim
    rows["unused"] = 0
    # Swapped as integers: NumPy is slow with floats in a foreign byte order.
    rows["values"] = _byte_swapped(np.ascontiguousarray(vectors).view(np.uint16))
    return _HEADER.pack(1, 0, element_oid, count, 1) + rows.tobytes()


def decode(data: bytes | memoryview) -> MultiVector:
    """Decode what Postgres sent into an array (n, dim) of native byte order that owns its memory."""
    if len(data) < _HEADER.size + 8:
        raise InvalidMultiVector(f"{len(data)} bytes")
    dimensions, nulls, _, count, _ = _HEADER.unpack_from(data)
    if dimensions != 1 or nulls or count < 1:
        raise InvalidMultiVector(f"{dimensions} dimensions, {count} elements, nulls {nulls}")
    (dim,) = struct.unpack_from(">h", data, _HEADER.size + 4)
    if not 1 <= dim <= MAX_DIMENSIONS or len(data) != _HEADER.size + count * _row_type(dim).itemsize:
        raise InvalidMultiVector(f"{len(data)} bytes for {count} vectors of {dim} dimensions")
    rows = np.frombuffer(data, dtype=_row_type(dim), offset=_HEADER.size)
    if (rows["bytes"] != 4 + 2 * dim).any() or (rows["dim"] != dim).any() or rows["unused"].any():
        raise InvalidMultiVector("vectors of different dimensions")
    return _byte_swapped(rows["values"]).view(np.float16)


def _row_type(dim: int) -> np.dtype[np.void]:
    return np.dtype([("bytes", ">i4"), ("dim", ">i2"), ("unused", ">i2"), ("values", np.uint16, (dim,))])


def _byte_swapped(values: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Convert between native and big-endian byte order; always returns a copy."""
    return values.byteswap() if np.little_endian else values.copy()
