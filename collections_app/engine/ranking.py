"""The best of a stream that may be too long to keep: highest score first, and of equals the lowest id."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SPARE = 1024  # kept beyond the best before it is sorted again


class Best:
    """The best `most` so far that reach `at_least`; of each group only its best."""

    def __init__(self, most: int, *, at_least: float = -math.inf) -> None:
        self._most = most
        self._bar = at_least
        self._ids: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._groups = self._ids
        self._scores: NDArray[np.float32] = np.empty(0, dtype=np.float32)

    def add(self, scores: ArrayLike, *, ids: ArrayLike, groups: ArrayLike) -> None:
        """Three arrays of one length. Where every item stands for itself, the groups are the ids."""
        new = np.asarray(scores, dtype=np.float32)
        good = new >= self._bar
        self._scores = np.concatenate([self._scores, new[good]])
        self._ids = np.concatenate([self._ids, np.asarray(ids, dtype=np.int64)[good]])
        self._groups = np.concatenate([self._groups, np.asarray(groups, dtype=np.int64)[good]])
        if len(self._ids) > self._most + _SPARE:
            self._sort()

    def ranked(self) -> list[tuple[int, float]]:
        """(id, score), best first."""
        self._sort()
        return list(zip(self._ids.tolist(), self._scores.tolist(), strict=True))

    def bar(self) -> float:
        """The least score with which something new gets among the best."""
        self._sort()
        return self._bar

    def _sort(self) -> None:
        order = np.lexsort((self._ids, -self._scores))
        _, firsts = np.unique(self._groups[order], return_index=True)
        kept = order[np.sort(firsts)][: self._most]
        self._scores, self._ids, self._groups = self._scores[kept], self._ids[kept], self._groups[kept]
        if len(kept) == self._most:
            # What scores less has no chance any more, nor has what is left of its group.
            self._bar = max(self._bar, float(self._scores[-1]))
