"""The best items of a stream that may be too long to store: highest score first, ties by lowest id."""

import math
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

_Ranked: TypeAlias = tuple[float, int]
"""The negated score and the id, so that the better item sorts first."""

_SPARE = 1024  # items stored beyond the limit before they are sorted and cut again


class TopK:
    """The best `limit` items so far with a float32 score of at least `min_score`; of each group only the best one."""

    def __init__(self, limit: int, *, min_score: float = -math.inf) -> None:
        self._limit = limit
        self._threshold = float(np.float32(min_score))
        self._by_group: dict[int, _Ranked] = {}

    def add(self, scores: Iterable[float], *, ids: Iterable[int], groups: Iterable[int]) -> None:
        """Add items, given as three iterables of one length. Pass the ids as groups to keep every item."""
        # Items come a few at a time, and arrays would be slower for that.
        for score, item, group in zip(scores, ids, groups, strict=True):
            if score >= self._threshold:
                new = (-score, item)
                self._by_group[group] = min(new, self._by_group.get(group, new))
        if len(self._by_group) > self._limit + _SPARE:
            self._cut()

    def ranking(self) -> list[tuple[int, float]]:
        """Return (id, score) pairs, best first."""
        self._cut()
        return [(item, -negated) for negated, item in self._by_group.values()]

    def threshold(self) -> float:
        """Return the lowest score with which a new item can still enter."""
        self._cut()
        return self._threshold

    def _cut(self) -> None:
        best = sorted(self._by_group.items(), key=lambda pair: pair[1])[: self._limit]
        self._by_group = dict(best)
        if len(best) == self._limit:
            # Lower scores cannot enter any more, nor can the rest of a group that was dropped here.
            self._threshold = max(self._threshold, -best[-1][1][0])
