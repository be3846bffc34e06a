"""Retrieval quality of a ranking, given relevance judgements."""

import math
from collections.abc import Mapping, Sequence


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], *, at: int) -> float:
    """Return the normalised discounted cumulative gain at rank `at`."""
    gained = _gain([relevant.get(one, 0) for one in ranking[:at]])
    best = _gain(sorted(relevant.values(), reverse=True)[:at])
    return gained / best if best else 0.0


def recall(ranking: Sequence[str], relevant: Mapping[str, int], *, at: int) -> float:
    """Return the share of relevant items among the first `at`."""
    relevant_items = {one for one, grade in relevant.items() if grade > 0}
    return len(relevant_items & set(ranking[:at])) / len(relevant_items) if relevant_items else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Return one divided by the rank of the first relevant item; 0 without one."""
    return next((1 / place for place, one in enumerate(ranking, start=1) if relevant.get(one, 0) > 0), 0.0)


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(place + 1) for place, grade in enumerate(grades, start=1))
