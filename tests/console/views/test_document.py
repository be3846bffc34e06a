"""One document: its pages, the state of its latest upload, and changing or deleting it."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from accounts.ownership import acting_for
from collections_app.models import Revision, Status
from console.views import document as module
from tests.cast import Someone
from tests.collections_app.documents import PDF, body_of, put, shown_with_pages
from tests.console.browser import HTML, Browser
from tests.statements import statements

AT = {"collection": "sea & shore", "document": "charts/north <b>.pdf"}
API = "/v1/documents/charts/north%20%3Cb%3E.pdf/"
IN_API = "?collection_name=sea%20%26%20shore"
ACTIONS = ("change", "delete", "retry", "cancel")


def url(action: str = "") -> str:
    return f"/document/{f'{action}/' if action else ''}?{urlencode(AT)}"


def text_of(browser: Browser, path: str = "/document/", **params: str) -> str:
    answer = browser.page(path, {**AT, **params})
    assert answer.status_code == 200
    return str(answer.content.decode())


def set_latest(who: Someone, **values: Any) -> None:
    with acting_for(who.id):
        Revision.objects.filter(owner_id=who.id).update(**values)


@pytest.fixture
def document(alice: Someone) -> None:
    """Create a document of Alice with three pages."""
    shown_with_pages(alice, AT["document"], pages=3, collection=AT["collection"], metadata={"<i>": 1})


@pytest.fixture
def upload(alice: Someone) -> None:
    """Create a document of Alice that waits for a worker."""
    put(alice, AT["document"], PDF, collection=AT["collection"])


@pytest.mark.usefixtures("document")
def test_pages_have_thumbnails_with_their_place_reserved(browser: Browser) -> None:
    text = text_of(browser)
    assert text.count('width="20" height="10" loading="lazy"') == 3
    assert "charts/north &lt;b&gt;.pdf" in text
    assert "&quot;&lt;i&gt;&quot;: 1" in text
    assert "every 2s" not in text
    assert 'href="/collection/?collection=sea+%26+shore"' in text


@pytest.mark.usefixtures("document")
def test_file_can_be_downloaded(browser: Browser) -> None:
    link = text_of(browser).partition('<a class="button" href="/v1/files/')[2].partition('"')[0]
    assert body_of(browser.get(f"/v1/files/{link}")) == PDF


@pytest.mark.usefixtures("document")
def test_many_pages_follow_when_the_reader_gets_there(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGES", 2)
    text = text_of(browser)
    more = text.partition('hx-get="/document/?')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(more)["from"] == ["3"]
    rest = text_of(browser, **{"from": "3"})
    assert rest.count('loading="lazy"') == 1
    assert "More pages" not in rest
    earlier = rest.partition('rel="prev" href="/document/?')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(earlier)["from"] == ["1"]
    assert text_of(browser, **{"from": "9" * 9}).count('loading="lazy"') == 1
    assert text_of(browser, **{"from": "\u00b2"}).count('loading="lazy"') == 2


@pytest.mark.usefixtures("upload")
def test_state_is_followed_until_the_pages_are_there(alice: Someone, browser: Browser) -> None:
    assert "every 2s" in text_of(browser)
    set_latest(alice, status=Status.EMBEDDING, pages_total=8, pages_done=3)
    state = text_of(browser, "/document/state/")
    assert "3 of 8 pages" in state
    assert "every 2s" in state
    assert "page-grid" not in state
    assert "<html" not in state
    set_latest(alice, status=Status.QUEUED, waiting_for="embeddings_unavailable")
    assert "for the embeddings service, which cannot be reached" in text_of(browser, "/document/state/")
    set_latest(alice, status=Status.READY, waiting_for="", pages_done=8)
    over = text_of(browser, "/document/state/")
    assert "every 2s" not in over
    assert 'id="pages" aria-label="Pages" hx-swap-oob="true"' in over


@pytest.mark.usefixtures("upload")
def test_failure_has_its_reason_and_can_be_retried(alice: Someone, browser: Browser) -> None:
    error = {"code": "file_missing", "detail": "<script>alert(1)</script>", "page": 2}
    set_latest(alice, status=Status.FAILED, error=error)
    text = text_of(browser)
    assert "Page 2: &lt;script&gt;" in text
    assert "<script>alert" not in text
    assert "Upload the document again." in text
    in_list = browser.page("/collection/", {"collection": AT["collection"], "state": "failed"}).content.decode()
    assert "Page 2: &lt;script&gt;" in in_list
    answer = browser.post(url("retry"), headers=HTML)
    assert parse_qs(urlsplit(answer["Location"]).query) == {name: [value] for name, value in AT.items()}
    assert alice.get(API + IN_API).json()["status"] == "queued"
    again = browser.post(url("retry"), headers=HTML)
    assert again.status_code == 409
    assert "Reload the page to see the current state." in again.content.decode()


@pytest.mark.usefixtures("upload")
def test_upload_is_cancelled(alice: Someone, browser: Browser) -> None:
    assert browser.post(url("cancel"), headers=HTML).status_code == 302
    assert alice.get(API + IN_API).json()["status"] == "cancelled"
    assert "Retry" in text_of(browser)


@pytest.mark.usefixtures("document")
def test_document_is_renamed_and_its_metadata_replaced(alice: Someone, browser: Browser) -> None:
    form = {"name": "south.pdf", "metadata": json.dumps({"year": 2026})}
    answer = browser.post(url("change"), form, headers=HTML)
    assert answer["Location"] == "/document/?collection=sea+%26+shore&document=south.pdf"
    assert alice.get(f"/v1/documents/south.pdf/{IN_API}").json()["metadata"] == {"year": 2026}
    assert browser.page("/document/", AT).status_code == 404


@pytest.mark.usefixtures("document")
def test_document_is_moved_to_a_collection_that_exists(alice: Someone, browser: Browser) -> None:
    form = {"name": AT["document"], "move_to": "<harbour>"}
    refused = browser.post(url("change"), form, headers=HTML)
    assert refused.status_code == 422
    assert "create it under Collections first" in refused.content.decode()
    assert 'value="&lt;harbour&gt;"' in refused.content.decode()
    put(alice, "other", PDF, collection="<harbour>")
    assert '<option value="&lt;harbour&gt;">' in text_of(browser)
    answer = browser.post(url("change"), form, headers=HTML)
    assert parse_qs(urlsplit(answer["Location"]).query) == {
        "collection": ["<harbour>"],
        "document": [AT["document"]],
    }
    assert browser.page(answer["Location"]).status_code == 200


@pytest.mark.parametrize(
    "form", [{"name": "taken"}, {"name": ""}, {"name": "a/events"}, {"name": "x", "metadata": "}"}]
)
@pytest.mark.usefixtures("document")
def test_refused_change_keeps_what_was_typed(alice: Someone, browser: Browser, form: dict[str, str]) -> None:
    put(alice, "taken", PDF, collection=AT["collection"])
    answer = browser.post(url("change"), form, headers=HTML)
    assert answer.status_code == (409 if form["name"] == "taken" else 422)
    assert form.get("metadata", form["name"]) in answer.content.decode()
    assert "request id" in answer.content.decode()
    assert alice.get(API + IN_API).json()["metadata"] == {"<i>": 1}


@pytest.mark.usefixtures("document")
def test_document_is_deleted_only_after_its_name_was_typed(alice: Someone, browser: Browser) -> None:
    assert browser.post(url("delete"), {"typed": "charts"}, headers=HTML).status_code == 422
    assert browser.post(url("delete"), {"typed": AT["document"]}, headers=HTML).status_code == 302
    assert alice.get(API + IN_API).status_code == 404


@pytest.mark.usefixtures("document")
def test_documents_of_others_do_not_exist(alice: Someone, charlie: Someone, bob: Someone) -> None:
    stranger, reader = Browser(charlie), Browser(bob)
    form = {"name": "x", "typed": AT["document"]}
    for path in ("/document/", "/document/state/"):
        assert stranger.page(path, AT).status_code == 404
    for action in ACTIONS:
        assert stranger.post(url(action), form, headers=HTML).status_code == 404
        assert reader.post(url(action), form, headers=HTML).status_code == 403
        assert Browser().post(url(action), form).status_code == 401
    assert "Delete document" not in reader.page("/document/", AT).content.decode()
    assert alice.get(API + IN_API).json()["metadata"] == {"<i>": 1}


@pytest.mark.usefixtures("document")
def test_forms_need_the_token_of_their_page(browser: Browser) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    for action in ACTIONS:
        assert strict.post(url(action), {"typed": AT["document"]}, headers=HTML).status_code == 403
    assert browser.post(url(), headers=HTML).status_code == 405


@pytest.mark.usefixtures("document")
def test_number_of_statements_is_fixed(browser: Browser) -> None:
    with statements() as sent:
        text_of(browser)
    assert len(sent) == 15
