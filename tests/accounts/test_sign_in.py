"""Limits on attempts to sign in to the admin."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from pytest_django import Settings
from redis import Redis

from accounts import sign_in
from accounts.models import CustomUser
from tests.admin_client import PASSWORD, AdminClient, superuser
from tests.environment import Services

ADMIN = "root@example.com"


@pytest.fixture(autouse=True)
def fresh_budgets(db: None, services: Services) -> None:
    redis = Redis.from_url(services.redis_superuser_url)
    for key in redis.scan_iter("paliapi:rate:login:*"):
        redis.delete(key)


@pytest.fixture
def admin() -> CustomUser:
    return superuser(ADMIN)


def log_in(name: str = ADMIN, password: str = "a guess", *, address: str = "203.0.113.1", **client: Any) -> Any:
    browser: AdminClient = client.get("browser") or AdminClient()
    return browser.post("/admin/login/?next=/admin/", {"username": name, "password": password}, REMOTE_ADDR=address)


def statuses(count: int, **attempt: Any) -> list[int]:
    return [log_in(**attempt).status_code for _ in range(count)]


def known_browser() -> AdminClient:
    """Return a browser in which the admin has signed in and out again."""
    browser = AdminClient()
    assert log_in(password=PASSWORD, address="198.51.100.1", browser=browser).status_code == 302
    browser.post("/admin/logout/")
    return browser


def test_attempts_at_one_name_from_one_address_are_limited() -> None:
    assert statuses(6) == [200] * 5 + [429]
    refused = log_in(password=PASSWORD)
    assert refused.json()["code"] == "too_many_logins"
    assert int(refused["Retry-After"]) > 0
    assert log_in("other@example.com").status_code == 200
    assert log_in(address="203.0.113.2").status_code == 200


def test_attempts_at_many_names_from_one_address_are_limited() -> None:
    assert [log_in(f"user{number}@example.com").status_code for number in range(22)] == [200] * 20 + [429] * 2
    assert log_in("user1@example.com", address="203.0.113.2").status_code == 200


@pytest.mark.parametrize("spelling", ["ROOT@Example.com", "  root@example.com ", "\uff52oot@example.com"])
def test_spellings_of_a_name_share_its_budget(admin: CustomUser, spelling: str) -> None:
    statuses(5)
    assert log_in(spelling).status_code == 429


def test_guesses_from_many_addresses_are_slowed_and_do_not_lock_the_user_out(
    admin: CustomUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "_PER_NAME", 2)  # refills so slowly that the test need not be fast
    assert statuses(4, address="192.0.2.1") == [200, 200, 200, 429]
    assert statuses(2, address="192.0.2.100") == [200, 429]
    assert log_in(password=PASSWORD, address="192.0.2.101").status_code == 302


def test_refused_attempts_take_nothing_from_the_budget_of_the_name(admin: CustomUser) -> None:
    statuses(40)
    assert statuses(5, address="203.0.113.2") == [200] * 5


def test_guesses_from_the_same_address_do_not_lock_out_a_browser_that_has_signed_in(admin: CustomUser) -> None:
    browser = known_browser()
    statuses(25)
    assert log_in(password=PASSWORD).status_code == 429
    assert log_in(password=PASSWORD, browser=browser).status_code == 302


def test_attempts_of_a_known_browser_are_limited(admin: CustomUser) -> None:
    browser = known_browser()
    assert statuses(6, browser=browser) == [200] * 5 + [429]


def test_cookie_of_a_browser_is_valid_for_its_user_only(admin: CustomUser) -> None:
    browser = known_browser()
    assert statuses(6, name="other@example.com", browser=browser) == [200] * 5 + [429]


@pytest.mark.parametrize("cookie", ["", "x", "a b:1:c", f"{'0' * 64} {'1' * 32}"])
def test_forged_cookie_is_ignored(admin: CustomUser, cookie: str) -> None:
    browser = AdminClient()
    browser.cookies["paliapi_browser"] = cookie
    assert statuses(6, browser=browser) == [200] * 5 + [429]


def test_cookie_is_sent_to_this_site_only_and_names_no_user(admin: CustomUser) -> None:
    browser = AdminClient()
    assert "paliapi_browser" not in log_in(browser=browser).cookies
    cookie = log_in(password=PASSWORD, browser=browser).cookies["paliapi_browser"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert "root" not in cookie.value


def test_address_is_that_of_the_client_behind_a_proxy(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, trust_proxy=True)

    def attempt(forwarded: str) -> int:
        form = {"username": ADMIN, "password": "a guess"}
        return AdminClient().post("/admin/login/", form, headers={"X-Forwarded-For": forwarded}).status_code

    assert [attempt(f"10.0.0.{number}, 203.0.113.1") for number in range(6)] == [200] * 5 + [429]
    assert attempt("203.0.113.2") == 200


def test_no_password_is_accepted_without_redis(admin: CustomUser, settings: Settings, tmp_path: Path) -> None:
    settings.ENV = replace(settings.ENV, redis_url=f"unix://{tmp_path}/nowhere")
    refused = log_in(password=PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (503, "logins_unavailable")
    assert int(refused["Retry-After"]) > 0


def test_attempts_at_the_own_password_are_limited(admin: CustomUser) -> None:
    browser = AdminClient()
    browser.force_login(admin)
    form = {"old_password": "a guess", "new_password1": "another password", "new_password2": "another password"}
    answers = [browser.post("/admin/password_change/", form).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert browser.get("/admin/password_change/").status_code == 200


class SlowHasher(MD5PasswordHasher):
    """Records how many passwords are hashed at once, and waits until `finish`."""

    algorithm = "md5"
    running = most = 0
    started, finish = Event(), Event()

    def encode(self, password: str, salt: str) -> str:
        SlowHasher.running += 1
        SlowHasher.most = max(SlowHasher.most, SlowHasher.running)
        self.started.set()
        try:
            assert self.finish.wait(60)
            return super().encode(password, salt)
        finally:
            SlowHasher.running -= 1


@pytest.fixture
def slow_hasher(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SlowHasher]]:
    monkeypatch.setattr(sign_in, "_WAIT_S", 60.0)
    SlowHasher.most = 0
    SlowHasher.started.clear()
    SlowHasher.finish.clear()
    settings.PASSWORD_HASHERS = [f"{__name__}.SlowHasher"]
    yield SlowHasher
    SlowHasher.finish.set()


def log_in_from_a_thread(**attempt: Any) -> Any:
    try:
        return log_in(**attempt)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_one_password_is_checked_at_once_and_few_wait(slow_hasher: type[SlowHasher]) -> None:
    with ThreadPoolExecutor(12) as threads:
        attempts = [threads.submit(log_in_from_a_thread, address=f"192.0.2.{number}") for number in range(12)]
        refused = [attempt.result() for attempt in islice(as_completed(attempts), 9)]
        slow_hasher.finish.set()
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "login_busy")}
    assert [attempt.result().status_code for attempt in attempts].count(200) == 3
    assert slow_hasher.most == 1
    assert statuses(2, name="late@example.com") == [200, 200]


@pytest.mark.django_db(transaction=True)
def test_known_browser_does_not_wait_for_others(admin: CustomUser, slow_hasher: type[SlowHasher]) -> None:
    slow_hasher.finish.set()
    browser = known_browser()
    slow_hasher.finish.clear()
    slow_hasher.started.clear()
    with ThreadPoolExecutor(2) as threads:
        threads.submit(log_in_from_a_thread)
        assert slow_hasher.started.wait(60)
        slow_hasher.started.clear()
        known = threads.submit(log_in_from_a_thread, password=PASSWORD, browser=browser)
        assert slow_hasher.started.wait(60)
        slow_hasher.finish.set()
        assert known.result().status_code == 302
    assert slow_hasher.most == 2
