"""The compact forms of a page, from which a search chooses its candidates; exact scores come from the full vectors.

The sketch has the signs of the page's pooled vectors, one bit per dimension; 2.5 kB at 128 dimensions. It begins with
three bytes: the format, and the numbers of vectors in the fine and in the coarse form, which follow. The pooled form
has the fine vectors as integers of six bits, four in three bytes; 12 kB. It begins with the step that they are
multiples of, as float32, and a byte for each vector: how many times larger its own step is.
"""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import Bytes, Floats
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.pooling import Pooled, pool

FORMAT = 1
_HEADER = struct.Struct("<BBB")
HEADER_BYTES = _HEADER.size
_STEP = struct.Struct("<f")
_MAX_NUMBER = 31  # of six bits, which are stored with an offset of one more than this
_MAX_MULTIPLE = 127 // _MAX_NUMBER


@dataclass(frozen=True, slots=True)
class CompactForms:
    """The compact forms of one page, as they are stored."""

    pooled: bytes
    sketch: bytes


@dataclass(frozen=True, slots=True, eq=False)
class PooledPage:
    """The pooled vectors of one page, (at most FINE, dim), as multiples of a step."""

    step: float
    numbers: NDArray[np.int8]
    # Of the contiguous numbers. A search needs them for a hundred pages, and asking the arrays takes much longer.
    address: int = field(init=False)
    count: int = field(init=False)
    dim: int = field(init=False)

    def __post_init__(self) -> None:
        numbers = np.ascontiguousarray(self.numbers)
        if numbers.dtype != np.int8 or not len(numbers):
            raise ValueError(f"pooled vectors of {numbers.dtype} in shape {numbers.shape}")
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "address", numbers.__array_interface__["data"][0])
        object.__setattr__(self, "count", numbers.shape[0])
        object.__setattr__(self, "dim", numbers.shape[1])

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what follows from the numbers: their address is another one in a copy."""
        return PooledPage, (self.step, self.numbers)


class InvalidSketch(ValueError):
    """Bytes that this module did not write, or not for vectors of these dimensions."""


def compact_forms(page: MultiVector) -> CompactForms:
    """Compute both compact forms of a page."""
    return encode(pool(page))


def encode(pooled: Pooled) -> CompactForms:
    """Return both compact forms of a page from its pooled vectors."""
    return CompactForms(_encode_pooled(pooled.fine), _encode_sketch(pooled))


def decode_pooled(data: bytes, *, dim: int) -> PooledPage:
    """Decode the stored pooled form; raise InvalidSketch if it is malformed."""
    fours = -(-dim // 4)
    count, rest = divmod(len(data) - _STEP.size, 1 + 3 * fours)
    if rest or count < 1:
        raise InvalidSketch(f"{len(data)} bytes for vectors of {dim} dimensions")
    (step,) = _STEP.unpack_from(data)
    multiples = np.frombuffer(data, dtype=np.int8, offset=_STEP.size, count=count)
    if multiples.min() < 1 or multiples.max() > _MAX_MULTIPLE:
        raise InvalidSketch(f"steps of {multiples.min()} to {multiples.max()} times the smallest")
    packed = np.frombuffer(data, dtype=np.uint8, offset=_STEP.size + count).reshape(count, 3 * fours)
    numbers = np.empty((count, 4 * fours), dtype=np.int8)
    dispatch.unpack_six_bits(packed, multiples, numbers)
    return PooledPage(step, numbers[:, :dim])


def check(sketch: bytes, *, dim: int) -> None:
    """Raise InvalidSketch if the sketch is malformed."""
    if len(sketch) < _HEADER.size:
        raise InvalidSketch(f"{len(sketch)} bytes")
    form, fine, coarse = _HEADER.unpack_from(sketch)
    if form != FORMAT or not 1 <= coarse <= fine or len(sketch) != _HEADER.size + (fine + coarse) * vector_bytes(dim):
        raise InvalidSketch(f"{len(sketch)} bytes in format {form}, for {fine} and {coarse} vectors")


def vector_bytes(dim: int) -> int:
    """Return the number of bytes of one vector in a sketch."""
    return -(-dim // 8)


def _encode_sketch(pooled: Pooled) -> bytes:
    header = _HEADER.pack(FORMAT, len(pooled.fine), len(pooled.coarse))
    return header + _signs(pooled.fine).tobytes() + _signs(pooled.coarse).tobytes()


def _signs(vectors: Floats) -> Bytes:
    return np.packbits(vectors > 0, axis=1, bitorder="little")


def _encode_pooled(vectors: Floats) -> bytes:
    largest = np.abs(vectors).max(axis=1)
    step = np.float32(largest.max() / (_MAX_NUMBER * _MAX_MULTIPLE)) or np.float32(1)
    with np.errstate(invalid="ignore"):  # NaN is rejected where vectors are stored
        multiples = np.clip(np.ceil(largest / (_MAX_NUMBER * step)), 1, _MAX_MULTIPLE).astype(np.uint8)
        numbers = np.rint(vectors / (step * multiples)[:, None]).clip(-_MAX_NUMBER, _MAX_NUMBER).astype(np.int8)
    packed = _packed((numbers + np.int8(_MAX_NUMBER + 1)).view(np.uint8))
    return b"".join((_STEP.pack(step), multiples.tobytes(), packed.tobytes()))


def _packed(six_bits: Bytes) -> Bytes:
    padded = np.pad(six_bits, ((0, 0), (0, -six_bits.shape[1] % 4)))
    fours = padded.reshape(len(padded), -1, 4).astype("<u4")
    joined = fours[..., 0] | fours[..., 1] << 6 | fours[..., 2] << 12 | fours[..., 3] << 18
    bytes_of_each: Bytes = joined[..., None].view(np.uint8)
    return bytes_of_each[..., :3]
