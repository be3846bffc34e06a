"""Searching through its door, as far as there is something to search."""

from typing import Any

import pytest

from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, put, shown_with_pages


def test_nothing_is_found_while_nothing_is_searchable(alice: Someone) -> None:
    put(alice, "x", PDF)
    found = alice.post("/v1/search/", {"query": "anything?", "collection_name": "all", "query_filter": None})
    assert (found.status_code, found.json()) == (200, {"query": "anything?", "results": []})


def test_an_unknown_collection_is_an_empty_scope(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    found = alice.post("/v1/search/", {"query": "anything?", "collection_name": "nowhere"})
    assert (found.status_code, found.json()["results"]) == (200, [])


def test_somebody_elses_pages_are_not_in_scope(alice: Someone, charlie: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    assert charlie.post("/v1/search/", {"query": "anything?"}).json()["results"] == []


def test_a_filter_narrows_the_scope(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1, metadata={"year": 2025})
    body = {"query": "anything?", "query_filter": {"on": "document", "key": "year", "value": 2026}}
    assert alice.post("/v1/search/", body).json()["results"] == []


def test_pages_that_cannot_be_scored_are_not_passed_over_in_silence(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    refused = alice.post("/v1/search/", {"query": "anything?"})
    assert (refused.status_code, refused.json()["code"]) == (503, "search_not_ready")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/query"),
        ({"query": ""}, "/query"),
        ({"query": 5}, "/query"),
        ({"query": "x" * 10_001}, "/query"),
        ({"query": "x", "top_k": 0}, "/top_k"),
        ({"query": "x", "top_k": -1}, "/top_k"),
        ({"query": "x", "top_k": 10**9}, "/top_k"),
        ({"query": "x", "query_filter": {"key": "year"}}, "/query_filter/value"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_at_its_place(
    alice: Someone, body: dict[str, Any], pointer: str
) -> None:
    refused = alice.post("/v1/search/", body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_key_without_the_scope_may_not_search(alice: Someone, bob: Someone) -> None:
    assert bob.post("/v1/search/", {"query": "x"}).json()["code"] == "scope_missing"
    assert with_key(alice.user, scopes=frozenset({"search"})).post("/v1/search/", {"query": "x"}).status_code == 200
