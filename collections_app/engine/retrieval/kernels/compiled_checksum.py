"""The compiled checksum of a file: as fast as memory is read."""

import numpy as np
from numba.core import types

from collections_app.engine.retrieval.arrays import CHECKSUM_FACTOR, CHECKSUM_LANES, Words
from collections_app.engine.retrieval.kernels.jit import compiled

_FACTOR, _HALF = np.uint64(CHECKSUM_FACTOR), np.uint64(32)


@compiled(types.uint64(types.Array(types.uint64, 1, "C", readonly=True)))
def checksum(words: Words) -> np.uint64:
    """Return a checksum of the words. Each step is a bijection, so a change of one word always changes it.

    Neighbouring words are in different lanes, which are independent and so computed at once.
    """
    lanes = np.zeros(CHECKSUM_LANES, dtype=np.uint64)
    whole = len(words) // CHECKSUM_LANES * CHECKSUM_LANES
    for start in range(0, whole, CHECKSUM_LANES):
        row = words[start : start + CHECKSUM_LANES]
        for j in range(CHECKSUM_LANES):
            mixed = (lanes[j] ^ row[j]) * _FACTOR
            lanes[j] = mixed ^ (mixed >> _HALF)
    for j in range(len(words) - whole):
        mixed = (lanes[j] ^ words[whole + j]) * _FACTOR
        lanes[j] = mixed ^ (mixed >> _HALF)
    total = np.uint64(len(words))
    for j in range(CHECKSUM_LANES):
        mixed = (total ^ lanes[j]) * _FACTOR
        total = mixed ^ (mixed >> _HALF)
    return total
