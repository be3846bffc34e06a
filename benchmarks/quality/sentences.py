"""Vectors of whole texts and of passages: the mean of the vectors of their pieces, without those of words.

The product stores none; the benchmark shows what they would gain.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.encoded import Encoded
from embeddings.backends.encoders.projected import SEMANTIC_DIMS

# A third of a passage is also in the next one.
_OVERLAP = 3


def means(texts: Encoded, *, pieces: int | None) -> Encoded:
    """Return a vector for each passage of so many pieces, or one for each text."""
    vectors: list[NDArray[np.float32]] = []
    starts = []
    for number in range(len(texts.starts)):
        rows = texts.halves(number)[:, :SEMANTIC_DIMS].astype(np.float32)
        starts.append(len(vectors))
        vectors += [rows[start:stop].mean(axis=0) for start, stop in _passages(len(rows), pieces or len(rows))]
    every = np.stack(vectors)
    every /= np.maximum(np.linalg.norm(every, axis=1, keepdims=True), 1e-9)
    return Encoded(every.astype(np.float16), np.array(starts, dtype=np.int64))


def _passages(length: int, size: int) -> list[tuple[int, int]]:
    step = size - size // _OVERLAP
    count = max(-(-(length - size) // step), 0) + 1
    return [(start, min(start + size, length)) for start in range(0, count * step, step)]
