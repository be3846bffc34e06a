"""The endpoint that finds collections and documents by metadata."""

from typing import Any

from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, put

FILTER = "/v1/filter/"
RECENT = {"key": "year", "op": "gte", "value": 2020}


def names(who: Someone, body: Any) -> list[str]:
    response = who.post(FILTER, body)
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()]


def test_documents_are_found_by_their_own_or_their_collections_metadata(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports", "metadata": {"team": "finance"}})
    put(alice, "new.pdf", PDF, collection="reports", metadata={"year": 2026})
    put(alice, "old.pdf", PDF, collection="reports", metadata={"year": 1999})
    assert names(alice, RECENT) == ["new.pdf"]
    by_collection = {"on": "collection", "key": "team", "op": "eq", "value": "finance"}
    assert names(alice, by_collection) == ["reports"]
    assert names(alice, {"and": [{"on": "document", **RECENT}, by_collection]}) == ["new.pdf"]


def test_filter_is_limited_to_the_owner_and_the_collections_of_the_key(alice: Someone, charlie: Someone) -> None:
    put(alice, "new.pdf", PDF, collection="reports", metadata={"year": 2026})
    assert names(charlie, RECENT) == []
    assert names(with_key(alice.user, collections=frozenset({"other"})), RECENT) == []


def test_long_results_are_paginated(alice: Someone) -> None:
    for number in range(3):
        put(alice, f"{number}.pdf", PDF, metadata={"year": 2026})
    first = alice.post(f"{FILTER}?limit=2", RECENT)
    assert [row["name"] for row in first.json()] == ["0.pdf", "1.pdf"]
    assert 'rel="next"' in first["Link"]


def test_invalid_filter_is_rejected(alice: Someone) -> None:
    response = alice.post(FILTER, {"key": "year", "op": "like", "value": 1})
    assert (response.status_code, response.json()["code"]) == (422, "filter_invalid")
