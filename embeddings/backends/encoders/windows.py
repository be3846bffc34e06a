"""Divides a text that is longer than a model's window into windows that overlap."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

OVERLAP: Final = 64


@dataclass(frozen=True, slots=True)
class Window:
    """The model sees the pieces from `start` to `stop`; the vectors from `first` to `last` are used."""

    start: int
    stop: int
    first: int
    last: int


def full(count: int, *, size: int) -> list[Window]:
    """Return windows over `count` pieces that are all of this size, unless one is enough."""
    if count <= size:
        return _windows(count, [0], count)
    return _windows(count, [*range(0, count - size, size - OVERLAP), count - size], size)


def balanced(count: int, *, size: int) -> list[Window]:
    """Return as few windows over `count` pieces as this size allows, no longer than their number requires."""
    number = max(-(-(count - OVERLAP) // (size - OVERLAP)), 1)
    length = -(-(count + (number - 1) * OVERLAP) // number)
    return _windows(count, [place * (count - length) // max(number - 1, 1) for place in range(number)], length)


def _windows(count: int, starts: Sequence[int], size: int) -> list[Window]:
    """Return the windows that start there. Where two overlap, each piece belongs to the one with more context."""
    if not count:
        return []
    # The overlap of two windows is divided in the middle.
    edges = [0, *((later + earlier + size) // 2 for earlier, later in itertools.pairwise(starts)), count]
    return [Window(start, start + size, *edges[number : number + 2]) for number, start in enumerate(starts)]
