"""The three steps of an account without documents."""

from collections_app.models import Document
from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, put, shown_with_pages
from tests.console.browser import HTML, Browser
from tests.statements import statements

TITLE = "Three steps to the first region"


def text_of(browser: Browser) -> str:
    return str(browser.page("/search/").content.decode())


def test_sample_is_added_with_one_click(alice: Someone, browser: Browser) -> None:
    text = text_of(browser)
    assert TITLE in text
    assert "Add the sample" in text
    assert "every 2s" not in text
    for _ in range(2):
        answer = browser.post("/sample/", headers=HTML)
        assert (answer.status_code, answer["Location"]) == (302, "/search/")
    [document] = alice.get("/v1/documents/?collection_name=all").json()
    assert (document["name"], document["collection_name"]) == ("lighthouses", "first-steps")
    text = text_of(browser)
    assert "every 2s" in text
    assert "Add the sample" not in text
    assert "The same from a program" not in text


def test_steps_show_what_is_done(alice: Someone, browser: Browser) -> None:
    shown_with_pages(alice, "lighthouses", pages=1, collection="first-steps")
    text = text_of(browser)
    assert "Done</span>" in text
    assert "?q=How%20far%20is%20a%20light%20seen" in text
    assert "/v1/search/" in text
    shown_with_pages(alice, "another", pages=1)
    assert TITLE not in text_of(browser)


def test_own_document_has_no_questions_of_the_sample(alice: Someone, browser: Browser) -> None:
    shown_with_pages(alice, "lighthouses <b>", pages=1)
    text = text_of(browser)
    assert "lighthouses &lt;b&gt;" in text
    assert "How far is a light seen that" not in text
    assert "Type a question about the document above." in text


def test_documents_of_others_end_no_first_visit(charlie: Someone, browser: Browser) -> None:
    for name in ("one", "two"):
        put(charlie, name, PDF)
    assert "Add the sample" in text_of(browser)


def test_key_that_may_not_add_the_sample_gets_no_button(alice: Someone, bob: Someone) -> None:
    elsewhere = {"scopes": frozenset({"search", "write"}), "collections": frozenset({"a"})}
    for who in (bob, with_key(alice.user, **elsewhere)):
        browser = Browser(who)
        assert "Add the sample" not in text_of(browser)
        assert browser.post("/sample/", headers=HTML).status_code == 403
    assert not Document.objects.exists()


def test_form_needs_the_token_of_its_page(browser: Browser) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    assert strict.post("/sample/", headers=HTML).status_code == 403


def test_number_of_statements_is_fixed(alice: Someone, browser: Browser) -> None:
    shown_with_pages(alice, "lighthouses", pages=1, collection="first-steps")
    with statements() as sent:
        text_of(browser)
    assert len(sent) == 13
