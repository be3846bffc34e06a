"""The search endpoints, with a real embeddings service and its small lexical encoder, which matches equal words."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.models import Page
from paliapi.env import ROOT
from tests.cast import Someone, with_key
from tests.collections_app.api.finding import BY_IMAGE, PNG_BASE64, SEARCH, UNUSED_URL, places, search_hits
from tests.collections_app.documents import PDF, PNG, put
from tests.collections_app.ingestion import process_all
from tests.collections_app.searchable import random_vectors, with_vectors, with_words
from tests.embeddings.serving import encoded, text_image

UPSTREAMS_FIELDS = {
    "collection_name": str,
    "collection_id": int,
    "collection_metadata": dict,
    "document_name": str,
    "document_id": int,
    "document_metadata": dict,
    "page_number": int,
    "raw_score": float,
    "normalized_score": float,
    "img_base64": str,
}


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("tallest lighthouse", ("lighthouses.pdf", 1)),
        ("Which lens bends?", ("lighthouses.pdf", 2)),
        ("salt and flour", ("bread.pdf", 1)),
    ],
)
def test_best_page_is_the_matching_one(alice: Someone, library: list[int], query: str, page: tuple[str, int]) -> None:
    assert places(search_hits(alice, query=query))[0] == page


def test_hits_have_all_fields_that_existing_clients_read(alice: Someone, library: list[int]) -> None:
    answer = alice.post(SEARCH, {"query": "lens", "collection_name": "sea", "top_k": 1, "query_filter": None}).json()
    assert set(answer) == {"query", "results"}
    assert answer["query"] == "lens"
    (hit,) = answer["results"]
    assert {name: type(hit[name]) for name in UPSTREAMS_FIELDS} == UPSTREAMS_FIELDS
    assert base64.b64decode(hit["img_base64"]) == PNG
    assert hit["document_metadata"] == {"year": 2026}
    assert (hit["page_id"], hit["width"], hit["height"]) == (library[1], 20, 10)
    assert hit["raw_score"] == pytest.approx(1, abs=0.01)
    assert "text" not in hit


def test_top_k_defaults_to_three(alice: Someone, library: list[int]) -> None:
    assert len(search_hits(alice, query="light")) == 3
    assert len(search_hits(alice, query="light", top_k=None)) == 3
    assert len(search_hits(alice, query="light", top_k=1000)) == 5


def test_offset_continues_after_top_k(alice: Someone, library: list[int]) -> None:
    whole = places(search_hits(alice, query="the tallest lens", top_k=5))
    assert places(search_hits(alice, query="the tallest lens", top_k=2, offset=2)) == whole[2:4]


def test_collections_and_a_filter_narrow_the_scope(alice: Someone, library: list[int]) -> None:
    def names(**body: Any) -> set[str]:
        return {hit["document_name"] for hit in search_hits(alice, query="the tallest", top_k=9, **body)}

    assert names(collection_name="kitchen") == {"bread.pdf"}
    assert names(collections=["kitchen", "sea", "nowhere"]) == {"bread.pdf", "lighthouses.pdf"}
    assert names(collections=["sea"], collection_name=None) == {"lighthouses.pdf"}
    assert names(query_filter={"on": "document", "key": "year", "value": 2026, "lookup": "key_lookup"}) == {
        "lighthouses.pdf"
    }
    assert names(query_filter={"not": {"key": "year", "op": "gt", "value": 2000}}) == {"bread.pdf"}
    assert names(collection_name="nowhere") == names(collections=["nowhere"]) == set()


def test_group_by_document_returns_each_document_once(alice: Someone, library: list[int]) -> None:
    grouped = search_hits(alice, query="the tallest lighthouse", group_by="document", top_k=9)
    assert places(grouped) == [("lighthouses.pdf", 1), ("bread.pdf", 2)]


def test_min_score_excludes_lower_scores(alice: Someone, library: list[int]) -> None:
    assert places(search_hits(alice, query="bends lens", min_score=0.9)) == [("lighthouses.pdf", 2)]
    assert search_hits(alice, query="zeppelin", min_score=0.9) == []


def test_text_is_included_on_request(alice: Someone, library: list[int]) -> None:
    (hit,) = search_hits(alice, query="lens", top_k=1, include=["text"])
    assert hit["text"] == "a lens bends light"


@pytest.mark.parametrize("mode", ["auto", "exact", None])
def test_receipt_describes_the_search(alice: Someone, library: list[int], mode: str | None) -> None:
    with_vectors(alice, "of another model", [random_vectors(1, count=2), None])
    answer = alice.post(SEARCH, {"query": "lens", "mode": mode, "include": ["receipt"]})
    receipt = answer.json()["receipt"]
    assert set(receipt.pop("ms")) == {"scope", "query", "index", "score", "fetch", "images"}
    assert receipt == {
        "mode": "exact",
        "ranking": "maxsim",
        "degraded": False,
        "space": {"model": "paliapi/lexical-v1", "revision": "1", "dim": 128},
        "pages_in_scope": 7,
        "pages_scored": 5,
        "vector_storage": "full",
        "vectors_per_page": receipt["vectors_per_page"],
        "pages_matched": None,
        "pages_left_out": 2,
        "reranking": None,
    }
    assert [part.partition(";")[0] for part in answer["Server-Timing"].split(", ")] == [
        "scope",
        "query",
        "index",
        "score",
        "fetch",
        "images",
    ]


def test_page_query_needs_no_embeddings_service(alice: Someone, library: list[int], settings: Settings) -> None:
    with_words(alice, "copy.pdf", ["a lens bends light"], collection="kitchen")
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    page = {"document_name": "lighthouses.pdf", "collection_name": "sea", "page_number": 2}
    answer = alice.post(SEARCH, {"page": page, "query": None, "top_k": 9}).json()
    assert answer["query"] == ""
    assert places(answer["results"])[0] == ("copy.pdf", 1)
    assert ("lighthouses.pdf", 2) not in places(answer["results"])
    assert len(answer["results"]) == 5


def test_image_finds_similar_pages(alice: Someone, service: str) -> None:
    dark, light = encoded(text_image("dark", "DARK", "darker")), encoded(text_image("x"))
    with_words(alice, "dark", [""], image=base64.b64decode(dark))
    with_words(alice, "light", [""], image=base64.b64decode(light))
    answer = alice.post(BY_IMAGE, {"img_base64": dark, "collection_name": "all", "include": ["receipt"]}).json()
    assert set(answer) == {"results", "receipt"}
    assert places(answer["results"]) == [("dark", 1), ("light", 1)]
    assert places(search_hits(alice, BY_IMAGE, img_base64=light, top_k=1, images="none")) == [("light", 1)]


def test_search_without_searchable_pages_calls_no_model(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=UNUSED_URL)
    put(alice, "queued", PDF)
    answer = alice.post(SEARCH, {"query": "anything?", "collection_name": "all", "include": ["receipt"]})
    payload = answer.json()
    assert (answer.status_code, payload["results"], payload["receipt"]["space"]) == (200, [], None)
    assert search_hits(alice, BY_IMAGE, img_base64=PNG_BASE64) == []


def test_repeated_query_is_not_embedded_again(alice: Someone, library: list[int], settings: Settings) -> None:
    first = search_hits(alice, query="a question asked twice", images="none")
    settings.ENV = replace(settings.ENV, embeddings_url_token="no longer the key")
    assert search_hits(alice, query="a question asked twice", images="none") == first
    assert alice.post(SEARCH, {"query": "another question"}).status_code == 503


def test_query_cache_is_not_shared_between_owners(
    alice: Someone, library: list[int], charlie: Someone, settings: Settings
) -> None:
    with_words(charlie, "x", ["light"])
    search_hits(alice, query="a question of mine")
    settings.ENV = replace(settings.ENV, embeddings_url_token="no longer the key")
    assert charlie.post(SEARCH, {"query": "a question of mine"}).status_code == 503


def test_other_owner_finds_nothing(library: list[int], charlie: Someone) -> None:
    assert search_hits(charlie, query="lighthouse") == []
    assert search_hits(charlie, query="lighthouse", collections=["sea"]) == []


def test_restricted_key_searches_only_its_collections(alice: Someone, library: list[int]) -> None:
    limited = with_key(alice.user, collections=frozenset({"kitchen"}))
    assert {hit["document_name"] for hit in search_hits(limited, query="the tallest", top_k=9)} == {"bread.pdf"}
    assert search_hits(limited, query="the tallest", collection_name="sea") == []


def test_upload_is_searchable_as_soon_as_it_is_ready(alice: Someone, service: str) -> None:
    put(alice, "lighthouses.pdf", (ROOT / "docs" / "sample" / "lighthouses.pdf").read_bytes())
    assert search_hits(alice, query="Fresnel lens") == []
    process_all()
    answer = alice.post(SEARCH, {"query": "Fresnel lens", "include": ["text", "receipt"]}).json()
    assert (answer["receipt"]["pages_scored"], answer["receipt"]["pages_left_out"]) == (3, 0)
    assert "Fresnel" in answer["results"][0]["text"]


def test_search_sees_new_and_deleted_pages_at_once(alice: Someone, library: list[int]) -> None:
    with_words(alice, "new.pdf", ["zeppelin"])
    assert places(search_hits(alice, query="zeppelin", top_k=1)) == [("new.pdf", 1)]
    assert alice.delete("/v1/documents/new.pdf/").status_code == 204
    assert ("new.pdf", 1) not in places(search_hits(alice, query="zeppelin", top_k=9))


def test_searching_changes_nothing(alice: Someone, library: list[int]) -> None:
    with acting_for(alice.id):
        before = list(Page.objects.order_by("pk").values())
    search_hits(alice, query="lens")
    with acting_for(alice.id):
        assert list(Page.objects.order_by("pk").values()) == before
