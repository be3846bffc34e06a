"""What is written about the service agrees with the service."""

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
_WRITTEN = [
    file
    for file in _FOLDER.rglob("*")
    if file.suffix in (".md", ".yaml", ".service", ".json") or file.name == "Dockerfile"
]


def shown(name: str, default: Any) -> str:
    """A default as a reader of the table wants it."""
    if name.endswith("_MB"):
        return str(default // MIB)
    if name.endswith("_MEGAPIXELS"):
        return str(default // 1_000_000)
    return str(default).lower() if isinstance(default, bool) else f"{default or ''}" * (default != ())


def rows() -> list[str]:
    """The table of variables, line by line."""
    defaults = [item.default for item in fields(Settings)]
    return [
        f"| `{name}` | {shown(name, one)} | {about} |"
        for (name, about), one in zip(described_variables(), defaults, strict=True)
    ]


def test_the_readme_has_every_variable_with_its_default_and_meaning() -> None:
    missing = [row for row in rows() if row not in _README]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("file", _WRITTEN, ids=lambda file: file.name)
def test_no_variable_is_written_of_that_does_not_exist(file: Path) -> None:
    known = {name for name, _ in described_variables()} | {"COLPALI_API_KEY_FILE"}
    assert set(re.findall(r"\bCOLPALI_[A-Z_]*[A-Z]", file.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize(
    "file", [file for file in _WRITTEN if file.suffix == ".yaml"], ids=lambda file: file.parent.name
)
def test_manifests_are_yaml_and_name_their_kinds(file: Path) -> None:
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    assert all(one.get("kind") or one.get("resources") for one in documents)
    for patch in (patch for one in documents for patch in one.get("patches", ())):
        assert all(operation["op"] == "add" for operation in yaml.safe_load(patch["patch"]))
