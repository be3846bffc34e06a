"""Uploading: files that a script sends, and URLs."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, RequestFactory, encode_multipart
from pytest_django import Settings

from paliapi.http.large_bodies import Application
from tests.cast import Someone
from tests.collections_app.documents import PDF
from tests.console.browser import HTML, Browser


def send(browser: Browser, name: str, content: bytes = PDF, *, token: str = "", **fields: str) -> Any:
    form = {"name": name, "collection_name": "sea & shore", "file": SimpleUploadedFile("x", content), **fields}
    headers = {"X-CSRFToken": token} if token else {}
    return browser.put("/upload/", encode_multipart(BOUNDARY, form), content_type=MULTIPART_CONTENT, headers=headers)


def test_file_is_stored_and_its_page_named(alice: Someone, browser: Browser) -> None:
    answer = send(browser, "folder/a <b>.pdf", metadata='{"year": 2026}')
    assert answer.status_code == 202
    body = answer.json()
    assert (body["collection"], body["document"]) == ("sea & shore", "folder/a <b>.pdf")
    assert browser.page(body["url"]).status_code == 200
    [stored] = alice.get("/v1/documents/?collection_name=all").json()
    assert (stored["name"], stored["status"], stored["metadata"]) == ("folder/a <b>.pdf", "queued", {"year": 2026})


def test_file_needs_the_token_of_its_page(browser: Browser) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert send(strict, "a.pdf").json()["code"] == "csrf_failed"
    assert strict.page("/upload/").status_code == 200
    assert send(strict, "a.pdf", token=strict.cookies["paliapi_console_csrf"].value).status_code == 202
    # In a POST, a file is refused before it is read.
    form = {"file": SimpleUploadedFile("x", PDF), "name": "b.pdf"}
    assert strict.post("/upload/", form, headers=HTML).status_code in (400, 403)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("..", PDF, "name_invalid"),
        ("a/events", PDF, "name_reserved"),
        ("empty.pdf", b"", "file_empty"),
        ("odd.bin", b"\x00\x01\x02\xff" * 40, "unsupported_type"),
    ],
)
def test_refused_file_has_its_reason_and_advice(
    alice: Someone, browser: Browser, name: str, content: bytes, code: str
) -> None:
    problem = send(browser, name, content, token="any").json()
    assert problem["code"] == code
    assert problem["detail"]
    assert problem["advice"]
    assert alice.get("/v1/documents/?collection_name=all").json() == []


def test_full_quota_is_said_with_what_to_do(alice: Someone, browser: Browser, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_documents=1)
    assert send(browser, "first.pdf").status_code == 202
    refused = send(browser, "second.pdf", token="any")
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert refused.json()["advice"].startswith("Delete documents that are no longer needed")
    assert "Retry-After" not in refused.headers, "the script would send it again"


def test_file_needs_a_key_that_may_write(bob: Someone) -> None:
    assert send(Browser(bob), "a.pdf").status_code == 403
    assert send(Browser(), "a.pdf").status_code == 401


def test_repeated_request_gets_the_response_to_the_first(alice: Someone, browser: Browser) -> None:
    form = {"name": "a.pdf", "file": SimpleUploadedFile("x", PDF)}
    body = encode_multipart(BOUNDARY, form)
    answers = [
        browser.put("/upload/", body, content_type=MULTIPART_CONTENT, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len(alice.get("/v1/jobs/").json()) == 1


def test_large_file_is_received_only_from_a_browser_that_has_signed_in(browser: Browser, settings: Settings) -> None:
    def account(cookies: str, *, length: int) -> str | None:
        request = RequestFactory().put("/upload/", headers={"Cookie": cookies})
        return Application().admits({**request.META, "CONTENT_LENGTH": str(length)})

    cookies = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in browser.cookies.items())
    assert str(account(cookies, length=10**7)).startswith("owner ")
    assert account("", length=10**7) is None
    assert account(cookies, length=settings.ENV.max_body_bytes + 1) is None


def test_url_is_downloaded_later(alice: Someone, browser: Browser) -> None:
    form = {"name": "far <b>", "collection_name": "net", "url": "https://example.com/far.pdf"}
    answer = browser.post("/upload/", form, headers=HTML)
    assert answer["Location"] == "/document/?collection=net&document=far+%3Cb%3E"
    assert alice.get("/v1/documents/far%20%3Cb%3E/?collection_name=net").json()["url"] == form["url"]


@pytest.mark.parametrize("form", [{"url": "file:///etc/passwd"}, {"url": ""}, {"name": ""}, {"collection_name": "all"}])
def test_wrong_url_or_name_is_refused_and_kept_in_the_form(browser: Browser, form: dict[str, str]) -> None:
    complete = {"name": "far", "collection_name": "net", "url": "https://example.com/far.pdf", **form}
    answer = browser.post("/upload/", complete, headers=HTML)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "request id" in text
    assert f'value="{complete["url"]}"' in text


def test_page_offers_the_collections_that_the_key_reaches(alice: Someone, browser: Browser) -> None:
    alice.post("/v1/collections/", {"name": "<b>"})
    text = browser.page("/upload/", {"collection": "new"}).content.decode()
    assert '<option value="&lt;b&gt;">' in text
    assert 'value="new"' in text
    assert json.dumps("<b>") not in text
