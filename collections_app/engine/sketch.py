"""The small forms of a page, from which the candidates of a search are chosen; its vectors have the last word.

The sketch: the signs of the page's pooled vectors, a bit for each dimension; 2.5 kB at 128 dimensions. Three bytes come
first: the format, and how many vectors follow of the fine and of the coarse form. The pooled form: the fine vectors as
whole numbers of one step, which comes first, as float32; 16 kB.
"""

import struct
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.multivector import MultiVector
from collections_app.engine.pooling import Floats, Pooled, pool

Bits: TypeAlias = NDArray[np.uint8]

FORMAT = 1
_HEADER = struct.Struct("<BBB")
HEADER_BYTES = _HEADER.size
_STEP = struct.Struct("<f")


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


class NotASketch(ValueError):
    """Bytes that this module did not write, or not for vectors of these dimensions."""


def small(page: MultiVector) -> Small:
    """Both small forms of a page."""
    pooled = pool(page)
    return Small(_pooled(pooled.fine), _sketch(pooled))


def pooled_page(data: bytes, *, dim: int) -> PooledPage:
    """The pooled vectors from what is kept of them."""
    count, rest = divmod(len(data) - _STEP.size, dim)
    if rest or count < 1:
        raise NotASketch(f"{len(data)} bytes for vectors of {dim} dimensions")
    (step,) = _STEP.unpack_from(data)
    return PooledPage(step, np.frombuffer(data, dtype=np.int8, offset=_STEP.size).reshape(count, dim))


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
    step = np.float32(np.abs(vectors).max() / 127) or np.float32(1)
    with np.errstate(invalid="ignore"):  # what is no number is refused where vectors are kept
        numbers: NDArray[np.int8] = np.rint(vectors / step).astype(np.int8)
    return _STEP.pack(step) + numbers.tobytes()
