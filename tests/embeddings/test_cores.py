"""The cores that a process may use."""

import os
from pathlib import Path

import pytest

from embeddings import cores


@pytest.fixture
def two_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four processors, of which each two are one core."""
    for cpu in range(4):
        (tmp_path / f"{cpu}").write_text(f"{cpu % 2},{cpu % 2 + 2}\n")
    monkeypatch.setattr(cores, "_TOPOLOGY", f"{tmp_path}/{{}}")
    monkeypatch.setattr(cores, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    return tmp_path


def test_threads_of_one_core_count_once(two_cores: Path) -> None:
    assert two_cores.exists()
    assert cores.count() == 2


@pytest.mark.parametrize(("quota", "count"), [("max 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("?", 2)])
def test_limit_of_a_container_applies(two_cores: Path, quota: str, count: int) -> None:
    (two_cores / "cpu.max").write_text(quota)
    assert cores.count() == count


def test_processors_that_the_kernel_does_not_describe_are_cores(two_cores: Path) -> None:
    for cpu in range(4):
        (two_cores / f"{cpu}").unlink()
    assert cores.count() == 4


def test_process_limited_to_one_processor_has_one_core(two_cores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert two_cores.exists()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert cores.count() == 1


def test_real_machine_has_a_core() -> None:
    assert 1 <= cores.count() <= (os.cpu_count() or 1)
