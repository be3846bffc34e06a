"""The management commands of accounts."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_for
from tests.cast import Someone


def run(*words: str, **options: Any) -> str:
    output = StringIO()
    call_command(*words, stdout=output, stderr=StringIO(), **options)
    return output.getvalue()


def holder(email: str, key: str) -> Someone:
    return Someone(CustomUser.objects.get(email=email), key.strip())


def test_new_superuser_gets_a_working_key(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long enough password")
    output = run("createsuperuser", email="Root@Example.com", interactive=False)
    key = next(word for word in output.split() if word.startswith("pali_"))
    root = holder("root@example.com", key)
    assert root.get("/v1/me/").json()["scopes"] == ["admin"]
    assert root.user.is_superuser
    assert root.user.check_password("a long enough password")


def test_superuser_is_not_created_twice(alice: Someone) -> None:
    with pytest.raises(CommandError):
        run("createsuperuser", email="ALICE@example.com", interactive=False)
    with acting_for(alice.id):
        assert ApiKey.objects.count() == 1


def test_created_key_is_unrestricted_by_default(alice: Someone) -> None:
    created = holder("alice@example.com", run("create_api_key", "Alice@EXAMPLE.com"))
    assert created.get("/v1/keys/").status_code == 200


def test_created_key_can_be_restricted(alice: Someone) -> None:
    words = ["--name", "web", "--scope", "search", "--scope", "read", "--collection", "a", "--expires-days", "3"]
    data = holder("alice@example.com", run("create_api_key", "alice@example.com", *words)).get("/v1/me/").json()
    assert (data["key_name"], data["scopes"], data["collections"]) == ("web", ["read", "search"], ["a"])
    assert data["expires_at"] > timezone.now().isoformat()


@pytest.mark.parametrize(
    "words",
    [
        ("nobody@example.com",),
        ("alice@example.com", "--scope", "root"),
        ("alice@example.com", "--expires-days", "0"),
        ("alice@example.com", "--expires-days", "9" * 30),
        ("alice@example.com", "--name", "x" * 101),
        ("",),
    ],
)
def test_invalid_arguments_are_refused(alice: Someone, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run("create_api_key", *words)
    with acting_for(alice.id):
        assert ApiKey.objects.count() == 1


def test_no_key_is_created_for_an_inactive_user(alice: Someone) -> None:
    alice.user.is_active = False
    alice.user.save()
    with pytest.raises(CommandError, match="not active"):
        run("create_api_key", "alice@example.com")


def test_first_start_creates_an_admin(db: None) -> None:
    data = json.loads(run("first_admin", json=True))
    admin = holder(data["email"], data["api_key"])
    assert admin.user.is_superuser
    assert admin.user.check_password(data["password"])
    assert admin.get("/v1/keys/").status_code == 200


def test_second_start_creates_nothing(db: None) -> None:
    run("first_admin", json=True)
    assert json.loads(run("first_admin", json=True)) == {}
    assert "nothing was created" in run("first_admin")
    assert CustomUser.objects.count() == 1


def test_no_admin_is_created_if_a_user_exists(alice: Someone) -> None:
    assert json.loads(run("first_admin", json=True)) == {}
