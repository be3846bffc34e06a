"""The search, whose state is in its URL."""

import base64
import json
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from pytest_django import Settings

from tests.cast import Someone
from tests.collections_app.documents import PNG
from tests.console.browser import HTML, Browser
from tests.statements import statements

PAGE = {"document_name": "sea/light <b>.pdf", "collection_name": "sea & shore", "page_number": 1}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_hits_have_their_words_marked_and_links(browser: Browser, library: list[int]) -> None:
    text = text_of(browser.page("/search/", {"q": "tallest lighthouse"}))
    assert "<mark>tallest</mark>" in text
    assert "sea/light &lt;b&gt;.pdf" in text
    assert f'src="/page/{library[0]}/thumbnail"' in text
    assert "<rect x=" in text
    assert "How it was found" in text
    body = text.partition('data-body="')[2].partition('"')[0]
    assert json.loads(unescape(body))["query"] == "tallest lighthouse"


def test_every_option_is_in_the_form_again(browser: Browser, library: list[int]) -> None:
    params = {
        "q": "lens",
        "collection": ["sea & shore"],
        "filter": '{"key": "year", "op": "eq", "value": 2026}',
        "ranking": "lexical",
        "group": "document",
        "mode": "exact",
        "part": json.dumps({"page": PAGE, "weight": -0.5}),
    }
    text = text_of(browser.page("/search/", {**params, "ranking": "maxsim"}))
    assert 'value="sea &amp; shore" checked' in text
    assert '{"key": "year", "op": "eq", "value": 2026}' in unescape(text)
    assert '<option value="maxsim" selected>' in text
    assert "unlike sea/light" in text


@pytest.mark.parametrize(
    "params",
    [
        {"q": "x", "filter": "{"},
        {"q": "x", "filter": '{"key": 1}'},
        {"q": "x", "ranking": "magic"},
        {"part": "[" * 5000},
        {"part": '"text"'},
        {"q": "x" * 20_000},
        {"part": json.dumps({"page": {**PAGE, "document_name": "absent"}})},
    ],
)
def test_wrong_search_says_what_to_do(browser: Browser, library: list[int], params: dict[str, str]) -> None:
    answer = browser.page("/search/", params)
    assert 400 <= answer.status_code < 500
    assert "request id" in text_of(answer)
    swapped = browser.get("/search/", params, headers={**HTML, "HX-Request": "true"})
    assert swapped.status_code == 200
    assert "request id" in text_of(swapped)


def test_unavailable_service_is_shown(browser: Browser, alice: Someone, library: list[int], settings: Settings) -> None:
    part = json.dumps({"image": base64.b64encode(PNG).decode()})
    settings.ENV = replace(settings.ENV, embeddings_url="http://127.0.0.1:1")
    assert browser.page("/search/", {"part": part}).status_code == 503
    assert "Ranked by words alone" in text_of(browser.page("/search/", {"q": "unheard of lens"}))


def test_image_is_sent_by_a_script(browser: Browser, library: list[int]) -> None:
    waiting = text_of(browser.page("/search/", {"image": "image-1"}))
    assert 'data-waits-for-image="image-1"' in waiting
    body = {"params": "image=image-1", "image": base64.b64encode(PNG).decode()}
    answer = browser.post("/search/", body, content_type="application/json")
    assert answer.status_code == 200
    assert text_of(answer).lstrip().startswith("<section")
    refused = [
        browser.post("/search/", other, content_type="application/json").json()["code"]
        for other in ('{"params": 1}', '{"params": "q=a"}', "[]")
    ]
    assert refused == ["search_url_invalid", "search_url_invalid", "unparsable"]


def test_another_owner_finds_nothing(charlie: Someone, library: list[int]) -> None:
    stranger = Browser(charlie)
    assert "light &lt;b&gt;" not in text_of(stranger.page("/search/", {"q": "tallest lighthouse"}))
    assert stranger.page("/search/", {"part": json.dumps({"page": PAGE})}).status_code == 404


def test_number_of_statements_is_fixed(browser: Browser, library: list[int]) -> None:
    browser.page("/search/", {"q": "lens"})
    with statements() as first:
        browser.page("/search/", {"q": "lens"})
    assert len(first) <= 30
