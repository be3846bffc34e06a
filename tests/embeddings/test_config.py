"""The settings."""

from pathlib import Path

import pytest

from embeddings.config import ConfigError, Settings, described_variables, parse


def test_all_problems_are_told_at_once_and_no_value_is_shown() -> None:
    with pytest.raises(ConfigError) as told:
        parse({"COLPALI_PORT": "99999-secret", "COLPALI_BACKEND": "magic-secret", "COLPALI_API_KEY": "se cret"})
    assert len(told.value.problems) == 3
    assert all(name in str(told.value) for name in ("COLPALI_PORT", "COLPALI_BACKEND", "COLPALI_API_KEY"))
    assert "-secret" not in str(told.value)
    assert "se cret" not in str(told.value)


def test_a_key_is_needed_unless_somebody_else_checks() -> None:
    for mode in ("bearer", "header"):
        with pytest.raises(ConfigError, match="COLPALI_API_KEY is not set"):
            parse({"COLPALI_AUTH": mode})
    assert parse({"COLPALI_AUTH": "none"}) == Settings(auth="none")
    assert parse({"COLPALI_AUTH": "gateway"}).api_keys == ()


def test_the_key_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one,two\n")
    assert parse({"COLPALI_API_KEY_FILE": str(tmp_path / "key")}).api_keys == ("one", "two")
    with pytest.raises(ConfigError, match="COLPALI_API_KEY_FILE"):
        parse({"COLPALI_API_KEY_FILE": str(tmp_path / "none")})


def test_every_setting_says_what_it_is_for() -> None:
    told = described_variables()
    assert len(told) == len({name for name, _ in told})
    assert all(name.startswith("COLPALI_") and about for name, about in told)
