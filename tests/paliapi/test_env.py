"""Reading the environment into one typed Env."""

from dataclasses import fields
from pathlib import Path

import pytest

from paliapi import parts
from paliapi.configuration.setting import EnvError
from paliapi.configuration.sources import gather, home_path
from paliapi.configuration.values import parse_file
from paliapi.env import Env, read, settings

MINIMUM = {
    "SECRET_KEY": "s" * 32,
    "API_KEY_PEPPERS": "1:" + "p" * 32,
    "DATABASE_URL": "postgresql://paliapi_app:database-password@db/paliapi",
    "REDIS_URL": "redis://:redis-password@cache/0",
    "EMBEDDINGS_URL": "https://gpu.example.com",
}
PRODUCTION = {**MINIMUM, "PALIAPI_MODE": "production", "ALLOWED_HOSTS": "pali.example.com"}
ALL_SECRETS = {"FETCH_PROXY": "http://alice:proxy-password@proxy:3128", **PRODUCTION}


def problems(**variables: str) -> list[str]:
    with pytest.raises(EnvError) as raised:
        read({**MINIMUM, **variables})
    return raised.value.problems


def test_all_other_settings_have_defaults() -> None:
    env = read(MINIMUM)
    assert env.port == 8001
    assert env.base_url == "http://localhost:8001"
    assert env.files == env.home / "files"
    assert not env.production


def test_empty_environment_is_reported_in_one_message() -> None:
    with pytest.raises(EnvError) as raised:
        read({})
    message = str(raised.value)
    for name in MINIMUM:
        assert f"{name} is not set" in message


@pytest.mark.parametrize(
    ("name", "value", "expectation"),
    [
        ("PALIAPI_MODE", "staging", "must be one of development, production"),
        ("PALIAPI_PORT", "0", "must be a whole number from 1 to 65535"),
        ("PALIAPI_PORT", "http", "must be a whole number from 1 to 65535"),
        ("PALIAPI_PORT", "70000", "must be a whole number from 1 to 65535"),
        ("TRUST_PROXY", "maybe", "must be true or false"),
        ("TRUSTED_PROXIES", "proxy.example", "must be a list of networks like"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "must be a list of networks like"),
        ("PUBLIC_URL", "ftp://example.com", "must be a URL that begins with http:// or https://"),
        ("PUBLIC_URL", "https://", "must be a URL that begins with http:// or https://"),
        ("EMBEDDINGS_URL", "http://host:port", "must be a URL"),
        ("DATABASE_URL", "mysql://db/x", "must be a URL that begins with postgres:// or postgresql://"),
        ("SECRET_KEY", "short", "must have at least 32 characters"),
        ("API_KEY_PEPPERS", "no-number", "must be a list like 1:SECRET"),
        ("API_KEY_PEPPERS", "1:short", "must be a list like 1:SECRET"),
        ("API_KEY_PEPPERS", f"0:{'p' * 32}", "must be a list like 1:SECRET"),
        ("API_KEY_PEPPERS", f"1:{'p' * 32},1:{'q' * 32}", "must not use a number twice"),
        ("API_KEY_PEPPERS", ",", "must contain at least one numbered secret"),
        ("FETCH_PORTS", "80;443", "must be a list of ports"),
        ("FETCH_PORTS", "0", "must be a list of ports"),
        ("FETCH_PORTS", ",", "must be a list of ports"),
        ("FETCH_ALLOW", "10.0.0.1/8", "must be a list of networks and host names"),
        ("FETCH_PROXY", "https://proxy", "must be a URL that begins with http://"),
    ],
)
def test_invalid_value_is_reported_with_name_and_expectation(name: str, value: str, expectation: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{name} {expectation}")


def test_all_problems_are_reported_together_without_values() -> None:
    messages = problems(
        PALIAPI_PORT="eighty", SECRET_KEY="hunter2", DATABASE_URL="oracle://scott:tiger@db", MAX_UPLOAD_MB="lots"
    )
    names = [message.split()[0] for message in messages]
    assert names == [
        "DATABASE_URL",
        "MAX_UPLOAD_MB",
        "PALIAPI_PORT",
        "SECRET_KEY",
    ]
    for value in ("eighty", "hunter2", "tiger", "lots"):
        assert value not in "".join(messages)


def test_peppers_are_sorted_by_number() -> None:
    env = read({**MINIMUM, "API_KEY_PEPPERS": f"10:{'b' * 32}, 2:{'a' * 32}"})
    assert env.api_key_peppers == ((2, "a" * 32), (10, "b" * 32))


def test_production_requires_every_needed_setting() -> None:
    assert read(PRODUCTION).production
    for setting in settings():
        if setting.needed_in_production:
            with pytest.raises(EnvError, match=setting.name):
                read({**PRODUCTION, setting.name: ""})


@pytest.mark.parametrize("part", parts.PARTS)
def test_part_does_not_read_what_only_others_need(part: str) -> None:
    secrets = {"DATABASE_ADMIN_URL": "postgresql://paliapi:owner@db/paliapi", "METRICS_TOKEN": "metrics"}
    env = read({**PRODUCTION, **secrets, "PALIAPI_PART": part})
    assert env.part == part
    for setting, field in zip(settings(), fields(Env), strict=True):
        if setting.parts and part not in setting.parts:
            assert getattr(env, field.name) == setting.absent
            read({**PRODUCTION, "PALIAPI_PART": part, setting.name: ""})


def test_unknown_part_is_reported() -> None:
    assert problems(PALIAPI_PART="cook") == ["PALIAPI_PART must be one of " + ", ".join(parts.PARTS) + "."]


@pytest.mark.parametrize("name", [setting.name for setting in settings() if setting.secret])
def test_every_secret_can_be_read_from_a_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{ALL_SECRETS.get(name, '') or 'postgresql://owner@db/paliapi'}\n")
    values = {**PRODUCTION, name: "", f"{name}_FILE": str(file)}
    assert read(values) == read({**PRODUCTION, name: file.read_text().strip()})


def test_secret_and_its_file_cannot_both_be_set(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s" * 40)
    assert problems(SECRET_KEY_FILE=str(file)) == ["SECRET_KEY and SECRET_KEY_FILE are both set; set only one."]


def test_unreadable_file_is_reported_without_its_path(tmp_path: Path) -> None:
    messages = problems(SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "not-there"))
    assert "SECRET_KEY_FILE names a file that cannot be read." in messages
    assert "not-there" not in "".join(messages)


def test_only_secrets_can_be_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.write_text("9000")
    assert read({**MINIMUM, "PALIAPI_PORT_FILE": str(file)}).port == 8001


def test_sources_take_precedence_in_order(tmp_path: Path) -> None:
    home = tmp_path / ".paliapi"
    home.mkdir()
    (home / "stack.env").write_text("A=stack\nB=stack\nC=stack\nD=stack\n")
    (tmp_path / ".env.dev").write_text("A=dev\nB=dev\nC=dev\n")
    (tmp_path / ".env").write_text("A=env\nB=env\n")
    values = gather({"A": "process"}, root=tmp_path)
    assert (values["A"], values["B"], values["C"], values["D"]) == ("process", "env", "dev", "stack")


def test_empty_variable_overrides_files_but_not_the_stack(tmp_path: Path) -> None:
    (tmp_path / ".paliapi").mkdir()
    (tmp_path / ".paliapi" / "stack.env").write_text("REDIS_URL=redis://stack\n")
    (tmp_path / ".env").write_text("REDIS_URL=redis://env\nLOG_LEVEL=DEBUG\n")
    values = gather({"REDIS_URL": "", "LOG_LEVEL": ""}, root=tmp_path)
    assert values["REDIS_URL"] == "redis://stack"
    assert "LOG_LEVEL" not in values


def test_home_named_in_a_file_is_used(tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "stack.env").write_text("REDIS_URL=redis://stack\n")
    (tmp_path / ".env").write_text(f"PALIAPI_HOME={home}\n")
    assert gather({}, root=tmp_path)["REDIS_URL"] == "redis://stack"
    assert home_path({}, root=tmp_path) == tmp_path / ".paliapi"


def test_invalid_bytes_in_a_file_are_replaced(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"LOG_LEVEL=DEBUG\nNOTE=caf\xe9\n")
    assert gather({}, root=tmp_path)["LOG_LEVEL"] == "DEBUG"


def test_files_support_quotes_export_and_comments() -> None:
    text = "# a comment\nexport A='1 # 2'\nB=\"two\" \n C = three # why\nnot a variable\n#D=4\nE=\n"
    assert parse_file(text) == {"A": "1 # 2", "B": "two", "C": "three", "E": ""}


def test_embeddings_url_and_token_are_read() -> None:
    env = read({**MINIMUM, "EMBEDDINGS_URL_TOKEN": "token-of-the-service"})
    assert (env.embeddings_url, env.embeddings_url_token) == ("https://gpu.example.com", "token-of-the-service")


def test_lists_are_split_at_commas() -> None:
    assert read({**MINIMUM, "ALLOWED_HOSTS": " a.example.com, ,b.example.com "}).allowed_hosts == (
        "a.example.com",
        "b.example.com",
    )
