"""Signing in with a password."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from accounts.browsers.database import signing_in
from accounts.models import ApiKey, BrowserSession, CustomUser
from accounts.ownership import acting_as_staff, acting_for
from paliapi.http.large_bodies import Application
from tests.cast import Someone
from tests.console.browser import HTML, Browser
from tests.console.people import PASSWORD, browser_of, forget_attempts, person
from tests.environment import Services


@pytest.fixture(autouse=True)
def fresh_budgets(db: None, services: Services) -> None:
    forget_attempts(services)


@pytest.fixture
def dana() -> CustomUser:
    return person()


def change_session(user: CustomUser, **fields: Any) -> None:
    with signing_in():
        BrowserSession.objects.filter(user=user).update(**fields)


def test_password_signs_in_with_every_right_and_leads_back(dana: CustomUser) -> None:
    browser = Browser()
    form = browser.page("/search/", {"q": "light"})["Location"]
    assert 'value="/search/?q=light"' in browser.page(form).content.decode()
    answer = browser.sign_in(" DANA@example.com ", PASSWORD, next="/search/?q=light")
    assert answer["Location"] == "/search/?q=light"
    cookie = browser.cookies["paliapi_console_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert browser.page("/search/").status_code == 200
    created = browser.post("/keys/", {"name": "mine", "scopes": ["admin"], "days": "30"}, headers=HTML)
    assert created.status_code == 201
    with acting_for(dana.pk) as tx:
        assert ApiKey.objects.get(owner_id=tx.owner_id).minted_by_id is None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("dana@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("dana@example.com", "\x00"),
        ("\x00", PASSWORD),
        ("dana@example.com" * 30, PASSWORD),
        ("dana@example.com", "x" * 2000),
        ("", ""),
    ],
)
def test_wrong_password_is_refused_and_what_was_typed_stays(dana: CustomUser, email: str, password: str) -> None:
    browser = Browser()
    answer = browser.sign_in(email, password)
    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode()
    assert password not in answer.content.decode() or not password
    assert browser.page("/search/").status_code == 302


def test_unknown_name_and_wrong_password_look_alike(dana: CustomUser) -> None:
    known, unknown = (
        Browser().sign_in(email, "wrong").content.decode().replace(email, "")
        for email in ("dana@example.com", "nobody@example.com")
    )
    lines = [[line for line in text.splitlines() if "csrf" not in line] for text in (known, unknown)]
    assert lines[0] == lines[1]


def test_user_without_password_or_inactive_cannot_sign_in(dana: CustomUser) -> None:
    person("eve@example.com", password=None)
    assert Browser().sign_in("eve@example.com", "").status_code == 200
    browser = browser_of(dana)
    with acting_as_staff():
        CustomUser.objects.filter(pk=dana.pk).update(is_active=False)
    assert browser.page("/search/").status_code == 302
    assert Browser().sign_in(dana.email, PASSWORD).status_code == 200


def test_guessing_is_limited_by_name_and_address(dana: CustomUser) -> None:
    assert [Browser().sign_in(dana.email, "wrong").status_code for _ in range(6)] == [200] * 5 + [429]
    assert "login_attempts" not in Browser().cookies
    refused = Browser().sign_in(dana.email, PASSWORD)
    assert "too_many_logins" in refused.content.decode()


def test_browser_that_signed_in_before_is_not_locked_out_by_guesses(dana: CustomUser) -> None:
    browser = browser_of(dana)
    browser.post("/sign-out/", headers=HTML)
    for _ in range(6):
        Browser().sign_in(dana.email, "wrong")
    assert browser.sign_in(dana.email, PASSWORD).status_code == 302


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_form_leads_to_no_other_site(dana: CustomUser, after: str) -> None:
    assert Browser().sign_in(dana.email, PASSWORD, next=after)["Location"] == "/"


def test_session_is_new_after_signing_in(dana: CustomUser) -> None:
    browser = browser_of(dana)
    first = browser.cookies["paliapi_console_session"].value
    other = person("erin@example.com")
    browser.post("/sign-out/", headers=HTML)
    browser.cookies["paliapi_console_session"] = first
    browser.sign_in(other.email, PASSWORD)
    assert browser.cookies["paliapi_console_session"].value != first
    assert "erin@example.com" in browser.page("/account/").content.decode()


def test_database_holds_no_key_of_a_session(dana: CustomUser) -> None:
    browser = browser_of(dana)
    with signing_in(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_browsersession")
        assert browser.cookies["paliapi_console_session"].value not in str(cursor.fetchall())


def test_session_ends_when_idle_when_old_and_with_its_password(dana: CustomUser) -> None:
    browser = browser_of(dana)
    change_session(dana, last_seen_at=timezone.now() - timedelta(minutes=90))
    assert browser.page("/search/").status_code == 200
    change_session(dana, last_seen_at=timezone.now() - timedelta(minutes=121))
    assert browser.page("/search/").status_code == 302
    browser = browser_of(dana)
    change_session(dana, expire_date=timezone.now())
    assert browser.page("/search/").status_code == 302
    browser = browser_of(dana)
    with acting_as_staff():
        dana.set_password("another password")
        dana.save()
    assert browser.page("/search/").status_code == 302


def test_signing_in_with_a_key_ends_the_session_and_the_other_way_round(dana: CustomUser, alice: Someone) -> None:
    browser = browser_of(dana)
    browser.post("/sign-in/", {"key": alice.key}, headers=HTML)
    assert "alice@example.com" in browser.page("/account/").content.decode()
    browser.sign_in(dana.email, PASSWORD)
    page = browser.page("/account/").content.decode()
    assert "dana@example.com" in page
    browser.post("/sign-out/", headers=HTML)
    assert browser.page("/account/").status_code == 302


def test_form_needs_the_token_of_its_page(dana: CustomUser) -> None:
    browser = Browser(enforce_csrf_checks=True)
    assert browser.sign_in(dana.email, PASSWORD).status_code == 403
    browser.page("/sign-in/")
    token = browser.cookies["paliapi_console_csrf"].value
    assert browser.sign_in(dana.email, PASSWORD, csrfmiddlewaretoken=token).status_code == 302


def test_large_file_is_received_from_a_browser_with_a_session(dana: CustomUser) -> None:
    browser = browser_of(dana)
    cookie = f"paliapi_console_session={browser.cookies['paliapi_console_session'].value}"
    for cookies, account in ((cookie, f"owner {dana.pk}"), (f"{cookie}x", None)):
        request = RequestFactory().put("/upload/", headers={"Cookie": cookies})
        assert Application().admits({**request.META, "CONTENT_LENGTH": "10000000"}) == account
