"""One collection: its documents, and changing or deleting it."""

import json

import pytest

from tests.cast import Someone
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.console.browser import HTML, Browser
from tests.statements import statements

AT = {"collection": "sea & shore"}
QUERY = "?collection=sea+%26+shore"


def text_of(browser: Browser, **params: str) -> str:
    answer = browser.page("/collection/", {**AT, **params})
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def shelf(alice: Someone) -> None:
    """Create a collection of Alice with a document that is ready and one that waits."""
    shown_with_pages(alice, "ready <b>.pdf", pages=2, collection=AT["collection"])
    put(alice, "waits.pdf", PDF, collection=AT["collection"])
    put(alice, "elsewhere.pdf", PDF, collection="other")


@pytest.mark.usefixtures("shelf")
def test_documents_are_filtered_by_state_and_name(browser: Browser) -> None:
    everything = text_of(browser)
    assert "ready &lt;b&gt;.pdf" in everything
    assert "waits.pdf" in everything
    assert "elsewhere.pdf" not in everything
    ready, working = text_of(browser, state="ready"), text_of(browser, state="working")
    assert "waits.pdf" not in ready
    assert "waits.pdf" in working
    assert "ready &lt;b&gt;.pdf" not in working
    assert "No document matches" in text_of(browser, state="failed")
    assert "waits.pdf" not in text_of(browser, name="READY")
    by_name = text_of(browser, sort="-name")
    assert by_name.index("waits.pdf") < by_name.index("ready &lt;b&gt;.pdf")
    assert text_of(browser, state="nonsense", sort="x", page="-3")


@pytest.mark.usefixtures("shelf")
def test_page_asks_for_itself_while_something_waits(alice: Someone, browser: Browser) -> None:
    text = text_of(browser)
    assert "every 2s" in text
    assert "In the whole account 2 documents" in text
    alice.post("/v1/documents/waits.pdf/cancel/?collection_name=sea%20%26%20shore", {})
    assert "every 2s" not in text_of(browser)


@pytest.mark.usefixtures("shelf")
def test_number_of_statements_is_fixed(alice: Someone, browser: Browser) -> None:
    with statements() as first:
        text_of(browser)
    put(alice, "third.pdf", PDF, collection=AT["collection"])
    with statements() as second:
        text_of(browser)
    assert len(first) == len(second) == 16


@pytest.mark.usefixtures("shelf")
def test_collection_is_renamed_and_described(alice: Someone, browser: Browser) -> None:
    form = {"name": "coast", "metadata": json.dumps({"<i>": "ü"}, ensure_ascii=False)}
    answer = browser.post(f"/collection/change/{QUERY}", form, headers=HTML)
    assert answer["Location"] == "/collection/?collection=coast"
    assert "&quot;&lt;i&gt;&quot;: &quot;ü&quot;" in browser.page(answer["Location"]).content.decode()
    assert alice.get("/v1/collections/coast/").json()["metadata"] == {"<i>": "ü"}
    assert browser.page("/collection/", AT).status_code == 404


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"name": "other"}, 409),
        ({"name": ""}, 422),
        ({"name": "coast", "metadata": "["}, 422),
        ({"name": "coast", "metadata": "[" * 9999}, 422),
        ({"name": "coast", "metadata": "[1]"}, 422),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_refused_change_changes_nothing_and_keeps_what_was_typed(
    browser: Browser, form: dict[str, str], status: int
) -> None:
    answer = browser.post(f"/collection/change/{QUERY}", form, headers=HTML)
    assert answer.status_code == status
    assert "request id" in answer.content.decode()
    assert form.get("metadata", "") in answer.content.decode()
    assert "ready &lt;b&gt;.pdf" in text_of(browser)


@pytest.mark.usefixtures("shelf")
def test_collection_is_deleted_only_after_its_name_was_typed(alice: Someone, browser: Browser) -> None:
    refused = browser.post(f"/collection/delete/{QUERY}", {"typed": "sea"}, headers=HTML)
    assert refused.status_code == 422
    assert "Type the name exactly as it is shown." in refused.content.decode()
    deleted = browser.post(f"/collection/delete/{QUERY}", {"typed": AT["collection"]}, headers=HTML)
    assert deleted["Location"] == "/collections/"
    assert [one["name"] for one in alice.get("/v1/collections/").json()] == ["other"]


@pytest.mark.usefixtures("shelf")
def test_collections_of_others_do_not_exist(alice: Someone, charlie: Someone, bob: Someone) -> None:
    stranger = Browser(charlie)
    assert stranger.page("/collection/", AT).status_code == 404
    for form in ({"name": "mine"}, {"typed": AT["collection"]}):
        for action in ("change", "delete"):
            answer = stranger.post(f"/collection/{action}/{QUERY}", {"name": "x", **form}, headers=HTML)
            assert answer.status_code == 404
            assert "ready" not in answer.content.decode()
    reader = Browser(bob)
    assert "Delete collection" not in reader.page("/collection/", AT).content.decode()
    assert reader.post(f"/collection/delete/{QUERY}", {"typed": AT["collection"]}, headers=HTML).status_code == 403
    assert alice.get("/v1/collections/sea%20&%20shore/").status_code == 200


@pytest.mark.usefixtures("shelf")
def test_forms_need_the_token_of_their_page(alice: Someone, browser: Browser) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    for path in ("/collections/", f"/collection/change/{QUERY}", f"/collection/delete/{QUERY}"):
        assert strict.post(path, {"name": "x", "typed": AT["collection"]}, headers=HTML).status_code == 403
    assert browser.post("/collection/", AT, headers=HTML).status_code == 405
