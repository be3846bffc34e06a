"""Rules about the code that no other tool checks."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from paliapi.env import ROOT

PACKAGES = ("paliapi", "accounts", "collections_app", "embeddings", "benchmarks", "drills")
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
DRAWERS = {"utils", "util", "common", "core", "misc", "shared", "services"}
MOST_MODULES_OF_A_FOLDER = 22
# Packages whose `__init__.py` re-exports what others may use.
FACES = {"collections_app/search", "embeddings/client"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (file for file in (ROOT / package).rglob("*.py") if "migrations" not in file.parts)


def test_init_modules_are_empty_unless_they_are_faces() -> None:
    for file in sources():
        if file.name == "__init__.py" and file.relative_to(ROOT).parent.as_posix() not in FACES:
            body = ast.parse(file.read_text()).body
            assert not body or (len(body) == 1 and ast.get_docstring(ast.parse(file.read_text()))), file


def test_module_names_are_specific() -> None:
    for file in sources():
        assert not DRAWERS & {file.stem, *file.relative_to(ROOT).parent.parts}, file


def test_folders_are_small() -> None:
    for folder in {file.parent for file in sources()}:
        modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES_OF_A_FOLDER, folder
    assert len([file for file in (ROOT / "collections_app").glob("*.py") if file.name != "__init__.py"]) <= 12


def test_files_and_functions_are_short() -> None:
    for file in sources():
        text = file.read_text()
        assert text.count("\n") <= MOST_LINES_OF_A_FILE, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= MOST_LINES_OF_A_FUNCTION, f"{file}: {node.name} has {length} lines"


def test_every_module_has_a_docstring() -> None:
    for file in sources():
        text = file.read_text()
        assert not text.strip() or file.name == "apps.py" or ast.get_docstring(ast.parse(text)), file


def test_faces_export_everything_they_import_and_nothing_else() -> None:
    for face in sorted(FACES):
        module = importlib.import_module(face.replace("/", "."))
        tree = ast.parse((ROOT / face / "__init__.py").read_text())
        imported = {
            alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert module.__doc__, face
        assert sorted(imported) == sorted(module.__all__), face
        assert all(hasattr(module, name) for name in module.__all__), face
