"""The management commands of accounts."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.management.commands import changepassword
from accounts.models import ApiKey, CustomUser
from accounts.ownership import acting_for, managing_users
from paliapi.database import as_login
from tests.admin_client import superuser
from tests.cast import Someone
from tests.environment import Services


def run(*words: str, **options: Any) -> str:
    output = StringIO()
    call_command(*words, stdout=output, stderr=StringIO(), **options)
    return output.getvalue()


def holder(email: str, key: str) -> Someone:
    with managing_users():
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
    with managing_users():
        alice.user.save()
    with pytest.raises(CommandError, match="not active"):
        run("create_api_key", "alice@example.com")


def test_first_start_creates_an_admin(db: None) -> None:
    data = json.loads(run("first_admin", json=True))
    admin = holder(data["email"], data["api_key"])
    assert admin.user.is_superuser
    assert admin.user.check_password(data["password"])
    assert admin.get("/v1/keys/").status_code == 200
    token = data["sign_in_link"].partition("?token=")[2]
    assert Client().post("/sign-in/link/", {"token": token}).status_code == 302


def test_second_start_creates_nothing(db: None) -> None:
    run("first_admin", json=True)
    assert json.loads(run("first_admin", json=True)) == {}
    assert "nothing was created" in run("first_admin")
    [(name, link)] = json.loads(run("first_admin", json=True, link=True)).items()
    assert name == "sign_in_link"
    assert Client().post("/sign-in/link/", {"token": link.partition("?token=")[2]}).status_code == 302
    with managing_users():
        assert CustomUser.objects.count() == 1


def test_no_admin_is_created_if_a_user_exists(alice: Someone) -> None:
    assert json.loads(run("first_admin", json=True, link=True)) == {}


def test_created_user_has_a_key_and_no_rights_in_the_admin(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.ENV = replace(settings.ENV, home=tmp_path)
    output = run("create_user", "Dora@Example.com")
    (file,) = tmp_path.iterdir()
    assert str(file) in output
    assert "pali_" not in output
    assert file.stat().st_mode & 0o777 == 0o600
    dora = holder("dora@example.com", file.read_text())
    assert dora.get("/v1/me/").json()["scopes"] == ["admin"]
    assert (dora.user.is_staff, dora.user.is_superuser) == (False, False)
    assert not dora.user.has_usable_password()


@pytest.mark.parametrize(("is_terminal", "options"), [(True, ()), (False, ("--print-key",))])
def test_key_of_a_created_user_is_printed_on_a_terminal_or_on_request(
    db: None, settings: Settings, tmp_path: Path, is_terminal: bool, options: tuple[str, ...]
) -> None:
    class Output(StringIO):
        def isatty(self) -> bool:
            return is_terminal

    settings.ENV = replace(settings.ENV, home=tmp_path)
    output = Output()
    call_command("create_user", "dora@example.com", *options, stdout=output, stderr=StringIO())
    key = output.getvalue().split()[-1]
    assert holder("dora@example.com", key).get("/v1/me/").status_code == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.com", "no e-mail", ""])
def test_user_is_not_created_twice_or_without_an_e_mail(
    alice: Someone, settings: Settings, tmp_path: Path, email: str
) -> None:
    settings.ENV = replace(settings.ENV, home=tmp_path)
    with pytest.raises(CommandError):
        run("create_user", email)
    assert list(tmp_path.iterdir()) == []


def test_user_whose_key_cannot_be_written_is_not_created(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.ENV = replace(settings.ENV, home=tmp_path / "missing")
    with pytest.raises(CommandError, match="Nothing was created; --print-key prints it"):
        run("create_user", "dora@example.com")
    with managing_users():
        assert not CustomUser.objects.exists()


def test_password_can_be_changed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    root = superuser()
    monkeypatch.setattr(changepassword.Command, "_get_pass", lambda *_args, **_rest: "another long password")
    run("changepassword", root.email)
    assert holder(root.email, "").user.check_password("another long password")


@pytest.mark.django_db(transaction=True)
def test_login_of_the_web_server_cannot_create_users(services: Services) -> None:
    with as_login(services.app_url), pytest.raises(CommandError, match="docker-compose run --rm roles"):
        run("createsuperuser", email="root@example.com", interactive=False)


def test_parts_cannot_create_users_even_with_the_login_of_staff(db: None, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, part="admin")
    with pytest.raises(CommandError, match="without PALIAPI_PART"):
        run("create_user", "dora@example.com")


def test_sign_in_link_opens_the_console_once(alice: Someone) -> None:
    url = urlsplit(run("sign_in_link", "Alice@EXAMPLE.com").strip())
    assert f"{url.scheme}://{url.netloc}{url.path}" == "http://localhost:8001/sign-in/link/"
    token = url.query.removeprefix("token=")
    assert Client().post(url.path, {"token": token}).status_code == 302
    assert Client().post(url.path, {"token": token}).status_code == 403


def test_no_sign_in_link_is_created_without_an_active_user(alice: Someone) -> None:
    with pytest.raises(CommandError, match="no user"):
        run("sign_in_link", "nobody@example.com")
    with managing_users():
        alice.user.is_active = False
        alice.user.save()
    with pytest.raises(CommandError, match="not active"):
        run("sign_in_link", "alice@example.com")
