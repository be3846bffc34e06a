"""Searches by a stored page, so that no model is involved and exact scores are known."""

from typing import Any

import numpy as np

from accounts.ownership import acting_for
from collections_app.models import Document
from collections_app.search import PageQuery, SearchRequest, SearchResult, search
from tests.cast import Someone
from tests.collections_app.searchable import Halves, caller_of, random_vectors, with_vectors

QUERY_VECTORS = random_vectors(0, count=5)
PAGE_QUERY = PageQuery(document_name="query.pdf", collection_name="queries", page_number=1)


def store_query_page(who: Someone) -> None:
    """Store the page that `PAGE_QUERY` names, unless it exists."""
    with acting_for(who.id):
        exists = Document.objects.filter(owner_id=who.id, name=PAGE_QUERY.document_name).exists()
    if not exists:
        with_vectors(who, PAGE_QUERY.document_name, [QUERY_VECTORS], collection=PAGE_QUERY.collection_name)


def search_by_page(who: Someone, *, key_collections: frozenset[str] | None = None, **request: Any) -> SearchResult:
    store_query_page(who)
    caller = caller_of(who, collections=key_collections)
    return search(caller, SearchRequest(query=PAGE_QUERY, **{"top_k": 1000, **request}))


def page_ids(result: SearchResult) -> list[int]:
    return [hit.page.pk for hit in result.hits]


def naive_score(page: Halves) -> float:
    return float((QUERY_VECTORS.astype(np.float64) @ page.astype(np.float64).T).max(axis=1).sum())


def random_pages(seed: int, *, count: int) -> list[Halves]:
    return [random_vectors(seed * 1000 + number, count=1 + number % 9) for number in range(count)]
