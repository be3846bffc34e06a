"""The endpoints that list, read, change and delete documents."""

import base64
from dataclasses import replace

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.ownership import acting_for
from accounts.quotas import usage
from collections_app.models import Revision
from tests.cast import Someone, with_key
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.documents import PDF, PNG, body_of, put, shown_with_pages
from tests.collections_app.searchable import with_words

UPSERT = "/v1/documents/upsert-document/"


def test_key_of_another_owner_finds_nothing(alice: Someone, charlie: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    for path in (
        "/v1/documents/x/",
        "/v1/documents/x/?collection_name=all",
        "/v1/documents/x/pages/1",
        "/v1/documents/x/pages/1/image",
    ):
        assert charlie.get(path).status_code == 404
    assert charlie.get("/v1/documents/?collection_name=all&expand=pages").json() == []
    assert charlie.delete("/v1/documents/x/").status_code == 404
    assert charlie.patch("/v1/documents/x/", {"name": "y"}).status_code == 404
    assert alice.get("/v1/documents/x/").status_code == 200


def test_name_in_several_collections_is_ambiguous(alice: Someone) -> None:
    for collection in ("a", "b"):
        put(alice, "x", PDF, collection=collection)
    for ambiguous in (
        alice.get("/v1/documents/x/?collection_name=all"),
        alice.delete("/v1/documents/x/?collection_name=all"),
        alice.patch("/v1/documents/x/", {"name": "y", "collection_name": "all"}),
        alice.patch("/v1/documents/x/", {"name": "y"}),
    ):
        assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "document_ambiguous")


def test_update_without_a_collection_finds_the_only_document_with_that_name(alice: Someone) -> None:
    put(alice, "x", PDF, collection="a")
    nulls = {"name": "y", "metadata": None, "collection_name": None, "url": None, "base64": None, "use_proxy": False}
    changed = alice.patch("/v1/documents/x/", nulls)
    assert (changed.status_code, changed.json()["name"], changed.json()["collection_name"]) == (200, "y", "a")


def test_new_file_is_queued_and_the_document_is_returned(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    changed = alice.patch("/v1/documents/x/", {"base64": base64.b64encode(PNG).decode()})
    assert (changed.status_code, changed.json()["status"], changed.json()["num_pages"]) == (200, "queued", 1)


def test_unchanged_url_is_not_a_new_upload(alice: Someone) -> None:
    alice.post(UPSERT, {"name": "x", "url": "https://example.com/a"})
    with acting_for(alice.id):
        before = Revision.objects.get(owner_id=alice.id).pk
    alice.patch("/v1/documents/x/", {"url": "https://example.com/a"})
    with acting_for(alice.id):
        assert Revision.objects.get(owner_id=alice.id).pk == before
    alice.patch("/v1/documents/x/", {"url": "https://example.com/b"})
    assert alice.get("/v1/documents/x/").json()["url"] == "https://example.com/b"


def test_url_replaces_an_uploaded_file(alice: Someone) -> None:
    put(alice, "x", PDF)
    alice.post(UPSERT, {"name": "x", "url": "https://example.com/new"})
    assert alice.get("/v1/documents/x/").json()["url"] == "https://example.com/new"


def test_rename_to_an_existing_name_is_rejected(alice: Someone) -> None:
    put(alice, "x", PDF)
    put(alice, "y", PDF)
    refused = alice.patch("/v1/documents/x/", {"name": "y"})
    assert (refused.status_code, refused.json()["code"]) == (409, "document_name_taken")


def test_update_with_an_invalid_file_changes_nothing(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1, metadata={"v": 1})
    before = alice.get("/v1/documents/x/").json()
    refused = alice.patch("/v1/documents/x/", {"name": "y", "base64": "AAAA", "metadata": {"v": 2}})
    assert refused.status_code == 422
    assert {**alice.get("/v1/documents/x/").json(), "url": ""} == {**before, "url": ""}


@pytest.mark.parametrize("path", ["/v1/documents/x/", "/v1/documents/delete-document/x/"])
def test_deleting_releases_the_quota(alice: Someone, path: str) -> None:
    shown_with_pages(alice, "x", pages=2)
    assert alice.delete(path).status_code == 204
    assert alice.get("/v1/documents/x/").status_code == 404
    with acting_for(alice.id) as tx:
        stored = usage(tx)
    assert (stored.documents, stored.pages, stored.bytes) == (0, 0, 0)


def test_deleting_a_collection_releases_the_quota_of_its_documents(alice: Someone) -> None:
    for name in ("x", "y"):
        shown_with_pages(alice, name, pages=2, collection="c")
    put(alice, "z", PDF)
    assert alice.get("/v1/collections/c/").json()["num_documents"] == 2
    assert alice.delete("/v1/collections/c/").status_code == 204
    with acting_for(alice.id) as tx:
        stored = usage(tx)
        assert not Revision.objects.filter(owner_id=alice.id).exclude(document__name="z").exists()
    assert (stored.documents, stored.pages, stored.bytes) == (1, 0, len(PDF))


def test_replaced_metadata_counts_for_what_is_shown_and_for_the_new_upload(alice: Someone, service: str) -> None:
    shown_with_pages(alice, "x", pages=1, metadata={"v": 1})
    put(alice, "x", PDF, metadata={"v": 2})
    alice.patch("/v1/documents/x/", {"metadata": {"v": 3}})
    assert alice.get("/v1/documents/x/").json()["metadata"] == {"v": 3}
    assert_usage_matches_rows(alice)


def test_metadata_of_a_document_counts_towards_the_quota(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_mb=1)
    put(alice, "x", PDF, metadata={"text": "x" * 200_000})
    assert alice.get("/v1/usage/").json()["bytes"] == len(PDF) + len('{"text":""}') + 200_000
    for name in "abcd":
        put(alice, name, PDF, metadata={"text": "x" * 200_000})
    refused = alice.patch("/v1/documents/x/", {"metadata": {"text": "x" * 250_000}})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert len(alice.get("/v1/documents/x/").json()["metadata"]["text"]) == 200_000
    assert alice.patch("/v1/documents/x/", {"metadata": {"text": "x"}}).status_code == 200
    assert_usage_matches_rows(alice)


def test_listing_an_unknown_collection_returns_an_empty_list(alice: Someone) -> None:
    assert alice.get("/v1/documents/?collection_name=nowhere").json() == []


def test_update_with_a_stale_etag_is_rejected(alice: Someone) -> None:
    put(alice, "x", PDF)
    tag = alice.get("/v1/documents/x/")["ETag"]
    assert alice.patch("/v1/documents/x/", {"metadata": {"v": 1}}, If_Match=tag).status_code == 200
    assert alice.patch("/v1/documents/x/", {"metadata": {"v": 2}}, If_Match=tag).status_code == 412
    assert alice.delete("/v1/documents/x/", If_Match=tag).status_code == 412
    assert alice.get("/v1/documents/x/").json()["metadata"] == {"v": 1}


@pytest.mark.usefixtures("service")
def test_move_keeps_pages_links_and_quota(alice: Someone) -> None:
    with_words(alice, "x", ["a lighthouse"], collection="a", metadata={"year": 2026})
    put(alice, "y", PDF, collection="b")
    image = alice.get("/v1/documents/x/pages/1?collection_name=a").json()["image_url"]
    with acting_for(alice.id) as tx:
        before = usage(tx)
    moved = alice.patch("/v1/documents/x/", {"move_to": "b", "name": "z", "collection_name": "a"})
    assert moved.status_code == 200
    assert [moved.json()[field] for field in ("collection_name", "name", "num_pages", "metadata", "status")] == [
        "b",
        "z",
        1,
        {"year": 2026},
        "ready",
    ]
    assert alice.get("/v1/documents/z/?collection_name=a").status_code == 404
    assert body_of(Client().get(image.removeprefix("http://testserver"))) == PNG
    for collection, found in (("a", []), ("b", [("b", "z")]), ("all", [("b", "z")])):
        answer = alice.post("/v1/search/", {"query": "lighthouse", "collection_name": collection}).json()
        assert [(hit["collection_name"], hit["document_name"]) for hit in answer["results"]] == found
    with acting_for(alice.id) as tx:
        assert usage(tx) == before
    assert_usage_matches_rows(alice)


def test_refused_move_changes_nothing(alice: Someone) -> None:
    for collection in ("a", "b"):
        put(alice, "x", PDF, collection=collection)
    limited = with_key(alice.user, collections=frozenset({"a"}))
    stale = {"If_Match": '"1"'}
    for who, body, headers, refusal in (
        (alice, {"move_to": "b", "metadata": {"v": 1}}, {}, (409, "document_name_taken")),
        (alice, {"move_to": "nowhere", "name": "y"}, {}, (404, "collection_not_found")),
        (alice, {"move_to": "all", "name": "y"}, {}, (422, "name_reserved")),
        (alice, {"move_to": "b", "name": "y"}, stale, (412, "stale")),
        (limited, {"move_to": "b", "name": "y"}, {}, (403, "collection_out_of_reach")),
    ):
        answer = who.patch("/v1/documents/x/", {"collection_name": "a", **body}, **headers)
        assert (answer.status_code, answer.json()["code"]) == refusal
    assert alice.patch("/v1/documents/x/", {"collection_name": "a", "move_to": "a"}).json()["collection_name"] == "a"
    assert alice.get("/v1/documents/x/?collection_name=a").json()["metadata"] == {}


def test_compact_pages_are_not_moved_to_a_collection_with_full_vectors(alice: Someone) -> None:
    for name, storage in (("full", "full"), ("compact", "compact")):
        assert alice.post("/v1/collections/", {"name": name, "vector_storage": storage}).status_code == 201
    with_words(alice, "x", ["a lighthouse"], collection="full")
    with_words(alice, "y", ["a harbour"], collection="compact")
    put(alice, "z", PDF, collection="compact")

    def move(name: str, source: str, target: str) -> int:
        body = {"collection_name": source, "move_to": target}
        return int(alice.patch(f"/v1/documents/{name}/", body).status_code)

    assert [move("x", "full", "compact"), move("x", "compact", "full")] == [200, 200], "full pages stay full"
    assert [move("y", "compact", "full"), move("z", "compact", "full")] == [409, 409]
