"""One page, large."""

import base64
import json
from typing import Any

import pytest

from tests.cast import Someone
from tests.collections_app.documents import PNG
from tests.console.browser import Browser

PLACE: dict[str, str] = {"document": "sea/light <b>.pdf", "collection": "sea & shore", "page": "1"}


def test_page_has_its_text_its_words_and_its_neighbours(browser: Browser, library: list[int]) -> None:
    answer = browser.page("/page/", {**PLACE, "q": "lens"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "the tallest lighthouse stands in jeddah" in text
    assert 'rel="next"' in text
    assert 'rel="prev"' not in text
    assert "Less like this" in text
    place = json.loads(text.partition('<script id="page-place" type="application/json">')[2].partition("</script>")[0])
    assert place == {"document_name": PLACE["document"], "collection_name": PLACE["collection"], "page_number": 1}


@pytest.mark.parametrize("number", ["0", "3", "x", "", "9" * 30, "-1", "²"])
def test_absent_page_is_not_found(browser: Browser, library: list[int], number: str) -> None:
    assert browser.page("/page/", {**PLACE, "page": number}).status_code == 404


def test_heat_of_a_page_names_regions_and_tokens(browser: Browser, library: list[int]) -> None:
    answer = browser.get("/page/heat/", {"q": "tallest", "page_id": str(library[0])})
    heat: dict[str, Any] = answer.json()
    assert heat["tokens"]
    assert len(base64.b64decode(heat["tokens"][0]["map"])) == heat["n_x"] * heat["n_y"]
    body = {"params": f"page_id={library[0]}", "image": base64.b64encode(PNG).decode()}
    assert browser.post("/page/heat/", body, content_type="application/json").status_code == 200


def test_heat_needs_a_query_and_a_page(browser: Browser, library: list[int]) -> None:
    assert browser.get("/page/heat/", {"page_id": str(library[0])}).status_code == 404
    assert browser.get("/page/heat/", {"q": "x"}).status_code == 404
    assert browser.post("/page/heat/", {}, content_type="application/json").status_code == 422


def test_pages_of_others_are_not_found(charlie: Someone, library: list[int]) -> None:
    stranger = Browser(charlie)
    assert stranger.page("/page/", PLACE).status_code == 404
    assert stranger.get("/page/heat/", {"q": "tallest", "page_id": str(library[0])}).status_code == 404
