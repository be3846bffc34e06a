"""The compact form of a page: codes of four bits, which are multiples of a step, and one step for each vector.

All numbers are little-endian. Header: a byte for the format, one unused, uint16 dim, uint32 number of vectors. Then a
float16 for each vector, its step, which fits its codes by least squares. Then the codes, sixteen vectors at a time, and
of these eight dimensions at a time, in 64 bytes: four bytes of each vector, with dimensions 0 to 3 in their lower
halves and 4 to 7 in their upper halves. So a register holds the same dimensions of many vectors as they are stored.

The last vector is repeated until there are sixteen, and codes beyond the last dimension are zero. A code stands for
itself minus 7.5, times the step. Vectors are rotated before they are encoded, and so are queries.
"""

import struct
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from collections_app.engine.retrieval.arrays import Bytes, Floats
from collections_app.engine.retrieval.codes.rotation import rotate, rotate_back
from collections_app.engine.retrieval.multivector import MAX_DIMENSIONS, InvalidMultiVector, MultiVector

HEADER_BYTES = 8
VECTORS_AT_ONCE = 16
DIMENSIONS_AT_ONCE = 8
LARGEST_CODE = 15
_FORMAT = 1
_HEADER = struct.Struct("<BxHI")
_STEP = np.float32(0.335)  # in standard deviations: the least error of sixteen even steps for a normal distribution
_LARGEST_HALF = np.float32(np.finfo(np.float16).max)


class VectorStorage(StrEnum):
    """The form in which the vectors of a page are stored: float16, or this one."""

    FULL = "full"
    COMPACT = "compact"


class InvalidCodes(ValueError):
    """Bytes that this module did not write, or not for vectors of these dimensions."""


@dataclass(frozen=True, slots=True, eq=False)
class CodedPage:
    """The compact form of one page, checked by `load`."""

    data: Bytes
    """(bytes,), contiguous."""
    dim: int
    count: int
    address: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", self.data.__array_interface__["data"][0])

    def __len__(self) -> int:
        return self.count

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the address, which is another one in a copy."""
        return load, (self.data.tobytes(),)

    @property
    def nbytes(self) -> int:
        return self.data.nbytes


def encode(vectors: MultiVector) -> CodedPage:
    """Encode the vectors of a page."""
    if vectors.ndim != 2 or vectors.dtype != np.float16 or not len(vectors):
        raise InvalidMultiVector(f"an array of shape {vectors.shape} and type {vectors.dtype}")
    count, dim = vectors.shape
    if not 1 <= dim <= MAX_DIMENSIONS:
        raise InvalidMultiVector(f"{dim} dimensions")
    columns = np.ascontiguousarray(vectors.T, dtype=np.float32)
    if not np.isfinite(columns).all():
        raise InvalidMultiVector("numbers that are not finite")
    rotate(columns)
    codes, steps = _quantised(columns)
    padding = -count % VECTORS_AT_ONCE
    codes = np.pad(codes, ((0, -dim % DIMENSIONS_AT_ONCE), (0, 0)))
    codes = np.pad(codes, ((0, 0), (0, padding)), mode="edge")
    steps = np.pad(steps, (0, padding), mode="edge")
    parts = codes.reshape(len(codes) // DIMENSIONS_AT_ONCE, 2, 4, -1, VECTORS_AT_ONCE)
    packed = (parts[:, 0] | parts[:, 1] << 4).transpose(2, 0, 3, 1)
    header = _HEADER.pack(_FORMAT, dim, count)
    data = b"".join((header, steps.astype("<f2").tobytes(), packed.tobytes()))
    return CodedPage(np.frombuffer(data, dtype=np.uint8), dim, count)


def load(data: bytes | memoryview, *, dim: int | None = None) -> CodedPage:
    """Return what is stored without decoding it; raise InvalidCodes if it is malformed or has other dimensions."""
    if len(data) < HEADER_BYTES:
        raise InvalidCodes(f"{len(data)} bytes")
    form, stored_dim, count = _HEADER.unpack_from(data)
    if form != _FORMAT or not count or not 1 <= stored_dim <= MAX_DIMENSIONS:
        raise InvalidCodes(f"format {form}, {count} vectors of {stored_dim} dimensions")
    if dim is not None and stored_dim != dim:
        raise InvalidCodes(f"vectors of {stored_dim} dimensions, not of {dim}")
    padded = count + -count % VECTORS_AT_ONCE
    if len(data) != HEADER_BYTES + padded * (2 + (stored_dim + -stored_dim % DIMENSIONS_AT_ONCE) // 2):
        raise InvalidCodes(f"{len(data)} bytes for {count} vectors of {stored_dim} dimensions")
    page = CodedPage(np.frombuffer(data, dtype=np.uint8), stored_dim, count)
    if not np.isfinite(_steps(page)).all():
        raise InvalidCodes("steps that are not finite")
    return page


def count_of(header: bytes) -> int:
    """Return the number of vectors that a stored header states."""
    return int(_HEADER.unpack(header)[2])


def decode(page: CodedPage) -> MultiVector:
    """Return the vectors that the codes stand for."""
    columns = _codes(page).astype(np.float32)
    columns -= np.float32(7.5)
    columns *= _steps(page)
    rotate_back(columns)
    return np.ascontiguousarray(columns.clip(-_LARGEST_HALF, _LARGEST_HALF).T[: page.count], dtype=np.float16)


def _codes(page: CodedPage) -> Bytes:
    """Return codes as (dim, vectors rounded up)."""
    rows = -(-page.dim // DIMENSIONS_AT_ONCE)
    packed = page.data[HEADER_BYTES + 2 * _padded(page) :].reshape(-1, rows, VECTORS_AT_ONCE, 4)
    parts = packed.transpose(1, 3, 0, 2)
    return np.stack([parts & 15, parts >> 4], axis=1).reshape(rows * DIMENSIONS_AT_ONCE, -1)[: page.dim]


def _quantised(columns: Floats) -> tuple[Bytes, Floats]:
    """Return the code of each number, and the step of each vector."""
    deviation = np.sqrt(np.einsum("ij,ij->j", columns, columns) / np.float32(len(columns)))
    scaled = columns / np.where(deviation > 0, deviation * _STEP, 1)
    codes = (np.floor(scaled).clip(-8, 7) + 8).astype(np.uint8)
    values = codes.astype(np.float32) - np.float32(7.5)
    steps = np.einsum("ij,ij->j", columns, values) / np.einsum("ij,ij->j", values, values)
    return codes, np.minimum(steps, _LARGEST_HALF)


def _steps(page: CodedPage) -> Floats:
    return page.data[HEADER_BYTES : HEADER_BYTES + 2 * _padded(page)].view("<f2").astype(np.float32)


def _padded(page: CodedPage) -> int:
    return page.count + -page.count % VECTORS_AT_ONCE
