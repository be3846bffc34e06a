"""The endpoints of collections."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.models import Collection
from tests.cast import Someone, someone, with_key
from tests.collections_app.accounting import assert_usage_matches_rows
from tests.collections_app.documents import PDF, PNG, put


def test_new_collection_is_empty_and_has_its_metadata(alice: Someone) -> None:
    created = alice.post("/v1/collections/", {"name": "reports", "metadata": {"team": "finance"}})
    assert created.status_code == 201
    assert created.json()["num_documents"] == 0
    assert alice.get("/v1/collections/reports/").json() == created.json()


def test_vectors_are_stored_as_chosen_or_else_as_configured(alice: Someone, settings: Settings) -> None:
    assert alice.post("/v1/collections/", {"name": "a"}).json()["vector_storage"] == "full"
    chosen = alice.post("/v1/collections/", {"name": "b", "vector_storage": "compact"})
    assert chosen.json()["vector_storage"] == "compact"
    refused = alice.post("/v1/collections/", {"name": "c", "vector_storage": "tiny"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/vector_storage")
    settings.ENV = replace(settings.ENV, vector_storage="compact")
    assert alice.post("/v1/collections/", {"name": "d", "vector_storage": None}).json()["vector_storage"] == "compact"
    put(alice, "x", PDF, collection="e")
    assert alice.get("/v1/collections/e/").json()["vector_storage"] == "compact"


@pytest.mark.parametrize("metadata", [None, {}])
def test_null_metadata_means_no_metadata(alice: Someone, metadata: object) -> None:
    assert alice.post("/v1/collections/", {"name": "reports", "metadata": metadata}).json()["metadata"] == {}


def test_collection_names_are_unique(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    again = alice.post("/v1/collections/", {"name": "reports"})
    assert again.status_code == 409
    assert again.json()["code"] == "collection_name_taken"


def test_two_owners_can_use_the_same_name_and_see_only_their_own(alice: Someone, charlie: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports", "metadata": {"whose": "alice"}})
    assert charlie.post("/v1/collections/", {"name": "reports"}).status_code == 201
    assert charlie.get("/v1/collections/reports/").json()["metadata"] == {}
    assert len(charlie.get("/v1/collections/").json()) == 1


def test_resources_of_other_owners_look_missing(alice: Someone, charlie: Someone) -> None:
    alice.post("/v1/collections/", {"name": "secret"})
    foreign = charlie.get("/v1/collections/secret/").json()
    absent = charlie.get("/v1/collections/nowhere/").json()
    assert foreign["detail"].replace("secret", "nowhere") == absent["detail"]
    assert {**foreign, "detail": "", "request_id": ""} == {**absent, "detail": "", "request_id": ""}


@pytest.mark.parametrize("name", ["a b/c.pdf", "ünï/çode", "emoji 🗂", "100% & more?#x", "a//b", "trailing/", "%2F"])
def test_any_valid_name_can_be_read_back(alice: Someone, name: str) -> None:
    assert alice.post("/v1/collections/", {"name": name}).status_code == 201
    encoded = "".join(f"%{byte:02X}" for byte in name.encode())
    assert alice.get(f"/v1/collections/{encoded}/").json()["name"] == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "blank"),
        ("   ", "name_invalid"),
        ("x" * 256, "max_length"),
        ("nul\x00", "null_characters_not_allowed"),
        ("bell\x07", "name_invalid"),
        ("report\u202efdp.exe", "name_invalid"),
        ("\ud800", "surrogate_characters_not_allowed"),
        ("..", "name_invalid"),
        ("a/../b", "name_invalid"),
        ("ALL", "name_reserved"),
        ("x/quality", "name_reserved"),
        (1, "invalid"),
        (["x"], "invalid"),
        (None, "null"),
    ],
)
def test_invalid_name_is_rejected(alice: Someone, name: object, code: str) -> None:
    refused = alice.post("/v1/collections/", {"name": name})
    assert refused.status_code == 422
    assert refused.json()["errors"][0] | {"detail": ""} == {"pointer": "/name", "code": code, "detail": ""}
    assert alice.get("/v1/collections/").json() == []


def test_rename_keeps_the_collection_and_replaces_all_metadata(alice: Someone) -> None:
    before = alice.post("/v1/collections/", {"name": "reports", "metadata": {"a": 1}}).json()
    after = alice.patch("/v1/collections/reports/", {"name": "papers", "metadata": {"b": 2}}).json()
    assert (after["id"], after["name"], after["metadata"]) == (before["id"], "papers", {"b": 2})
    assert alice.get("/v1/collections/reports/").status_code == 404


def test_nulls_in_an_update_change_nothing(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports", "metadata": {"a": 1}})
    changed = alice.patch("/v1/collections/reports/", {"name": "papers", "metadata": None})
    assert changed.json()["metadata"] == {"a": 1}


@pytest.mark.parametrize("body", [{}, {"name": None, "metadata": None}, {"metadata": {}}])
def test_update_without_changes_is_rejected(alice: Someone, body: object) -> None:
    alice.post("/v1/collections/", {"name": "reports", "metadata": {"a": 1}})
    refused = alice.patch("/v1/collections/reports/", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing_to_change")


def test_rename_to_an_existing_name_changes_nothing(alice: Someone) -> None:
    for name in ("reports", "papers"):
        alice.post("/v1/collections/", {"name": name})
    refused = alice.patch("/v1/collections/reports/", {"name": "papers", "metadata": {"x": 1}})
    assert refused.status_code == 409
    assert alice.get("/v1/collections/reports/").json()["metadata"] == {}


def test_deleting_returns_204_then_404(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    gone = alice.delete("/v1/collections/reports/")
    assert (gone.status_code, gone.content) == (204, b"")
    assert alice.delete("/v1/collections/reports/").status_code == 404


def test_unchanged_collection_is_304(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    tag = alice.get("/v1/collections/reports/")["ETag"]
    assert alice.get("/v1/collections/reports/", If_None_Match=tag).status_code == 304
    assert alice.get("/v1/collections/reports/", If_None_Match='"other"').status_code == 200


def test_update_with_a_stale_etag_is_rejected(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    tag = alice.get("/v1/collections/reports/")["ETag"]
    assert alice.patch("/v1/collections/reports/", {"metadata": {"v": 1}}, If_Match=tag).status_code == 200
    for stale in (
        alice.patch("/v1/collections/reports/", {"metadata": {"v": 2}}, If_Match=tag),
        alice.delete("/v1/collections/reports/", If_Match=tag),
    ):
        assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert alice.get("/v1/collections/reports/").json()["metadata"] == {"v": 1}


def test_restricted_key_cannot_see_or_create_other_collections(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "reports"})
    limited = with_key(alice.user, collections=frozenset({"drafts"}))
    assert limited.get("/v1/collections/").json() == []
    assert limited.get("/v1/collections/reports/").status_code == 404
    assert limited.delete("/v1/collections/reports/").status_code == 404
    assert limited.post("/v1/collections/", {"name": "other"}).json()["code"] == "collection_out_of_reach"
    assert limited.post("/v1/collections/", {"name": "drafts"}).status_code == 201
    assert limited.patch("/v1/collections/drafts/", {"name": "reports2"}).status_code == 403
    assert [row["name"] for row in alice.get("/v1/collections/").json()] == ["reports", "drafts"]


def test_pagination_neither_repeats_nor_skips_rows_during_changes(alice: Someone) -> None:
    for number in range(5):
        alice.post("/v1/collections/", {"name": f"c{number}"})
    first = alice.get("/v1/collections/?limit=2")
    assert [row["name"] for row in first.json()] == ["c0", "c1"]
    alice.delete("/v1/collections/c0/")
    alice.delete("/v1/collections/c3/")
    alice.post("/v1/collections/", {"name": "c5"})
    second = alice.get(_next(first))
    assert [row["name"] for row in second.json()] == ["c2", "c4"]
    last = alice.get(_next(second))
    assert [row["name"] for row in last.json()] == ["c5"]
    assert "Link" not in last


@pytest.mark.parametrize("limit", ["", "0", "-1", "x", "10001", "1" * 30, "²"])
def test_out_of_range_limit_is_rejected(alice: Someone, limit: str) -> None:
    refused = alice.get(f"/v1/collections/?limit={limit}")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_limit")


def test_cursor_is_valid_only_for_its_own_list_and_caller(alice: Someone, charlie: Someone) -> None:
    for name in ("a", "b"):
        alice.post("/v1/collections/", {"name": name})
    link = _next(alice.get("/v1/collections/?limit=1"))
    for other in (charlie.get(link), alice.get(link.replace("/collections/", "/documents/")), alice.get(link + "x")):
        assert (other.status_code, other.json()["code"]) == (422, "invalid_cursor")


def test_query_count_of_the_list_is_independent_of_its_length(alice: Someone) -> None:
    for number in range(3):
        alice.post("/v1/collections/", {"name": f"c{number}"})
    with CaptureQueriesContext(connection) as few:
        alice.get("/v1/collections/")
    for number in range(3, 30):
        alice.post("/v1/collections/", {"name": f"c{number}"})
    with CaptureQueriesContext(connection) as many:
        alice.get("/v1/collections/")
    assert len(few) == len(many) <= 12


@pytest.mark.django_db(transaction=True)
def test_exactly_one_of_fifty_concurrent_collection_creations_succeeds() -> None:
    owner = someone("race@example.com")
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: _create_once(owner), range(50)))
    assert sorted(set(results)) == [201, 409]
    assert results.count(201) == 1
    with acting_for(owner.id):
        assert Collection.objects.filter(owner_id=owner.id).count() == 1


def _create_once(owner: Someone) -> int:
    try:
        return int(owner.post("/v1/collections/", {"name": "one"}).status_code)
    finally:
        connection.close()


def _next(response: object) -> str:
    link = response["Link"]  # type: ignore[index]
    assert link.endswith('; rel="next"')
    return str(link[1:].partition(">")[0]).removeprefix("http://testserver")


def test_key_without_read_gets_no_metadata_of_a_collection(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "c", "metadata": {"secret": 1}})
    writer = with_key(alice.user, scopes=frozenset({"write"}))
    for body in ({"name": "c"}, {"name": "d"}):
        changed = writer.patch("/v1/collections/c/", body)
        assert (changed.status_code, changed.json()["name"], changed.json()["metadata"]) == (200, body["name"], {})
    assert alice.get("/v1/collections/d/").json()["metadata"] == {"secret": 1}


def test_number_of_collections_is_limited(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_collections=2)
    assert alice.post("/v1/collections/", {"name": "a"}).status_code == 201
    put(alice, "x", PDF, collection="b")
    put(alice, "x", PNG, collection="b")
    refused = alice.post("/v1/collections/", {"name": "c"})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert "1 more collections exceed the quota: 0 of 2 are left" in refused.json()["detail"]
    form = {"file": SimpleUploadedFile("file", PDF), "name": "x", "collection_name": "c"}
    assert alice.upload("/v1/documents/upsert-document/", form).status_code == 429
    assert {collection["name"] for collection in alice.get("/v1/collections/").json()} == {"a", "b"}
    alice.delete("/v1/collections/b/")
    assert alice.post("/v1/collections/", {"name": "c"}).status_code == 201
    assert_usage_matches_rows(alice)


def test_metadata_of_a_collection_counts_towards_the_quota(alice: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, quota_mb=1)
    large = {"text": "x" * 250_000}
    for name in "abcd":
        assert alice.post("/v1/collections/", {"name": name, "metadata": large}).status_code == 201
    assert alice.post("/v1/collections/", {"name": "small", "metadata": {"text": "x" * 40_000}}).status_code == 201
    for refused in (
        alice.post("/v1/collections/", {"name": "e", "metadata": large}),
        alice.patch("/v1/collections/a/", {"metadata": {"text": "x" * 260_000}}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert alice.patch("/v1/collections/a/", {"metadata": {"text": "short"}}).status_code == 200
    assert alice.post("/v1/collections/", {"name": "e", "metadata": large}).status_code == 201
    assert_usage_matches_rows(alice)
