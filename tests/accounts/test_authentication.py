"""Authentication by API key."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from structlog.testing import capture_logs

from accounts import keys
from accounts.models import ApiKey
from accounts.ownership import acting_for, managing_users
from tests.cast import Someone, with_expired_key, with_key, with_revoked_key
from tests.statements import statements


def ask(authorization: str | None) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Client().get("/v1/me/", headers=headers)


def only_key_of(someone: Someone) -> ApiKey:
    with acting_for(someone.id):
        return ApiKey.objects.get(owner_id=someone.id)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Token", "tOKEN", "Bearer "])
def test_both_schemes_are_accepted_in_any_case(alice: Someone, scheme: str) -> None:
    answer = ask(f"{scheme} {alice.key}")
    assert answer.status_code == 200
    assert answer.json()["email"] == "alice@example.com"


def test_all_refusals_look_alike(alice: Someone) -> None:
    inactive = with_key(alice.user)
    refusals = [
        ask(None),
        ask(""),
        ask(alice.key),
        ask("Bearer"),
        ask(f"Basic {alice.key}"),
        ask(f"Bearer {alice.key} {alice.key}"),
        ask("Bearer " + "x" * 8000),
        ask("Bearer ключ"),
        ask(f"Bearer {keys.mint().text}"),
        ask(f"Bearer {alice.key[:-1]}"),
        ask(f"Bearer {keys.KeyParts(keys.parse(alice.key).public_id, 'x' * 32).text}"),  # type: ignore[union-attr]
        with_expired_key(alice.user).get("/v1/me/"),
        with_revoked_key(alice.user).get("/v1/me/"),
    ]
    alice.user.is_active = False
    with managing_users():
        alice.user.save()
    refusals.append(inactive.get("/v1/me/"))
    assert {answer.status_code for answer in refusals} == {401}
    assert len({str({**answer.json(), "request_id": ""}) for answer in refusals}) == 1
    assert {answer["WWW-Authenticate"] for answer in refusals} == {'Bearer realm="PaliAPI"'}


@pytest.mark.parametrize("text", ["pali_x", "pali_000000000000_" + "0" * 32 + "000000", "x" * 100])
def test_malformed_key_is_refused_without_a_query(db: None, text: str) -> None:
    with statements() as queries:
        assert ask(f"Bearer {text}").status_code == 401
    assert queries == []


def test_unknown_key_costs_one_query(db: None) -> None:
    with statements() as queries:
        assert ask(f"Bearer {keys.mint().text}").status_code == 401
    assert len([statement for statement in queries if "accounts_apikey" in statement]) == 1


def test_key_and_owner_are_read_in_one_query(alice: Someone) -> None:
    alice.get("/v1/usage/")
    with statements() as queries:
        assert alice.get("/v1/usage/").status_code == 200
    assert len([statement for statement in queries if "accounts_" in statement]) == 2  # the key, and the usage itself


def test_use_is_recorded_at_most_once_a_minute(alice: Someone) -> None:
    alice.get("/v1/me/")
    first = only_key_of(alice).last_used_at
    alice.get("/v1/me/")
    assert first is not None
    assert only_key_of(alice).last_used_at == first

    long_ago = first - timedelta(minutes=2)
    with acting_for(alice.id):
        ApiKey.objects.filter(owner_id=alice.id).update(last_used_at=long_ago)
    alice.get("/v1/me/")
    assert only_key_of(alice).last_used_at not in {None, long_ago}


def test_address_of_the_last_use_is_recorded(alice: Someone, settings: Settings) -> None:
    alice.get("/v1/me/", X_Forwarded_For="203.0.113.7")
    assert only_key_of(alice).last_used_address == "127.0.0.1", "no proxy is trusted"
    settings.ENV = replace(settings.ENV, trust_proxy=True)
    for address in ("203.0.113.7", "2001:db8::7"):
        with acting_for(alice.id):
            ApiKey.objects.filter(owner_id=alice.id).update(last_used_at=None)
        alice.get("/v1/me/", X_Forwarded_For=f"198.51.100.1, {address}")
        assert alice.get("/v1/keys/").json()[0]["last_used_address"] == address


def test_request_is_logged_with_its_key_owner_and_address(alice: Someone) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        alice.get("/v1/collections/nowhere/")
        Client().get("/v1/collections/nowhere/")
    ours, anonymous = [line for line in lines if line["event"] == "request"]
    assert (ours["owner_id"], ours["key_id"], ours["address"]) == (alice.id, only_key_of(alice).pk, "127.0.0.1")
    assert (ours["status"], ours["path"]) == (404, "/v1/collections/nowhere/")
    assert anonymous["address"] == "127.0.0.1"
    assert not {"owner_id", "key_id"} & set(anonymous), "nothing is left of the request before"


def test_refused_key_is_not_recorded_as_used(alice: Someone) -> None:
    with acting_for(alice.id):
        ApiKey.objects.filter(owner_id=alice.id).update(revoked_at=timezone.now())
    alice.get("/v1/me/")
    assert only_key_of(alice).last_used_at is None


def test_old_keys_work_after_a_pepper_is_added(alice: Someone, settings: Settings) -> None:
    made_with = only_key_of(alice).pepper_id
    newer = (*settings.ENV.api_key_peppers, (made_with + 1, "n" * 32))
    settings.ENV = replace(settings.ENV, api_key_peppers=newer)
    assert alice.get("/v1/me/").status_code == 200
    other = with_key(alice.user)
    assert other.get("/v1/me/").status_code == 200
    with acting_for(alice.id):
        assert ApiKey.objects.latest("id").pepper_id == made_with + 1


def test_key_is_refused_after_its_pepper_is_removed(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, api_key_peppers=((9, "n" * 32),))
    assert alice.get("/v1/me/").status_code == 401


def test_secret_is_not_stored_in_the_database(alice: Someone) -> None:
    parts = keys.parse(alice.key)
    assert parts is not None
    with acting_for(alice.id), connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(accounts_apikey)::text FROM accounts_apikey")
        rows = cursor.fetchall()
    assert rows
    assert all(parts.secret not in row[0] and alice.key not in row[0] for row in rows)


def test_read_only_key_cannot_manage_keys(bob: Someone) -> None:
    answer = bob.get("/v1/keys/")
    assert answer.status_code == 403
    assert answer.json()["code"] == "scope_missing"
    assert "`admin`" in answer.json()["detail"]


def test_admin_includes_every_other_scope(alice: Someone) -> None:
    admin = with_key(alice.user, scopes=frozenset({"admin"}))
    assert admin.get("/v1/me/").status_code == admin.get("/v1/keys/").status_code == 200


def test_key_without_the_read_scope_cannot_read(alice: Someone) -> None:
    writer = with_key(alice.user, scopes=frozenset({"write"}))
    assert writer.get("/v1/collections/").status_code == 403
    assert writer.get("/v1/me/").status_code == 200, "but may ask what it may do"
