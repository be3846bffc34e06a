"""Reciprocal rank fusion of several rankings (Cormack, Clarke and Buettcher, 2009).

It needs ranks only, no comparable scores: a page scores 1 / (60 + rank) in every ranking that contains it.
"""

from collections.abc import Sequence

_K = 60


def fuse(*rankings: Sequence[int]) -> list[tuple[int, float]]:
    """Return (id, score) pairs, best first. The earlier ranking's order breaks ties, then the lowest id."""
    scores: dict[int, float] = {}
    first_ranks: dict[int, tuple[int, ...]] = {}
    for number, ranking in enumerate(rankings):
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (_K + rank)
            first_ranks.setdefault(item, (number, rank))
    return sorted(scores.items(), key=lambda pair: (-pair[1], first_ranks[pair[0]], pair[0]))


def first_of_each_group(ranking: Sequence[int], *, groups: dict[int, int]) -> list[int]:
    """Return the ranking with only the first item of each group."""
    first: dict[int, int] = {}
    for item in ranking:
        first.setdefault(groups[item], item)
    return list(first.values())
