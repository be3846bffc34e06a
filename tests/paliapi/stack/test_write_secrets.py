"""The secrets of a containerised stack."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from paliapi import env, parts
from paliapi.stack.write_secrets import write

OF_CONTAINERS = {
    "administration": {
        "secrets.env",
        "secret_key",
        "api_key_peppers",
        "database_setup_url",
        "database_admin_url",
        "database_url",
        "database_worker_url",
        "database_staff_url",
        "database_sign_in_url",
        "redis_url",
        "embeddings_url_token",
    },
    "db": {"postgres_password"},
    "redis": {"redis_url", "redis_users.acl"},
    "embeddings": {"embeddings_token"},
    "web": {
        "secret_key",
        "api_key_peppers",
        "database_url",
        "database_sign_in_url",
        "redis_url",
        "embeddings_url_token",
    },
    "worker": {"database_url", "redis_url", "embeddings_url_token"},
    "courier": {"secret_key", "api_key_peppers", "database_url", "redis_url", "stack.env"},
    "beat": {"redis_url", "stack.env"},
    "admin": {"secret_key", "database_url", "redis_url"},
}
CHOSEN = {"WEBHOOK_PORTS": "8443", "METRICS_TOKEN": "metrics", "EMBEDDINGS_URL": "http://gpu", "LOG_LEVEL": "DEBUG"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in OF_CONTAINERS:
        (tmp_path / name).mkdir()
    write(tmp_path, chosen=CHOSEN)
    return tmp_path


def test_each_container_gets_only_its_own_secrets(folder: Path) -> None:
    assert {name: {file.name for file in (folder / name).iterdir()} for name in OF_CONTAINERS} == OF_CONTAINERS


@pytest.mark.parametrize("name", ["database_admin_url", "database_setup_url"])
def test_logins_that_can_change_tables_are_for_administration_only(folder: Path, name: str) -> None:
    login = (folder / "administration" / name).read_text()
    password = login.partition("@")[0].rpartition(":")[2]
    holders = {file.parent.name for file in folder.rglob("*") if file.is_file() and password in file.read_text()}
    # The database's container sets the password of its superuser.
    assert holders == ({"administration", "db"} if name == "database_setup_url" else {"administration"})


@pytest.mark.parametrize("part", ["", *parts.PARTS])
def test_files_satisfy_production(folder: Path, part: str) -> None:
    files = (folder / (part or "administration")).iterdir()
    values = {f"{file.name.upper()}_FILE": str(file) for file in files if file.suffix != ".env"}
    values |= {"PALIAPI_MODE": "production", "ALLOWED_HOSTS": "example.com", "EMBEDDINGS_URL": "http://embeddings:8000"}
    configuration = env.read({**values, "PALIAPI_PART": part})
    assert (folder / "redis" / "redis_url").read_text() == configuration.redis_url
    assert ("@db:5432/paliapi" in configuration.database_url) == (part != parts.BEAT)


@pytest.mark.parametrize(
    ("part", "login"),
    [
        ("web", "paliapi_app"),
        ("worker", "paliapi_worker"),
        ("courier", "paliapi_worker"),
        ("admin", "paliapi_staff_login"),
    ],
)
def test_each_part_gets_its_own_database_login(folder: Path, part: str, login: str) -> None:
    assert (folder / part / "database_url").read_text().startswith(f"postgresql://{login}:")


def test_settings_without_secrets_are_passed_on(folder: Path) -> None:
    courier, beat = ((folder / part / "stack.env").read_text().splitlines()[1:] for part in ("courier", "beat"))
    assert set(courier) == {"WEBHOOK_PORTS=8443", "LOG_LEVEL=DEBUG"}
    assert "LOG_LEVEL=DEBUG" in beat


def test_rules_of_redis_do_not_contain_its_password(folder: Path) -> None:
    login = urlsplit((folder / "redis" / "redis_url").read_text())
    rules = (folder / "redis" / "redis_users.acl").read_text()
    assert f"user {login.username} on #" in rules
    assert login.password
    assert login.password not in rules


def test_files_are_unchanged_and_private(folder: Path) -> None:
    files = [file for file in folder.rglob("*") if file.is_file()]
    first = {file: file.read_text() for file in files}
    write(folder, chosen=CHOSEN)
    assert {file: file.read_text() for file in files} == first
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_files_of_an_earlier_version_are_deleted(folder: Path) -> None:
    (folder / "redis" / "database_admin_url").write_text("postgresql://paliapi:secret@db/paliapi")
    write(folder)
    assert {file.name for file in (folder / "redis").iterdir()} == OF_CONTAINERS["redis"]
