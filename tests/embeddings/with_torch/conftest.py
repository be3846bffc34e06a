"""Tests with real models of tiny size. They need the dependency group `gpu`; `make test-models` installs it."""

from importlib.util import find_spec
from pathlib import Path

import pytest

WITH_TORCH = find_spec("torch") is not None and find_spec("colpali_engine") is not None
if WITH_TORCH:
    from tests.embeddings.with_torch import operators

    operators.declare()

# These import torch, which a machine without the group does not have.
collect_ignore_glob = [] if WITH_TORCH else ["test_*.py"]
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.torch)
            # The libraries warn of their own future.
            item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not WITH_TORCH:
        terminalreporter.line("Left out: the tests of the torch backends. `make test-models` installs and runs them.")
