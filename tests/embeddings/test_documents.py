"""The documents and manifests agree with the service."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

import embeddings.backends
from embeddings.config import MIB, Settings, described_variables

_FOLDER = Path(embeddings.backends.__file__).parents[1]
_README = (_FOLDER / "README.md").read_text(encoding="utf-8")
_DOCUMENTS = [
    file
    for file in _FOLDER.rglob("*")
    if file.suffix in (".md", ".yaml", ".service", ".json") or file.name == "Dockerfile"
]


def format_default(name: str, default: Any) -> str:
    """Return a default as the table shows it."""
    if name.endswith("_MB"):
        return str(default // MIB)
    if name.endswith("_MEGAPIXELS"):
        return str(default // 1_000_000)
    return str(default).lower() if isinstance(default, bool) else f"{default or ''}" * (default != ())


def table_rows() -> list[str]:
    """Return the rows of the table of variables."""
    defaults = [item.default for item in fields(Settings)]
    return [
        f"| `{name}` | {format_default(name, default)} | {about} |"
        for (name, about), default in zip(described_variables(), defaults, strict=True)
    ]


def test_readme_lists_every_variable_with_its_default_and_description() -> None:
    missing = [row for row in table_rows() if row not in _README]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("file", _DOCUMENTS, ids=lambda file: file.name)
def test_documents_name_only_variables_that_exist(file: Path) -> None:
    known = {name for name, _ in described_variables()} | {"COLPALI_API_KEY_FILE"}
    assert set(re.findall(r"\bCOLPALI_[A-Z_]*[A-Z]", file.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize(
    "file", [file for file in _DOCUMENTS if file.suffix == ".yaml"], ids=lambda file: file.parent.name
)
def test_manifests_are_valid_yaml_with_kinds_and_patches(file: Path) -> None:
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    assert all(document.get("kind") or document.get("resources") for document in documents)
    for patch in (patch for document in documents for patch in document.get("patches", ())):
        assert all(operation["op"] == "add" for operation in yaml.safe_load(patch["patch"]))
