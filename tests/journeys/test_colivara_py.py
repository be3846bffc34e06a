"""ColiVara's public Python client, unmodified, with a running server."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from colivara_py import ColiVara  # type: ignore[import-untyped]
from colivara_py.models import (  # type: ignore[import-untyped]
    CollectionOut,
    DocumentOut,
    GenericMessage,
)

from paliapi.env import ROOT
from tests.cast import Someone, with_key
from tests.collections_app.documents import PNG, shown_with_pages
from tests.collections_app.searchable import with_words
from tests.embeddings.serving import encoded, text_image
from tests.journeys.conftest import Web, client_of

SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
SAMPLE_BASE64 = base64.b64encode(SAMPLE.read_bytes()).decode()


@pytest.fixture
def reader(owner: Someone, web: Web) -> Iterator[ColiVara]:
    """The client with a read-only key."""
    yield from client_of(with_key(owner.user, scopes=frozenset({"read"})).key, web)


def test_client_checks_health(colivara: ColiVara) -> None:
    assert colivara.check_health() is None


def test_collection_lifecycle(colivara: ColiVara) -> None:
    created = colivara.create_collection("reports", {"team": "finance"})
    assert (created.name, created.metadata, created.num_documents) == ("reports", {"team": "finance"}, 0)
    assert colivara.create_collection("drafts").metadata == {}
    assert colivara.get_collection("reports") == created
    assert [item.name for item in colivara.list_collections()] == ["reports", "drafts"]
    renamed = colivara.partial_update_collection("reports", name="papers")
    assert (renamed.id, renamed.name, renamed.metadata) == (created.id, "papers", {"team": "finance"})
    changed = colivara.partial_update_collection("papers", metadata={"team": "legal"})
    assert (changed.name, changed.metadata) == ("papers", {"team": "legal"})
    colivara.delete_collection("papers")
    assert [item.name for item in colivara.list_collections()] == ["drafts"]


@pytest.mark.parametrize("name", ["a b/c.pdf", "ünï çödé 🗂", "100% & more?#x"])
def test_names_are_transmitted_unchanged(colivara: ColiVara, name: str) -> None:
    colivara.create_collection(name)
    assert colivara.get_collection(name).name == name
    colivara.upsert_document(name, collection_name=name, document_base64=SAMPLE_BASE64)
    assert colivara.get_document(name, collection_name=name).name == name
    colivara.delete_document(name, name)
    colivara.delete_collection(name)


@pytest.mark.parametrize(
    "source",
    [
        {"document_base64": SAMPLE_BASE64},
        {"document_path": SAMPLE},
        {"document_url": "https://example.com/a.pdf", "use_proxy": True},
    ],
    ids=["base64", "path", "url"],
)
def test_document_is_accepted_by_file_base64_and_url(colivara: ColiVara, source: dict[str, Any]) -> None:
    accepted = colivara.upsert_document("a.pdf", {"year": 2026}, "reports", **source)
    assert isinstance(accepted, GenericMessage)
    assert accepted.detail == "Document is being processed in the background."
    again = colivara.upsert_document("a.pdf", {"year": 2027}, "reports", **source)
    assert isinstance(again, GenericMessage)
    matches = colivara.get_document("a.pdf", collection_name="reports")
    assert isinstance(matches, DocumentOut)
    assert (matches.name, matches.collection_name, matches.num_pages, matches.pages) == ("a.pdf", "reports", 0, None)
    assert matches.metadata == {"year": 2027}


def test_documents_are_read_listed_and_deleted(colivara: ColiVara) -> None:
    colivara.upsert_document("a.pdf", document_base64=SAMPLE_BASE64)
    colivara.upsert_document("b.pdf", collection_name="reports", document_base64=SAMPLE_BASE64)
    assert colivara.get_document("a.pdf").collection_name == "default_collection"
    assert colivara.get_document("b.pdf", collection_name="all").collection_name == "reports"
    assert [item.name for item in colivara.list_documents()] == ["a.pdf"]
    assert [item.name for item in colivara.list_documents("reports")] == ["b.pdf"]
    assert [item.name for item in colivara.list_documents("all")] == ["a.pdf", "b.pdf"]
    assert colivara.list_documents("nowhere") == []
    assert [item.num_documents for item in colivara.list_collections()] == [1, 1]
    colivara.delete_document("a.pdf", "default_collection")
    colivara.delete_document("b.pdf", "all")
    assert colivara.list_documents("all") == []


def test_update_sends_null_for_omitted_fields(colivara: ColiVara) -> None:
    colivara.upsert_document("a.pdf", {"year": 2026}, "reports", document_base64=SAMPLE_BASE64)
    renamed = colivara.partial_update_document("a.pdf", name="b.pdf")
    assert (renamed.name, renamed.metadata, renamed.collection_name) == ("b.pdf", {"year": 2026}, "reports")
    changed = colivara.partial_update_document("b.pdf", metadata={"year": 2027}, collection_name="reports")
    assert (changed.name, changed.metadata) == ("b.pdf", {"year": 2027})
    moved = colivara.partial_update_document("b.pdf", document_url="https://example.com/b.pdf")
    assert (moved.url, moved.metadata) == ("https://example.com/b.pdf", {"year": 2027})
    assert colivara.partial_update_document("b.pdf", document_base64=SAMPLE_BASE64).url != moved.url


def test_expanded_pages_are_in_order(colivara: ColiVara, owner: Someone) -> None:
    shown_with_pages(owner, "a.pdf", pages=3, metadata={"year": 2026})
    lookup = {"on": "document", "key": "year", "value": 2026, "lookup": "key_lookup"}
    single = colivara.get_document("a.pdf", expand="pages")
    (listed,) = colivara.list_documents(expand="pages")
    (filtered,) = colivara.filter(lookup, expand="pages") or []
    assert isinstance(filtered, DocumentOut)
    for document in (single, listed, filtered):
        assert document.num_pages == 3
        assert [page.page_number for page in document.pages or []] == [1, 2, 3]
        assert {page.img_base64 for page in document.pages or []} == {base64.b64encode(PNG).decode()}


@pytest.mark.parametrize(
    ("lookup", "matches"),
    [
        ({"key": "year", "value": 2026, "lookup": "key_lookup"}, ["a", "ab"]),
        ({"key": "year", "value": "2026", "lookup": "key_lookup"}, []),
        ({"key": "year", "value": 2026, "lookup": "contains"}, ["a", "ab"]),
        ({"key": "year", "value": 2026, "lookup": "contained_by"}, ["a", "none"]),
        ({"key": "draft", "value": None, "lookup": "has_key"}, ["ab"]),
        ({"key": ["year", "draft"], "value": None, "lookup": "has_keys"}, ["ab"]),
        ({"key": ["year", "draft"], "value": None, "lookup": "has_any_keys"}, ["a", "ab"]),
    ],
)
def test_every_lookup_finds_documents_and_collections(
    colivara: ColiVara, lookup: dict[str, Any], matches: list[str]
) -> None:
    stored: dict[str, dict[str, Any]] = {"a": {"year": 2026}, "ab": {"year": 2026, "draft": True}, "none": {}}
    for name, metadata in stored.items():
        colivara.create_collection(name, metadata)
        colivara.upsert_document(name, metadata, name, document_url="https://example.com/a.pdf")
    documents = colivara.filter({"on": "document", **lookup}) or []
    collections = colivara.filter({"on": "collection", **lookup}) or []
    assert [item.name for item in documents] == matches
    assert [item.name for item in collections] == matches
    assert all(isinstance(item, DocumentOut) for item in documents)
    assert all(isinstance(item, CollectionOut) for item in collections)


def test_file_is_converted_to_page_images(colivara: ColiVara) -> None:
    pages = colivara.file_to_imgbase64(str(SAMPLE))
    assert [page.page_number for page in pages] == [1, 2, 3]
    assert all(base64.b64decode(page.img_base64).startswith(b"\x89PNG") for page in pages)


def test_file_to_base64_matches_the_client(colivara: ColiVara, owner: Someone) -> None:
    with SAMPLE.open("rb") as file:
        payload = owner.upload("/v1/helpers/file-to-base64/", {"file": file})
    assert colivara.file_to_base64(str(SAMPLE)) == payload.json()["data"]


def test_search_of_an_empty_collection_finds_nothing(colivara: ColiVara) -> None:
    colivara.create_collection("reports")
    lookup = {"on": "document", "key": "year", "value": 2026, "lookup": "key_lookup"}
    matches = colivara.search("lighthouse", "reports", top_k=2, query_filter=lookup)
    assert (matches.query, matches.results) == ("lighthouse", [])


def test_text_search_finds_the_page_with_the_words(colivara: ColiVara, owner: Someone) -> None:
    with_words(
        owner, "a.pdf", ["a lens bends light", "the tallest lighthouse"], collection="reports", metadata={"y": 1}
    )
    with_words(owner, "b.pdf", ["flour water salt"], collection="kitchen")
    matches = colivara.search("tallest lighthouse", "all", top_k=2)
    assert matches.query == "tallest lighthouse"
    best, second = matches.results
    assert (best.document_name, best.page_number, best.collection_name) == ("a.pdf", 2, "reports")
    assert (best.document_metadata, best.collection_metadata) == ({"y": 1}, {})
    assert best.img_base64 == base64.b64encode(PNG).decode()
    assert best.raw_score > second.raw_score
    assert best.normalized_score == pytest.approx(best.raw_score / 2)
    lookup = {"on": "document", "key": "y", "value": 2, "lookup": "key_lookup"}
    assert colivara.search("lighthouse", "reports", query_filter=lookup).results == []
    assert [hit.document_name for hit in colivara.search("salt", "kitchen").results] == ["b.pdf"]


def test_image_search_finds_the_page_that_looks_like_it(colivara: ColiVara, owner: Someone, tmp_path: Path) -> None:
    dark, light = (base64.b64decode(encoded(text_image(*lines))) for lines in (["dark", "DARK"], ["x"]))
    with_words(owner, "dark.pdf", [""], image=dark)
    with_words(owner, "light.pdf", [""], image=light)
    (tmp_path / "light.png").write_bytes(light)
    by_path = colivara.search_image("all", image_path=str(tmp_path / "light.png"), top_k=1)
    by_base64 = colivara.search_image("default_collection", image_base64=base64.b64encode(dark).decode())
    assert [hit.document_name for hit in by_path.results] == ["light.pdf"]
    assert [hit.document_name for hit in by_base64.results] == ["dark.pdf", "light.pdf"]


def test_queries_are_embedded(colivara: ColiVara) -> None:
    created = colivara.create_embedding(["a lighthouse", "a lens"], task="query")
    assert len(created.data) == 2


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (lambda client: client.get_collection("nowhere"), 404, "collection_not_found"),
        (lambda client: client.create_collection("reports"), 409, "collection_name_taken"),
        (lambda client: client.create_collection("all"), 422, "name_reserved"),
        (lambda client: client.partial_update_collection("reports"), 422, "nothing_to_change"),
        (lambda client: client.delete_collection("nowhere"), 404, "collection_not_found"),
        (lambda client: client.get_document("nowhere"), 404, "document_not_found"),
        (lambda client: client.partial_update_document("nowhere", name="x"), 404, "document_not_found"),
        (lambda client: client.delete_document("nowhere", "reports"), 404, "document_not_found"),
        (lambda client: client.upsert_document("a", document_url="ftp://x/a.pdf"), 422, "url_invalid"),
        (lambda client: client.upsert_document("x" * 256, document_url="https://x/a.pdf"), 422, "max_length"),
    ],
)
def test_failure_raises_the_client_error_with_our_detail(colivara: ColiVara, call: Any, status: int, code: str) -> None:
    colivara.create_collection("reports")
    with pytest.raises(RuntimeError, match=f"API Error: {status}") as failed:
        call(colivara)
    assert f'"{code}"' in str(failed.value)
    assert re.search(r'"detail": ?"[^"]', str(failed.value))


def test_invalid_files_are_rejected_and_not_stored(colivara: ColiVara, tmp_path: Path) -> None:
    strange = tmp_path / "strange.bin"
    strange.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(RuntimeError, match="API Error: 422"):
        colivara.upsert_document("strange", document_path=strange)
    with pytest.raises(RuntimeError, match="API Error: 422"):
        colivara.file_to_imgbase64(str(strange))
    assert colivara.list_documents("all") == []


def test_key_without_the_scope_gets_the_client_error(reader: ColiVara, web: Web) -> None:
    assert reader.list_collections() == []
    with pytest.raises(RuntimeError, match="API Error: 403"):
        reader.create_collection("reports")
    for stranger in client_of("pali_no_such_key", web):
        with pytest.raises(RuntimeError, match="API Error: 401"):
            stranger.list_collections()
