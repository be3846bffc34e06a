"""The number of database queries does not grow with the data."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import Someone
from tests.collections_app.documents import shown_with_pages
from tests.statements import statements

FILTERED = {"key": "year", "value": 2026}

# The request, and its number of queries, including authentication and the owner's transaction.
CALLS: dict[str, tuple[Callable[[Someone], Any], int]] = {
    "documents of one collection": (lambda who: who.get("/v1/documents/?collection_name=shelf-0"), 12),
    "all documents": (lambda who: who.get("/v1/documents/?collection_name=all"), 12),
    "all documents with their pages": (lambda who: who.get("/v1/documents/?collection_name=all&expand=pages"), 14),
    "a part of all documents": (lambda who: who.get("/v1/documents/?collection_name=all&limit=2"), 12),
    "documents by filter": (lambda who: who.post("/v1/filter/", FILTERED), 12),
    "documents by filter with pages": (lambda who: who.post("/v1/filter/?expand=pages", FILTERED), 14),
    "documents by their collection": (
        lambda who: who.post("/v1/filter/", {"and": [FILTERED, {"on": "collection", "key": "x", "op": "exists"}]}),
        12,
    ),
    "collections by filter": (lambda who: who.post("/v1/filter/", {"on": "collection", "key": "x", "value": 1}), 12),
    "collections": (lambda who: who.get("/v1/collections/"), 12),
    "one document with its pages": (lambda who: who.get("/v1/documents/d0?collection_name=shelf-0&expand=pages"), 14),
    "keys": (lambda who: who.get("/v1/keys/"), 12),
    "webhooks": (lambda who: who.get("/v1/webhooks/"), 12),
    "deleting a collection": (lambda who: who.delete("/v1/collections/shelf-0/"), 24),
}


def _fill(who: Someone, numbers: range, *, pages: int) -> None:
    for number in numbers:
        for shelf in ("shelf-0", f"shelf-{number + 1}"):
            shown_with_pages(who, f"d{number}", pages=pages, collection=shelf, metadata={"year": 2026})
        who.patch("/v1/collections/shelf-0/", {"metadata": {"x": 1}})
        who.post("/v1/keys/", {"scopes": ["read"]})
        who.post("/v1/webhooks/", {"url": "https://93.184.216.34/hook"})


def _cost(call: Callable[[Someone], Any], who: Someone) -> int:
    with CaptureQueriesContext(connection) as queries, statements() as sent:
        assert call(who).status_code < 300
    # Only Django reports transactions, and it does not see statements that bypass it.
    return len(sent) + sum(query["sql"] in {"BEGIN", "COMMIT"} for query in queries)


@pytest.mark.parametrize(("call", "most"), CALLS.values(), ids=CALLS)
def test_query_count_is_independent_of_the_amount_of_data(
    alice: Someone, call: Callable[[Someone], Any], most: int
) -> None:
    _fill(alice, range(1), pages=1)
    few = _cost(call, alice)
    assert few <= most, f"{few} queries"
    _fill(alice, range(1, 4), pages=3)
    assert _cost(call, alice) == few, f"{few} queries for one"
