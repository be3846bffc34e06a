"""Places where tests inject a fault."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

import pytest
from pytest_django import Settings

from collections_app import failpoints
from collections_app.failpoints import Fault

_REACH = """
from types import SimpleNamespace
from django.conf import settings
settings.configure(ENV=SimpleNamespace(failpoint="pages_stored=kill"))
from collections_app import failpoints
failpoints.reach("pages_stored")
"""


def use(settings: Settings, failpoint: str) -> None:
    settings.ENV = replace(settings.ENV, failpoint=failpoint)


@pytest.mark.parametrize("failpoint", ["", "images_put=raise", "pages_stored:2=raise", "/no/such/file"])
def test_other_places_and_counts_cause_no_fault(settings: Settings, failpoint: str) -> None:
    use(settings, failpoint)
    failpoints.reach("pages_stored")


def test_fault_is_caused_once_at_the_given_count(settings: Settings) -> None:
    use(settings, "pages_stored:2=raise")
    failpoints.reach("pages_stored")
    with pytest.raises(Fault):
        failpoints.reach("pages_stored")
    failpoints.reach("pages_stored")
    failpoints.reset()
    failpoints.reach("pages_stored")
    with pytest.raises(Fault):
        failpoints.reach("pages_stored")


def test_fault_is_no_exception_that_error_handling_catches() -> None:
    assert not issubclass(Fault, Exception)


def test_fault_in_a_file_can_be_changed_and_repeated(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "failpoint"
    use(settings, str(file))
    for line in ("pages_stored=raise # first", "pages_stored=raise # second"):
        file.write_text(line, encoding="utf-8")
        with pytest.raises(Fault):
            failpoints.reach("pages_stored")
        failpoints.reach("pages_stored")


def test_fault_can_kill_the_process() -> None:
    process = subprocess.run([sys.executable, "-c", _REACH], check=False)
    assert process.returncode == -SIGKILL
