"""What the service imports in one place only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import embeddings.backends

_FOLDER = Path(embeddings.backends.__file__).parents[1]
_MODULES = sorted(_FOLDER.rglob("*.py"))
_HOMES = {
    "torch": {"backends/torch_runtime.py"},
    "colpali_engine": {"backends/colpali.py"},
    "sentence_transformers": {"backends/native.py"},
    "transformers": {"backends/checkpoints.py"},
    "runpod": {"launchers/runpod_handler.py"},
    "modal": {"launchers/modal_app.py"},
}


def imported(file: Path) -> Iterator[str]:
    """The packages that a file imports, by their first name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", list(_HOMES))
def test_what_not_everybody_installs_is_imported_in_one_place(package: str) -> None:
    found = {file.relative_to(_FOLDER).as_posix() for file in _MODULES if package in imported(file)}
    assert found == _HOMES[package]
