"""Documents in responses."""

import hashlib

from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, PNG, put, shown_with_pages


def test_expanding_too_many_pages_is_rejected(alice: Someone, small_limits: None) -> None:
    shown_with_pages(alice, "x", pages=1, image=PNG + b"\x00" * (1024 * 1024))
    refused = alice.get("/v1/documents/?expand=pages")
    assert (refused.status_code, refused.json()["code"]) == (413, "answer_too_large")
    assert alice.get("/v1/documents/").status_code == 200


def test_key_without_read_gets_no_metadata_and_no_link(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1, metadata={"secret": 1})
    writer = with_key(alice.user, scopes=frozenset({"write"}))
    changed = writer.patch("/v1/documents/x/", {"name": "x"})
    queued = writer.patch("/v1/documents/x/", {"url": "https://93.184.216.34/x?token=secret"})
    cancelled = writer.post("/v1/documents/x/cancel/", "")
    retried = writer.post("/v1/documents/x/retry/", "")
    for answer in (changed, queued, cancelled, retried):
        assert answer.status_code == 200
        assert (answer.json()["name"], answer.json()["metadata"], answer.json()["url"]) == ("x", {}, "")
        assert answer.json()["sha256"] is None
        assert "secret" not in answer.content.decode()
    read = alice.get("/v1/documents/x/").json()
    assert read["metadata"] == {"secret": 1}
    assert "/v1/files/" in read["url"]


def test_hash_of_a_document_is_that_of_the_file_uploaded_last(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1)
    put(alice, "x", PDF)
    alice.post("/v1/documents/upsert-document/", {"name": "linked", "url": "https://example.com/a"})
    hashes = {one["name"]: one["sha256"] for one in alice.get("/v1/documents/").json()}
    assert hashes == {"x": hashlib.sha256(PDF).hexdigest(), "linked": None}


def test_etag_of_a_key_without_read_permits_its_next_change(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1, metadata={"secret": 1})
    writer = with_key(alice.user, scopes=frozenset({"write"}))
    tag = writer.patch("/v1/documents/x/", {"name": "x"})["ETag"]
    assert tag != alice.get("/v1/documents/x/")["ETag"]
    assert writer.patch("/v1/documents/x/", {"metadata": {"secret": 2}}, If_Match=tag).status_code == 200
    stale = writer.patch("/v1/documents/x/", {"name": "y"}, If_Match=tag)
    assert stale.status_code == 412
    assert stale["ETag"] != alice.get("/v1/documents/x/")["ETag"]
