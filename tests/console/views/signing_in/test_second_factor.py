"""Authenticator apps and recovery codes."""

import io
import json
import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.browsers.database import signing_in
from accounts.models import CustomUser
from tests.console.browser import HTML, Browser
from tests.console.people import PASSWORD, browser_of, forget_attempts, person
from tests.environment import Services


@pytest.fixture(autouse=True)
def fresh_budgets(db: None, services: Services) -> None:
    forget_attempts(services)


@pytest.fixture
def dana() -> CustomUser:
    return person()


def code_of(secret: str, *, periods_ago: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 - periods_ago)))


def confirmed(user: CustomUser) -> Browser:
    """Return a browser in which the user has typed the password again."""
    browser = browser_of(user)
    needed = browser.page("/security/app/")
    assert needed["Location"] == "/security/confirm/?next=%2Fsecurity%2Fapp%2F"
    answer = browser.post(needed["Location"], {"password": PASSWORD}, headers=HTML)
    assert answer["Location"] == "/security/app/"
    return browser


def add_app(browser: Browser) -> str:
    """Add an app, and return its secret."""
    page = browser.page("/security/app/").content.decode()
    assert "<svg" in page
    secret: str = re.findall(r'<code id="secret">(\w+)</code>', page)[0]
    answer = browser.post("/security/app/", {"code": code_of(secret)}, headers=HTML)
    assert answer["Location"] == "/security/codes/"
    return secret


def recovery_codes(browser: Browser) -> list[str]:
    page = browser.page("/security/codes/").content.decode()
    return re.findall(r"\b\d{8}\b", page.partition("<pre")[2].partition("</pre>")[0])


def second_step(browser: Browser, code: str) -> int:
    return browser.post("/sign-in/second-factor/", {"code": code}, headers=HTML).status_code


def with_password(user: CustomUser) -> Browser:
    browser = Browser()
    answer = browser.sign_in(user.email, PASSWORD, next="/security/")
    assert answer["Location"] == "/sign-in/second-factor/"
    return browser


def test_app_is_asked_after_the_password(dana: CustomUser) -> None:
    secret = add_app(confirmed(dana))
    browser = with_password(dana)
    before = browser.cookies["paliapi_console_session"].value
    for path in ("/search/", "/security/", "/keys/"):
        assert browser.page(path)["Location"].startswith("/sign-in/")
    assert second_step(browser, "000000") == 200
    code = code_of(secret)
    answer = browser.post("/sign-in/second-factor/", {"code": f" {code[:3]} {code[3:]}"}, headers=HTML)
    assert answer["Location"] == "/security/"
    assert browser.cookies["paliapi_console_session"].value != before
    assert "Authenticator app" in browser.page("/security/").content.decode()


def test_code_works_once(dana: CustomUser) -> None:
    secret = add_app(confirmed(dana))
    code = code_of(secret)
    assert second_step(with_password(dana), code) == 302
    again = with_password(dana)
    assert second_step(again, code) == 200
    assert second_step(again, code_of(secret, periods_ago=10)) == 200


def test_recovery_code_works_once_in_place_of_the_app(dana: CustomUser) -> None:
    browser = confirmed(dana)
    add_app(browser)
    codes = recovery_codes(browser)
    assert len(codes) == 10
    assert second_step(with_password(dana), codes[0]) == 302
    assert second_step(with_password(dana), codes[0]) == 200
    assert browser.post("/security/codes/new/", headers=HTML)["Location"] == "/security/codes/"
    assert set(recovery_codes(browser)).isdisjoint(codes)
    assert second_step(with_password(dana), codes[1]) == 200


def test_guesses_of_codes_are_limited(dana: CustomUser) -> None:
    secret = add_app(confirmed(dana))
    browser = with_password(dana)
    assert [second_step(browser, "123456") for _ in range(6)] == [200] * 5 + [429]
    assert second_step(browser, code_of(secret)) == 429


@pytest.mark.parametrize("code", ["", "\x00", "x" * 10_000, "١٢٣٤٥٦", "-1"])
def test_no_other_text_is_a_code(dana: CustomUser, code: str) -> None:
    add_app(confirmed(dana))
    assert second_step(with_password(dana), code) == 200


FORGED = {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"id": "\\u0000"}',
        '{"id": 1, "rawId": [], "response": {}}',
        "[" * 2000,
        json.dumps({"type": "public-key", "id": "AA", "rawId": "AA", "response": FORGED}),
    ],
)
def test_no_other_text_is_the_response_of_a_security_key(dana: CustomUser, credential: str) -> None:
    browser = confirmed(dana)
    browser.page("/security/keys/add/")
    form = {"name": "<b>", "credential": credential}
    assert browser.post("/security/keys/add/", form, headers=HTML).status_code == 200
    add_app(browser)
    browser = with_password(dana)
    browser.page("/sign-in/second-factor/")
    answer = browser.post("/sign-in/second-factor/", {"credential": credential}, headers=HTML)
    assert answer.status_code == 200
    assert browser.page("/search/").status_code == 302


def test_app_is_removed_after_the_password_only(dana: CustomUser) -> None:
    secret = add_app(confirmed(dana))
    browser = with_password(dana)
    second_step(browser, code_of(secret))
    assert browser.post("/security/app/remove/", headers=HTML)["Location"].startswith("/security/confirm/")
    browser.post("/security/confirm/?next=/security/", {"password": PASSWORD}, headers=HTML)
    assert browser.post("/security/app/remove/", headers=HTML)["Location"] == "/security/"
    browser_of(dana)


def test_factors_of_another_user_do_not_exist(dana: CustomUser) -> None:
    add_app(confirmed(dana))
    other = confirmed(person("erin@example.com"))
    with signing_in(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM mfa_authenticator")
        ids = [row[0] for row in cursor.fetchall()]
    assert [other.post(f"/security/keys/{pk}/remove/", headers=HTML).status_code for pk in ids] == [404, 404]
    assert other.page("/security/codes/").status_code == 404


def test_secrets_are_encrypted_in_the_database(dana: CustomUser) -> None:
    browser = confirmed(dana)
    secret = add_app(browser)
    with signing_in(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT data::text FROM mfa_authenticator UNION SELECT session_data FROM accounts_browsersession"
        )
        stored = str(cursor.fetchall())
    assert secret not in stored
    assert recovery_codes(browser)[0] not in stored


def test_pages_need_a_session(db: None) -> None:
    for path in ("app/", "codes/", "keys/add/", "confirm/", "confirm/code/", "confirm/key/", "app/remove/"):
        assert Browser().page(f"/security/{path}")["Location"].startswith("/sign-in/"), path
    assert Browser().page("/sign-in/second-factor/")["Location"] == "/sign-in/"


def test_operator_removes_lost_factors(dana: CustomUser) -> None:
    add_app(confirmed(dana))
    with pytest.raises(CommandError, match="There is no user"):
        call_command("reset_second_factor", "nobody@example.com")
    call_command("reset_second_factor", "Dana@example.com", stdout=io.StringIO())
    browser_of(dana)
