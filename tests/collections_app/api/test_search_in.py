"""Rejected searches, each with its code and pointer."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from tests.cast import Someone, with_key
from tests.collections_app.api.finding import BY_IMAGE, PNG_BASE64, SEARCH, UNUSED_URL
from tests.collections_app.documents import PDF
from tests.collections_app.searchable import with_vectors


@pytest.mark.parametrize(
    ("page", "status", "code"),
    [
        ({"document_name": "nowhere", "page_number": 1}, 404, "document_not_found"),
        ({"document_name": "bread.pdf", "page_number": 1}, 404, "document_not_found"),
        ({"document_name": "bread.pdf", "page_number": 1, "collection_name": None}, 404, "document_not_found"),
        ({"document_name": "bread.pdf", "collection_name": "all", "page_number": 3}, 404, "page_not_found"),
        ({"document_name": "bread.pdf", "collection_name": "all", "page_number": 10**30}, 404, "page_not_found"),
        ({"document_name": "bread.pdf", "collection_name": "all", "page_number": 0}, 422, "invalid"),
        ({"document_name": "bread.pdf", "page_number": 1, "number": 1}, 422, "unknown_field"),
        ({"page_number": 1}, 422, "invalid"),
        ("bread.pdf", 422, "invalid"),
        ({"document_name": "none", "collection_name": "all", "page_number": 1}, 409, "page_not_searchable"),
    ],
)
def test_unusable_page_query_is_rejected(alice: Someone, library: list[int], page: Any, status: int, code: str) -> None:
    with_vectors(alice, "none", [None])
    refused = alice.post(SEARCH, {"page": page})
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_page_of_another_owner_cannot_be_a_query(alice: Someone, library: list[int], charlie: Someone) -> None:
    page = {"document_name": "lighthouses.pdf", "collection_name": "sea", "page_number": 1}
    responses = [
        charlie.post(SEARCH, {"page": {**page, "document_name": name}}) for name in ("lighthouses.pdf", "nowhere")
    ]
    assert [answer.status_code for answer in responses] == [404, 404]
    limited = with_key(alice.user, collections=frozenset({"kitchen"}))
    assert limited.post(SEARCH, {"page": page}).status_code == 404


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("", "blank"),
        (5, "invalid"),
        (None, "null"),
        ("data:image/png;base64,AAAA", "base64_invalid"),
        ("AAA", "base64_invalid"),
        ("AA-_", "base64_invalid"),
        ("AAAA\n", "base64_invalid"),
        ("ä" * 4, "base64_invalid"),
        ("AAAA", "unsupported_type"),
        (base64.b64encode(PDF).decode(), "unsupported_type"),
        (PNG_BASE64[:40], "file_damaged"),
    ],
)
def test_invalid_image_is_rejected_with_its_pointer(alice: Someone, library: list[int], image: Any, code: str) -> None:
    refused = alice.post(BY_IMAGE, {"img_base64": image})
    (place,) = refused.json()["errors"]
    assert (refused.status_code, place["pointer"], place["code"]) == (422, "/img_base64", code)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/query"),
        ({"query": None}, "/query"),
        ({"query": ""}, "/query"),
        ({"query": " \n\t"}, "/query"),
        ({"query": 5}, "/query"),
        ({"query": "a\0b"}, "/query"),
        ({"query": "\ud800"}, "/query"),
        ({"query": "x" * 10_001}, "/query"),
        ({"query": "x" * 1_000_000}, "/query"),
        ({"query": "x", "page": {"document_name": "x", "page_number": 1}}, "/page"),
        ({"query": "x", "top_k": 0}, "/top_k"),
        ({"query": "x", "top_k": -1}, "/top_k"),
        ({"query": "x", "top_k": 10**9}, "/top_k"),
        ({"query": "x", "offset": -1}, "/offset"),
        ({"query": "x", "offset": 10**9}, "/offset"),
        ({"query": "x", "min_score": 1.5}, "/min_score"),
        ({"query": "x", "min_score": "high"}, "/min_score"),
        ({"query": "x", "group_by": "collection"}, "/group_by"),
        ({"query": "x", "images": "webp"}, "/images"),
        ({"query": "x", "mode": "fast"}, "/mode"),
        ({"query": "x", "include": ["everything"]}, "/include/0"),
        ({"query": "x", "include": "text"}, "/include"),
        ({"query": "x", "collections": []}, "/collections"),
        ({"query": "x", "collections": "sea"}, "/collections"),
        ({"query": "x", "collections": ["sea"], "collection_name": "kitchen"}, "/collections"),
        ({"query": "x", "query_filter": {"key": "year"}}, "/query_filter/value"),
    ],
)
def test_invalid_query_is_rejected_with_its_pointer(alice: Someone, body: dict[str, Any], pointer: str) -> None:
    refused = alice.post(SEARCH, body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_unavailable_embeddings_service_is_503_with_retry_after(
    alice: Someone, library: list[int], settings: Settings
) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    for path, body in ((SEARCH, {"query": "anything?"}), (BY_IMAGE, {"img_base64": PNG_BASE64})):
        refused = alice.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (503, "embeddings_unavailable")
        assert refused["Retry-After"]


def test_concurrent_searches_per_owner_are_limited(alice: Someone, library: list[int], settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, max_concurrent_searches=0)
    refused = alice.post(SEARCH, {"query": "lens"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")


def test_key_without_the_scope_cannot_search(alice: Someone, bob: Someone, service: str) -> None:
    for path in (SEARCH, BY_IMAGE):
        assert bob.post(path, {"query": "x"}).json()["code"] == "scope_missing"
    assert with_key(alice.user, scopes=frozenset({"search"})).post(SEARCH, {"query": "x"}).status_code == 200
