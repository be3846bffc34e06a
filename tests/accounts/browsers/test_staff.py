"""The second factor in the admin."""

import time
from dataclasses import replace
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from pytest_django import Settings
from redis import Redis

from accounts.browsers.database import signing_in
from accounts.models import CustomUser
from accounts.ownership import managing_users
from tests.admin_client import PASSWORD, AdminClient, superuser
from tests.environment import Services

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def fresh_budgets(db: None, services: Services) -> None:
    redis = Redis.from_url(services.redis_superuser_url)
    for key in redis.scan_iter("paliapi:rate:login:*"):
        redis.delete(key)


@pytest.fixture
def admin() -> CustomUser:
    return superuser()


@pytest.fixture
def with_app(admin: CustomUser) -> CustomUser:
    """The admin with an authenticator app and recovery codes."""
    with signing_in():
        TOTP.activate(admin, SECRET)
        RecoveryCodes.activate(admin)
    return admin


def code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))


def log_in(browser: AdminClient, user: CustomUser, after: str = "/admin/") -> Any:
    return browser.post(f"/admin/login/?next={after}", {"username": user.email, "password": PASSWORD})


def second(browser: AdminClient, typed: str) -> Any:
    return browser.post("/admin/second-factor/", {"code": typed})


def test_second_factor_is_asked_after_the_password(with_app: CustomUser) -> None:
    browser = AdminClient()
    assert log_in(browser, with_app, "/admin/accounts/apikey/")["Location"] == "/admin/second-factor/"
    before = browser.cookies["paliapi_console_session"].value
    assert browser.get("/admin/").status_code == 302
    assert "authenticator app" in browser.get("/admin/second-factor/").content.decode()
    assert "Incorrect code" in second(browser, "000000").content.decode()
    assert second(browser, code())["Location"] == "/admin/accounts/apikey/"
    assert browser.cookies["paliapi_console_session"].value != before
    assert browser.get("/admin/").status_code == 200


def test_code_works_once_and_guesses_are_limited(with_app: CustomUser) -> None:
    first, other = AdminClient(), AdminClient()
    log_in(first, with_app)
    log_in(other, with_app)
    used = code()
    assert second(first, used).status_code == 302
    assert [second(other, used).status_code for _ in range(5)] == [200] * 4 + [429]


def test_page_needs_a_password_from_a_moment_ago(with_app: CustomUser) -> None:
    assert second(AdminClient(), code())["Location"] == "/admin/login/"
    browser = AdminClient()
    log_in(browser, with_app)
    with managing_users():
        with_app.set_password("another password")
        with_app.save()
    assert second(browser, code())["Location"] == "/admin/login/"
    assert browser.get("/admin/").status_code == 302


def test_other_text_is_no_response_of_a_key(with_app: CustomUser) -> None:
    browser = AdminClient()
    log_in(browser, with_app)
    for credential in ("", "x", "[]", "{}"):
        assert browser.post("/admin/second-factor/", {"credential": credential}).status_code == 200
    assert browser.get("/admin/").status_code == 302


def test_required_factor_keeps_out_staff_without_one(admin: CustomUser, settings: Settings) -> None:
    browser = AdminClient()
    assert log_in(browser, admin).status_code == 302
    assert browser.get("/admin/").status_code == 200
    settings.ENV = replace(settings.ENV, staff_second_factor="required")
    assert browser.get("/admin/").status_code == 302
    refused = log_in(AdminClient(), admin)
    assert refused.status_code == 403
    assert "http://localhost:8001/security/" in refused.content.decode()


def test_required_factor_lets_staff_in_who_have_one(with_app: CustomUser, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, staff_second_factor="required")
    browser = AdminClient()
    log_in(browser, with_app)
    assert second(browser, code()).status_code == 302
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_login_leads_to_no_other_site(admin: CustomUser, after: str) -> None:
    assert log_in(AdminClient(), admin, after)["Location"] == "/admin/"
