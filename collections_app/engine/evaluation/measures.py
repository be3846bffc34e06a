"""nDCG, recall and MRR from the ranks of what was judged relevant, and how certain their means are."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

# The rank of each relevant item, starting at 1; None: it was not among the best `DEPTH`.
Ranks: TypeAlias = Sequence[int | None]

DEPTH = 100
NAMES = ("ndcg5", "ndcg10", "recall1", "recall5", "recall10", "recall100", "mrr")
_NDCG_AT, _RECALL_AT = (5, 10), (1, 5, 10, DEPTH)
_RESAMPLES, _SEED = 2000, 5
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over the questions, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def of_question(ranks: Ranks, grades: Sequence[int]) -> dict[str, float]:
    """Return the measures of one question. `grades` are those of the ranked items, all above zero."""
    placed = [(rank, grade) for rank, grade in zip(ranks, grades, strict=True) if rank is not None]
    values = {f"ndcg{at}": _ndcg(placed, grades, at=at) for at in _NDCG_AT}
    values |= {f"recall{at}": sum(rank <= at for rank, _ in placed) / len(grades) for at in _RECALL_AT}
    values["mrr"] = max((1 / rank for rank, _ in placed), default=0.0)
    return values


def means(questions: Sequence[Mapping[str, float]]) -> dict[str, Mean]:
    """Return the mean of each measure over the questions."""
    return _with_intervals(_table(questions)) if questions else {}


def differences(first: Sequence[Mapping[str, float]], second: Sequence[Mapping[str, float]]) -> dict[str, Mean]:
    """Return the mean difference, second minus first, of each measure over the same questions."""
    return _with_intervals(_table(second) - _table(first)) if first else {}


def percentile(values: Sequence[float], percent: int) -> float:
    return float(np.percentile(values, percent))


def _ndcg(placed: Sequence[tuple[int, int]], grades: Sequence[int], *, at: int) -> float:
    """Return the normalised discounted cumulative gain at a rank, where a grade gains `2 ** grade - 1`."""
    best = sum(_gain(rank, grade) for rank, grade in enumerate(sorted(grades, reverse=True)[:at], start=1))
    return sum(_gain(rank, grade) for rank, grade in placed if rank <= at) / best


def _gain(rank: int, grade: int) -> float:
    return (2.0**grade - 1) / math.log2(rank + 1)


def _table(questions: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    return np.array([[values[name] for name in NAMES] for values in questions])


def _with_intervals(table: NDArray[np.float64]) -> dict[str, Mean]:
    """Return the mean of each column, and the percentiles of the means of questions drawn with replacement."""
    count = len(table)
    times_drawn = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    low, high = np.percentile(times_drawn @ table / count, _PERCENTILES, axis=0)
    mean = table.mean(axis=0)
    return {
        name: Mean(*(round(float(row[column]), 6) for row in (mean, low, high))) for column, name in enumerate(NAMES)
    }
