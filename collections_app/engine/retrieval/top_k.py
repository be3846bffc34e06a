"""The best of a stream that may be too long to keep: highest score first, and of equals the lowest id."""

import math
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

_Ranked: TypeAlias = tuple[float, int]
"""The score's negative and the id: what is less comes first."""

_SPARE = 1024  # kept beyond the best before it is sorted again


class Best:
    """The best `most` so far that reach `at_least`, as 32 bits tell them apart; of each group only its best."""

    def __init__(self, most: int, *, at_least: float = -math.inf) -> None:
        self._most = most
        self._bar = float(np.float32(at_least))
        self._of_groups: dict[int, _Ranked] = {}

    def add(self, scores: Iterable[float], *, ids: Iterable[int], groups: Iterable[int]) -> None:
        """Three of one length. Where every item stands for itself, the groups are the ids."""
        # They come a few at a time, for which arrays take longer.
        for score, item, group in zip(scores, ids, groups, strict=True):
            if score >= self._bar:
                new = (-score, item)
                self._of_groups[group] = min(new, self._of_groups.get(group, new))
        if len(self._of_groups) > self._most + _SPARE:
            self._sort()

    def ranked(self) -> list[tuple[int, float]]:
        """(id, score), best first."""
        self._sort()
        return [(item, -less) for less, item in self._of_groups.values()]

    def bar(self) -> float:
        """The least score with which something new gets among the best."""
        self._sort()
        return self._bar

    def _sort(self) -> None:
        kept = sorted(self._of_groups.items(), key=lambda pair: pair[1])[: self._most]
        self._of_groups = dict(kept)
        if len(kept) == self._most:
            # What scores less has no chance any more, nor has what is left of its group.
            self._bar = max(self._bar, -kept[-1][1][0])
