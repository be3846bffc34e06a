"""A home for the stack of one test."""

from pathlib import Path

import pytest

from paliapi.stack.home import Home, open_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")
