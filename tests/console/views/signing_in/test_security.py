"""The page with password and sessions."""

import re

import pytest

from accounts.models import CustomUser
from tests.console.browser import HTML, Browser
from tests.console.people import PASSWORD, browser_of, forget_attempts, person
from tests.environment import Services

NEW = "another password of the tests"


@pytest.fixture(autouse=True)
def fresh_budgets(db: None, services: Services) -> None:
    forget_attempts(services)


@pytest.fixture
def dana() -> CustomUser:
    return person()


def change(browser: Browser, old: str, new: str = NEW) -> tuple[int, str]:
    form = {"oldpassword": old, "password1": new, "password2": new}
    answer = browser.post("/security/password/", form, headers=HTML)
    return answer.status_code, answer.content.decode()


def ids(browser: Browser) -> list[str]:
    return re.findall(r'name="session" value="(\w+)"', browser.page("/security/").content.decode())


def test_sessions_are_listed_and_ended_one_by_one_and_all_at_once(dana: CustomUser) -> None:
    first, second, third = (browser_of(dana) for _ in range(3))
    page = first.page("/security/").content.decode()
    assert page.count("this one") == 1
    assert "127.0.0.1" in page
    assert len(ids(first)) == 3
    current = re.findall(r'value="(\w+)"><button class="small" title', second.page("/security/").content.decode())
    first.post("/security/sessions/end/", {"session": current}, headers=HTML)
    assert second.page("/search/").status_code == 302
    assert third.page("/search/").status_code == 200
    first.post("/security/sessions/end/", {"everywhere": "yes"}, headers=HTML)
    assert [browser.page("/search/").status_code for browser in (first, third)] == [302, 302]


def test_session_of_another_user_is_not_ended(dana: CustomUser) -> None:
    browser, other = browser_of(dana), browser_of(person("erin@example.com"))
    assert len(ids(browser)) == 1
    for session in [*ids(browser), "", "\x00", "x" * 10_000]:
        other.post("/security/sessions/end/", {"session": session}, headers=HTML)
    assert browser.page("/search/").status_code == 200


def test_name_of_a_browser_is_text(dana: CustomUser) -> None:
    browser = Browser(headers={"User-Agent": "<script>\u202eevil\x00" + "x" * 5000})
    browser.sign_in(dana.email, PASSWORD)
    page = browser.page("/security/").content.decode()
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page


def test_password_is_changed_with_the_present_one_and_ends_other_sessions(dana: CustomUser) -> None:
    browser, other = browser_of(dana), browser_of(dana)
    assert change(browser, "wrong")[0] == 200
    status, page = change(browser, PASSWORD, "short")
    assert status == 200
    assert "too short" in page
    assert change(browser, PASSWORD)[0] == 302
    assert browser.page("/security/").status_code == 200
    assert other.page("/search/").status_code == 302
    assert Browser().sign_in(dana.email, PASSWORD).status_code == 200
    assert Browser().sign_in(dana.email, NEW).status_code == 302


def test_attempts_at_the_present_password_are_limited(dana: CustomUser) -> None:
    browser = browser_of(dana)
    assert [change(browser, "wrong")[0] for _ in range(6)] == [200] * 5 + [429]


def test_browser_with_a_key_sees_and_ends_no_session(browser: Browser) -> None:
    assert "signed in with a key" in browser.page("/security/").content.decode()
    assert browser.post("/security/sessions/end/", {"everywhere": "yes"}, headers=HTML).status_code == 403
    assert browser.page("/security/password/")["Location"] == "/sign-in/?next=/security/password/"


def test_pages_are_for_the_signed_in(db: None) -> None:
    assert Browser().page("/security/")["Location"] == "/sign-in/?next=%2Fsecurity%2F"
    assert Browser().post("/security/password/", headers=HTML)["Location"].startswith("/sign-in/")
