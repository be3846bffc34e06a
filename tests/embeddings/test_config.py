"""Reading the settings."""

from pathlib import Path

import pytest

from embeddings.config import ConfigError, Settings, described_variables, parse


def test_all_problems_are_reported_together_and_no_value_is_shown() -> None:
    with pytest.raises(ConfigError) as raised:
        parse({"COLPALI_PORT": "99999-secret", "COLPALI_BACKEND": "magic-secret", "COLPALI_API_KEY": "se cret"})
    message = str(raised.value)
    assert len(raised.value.problems) == 3
    assert all(name in message for name in ("COLPALI_PORT", "COLPALI_BACKEND", "COLPALI_API_KEY"))
    assert "-secret" not in message
    assert "se cret" not in message


def test_key_is_required_only_in_modes_that_check_it() -> None:
    for mode in ("bearer", "header"):
        with pytest.raises(ConfigError, match="COLPALI_API_KEY is not set"):
            parse({"COLPALI_AUTH": mode})
    assert parse({"COLPALI_AUTH": "none"}) == Settings(auth="none")
    assert parse({"COLPALI_AUTH": "gateway"}).api_keys == ()


def test_key_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one,two\n")
    assert parse({"COLPALI_API_KEY_FILE": str(tmp_path / "key")}).api_keys == ("one", "two")
    with pytest.raises(ConfigError, match="COLPALI_API_KEY_FILE"):
        parse({"COLPALI_API_KEY_FILE": str(tmp_path / "missing")})


def test_own_names_take_precedence_over_those_of_platforms() -> None:
    assert parse({"COLPALI_AUTH": "none", "PORT": "80", "PORT_HEALTH": "81"}).port == 80
    assert parse({"COLPALI_AUTH": "none", "PORT": "80", "COLPALI_PORT": "9000"}).port == 9000
    assert parse({"COLPALI_AUTH": "none", "PORT_HEALTH": "81"}).health_port == 81


def test_every_variable_is_described_once() -> None:
    variables = described_variables()
    assert len(variables) == len({name for name, _ in variables})
    assert all(name.startswith("COLPALI_") and about for name, about in variables)
