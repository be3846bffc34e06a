import os
import subprocess
import sys

import pytest

from collections_app.engine.process_name import is_gone, name_of


def test_this_process_and_its_parent_are_running() -> None:
    assert not is_gone(name_of(os.getpid()))
    assert not is_gone(name_of(os.getppid()))


def test_an_ended_process_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert is_gone(name_of(ended.pid))


@pytest.mark.parametrize("name", ["", "elsewhere:1", f"{name_of(1)}x", name_of(-1), name_of(10**30), "::"])
def test_processes_elsewhere_and_invalid_names_are_not_gone(name: str) -> None:
    assert not is_gone(name)
