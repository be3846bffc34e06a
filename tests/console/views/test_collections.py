"""The list of collections, and creating one."""

import pytest

from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, put
from tests.console.browser import HTML, Browser
from tests.statements import statements


def test_empty_account_says_what_to_do(browser: Browser) -> None:
    text = browser.page("/collections/").content.decode()
    assert "Create one above" in text
    assert 'href="/upload/"' in text


def test_collection_is_created_once_and_its_name_is_only_text(alice: Someone, browser: Browser) -> None:
    name = "<b>a&b/c</b> \U0001f600"
    answer = browser.post("/collections/", {"name": name}, headers=HTML)
    assert answer["Location"].startswith("/collection/?collection=%3Cb%3E")
    assert browser.page(answer["Location"]).status_code == 200
    again = browser.post("/collections/", {"name": name}, headers=HTML)
    assert again.status_code == 409
    text = again.content.decode()
    assert 'value="&lt;b&gt;a&amp;b/c&lt;/b&gt; \U0001f600"' in text  # what was typed is still there
    assert "Choose another name." in text
    assert "<b>" not in text
    assert [one["name"] for one in alice.get("/v1/collections/").json()] == [name]


@pytest.mark.parametrize("name", ["", "all", "x" * 256, "a\u202eb", "..", "a\x00b"])
def test_invalid_name_is_refused_with_a_reason(alice: Someone, browser: Browser, name: str) -> None:
    answer = browser.post("/collections/", {"name": name}, headers=HTML)
    assert answer.status_code == 422
    assert "request id" in answer.content.decode()
    assert alice.get("/v1/collections/").json() == []


def test_list_is_filtered_sorted_and_in_pages(alice: Someone, browser: Browser) -> None:
    for number in range(51):
        alice.post("/v1/collections/", {"name": f"shelf {number:02}"})
    put(alice, "a.pdf", PDF, collection="shelf 07")
    first = browser.page("/collections/").content.decode()
    assert "shelf 49" in first
    assert "shelf 50" not in first
    assert 'rel="next" href="/collections/?page=2"' in first
    assert "shelf 50" in browser.page("/collections/", {"page": "2"}).content.decode()
    fullest = browser.page("/collections/", {"sort": "-documents"}).content.decode()
    assert fullest.index("shelf 07") < fullest.index("shelf 50")
    some = browser.page("/collections/", {"name": "F 4"}).content.decode()
    assert "shelf 42" in some
    assert "shelf 07" not in some
    assert "No collection has a name" in browser.page("/collections/", {"name": "\x00%_"}).content.decode()
    with statements() as sent:
        browser.page("/collections/")
    assert len(sent) == 13


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 9, "9" * 30, "\u0663"])
def test_any_page_and_order_can_be_requested(browser: Browser, page: str) -> None:
    assert browser.page("/collections/", {"page": page, "sort": "size"}).status_code == 200


def test_key_sees_and_creates_only_what_it_reaches(alice: Someone, bob: Someone) -> None:
    put(alice, "a.pdf", PDF, collection="secret")
    restricted = Browser(with_key(alice.user, collections=frozenset({"open"})))
    assert "secret" not in restricted.page("/collections/").content.decode()
    assert restricted.post("/collections/", {"name": "other"}, headers=HTML).status_code == 403
    assert restricted.post("/collections/", {"name": "open"}, headers=HTML).status_code == 302
    assert Browser(bob).post("/collections/", {"name": "open"}, headers=HTML).status_code == 403
    # A key that may write but not read gets the reason without the list.
    writer = Browser(with_key(alice.user, scopes=frozenset({"write"})))
    answer = writer.post("/collections/", {"name": "secret"}, headers=HTML)
    assert answer.status_code == 409
    assert "New collection" not in answer.content.decode()
