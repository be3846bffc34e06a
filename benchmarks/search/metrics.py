"""How good a ranking is, by what is known to be relevant."""

import math
from collections.abc import Mapping, Sequence


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], *, at: int) -> float:
    """Normalised discounted cumulative gain of the first `at`."""
    gained = _gain([relevant.get(one, 0) for one in ranking[:at]])
    best = _gain(sorted(relevant.values(), reverse=True)[:at])
    return gained / best if best else 0.0


def recall(ranking: Sequence[str], relevant: Mapping[str, int], *, at: int) -> float:
    """Which part of what is relevant is among the first `at`."""
    wanted = {one for one, grade in relevant.items() if grade > 0}
    return len(wanted & set(ranking[:at])) / len(wanted) if wanted else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    """One divided by the place of the first that is relevant; 0 where none is."""
    return next((1 / place for place, one in enumerate(ranking, start=1) if relevant.get(one, 0) > 0), 0.0)


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(place + 1) for place, grade in enumerate(grades, start=1))
