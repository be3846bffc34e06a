"""Signing in with a key, and when the cookie ends."""

import pytest
from django.test import Client

from accounts.key_lifecycle import revoke
from accounts.models import ApiKey
from accounts.ownership import acting_for
from tests.cast import Someone, activate, with_key
from tests.console.browser import HTML, Browser


def test_pages_lead_to_the_form_and_back(alice: Someone) -> None:
    client = Browser()
    answer = client.page("/search/", {"q": "light"})
    assert answer["Location"] == "/sign-in/?next=%2Fsearch%2F%3Fq%3Dlight"
    form = client.page(answer["Location"])
    assert 'value="/search/?q=light"' in form.content.decode()
    answer = client.post("/sign-in/", {"key": f" {alice.key} ", "next": "/search/?q=light"}, headers=HTML)
    assert answer["Location"] == "/search/?q=light"
    cookie = client.cookies["paliapi_console"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert alice.key not in cookie.value
    assert client.page("/search/").status_code == 200


@pytest.mark.parametrize("key", ["", "pali_", "x" * 200, "\x00"])
def test_invalid_key_is_refused(db: None, key: str) -> None:
    answer = Browser().post("/sign-in/", {"key": key}, headers=HTML)
    assert answer.status_code == 403
    assert "not an active key" in answer.content.decode()


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_form_leads_to_no_other_site(alice: Someone, after: str) -> None:
    answer = Browser().post("/sign-in/", {"key": alice.key, "next": after}, headers=HTML)
    assert answer["Location"] == "/"


def test_cookie_ends_with_its_key_and_with_its_owner(alice: Someone) -> None:
    browser = Browser(alice)
    activate(alice, is_active=False)
    assert browser.page("/search/").status_code == 302
    activate(alice, is_active=True)
    assert browser.page("/search/").status_code == 200
    with acting_for(alice.id) as tx:
        revoke(tx, ApiKey.objects.get(owner_id=alice.id))
    assert browser.page("/search/").status_code == 302


@pytest.mark.parametrize("value", ["1 1", "1 1:forged:signature", "", "a b:c:d"])
def test_forged_cookie_is_worth_nothing(db: None, value: str) -> None:
    browser = Browser()
    browser.cookies["paliapi_console"] = value
    assert browser.page("/search/").status_code == 302


def test_signing_out_forgets_the_key(browser: Browser) -> None:
    assert browser.post("/sign-out/", headers=HTML)["Location"] == "/sign-in/"
    assert browser.page("/search/").status_code == 302


def test_cookie_permits_what_the_key_permits(alice: Someone, bob: Someone) -> None:
    answer = Browser(bob).page("/search/")
    assert answer.status_code == 403
    assert "Sign in with a key that has this scope." in answer.content.decode()


def test_key_of_one_collection_sees_no_other(alice: Someone, library: list[int]) -> None:
    elsewhere = Browser(with_key(alice.user, collections=frozenset({"elsewhere"})))
    assert elsewhere.get(f"/page/{library[0]}/image").status_code == 404
    assert "sea &amp; shore" not in elsewhere.page("/search/").content.decode()


def test_api_takes_no_cookie(alice: Someone, browser: Browser) -> None:
    assert browser.get("/v1/collections/").status_code == 401
    answer = Client().get("/v1/collections/", headers=alice.headers)
    assert not answer.cookies
    assert "Cookie" not in answer["Vary"]
