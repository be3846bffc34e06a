"""Whether the machine was quiet and as fast as usual while something was measured."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

MAX_BUSY: Final = 0.1
_SIDE, _TIMES = 1024, 9
_STAT = Path("/proc/stat")
_IDLE, _IOWAIT, _STEAL = 3, 4, 7


@dataclass(slots=True)
class Noise:
    """What disturbed a measurement, in seconds of CPU time; complete after the block."""

    stolen_s: float = 0.0
    busy_s: float = 0.0
    all_s: float = 0.0

    @property
    def stolen_percent(self) -> float:
        return round(100 * self.stolen_s / self.all_s, 1) if self.all_s else 0.0

    def others_percent(self, ours_s: float) -> float:
        """Return the share of the processors that other programs used, if ours used so many seconds."""
        return round(100 * max(self.busy_s - ours_s, 0) / self.all_s, 1) if self.all_s else 0.0


@contextmanager
def noise() -> Iterator[Noise]:
    """Count the time that the host stole, and the time that all programs used."""
    before, result = _seconds(), Noise()
    try:
        yield result
    finally:
        passed = [now - then for now, then in zip(_seconds(), before, strict=True)]
        result.all_s, result.stolen_s = sum(passed), passed[_STEAL]
        result.busy_s = result.all_s - passed[_IDLE] - passed[_IOWAIT] - passed[_STEAL]


def wait_until_quiet(*, within_s: float = 120.0, for_s: float = 3.0) -> bool:
    """Wait until the processors are almost idle, and return whether they are."""
    until = time.monotonic() + within_s
    while True:
        with noise() as around:
            time.sleep(for_s)
        if around.busy_s + around.stolen_s <= MAX_BUSY * around.all_s:
            return True
        if time.monotonic() > until:
            return False


def gigaflops() -> float:
    """Return the speed of one core, in billions of float32 operations per second: a product of two matrices."""
    one = np.random.default_rng(1).standard_normal((_SIDE, _SIDE), dtype=np.float32)
    times = []
    with threadpool_limits(limits=1, user_api="blas"):
        for _ in range(_TIMES):
            began = time.perf_counter()
            one @ one
            times.append(time.perf_counter() - began)
    return round(2 * _SIDE**3 / min(times) / 1e9, 1)


def _seconds() -> list[float]:
    """Return the seconds of all processors: user, nice, system, idle, iowait, irq, softirq, steal."""
    if not _STAT.is_file():
        return [0.0] * (_STEAL + 1)
    words = _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()
    return [int(word) / os.sysconf("SC_CLK_TCK") for word in words[1 : _STEAL + 2]]
