import os
import subprocess
import sys

import pytest

from collections_app.engine.process_name import is_gone, name_of


def test_this_process_and_its_parent_are_here() -> None:
    assert not is_gone(name_of(os.getpid()))
    assert not is_gone(name_of(os.getppid()))


def test_a_process_that_ended_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert is_gone(name_of(ended.pid))


@pytest.mark.parametrize("name", ["", "elsewhere:1", f"{name_of(1)}x", name_of(-1), name_of(10**30), "::"])
def test_of_what_is_elsewhere_or_is_no_name_nothing_is_known(name: str) -> None:
    assert not is_gone(name)
