"""What holds for every page of the console."""

import pytest

from tests.cast import Someone
from tests.console.browser import HTML, Browser

PAGES = ["/search/", "/sign-in/", "/nowhere"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_load_only_local_files_and_are_not_cached(browser: Browser, path: str) -> None:
    answer = browser.page(path)
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;")
    assert "unsafe" not in policy
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Frame-Options"] == "DENY"
    text = answer.content.decode()
    assert " style=" not in text
    assert "<style" not in text


def test_forms_need_the_token_of_their_page(alice: Someone) -> None:
    browser = Browser(enforce_csrf_checks=True)
    assert browser.post("/sign-in/", {"key": alice.key}, headers=HTML).status_code == 403
    browser.page("/sign-in/")
    token = browser.cookies["paliapi_console_csrf"].value
    answer = browser.post("/sign-in/", {"key": alice.key, "csrfmiddlewaretoken": token}, headers=HTML)
    assert answer["Location"] == "/"
    body = {"params": "", "image": ""}
    refused = browser.post("/search/", body, content_type="application/json")
    assert refused.json()["code"] == "csrf_failed"
    token = browser.cookies["paliapi_console_csrf"].value
    accepted = browser.post("/search/", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert accepted.status_code == 200
