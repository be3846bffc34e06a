"""Rounds are selected by steal time and nothing else."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness import steal_time
from benchmarks.harness.steal_time import Stolen, percent, rounds


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Host":
    return Host(tmp_path / "stat", monkeypatch)


class Host:
    """A kernel with given counters."""

    def __init__(self, stat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stat, self._user, self._steal = stat, 0, 0
        monkeypatch.setattr(steal_time, "_STAT", stat)
        monkeypatch.setattr(steal_time, "_PAUSE_S", 0.0)
        self.passes(user=0, steal=0)

    def passes(self, *, user: int, steal: int) -> None:
        self._user, self._steal = self._user + user, self._steal + steal
        self._stat.write_text(f"cpu  {self._user} 0 0 0 0 0 0 {self._steal} 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")

    def takes(self, *shares: int) -> Iterator[int]:
        """Return the given numbers, stealing that percentage of the time before each."""
        for number, share in enumerate(shares):
            self.passes(user=100 - share, steal=share)
            yield number


def test_disturbed_rounds_are_repeated(host: Host) -> None:
    passing = host.takes(0, 30, 1, 50, 2, 0)
    found = rounds(lambda: next(passing), count=3)
    assert [one.value for one in found] == [0, 2, 4]
    assert percent(found) == 2.0


def test_least_disturbed_rounds_count_on_a_busy_host(host: Host) -> None:
    passing = host.takes(40, 30, 20, 50)

    def act() -> int:
        found = next(passing)
        if found == 3:
            time.sleep(0.3)
        return found

    assert [one.value for one in rounds(act, count=2, patience_s=0.2)] == [1, 2]


def test_every_round_counts_without_steal_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steal_time, "_STAT", tmp_path / "nothing")
    passing = iter(range(10))
    assert [one.value for one in rounds(lambda: next(passing), count=3)] == [0, 1, 2]
    assert Stolen().share() == 0.0


def test_counters_of_this_kernel_are_read() -> None:
    stolen = Stolen()
    time.sleep(0.1)
    assert 0 <= stolen.share() <= 1
