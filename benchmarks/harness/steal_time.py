"""Rounds of measuring in which a machine was left alone.

A virtual machine shares its processors with others. How much of their time its host has taken, the kernel tells
(`steal` in /proc/stat, on Linux). A round of which more than a fiftieth was taken is made again, for a minute at most;
of all rounds those count of which least was taken. Nothing else decides which ones, least of all what was measured.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

MOST_STOLEN = 0.02
_PATIENCE_S = 60.0
_PAUSE_S = 1.0
_STAT = Path("/proc/stat")
_STEAL = 7  # place in the line of all processors: user, nice, system, idle, iowait, irq, softirq, steal

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Round(Generic[Found]):
    """What was found, and which share of the processors' time was taken meanwhile."""

    found: Found
    stolen: float


class Stolen:
    """The share of the processors' time that the host takes from now on."""

    def __init__(self) -> None:
        self._before = _ticks()

    def share(self) -> float:
        passed = [now - before for now, before in zip(_ticks(), self._before, strict=True)]
        return passed[_STEAL] / sum(passed) if any(passed) else 0.0


def rounds(act: Callable[[], Found], *, wanted: int, patience_s: float = _PATIENCE_S) -> list[Round[Found]]:
    """So many rounds, in the order in which they were made."""
    made: list[Round[Found]] = []
    until = time.monotonic() + patience_s
    while len(made) < wanted or (_disturbed(made) > len(made) - wanted and time.monotonic() < until):
        if made and made[-1].stolen > MOST_STOLEN:
            time.sleep(_PAUSE_S)
        stolen = Stolen()
        made.append(Round(act(), stolen.share()))
    chosen = sorted(range(len(made)), key=lambda place: made[place].stolen)[:wanted]
    return [made[place] for place in sorted(chosen)]


def percent(made: list[Round[Found]]) -> float:
    """The largest share of any of these rounds, in hundredths."""
    return round(100 * max(one.stolen for one in made), 1)


def _disturbed(made: list[Round[Found]]) -> int:
    return sum(one.stolen > MOST_STOLEN for one in made)


def _ticks() -> list[int]:
    if not _STAT.is_file():
        return [0] * (_STEAL + 1)
    return [int(word) for word in _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1 : _STEAL + 2]]
