"""Tests of the launchers for rented platforms; `make test-launchers` installs their dependencies."""

from importlib.util import find_spec
from pathlib import Path

import pytest

_MISSING = [name for name in ("runpod", "modal") if find_spec(name) is None]
collect_ignore = [
    f"test_{name}{rest}.py" for name, rest in (("runpod", "_handler"), ("modal", "_app")) if name in _MISSING
]
_HERE = Path(__file__).parent
_NEED_PACKAGES = ("test_runpod_handler.py", "test_modal_app.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE and item.path.name in _NEED_PACKAGES:
            item.add_marker(pytest.mark.launchers)
            # The packages emit deprecation warnings about themselves.
            item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _MISSING:
        missing = " and ".join(_MISSING)
        terminalreporter.line(f"Skipped: the tests of the launchers for {missing}. `make test-launchers` runs them.")
