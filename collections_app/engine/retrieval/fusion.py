"""Fusion of late interaction and full-text search, by score.

A page gains a little from the words that it shares with the query, so that they decide between pages that the model
considers alike. Pages that contain an identifier of the query come first, because to the model it is one of many.

`benchmarks.quality.fit` chose the weight, the power, and how many pages may come first.
"""

from collections.abc import Sequence
from typing import Final

WEIGHT: Final = 0.1
POWER: Final = 4
# Of a name that more pages contain, such as that of a product, these pages need not be about what is asked.
MAX_PAGES_PER_IDENTIFIER: Final = 10
# More than normalised score and words can differ by.
FIRST: Final = 2.2


def fused_score(normalized_score: float, *, words: float, has_identifier: bool) -> float:
    """Return the score of a page that has this share, from 0 to 1, of the query's words by weight."""
    return normalized_score + WEIGHT * words**POWER + (FIRST if has_identifier else 0)


def first_of_each_group(ranking: Sequence[int], *, groups: dict[int, int]) -> list[int]:
    """Return the ranking with only the first item of each group."""
    first: dict[int, int] = {}
    for item in ranking:
        first.setdefault(groups[item], item)
    return list(first.values())
