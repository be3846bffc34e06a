"""Optional dependencies are imported only where they are needed."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import embeddings.backends

_FOLDER = Path(embeddings.backends.__file__).parents[1]
_MODULES = sorted(_FOLDER.rglob("*.py"))
_IMPORTERS = {
    "torch": {"backends/torch_runtime.py"},
    "colpali_engine": {"backends/colpali.py"},
    "sentence_transformers": {"backends/native.py"},
    "transformers": {"backends/checkpoints.py", "backends/cross_encoder.py"},
    "runpod": {"launchers/runpod_handler.py"},
    "modal": {"launchers/modal_app.py"},
}


def imported_packages(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("package", list(_IMPORTERS))
def test_optional_package_is_imported_by_these_modules_only(package: str) -> None:
    importers = {file.relative_to(_FOLDER).as_posix() for file in _MODULES if package in imported_packages(file)}
    assert importers == _IMPORTERS[package]
