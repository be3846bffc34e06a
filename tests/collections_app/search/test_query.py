"""Query inputs and the vectors they become."""

import dataclasses

import numpy as np
import pytest
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.errors import PageNotFound
from collections_app.search import CompositeQuery, ImageQuery, PageQuery, QueryInput, QueryPart, TextQuery, query
from collections_app.search.errors import (
    CropEmpty,
    PageNotSearchable,
    PageWithoutLayout,
    QueryMixesSpaces,
    QueryTooLong,
)
from collections_app.search.query import StoredQueryPages
from collections_app.search.query_vectors import QueryVectors
from embeddings.contract import Layout
from tests.cast import Someone
from tests.collections_app.search.by_page import search_by_page
from tests.collections_app.searchable import TOY, caller_of, random_vectors, with_vectors

TEXT = TextQuery("revenue by region", at="/query")
IMAGE = ImageQuery("AAAA", at="/query")
PAGE = PageQuery(document_name="x", collection_name="default_collection", page_number=1)


def composite(*parts: QueryInput, weight: float = 1.0) -> CompositeQuery:
    return CompositeQuery(tuple(QueryPart(part, weight) for part in parts if not isinstance(part, CompositeQuery)))


@pytest.mark.parametrize(
    ("query_input", "text", "text_only", "names_pages"),
    [
        (TEXT, "revenue by region", True, False),
        (IMAGE, "", False, False),
        (PAGE, "", False, True),
        (composite(TEXT, TextQuery("2026", at="")), "revenue by region 2026", True, False),
        (composite(TEXT, PAGE), "revenue by region", False, True),
        (composite(TEXT, weight=-1), "", False, False),
    ],
)
def test_text_and_pages_of_a_query(query_input: QueryInput, text: str, text_only: bool, names_pages: bool) -> None:
    assert query.text_of(query_input) == text
    assert query.is_text_only(query_input) == text_only
    assert query.names_pages(query_input) == names_pages


def read(who: Someone, query_input: QueryInput) -> StoredQueryPages:
    with acting_for(who.id) as tx:
        return query.read_stored_pages(tx, caller_of(who), query_input)


def test_stored_vectors_are_read_for_each_part_that_is_a_page(alice: Someone) -> None:
    first, second = with_vectors(alice, "x", [random_vectors(1, count=2), random_vectors(2, count=3)])
    stored = read(alice, composite(TEXT, PAGE, dataclasses.replace(PAGE, page_number=2)))
    assert stored.page_ids == {first, second}
    assert {index: len(vectors.vectors) for index, vectors in stored.by_part.items()} == {1: 2, 2: 3}
    assert stored.by_part[1].space == TOY


def test_page_query_errors(alice: Someone) -> None:
    layout: Layout = {"kind": "boxes", "boxes": [[0.1, 0.1, 0.2, 0.2], None]}
    pages = [random_vectors(1, count=2), None, random_vectors(2, count=2)]
    with_vectors(alice, "x", pages, layouts=[layout, None, None])
    box = (0.0, 0.0, 0.5, 0.5)
    assert len(read(alice, dataclasses.replace(PAGE, box=box)).by_part[0].vectors) == 1
    for change, error in (
        ({"page_number": 2}, PageNotSearchable),
        ({"page_number": 4}, PageNotFound),
        ({"page_number": 10**12}, PageNotFound),
        ({"page_number": 3, "box": box}, PageWithoutLayout),
        ({"box": (0.5, 0.5, 0.9, 0.9)}, CropEmpty),
    ):
        with pytest.raises(error):
            read(alice, dataclasses.replace(PAGE, **change))


def test_page_without_vectors_cannot_be_a_query(alice: Someone) -> None:
    with_vectors(alice, "query.pdf", [None], collection="queries")
    with pytest.raises(PageNotSearchable):
        search_by_page(alice)


def stored_vectors(*queries: QueryVectors) -> StoredQueryPages:
    return StoredQueryPages(frozenset(), dict(enumerate(queries)))


def test_parts_are_combined_with_their_weights(alice: Someone) -> None:
    parts = CompositeQuery((QueryPart(PAGE, 1.0), QueryPart(PAGE, -0.5)))
    first, second = (QueryVectors(TOY, random_vectors(seed, count=2)) for seed in (1, 2))
    combined = query.embed(caller_of(alice), parts, stored_vectors(first, second))
    assert np.array_equal(combined.vectors, np.concatenate([first.vectors, second.vectors]))
    assert combined.weights is not None
    assert combined.weights.tolist() == [1, 1, -0.5, -0.5]
    assert combined.max_score == 3
    assert first.max_score == 2


def test_parts_must_share_a_space_and_fit_the_limit(alice: Someone) -> None:
    toy = QueryVectors(TOY, random_vectors(1, count=2))
    other = QueryVectors(dataclasses.replace(TOY, revision="2"), toy.vectors)
    with pytest.raises(QueryMixesSpaces, match="made for searching 1 and of made for searching 2"):
        query.embed(caller_of(alice), composite(PAGE, PAGE), stored_vectors(toy, other))
    long = QueryVectors(TOY, random_vectors(1, count=query.MAX_VECTORS))
    with pytest.raises(QueryTooLong):
        query.embed(caller_of(alice), composite(PAGE, PAGE), stored_vectors(long, toy))


def test_text_queries_are_cached_for_each_owner(
    alice: Someone, charlie: Someone, service: str, settings: Settings
) -> None:
    caller, text = caller_of(alice), TextQuery("lighthouses that are cached", at="/query")
    assert not query.needs_no_model(caller, text)
    first = query.embed(caller, text, StoredQueryPages())
    assert query.needs_no_model(caller, composite(text, PAGE))
    assert query.embed(caller, text, StoredQueryPages()) is first
    assert not query.needs_no_model(caller_of(charlie), text)
    assert not query.needs_no_model(caller, IMAGE)
    long = TextQuery("lighthouse " * 100, at="/query")
    query.embed(caller, long, StoredQueryPages())
    assert not query.needs_no_model(caller, long)
    settings.ENV = dataclasses.replace(settings.ENV, embeddings_url="http://127.0.0.1:9")
    assert not query.needs_no_model(caller, text)
