"""Ranks of the right pages, and how sure a difference between two rankings is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.encoded import Encoded

_ROWS_AT_ONCE = 8192
_RESAMPLES, _SEED = 10_000, 5


def maxsim(questions: Encoded, pages: Encoded) -> NDArray[np.float32]:
    """Return the score of each page for each question: the mean over the question's vectors, at most 1."""
    count = len(pages.starts)
    stops = np.append(pages.starts[1:], len(pages.rows))
    queries = questions.rows.astype(np.float32)
    best = np.empty((len(queries), count), dtype=np.float32)
    first = 0
    while first < count:
        last = max(int(np.searchsorted(stops, pages.starts[first] + _ROWS_AT_ONCE, side="right")), first + 1)
        rows = pages.rows[pages.starts[first] : stops[last - 1]].astype(np.float32)
        best[:, first:last] = np.maximum.reduceat(
            queries @ rows.T, pages.starts[first:last] - pages.starts[first], axis=1
        )
        first = last
    sums: NDArray[np.float32] = np.add.reduceat(best, questions.starts, axis=0)
    return sums / questions.lengths().astype(np.float32)[:, None]


def ranks(scores: NDArray[np.floating], answers: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Return the rank of the best right page for each question. Pages of equal scores share the middle place."""
    result = []
    for row, right in zip(scores, answers, strict=True):
        others = np.delete(row, right)
        best = row[right].max()
        result.append(1 + float((others > best).sum()) + float((others == best).sum()) / 2)
    return np.array(result)


def interval(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean difference of reciprocal ranks, first minus second, and its 95 % bootstrap interval."""
    differences = 1 / first - 1 / second
    chosen = np.random.default_rng(_SEED).integers(0, len(differences), (_RESAMPLES, len(differences)))
    low, high = np.percentile(differences[chosen].mean(axis=1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)
