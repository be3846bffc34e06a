"""Queries of several parts as one set of vectors, each with a weight.

A part counts by its weight, however many vectors it has: a page of a thousand vectors must not drown a line of text.
The weights are scaled so that a single part has the same score as without weights.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import Floats
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.pooling import FINE, pool

Weights: TypeAlias = NDArray[np.float32]
"""(q,), one for each vector of the query; negative for what is to be avoided."""


def combine(parts: Sequence[tuple[MultiVector, float]]) -> tuple[MultiVector, Weights]:
    """Return the vectors of all parts and their weights; expects at least one part, and one dim for all."""
    mean = sum(len(vectors) for vectors, _ in parts) / len(parts)
    weights = [np.full(len(vectors), weight * mean / len(vectors), dtype=np.float32) for vectors, weight in parts]
    return np.concatenate([vectors for vectors, _ in parts]), np.concatenate(weights)


def condense(query: MultiVector, weights: Weights | None) -> tuple[MultiVector, Weights | None]:
    """Pool a query that is as long as a page; each of the new vectors counts for all that it stands for.

    The result is good enough to choose candidates, and far quicker. Vectors of different weights are pooled apart.
    """
    if len(query) <= FINE:
        return query, weights
    each = np.ones(len(query), dtype=np.float32) if weights is None else weights
    values = np.unique(each)
    parts = [pool(query[each == value]) for value in values]
    counts = [part.weights * value for part, value in zip(parts, values, strict=True)]
    return np.concatenate([part.fine for part in parts]).astype(np.float16), np.concatenate(counts)


def merge(query: MultiVector | Floats, weights: Weights | None, *, limit: int) -> tuple[Floats, Weights]:
    """Merge similar vectors of a query until at most `limit` are left of each sign of weight.

    A query repeats itself: the sum of its best matches is mostly that of a few vectors, each counted several times. A
    merged vector is the mean of those that it stands for, and counts as much as all of them.
    """
    vectors = np.ascontiguousarray(query, dtype=np.float32)
    if weights is None:
        return _merge_group(vectors, np.ones(len(vectors), dtype=np.float32), limit)
    # A mean of vectors to be found and of vectors to be avoided would stand for neither.
    wanted, avoided = weights > 0, weights < 0
    if not avoided.any():
        return _merge_group(vectors[wanted], weights[wanted], limit)
    means, totals = _merge_group(vectors[wanted], weights[wanted], limit)
    avoided_means, avoided_totals = _merge_group(vectors[avoided], -weights[avoided], limit)
    return np.concatenate([means, avoided_means]), np.concatenate([totals, -avoided_totals])


def _merge_group(vectors: Floats, weights: Weights, limit: int) -> tuple[Floats, Weights]:
    """Merge vectors of positive weights."""
    if len(vectors) <= limit:
        return vectors, weights
    means, totals = np.zeros((limit, vectors.shape[1]), dtype=np.float32), np.zeros(limit, dtype=np.float32)
    count = dispatch.merge_vectors(vectors, weights, limit, means, totals)
    return means[:count], totals[:count]
