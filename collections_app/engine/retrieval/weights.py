"""Several questions as one: the vectors of all, each with a weight.

A part counts by its weight, however many vectors it has: a page of a thousand must not drown a line of words. The
weights are such that one part alone has the score that it would have without any.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.pooling import FINE, pool

Weights: TypeAlias = NDArray[np.float32]
"""(q,), one for each vector of the query; what is to be avoided has weights below zero."""


def together(parts: Sequence[tuple[MultiVector, float]]) -> tuple[MultiVector, Weights]:
    """The vectors of all parts and their weights; at least one part, all of one dim."""
    mean = sum(len(vectors) for vectors, _ in parts) / len(parts)
    weights = [np.full(len(vectors), weight * mean / len(vectors), dtype=np.float32) for vectors, weight in parts]
    return np.concatenate([vectors for vectors, _ in parts]), np.concatenate(weights)


def condensed(query: MultiVector, weights: Weights | None) -> tuple[MultiVector, Weights | None]:
    """A query as long as a page in fewer vectors, each of which counts for all that it stands for.

    Good enough to choose among pages, and far quicker. What has weights of its own is pooled by itself.
    """
    if len(query) <= FINE:
        return query, weights
    each = np.ones(len(query), dtype=np.float32) if weights is None else weights
    values = np.unique(each)
    parts = [pool(query[each == value]) for value in values]
    counts = [part.weights * value for part, value in zip(parts, values, strict=True)]
    return np.concatenate([part.fine for part in parts]).astype(np.float16), np.concatenate(counts)
