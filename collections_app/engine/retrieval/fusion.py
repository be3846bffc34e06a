"""Several rankings made one: reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009).

It needs no scores that can be compared, only places: a page counts 1 / (60 + its place) in every ranking that has it.
"""

from collections.abc import Sequence

_K = 60


def fused(*rankings: Sequence[int]) -> list[tuple[int, float]]:
    """(id, score), best first. Of equals the one that an earlier ranking puts first, or the lowest id."""
    scores: dict[int, float] = {}
    places: dict[int, tuple[int, ...]] = {}
    for number, ranking in enumerate(rankings):
        for place, one in enumerate(ranking, start=1):
            scores[one] = scores.get(one, 0.0) + 1 / (_K + place)
            places.setdefault(one, (number, place))
    return sorted(scores.items(), key=lambda item: (-item[1], places[item[0]], item[0]))


def firsts(ranked: Sequence[int], *, groups: dict[int, int]) -> list[int]:
    """Of each group only what comes first, in the same order."""
    seen: dict[int, int] = {}
    for one in ranked:
        seen.setdefault(groups[one], one)
    return list(seen.values())
