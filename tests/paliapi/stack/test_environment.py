"""The environment of each process of the stack."""

import pytest

from paliapi import env, parts
from paliapi.stack import environment

SECRETS = {setting.name: f"value of {setting.name}" for setting in env.settings() if setting.secret}
UNRELATED = {"GITHUB_TOKEN": "unrelated", "PGPASSWORD": "unrelated", "AWS_SECRET_ACCESS_KEY": "storage"}
VALUES = {"PATH": "/bin", "LC_ALL": "C", "LOG_LEVEL": "DEBUG", "COLPALI_DEVICE": "cpu", **SECRETS, **UNRELATED}
OF_PARTS = {
    "web": {
        "SECRET_KEY",
        "API_KEY_PEPPERS",
        "METRICS_TOKEN",
        "OIDC_CLIENT_SECRET",
        "DATABASE_SIGN_IN_URL",
        "DATABASE_URL",
        "REDIS_URL",
        "EMBEDDINGS_URL_TOKEN",
        "S3_SECRET_ACCESS_KEY",
    },
    "worker": {"DATABASE_URL", "REDIS_URL", "EMBEDDINGS_URL_TOKEN", "S3_SECRET_ACCESS_KEY", "FETCH_PROXY"},
    "courier": {"SECRET_KEY", "API_KEY_PEPPERS", "DATABASE_URL", "REDIS_URL"},
    "beat": {"REDIS_URL"},
    "admin": {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "S3_SECRET_ACCESS_KEY"},
}


def test_every_part_and_every_secret_is_considered() -> None:
    assert set(OF_PARTS) == set(parts.PARTS)
    assert [setting.name for setting in env.settings() if setting.secret and not setting.parts] == []


@pytest.mark.parametrize("part", parts.PARTS)
def test_part_gets_only_its_own_secrets(part: str) -> None:
    given = environment.of_part(VALUES, part)
    assert given.keys() & SECRETS.keys() == OF_PARTS[part]
    assert (given["PALIAPI_PART"], given["PATH"], given["LC_ALL"], given["LOG_LEVEL"]) == (part, "/bin", "C", "DEBUG")


@pytest.mark.parametrize("part", parts.PARTS)
def test_file_of_a_secret_is_withheld_like_the_secret(part: str) -> None:
    given = environment.of_part({f"{name}_FILE": "/run/secret" for name in SECRETS}, part)
    assert {name.removesuffix("_FILE") for name in given if name.endswith("_FILE")} == OF_PARTS[part]


@pytest.mark.parametrize(("part", "login"), [*parts.OWN_DATABASE_LOGIN.items(), ("web", "DATABASE_URL")])
def test_part_gets_its_own_database_login(part: str, login: str) -> None:
    if part:
        assert environment.of_part(VALUES, part)["DATABASE_URL"] == VALUES[login]
        files = {"DATABASE_URL": "web", f"{login}_FILE": "own"} if part != "web" else {"DATABASE_URL_FILE": "own"}
        given = environment.of_part(files, part)
        assert given["DATABASE_URL_FILE"] == "own"
        assert "DATABASE_URL" not in given
        assert environment.of_part({"DATABASE_URL": "only"}, part)["DATABASE_URL"] == "only"
    else:
        assert environment.of_part(VALUES, part)[login] == VALUES[login]


@pytest.mark.parametrize("part", ["", *parts.PARTS])
def test_variables_of_other_programs_are_not_passed_on(part: str) -> None:
    expected = {"AWS_SECRET_ACCESS_KEY"} if part in ("", "web", "worker", "admin") else set()
    assert environment.of_part(VALUES, part).keys() & UNRELATED.keys() == expected


def test_commands_that_administer_get_every_secret() -> None:
    assert SECRETS.keys() <= environment.of_part(VALUES, "").keys()


def test_embeddings_service_gets_no_setting_of_other_programs() -> None:
    assert environment.of_embeddings(VALUES) == {"PATH": "/bin", "LC_ALL": "C", "COLPALI_DEVICE": "cpu"}
