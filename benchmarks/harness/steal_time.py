"""Select measurement rounds by steal time.

A virtual machine shares its processors with others; the kernel reports how much time the host took (`steal` in
/proc/stat, on Linux). A round in which the host took more than 2 % is repeated, for up to a minute; the rounds with the
least steal time count. Nothing else decides which rounds count, least of all the measured values.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

MAX_STOLEN = 0.02
_PATIENCE_S = 60.0
_PAUSE_S = 1.0
_STAT = Path("/proc/stat")
_STEAL = 7  # index in the line of all processors: user, nice, system, idle, iowait, irq, softirq, steal

Measured = TypeVar("Measured")


@dataclass(frozen=True, slots=True)
class Round(Generic[Measured]):
    """A measurement, and the share of processor time stolen meanwhile."""

    value: Measured
    stolen: float


class Stolen:
    """Measures the share of processor time that the host takes, from now on."""

    def __init__(self) -> None:
        self._before = _ticks()

    def share(self) -> float:
        passed = [now - before for now, before in zip(_ticks(), self._before, strict=True)]
        return passed[_STEAL] / sum(passed) if any(passed) else 0.0


def rounds(act: Callable[[], Measured], *, count: int, patience_s: float = _PATIENCE_S) -> list[Round[Measured]]:
    """Measure the given number of rounds, in order, repeating disturbed ones."""
    done: list[Round[Measured]] = []
    until = time.monotonic() + patience_s
    while len(done) < count or (_disturbed(done) > len(done) - count and time.monotonic() < until):
        if done and done[-1].stolen > MAX_STOLEN:
            time.sleep(_PAUSE_S)
        stolen = Stolen()
        done.append(Round(act(), stolen.share()))
    chosen = sorted(range(len(done)), key=lambda place: done[place].stolen)[:count]
    return [done[place] for place in sorted(chosen)]


def percent(done: list[Round[Measured]]) -> float:
    """Return the largest steal share of these rounds, in percent."""
    return round(100 * max(one.stolen for one in done), 1)


def _disturbed(done: list[Round[Measured]]) -> int:
    return sum(one.stolen > MAX_STOLEN for one in done)


def _ticks() -> list[int]:
    if not _STAT.is_file():
        return [0] * (_STEAL + 1)
    return [int(word) for word in _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1 : _STEAL + 2]]
