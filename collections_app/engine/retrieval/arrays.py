"""Array types, and sizes that kernels and their callers share."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int64]
Integers: TypeAlias = NDArray[np.int32]
Words: TypeAlias = NDArray[np.uint64]
Bytes: TypeAlias = NDArray[np.uint8]
Page: TypeAlias = NDArray[np.int16] | NDArray[np.int8]
"""(n, dim): the bits of float16 numbers as int16, or the small integers of pooled vectors."""

WORDS_AT_ONCE = 8
"""The number of vectors of a sketch is rounded up to a multiple of this."""

MAX_SKETCH_VECTORS = 256
"""Vectors of one page in a sketch: their number is a byte."""

CHECKSUM_LANES = 1024
CHECKSUM_FACTOR = 0x9E3779B97F4A7C15
"""An odd number, so that multiplication by it loses nothing."""
