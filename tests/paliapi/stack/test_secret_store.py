"""The generated secrets of a home."""

from pathlib import Path

import pytest

from paliapi.stack.errors import StackError
from paliapi.stack.secret_store import load_or_create


def test_secrets_are_the_same_at_every_start(tmp_path: Path) -> None:
    first = load_or_create(tmp_path)
    assert load_or_create(tmp_path) == first
    assert len(set(first.values())) == len(first)
    assert all(len(secret) >= 32 for secret in first.values())


def test_secrets_are_private(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600


def test_missing_secret_is_added_and_the_others_are_unchanged(tmp_path: Path) -> None:
    first = load_or_create(tmp_path)
    path = tmp_path / "secrets.env"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("REDIS_PASSWORD")))
    second = load_or_create(tmp_path)
    assert second.pop("REDIS_PASSWORD") != first.pop("REDIS_PASSWORD")
    assert second == first


def test_unreadable_secrets_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").mkdir()
    with pytest.raises(StackError, match=r"secrets\.env"):
        load_or_create(tmp_path)
