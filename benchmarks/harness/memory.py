"""The memory of programs and their child processes, sampled once per second."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

_EVERY_S = 1.0


class Memory:
    """Samples memory while the block runs."""

    def __init__(self, programs: Mapping[str, int]) -> None:
        self._programs = programs
        self._seen: dict[str, list[int]] = {name: [] for name in programs}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def forget(self) -> None:
        """Discard the samples so far."""
        for seen in self._seen.values():
            seen.clear()

    def megabytes(self) -> dict[str, float]:
        """Return the peak of each program."""
        return {name: round(max(seen, default=0) / 2**20, 1) for name, seen in self._seen.items()}

    def growth(self) -> dict[str, float]:
        """Return the last quarter relative to the second; the first includes one-time loading."""
        growth = {}
        for name, seen in self._seen.items():
            quarter = max(len(seen) // 4, 1)
            growth[name] = round(float(np.median(seen[-quarter:]) / np.median(seen[quarter : 2 * quarter] or seen)), 3)
        return growth

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_S):
            for name, pid in self._programs.items():
                self._seen[name].append(sum(resident(one) for one in family(pid)))


def family(leader: int) -> list[int]:
    """Return the process and all its descendants."""
    members = [leader]
    for pid in members:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                members += map(int, (task / "children").read_text(encoding="ascii").split())
    return members


def resident(pid: int) -> int:
    """Return the proportional set size in bytes: shared memory is divided among its processes."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0
