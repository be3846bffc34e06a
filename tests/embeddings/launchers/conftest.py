"""Tests of what runs at those who rent machines out; `make test-launchers` installs what they need."""

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
            # The packages warn of their own future.
            item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _MISSING:
        missing = " and ".join(_MISSING)
        terminalreporter.line(f"Left out: the launchers for {missing}. `make test-launchers` installs and runs them.")
