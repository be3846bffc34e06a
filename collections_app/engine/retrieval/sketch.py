"""The small forms of a page, from which the candidates of a search are chosen; its vectors have the last word.

The sketch: the signs of the page's pooled vectors, a bit for each dimension; 2.5 kB at 128 dimensions. Three bytes come
first: the format, and how many vectors follow of the fine and of the coarse form. The pooled form: the fine vectors as
whole numbers of six bits, four in three bytes; 12 kB. Before them come the step that they are multiples of, as float32,
and a byte for each vector: how many times larger its own step is.
"""

import struct
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from collections_app.engine.retrieval.jit import compiled
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.pooling import Floats, Pooled, pool

Bits: TypeAlias = NDArray[np.uint8]

FORMAT = 1
_HEADER = struct.Struct("<BBB")
HEADER_BYTES = _HEADER.size
_STEP = struct.Struct("<f")
_MOST = 31  # of six bits, which are kept as this much and one more
_MOST_TIMES = 127 // _MOST
_PACKED = types.Array(types.uint8, 2, "C", readonly=True)
_TIMES = types.Array(types.int8, 1, "C", readonly=True)


@dataclass(frozen=True, slots=True)
class Small:
    """The small forms of one page, as they are kept."""

    pooled: bytes
    sketch: bytes


@dataclass(frozen=True, slots=True, eq=False)
class PooledPage:
    """The pooled vectors of one page, (at most FINE, dim), as multiples of a step."""

    step: float
    numbers: NDArray[np.int8]
    address: int = field(init=False)
    """Of the numbers, which are in one piece. To ask an array for it takes a microsecond, too long for each search."""

    def __post_init__(self) -> None:
        numbers = np.ascontiguousarray(self.numbers)
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "address", numbers.__array_interface__["data"][0])

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy has its numbers somewhere else."""
        return PooledPage, (self.step, self.numbers)


class NotASketch(ValueError):
    """Bytes that this module did not write, or not for vectors of these dimensions."""


def small(page: MultiVector) -> Small:
    """Both small forms of a page."""
    pooled = pool(page)
    return Small(_pooled(pooled.fine), _sketch(pooled))


def pooled_page(data: bytes, *, dim: int) -> PooledPage:
    """The pooled vectors from what is kept of them."""
    fours = -(-dim // 4)
    count, rest = divmod(len(data) - _STEP.size, 1 + 3 * fours)
    if rest or count < 1:
        raise NotASketch(f"{len(data)} bytes for vectors of {dim} dimensions")
    (step,) = _STEP.unpack_from(data)
    times = np.frombuffer(data, dtype=np.int8, offset=_STEP.size, count=count)
    if times.min() < 1 or times.max() > _MOST_TIMES:
        raise NotASketch(f"a vector has a step of {times.min()} to {times.max()} times the least")
    packed = np.frombuffer(data, dtype=np.uint8, offset=_STEP.size + count).reshape(count, 3 * fours)
    numbers = np.empty((count, 4 * fours), dtype=np.int8)
    _unpack(packed, times, numbers)
    return PooledPage(step, numbers[:, :dim])


def check(sketch: bytes, *, dim: int) -> None:
    """NotASketch where it is not one."""
    if len(sketch) < _HEADER.size:
        raise NotASketch(f"{len(sketch)} bytes")
    form, fine, coarse = _HEADER.unpack_from(sketch)
    if form != FORMAT or not 1 <= coarse <= fine or len(sketch) != _HEADER.size + (fine + coarse) * width(dim):
        raise NotASketch(f"{len(sketch)} bytes in format {form}, for {fine} and {coarse} vectors")


def width(dim: int) -> int:
    """Bytes of one vector in a sketch."""
    return -(-dim // 8)


def _sketch(pooled: Pooled) -> bytes:
    header = _HEADER.pack(FORMAT, len(pooled.fine), len(pooled.coarse))
    return header + _signs(pooled.fine).tobytes() + _signs(pooled.coarse).tobytes()


def _signs(vectors: Floats) -> Bits:
    return np.packbits(vectors > 0, axis=1, bitorder="little")


def _pooled(vectors: Floats) -> bytes:
    largest = np.abs(vectors).max(axis=1)
    step = np.float32(largest.max() / (_MOST * _MOST_TIMES)) or np.float32(1)
    with np.errstate(invalid="ignore"):  # what is no number is refused where vectors are kept
        times = np.clip(np.ceil(largest / (_MOST * step)), 1, _MOST_TIMES).astype(np.uint8)
        numbers = np.rint(vectors / (step * times)[:, None]).clip(-_MOST, _MOST).astype(np.int8)
    packed = _packed((numbers + np.int8(_MOST + 1)).view(np.uint8))
    return b"".join((_STEP.pack(step), times.tobytes(), packed.tobytes()))


def _packed(six_bits: Bits) -> Bits:
    filled = np.pad(six_bits, ((0, 0), (0, -six_bits.shape[1] % 4)))
    fours = filled.reshape(len(filled), -1, 4).astype("<u4")
    joined = fours[..., 0] | fours[..., 1] << 6 | fours[..., 2] << 12 | fours[..., 3] << 18
    bytes_of_each: Bits = joined[..., None].view(np.uint8)
    return bytes_of_each[..., :3]


@compiled(types.void(_PACKED, _TIMES, types.int8[:, ::1]))
def _unpack(packed: Bits, times: NDArray[np.int8], numbers: NDArray[np.int8]) -> None:
    for row in range(len(times)):
        for four in range(numbers.shape[1] // 4):
            a, b, c = packed[row, 3 * four], packed[row, 3 * four + 1], packed[row, 3 * four + 2]
            numbers[row, 4 * four] = ((a & 63) - 32) * times[row]
            numbers[row, 4 * four + 1] = ((a >> 6 | (b & 15) << 2) - 32) * times[row]
            numbers[row, 4 * four + 2] = ((b >> 4 | (c & 3) << 4) - 32) * times[row]
            numbers[row, 4 * four + 3] = ((c >> 2) - 32) * times[row]
