"""The costs of options."""

from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from collections_app import costs
from collections_app.api.search import SearchImageIn, SearchIn
from collections_app.engine.input import filter_parser
from collections_app.search import ImageQuery
from tests.cast import Someone, with_key
from tests.collections_app.documents import shown_with_pages

SIMPLE = {"query": "How tall is it?", "collection_name": "all"}
PAGE = {"document_name": "a.pdf", "page_number": 1}
CONDITION = {"key": "year", "op": "gte", "value": 2020}


def cost(body: dict[str, Any]) -> int:
    serializer = SearchIn(data=body)
    serializer.is_valid(raise_exception=True)
    return costs.of_search(serializer.validated_data, serializer.validated_data["query_input"])


def test_simple_search_costs_nothing_more() -> None:
    assert cost(SIMPLE) == cost({**SIMPLE, "top_k": 10, "query_filter": CONDITION, "include": ["text"]}) == 0


@pytest.mark.parametrize(
    ("option", "units"),
    [
        ({"mode": "exact"}, costs.EXACT),
        ({"rerank": True}, costs.RERANKING),
        ({"include": ["regions", "receipt"]}, costs.REGIONS),
        ({"query": "word " * 1000}, 5000 // costs.CHARACTERS_PER_UNIT),
        ({"top_k": 100, "offset": 200}, 300 // costs.HITS_PER_UNIT),
        ({"top_k": 1000, "offset": 2000}, costs.MAX_FOR_HITS),
        ({"query": None, "page": PAGE}, costs.STORED_PAGE),
        ({"query": [{"page": PAGE}, {"image": "aGk="}, {"text": "a"}]}, costs.STORED_PAGE + costs.IMAGE),
        ({"query_filter": {"or": [CONDITION] * 60}}, 60 // costs.CONDITIONS_PER_UNIT),
        ({"mode": "exact", "include": ["regions"]}, costs.EXACT + costs.REGIONS),
    ],
)
def test_options_of_a_search_cost_more(option: dict[str, Any], units: int) -> None:
    assert units > 0
    assert cost({**SIMPLE, **option}) == units


def test_images_of_hits_cost() -> None:
    assert costs.of_hit_images(3) == 0
    assert costs.of_hit_images(100) == 100 // costs.IMAGES_PER_UNIT


def test_search_by_image_costs_more() -> None:
    body = SearchImageIn(data={"img_base64": "aGk="})
    body.is_valid(raise_exception=True)
    assert costs.of_search(body.validated_data, ImageQuery("aGk=", at="/img_base64")) == costs.IMAGE


def test_every_compared_value_of_a_filter_counts() -> None:
    nested = {"and": [{"not": {"or": [CONDITION] * 20}}, {"key": "year", "op": "in", "value": list(range(20))}]}
    assert costs.of_filter(filter_parser.parse(nested)) == 40 // costs.CONDITIONS_PER_UNIT
    assert costs.of_filter(filter_parser.parse(CONDITION)) == 0


def test_inputs_of_embeddings_cost() -> None:
    assert costs.of_inputs(["short"], task="query") == 0
    assert costs.of_inputs(["short", "x" * 1000], task="query") == 1 + 1000 // costs.CHARACTERS_PER_UNIT
    assert costs.of_inputs(["aGk="] * 3, task="image") == 3 * costs.IMAGE


def _left(answer: Any) -> int:
    assert answer.status_code == 200
    return int(answer["RateLimit"].partition("r=")[2].partition(";")[0])


def test_rows_and_page_images_are_charged(alice: Someone, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    for number in range(3):
        shown_with_pages(alice, f"d{number}.pdf", pages=2)
    settings.ENV = replace(settings.ENV, rate_per_minute=1)
    monkeypatch.setattr("accounts.views.ROWS_PER_UNIT", 1)
    monkeypatch.setattr(costs, "IMAGES_PER_UNIT", 1)
    spender = with_key(alice.user)
    full = _left(spender.get("/v1/me/"))
    assert full - _left(spender.get("/v1/documents/")) == 1 + 3
    assert full - _left(spender.get("/v1/documents/?limit=2&expand=pages")) == 4 + 1 + 2 + 4
    assert full - _left(spender.get("/v1/documents/d0.pdf/?expand=pages")) == 11 + 1 + 2
    assert full - _left(spender.post("/v1/filter/?expand=pages", {"key": "x", "op": "eq", "value": 1})) == 14 + 1
