"""Several questions as one: the vectors of all, each with a weight.

A part counts by its weight, however many vectors it has: a page of a thousand must not drown a line of words. The
weights are such that one part alone has the score that it would have without any.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.multivector import MultiVector

Weights: TypeAlias = NDArray[np.float32]
"""(q,), one for each vector of the query; what is to be avoided has weights below zero."""


def together(parts: Sequence[tuple[MultiVector, float]]) -> tuple[MultiVector, Weights]:
    """The vectors of all parts and their weights; at least one part, all of one dim."""
    mean = sum(len(vectors) for vectors, _ in parts) / len(parts)
    weights = [np.full(len(vectors), weight * mean / len(vectors), dtype=np.float32) for vectors, weight in parts]
    return np.concatenate([vectors for vectors, _ in parts]), np.concatenate(weights)
