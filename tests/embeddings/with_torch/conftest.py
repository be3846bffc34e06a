"""Tests with tiny models of real architectures. They need the dependency group `gpu`; see `make test-models`."""

from importlib.util import find_spec
from pathlib import Path

import pytest

WITH_TORCH = find_spec("torch") is not None and find_spec("colpali_engine") is not None
if WITH_TORCH:
    from tests.embeddings.with_torch import operators

    operators.declare()

# These import torch, which may not be installed.
collect_ignore_glob = [] if WITH_TORCH else ["test_*.py"]
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.torch)
            # The libraries emit deprecation warnings about themselves.
            item.add_marker(pytest.mark.filterwarnings("default"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not WITH_TORCH:
        terminalreporter.line("Skipped: the tests of the torch backends. `make test-models` installs and runs them.")
