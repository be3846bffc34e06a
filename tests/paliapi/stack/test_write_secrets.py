"""The secrets of a containerised stack."""

from pathlib import Path

import pytest

from paliapi import env
from paliapi.stack.write_secrets import write

SHARED = ("SECRET_KEY", "API_KEY_PEPPERS", "DATABASE_ADMIN_URL", "DATABASE_URL", "REDIS_URL")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    administration, shared = tmp_path / "administration", tmp_path / "secrets"
    administration.mkdir()
    shared.mkdir()
    write(administration, shared)
    return administration, shared


def test_files_satisfy_production(folders: tuple[Path, Path]) -> None:
    administration, shared = folders
    values = {f"{name}_FILE": str(shared / name.lower()) for name in SHARED}
    values |= {"DATABASE_SETUP_URL_FILE": str(administration / "database_setup_url")}
    values |= {"PALIAPI_MODE": "production", "ALLOWED_HOSTS": "example.com", "EMBEDDINGS_URL": "http://embeddings:8000"}
    configuration = env.read(values)
    assert "@db:5432/paliapi" in configuration.database_url
    assert (administration / "postgres_password").read_text() in configuration.database_setup_url
    assert (shared / "redis_password").read_text() in configuration.redis_url


def test_shared_files_do_not_contain_the_administrator(folders: tuple[Path, Path]) -> None:
    administration, shared = folders
    secret = (administration / "postgres_password").read_text()
    assert not any(secret in file.read_text() for file in shared.iterdir())


def test_files_are_unchanged_and_private(folders: tuple[Path, Path]) -> None:
    files = [file for folder in folders for file in folder.iterdir()]
    first = {file: file.read_text() for file in files}
    write(*folders)
    assert {file: file.read_text() for file in files} == first
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
