"""Processors with something to do, that gives way to everything else."""

import os
from pathlib import Path

import pytest

from benchmarks.awake import awake
from paliapi.stack import processes


def idlers() -> set[int]:
    """The processors for which a child of this process runs that gives way."""
    found = set()
    for word in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        if os.sched_getscheduler(int(word)) == os.SCHED_IDLE:
            found |= os.sched_getaffinity(int(word))
    return found


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="only Linux has work that gives way")
def test_every_processor_is_kept_awake_until_the_end() -> None:
    with awake():
        assert processes.wait_until(lambda: idlers() == os.sched_getaffinity(0), within_s=20)
    assert not idlers()
