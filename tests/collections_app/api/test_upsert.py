"""The endpoint that uploads documents."""

import base64
import resource
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from accounts.models import Usage
from accounts.ownership import acting_for
from accounts.quotas import usage
from collections_app.models import Document, Revision, StoredFile
from tests.cast import Someone, with_key
from tests.collections_app.documents import PDF, PNG, put, shown_with_pages
from tests.collections_app.ingestion import process_all
from tests.environment import Services

UPSERT = "/v1/documents/upsert-document/"


def test_accepted_upload_is_stored_and_queued(alice: Someone, files_of_this_test: Path) -> None:
    accepted = alice.upload(
        UPSERT,
        {
            "file": SimpleUploadedFile("ignored.txt", PDF),
            "name": "report.pdf",
            "collection_name": "reports",
            "metadata": '{"year": 2026}',
        },
    )
    assert accepted.status_code == 202
    assert accepted.json()["status"] == "queued"
    assert accepted["Location"] == "/v1/documents/report.pdf/?collection_name=reports"
    assert accepted["Retry-After"]
    payload = alice.get(accepted["Location"]).json()
    assert (payload["status"], payload["metadata"], payload["num_pages"]) == ("queued", {"year": 2026}, 0)
    stored = [path.read_bytes() for path in files_of_this_test.rglob("*") if path.is_file()]
    assert stored == [PDF]


def test_base64_and_a_form_store_the_same_bytes_once(alice: Someone, files_of_this_test: Path) -> None:
    put(alice, "one.pdf", PDF)
    accepted = alice.post(UPSERT, {"name": "two.pdf", "base64": base64.b64encode(PDF).decode()})
    assert accepted.status_code == 202
    with acting_for(alice.id):
        assert StoredFile.objects.filter(owner_id=alice.id).count() == 1
        assert Document.objects.filter(owner_id=alice.id).count() == 2
    assert len([path for path in files_of_this_test.rglob("*") if path.is_file()]) == 1


def test_same_name_in_two_collections_is_two_documents(alice: Someone) -> None:
    put(alice, "scan", PDF, collection="a")
    put(alice, "scan", PNG, collection="b")
    assert {row["collection_name"] for row in alice.get("/v1/documents/?collection_name=all").json()} == {"a", "b"}
    with acting_for(alice.id):
        assert StoredFile.objects.filter(owner_id=alice.id).count() == 2


def test_same_file_of_two_owners_is_stored_twice(alice: Someone, charlie: Someone) -> None:
    for who in (alice, charlie):
        put(who, "same.pdf", PDF)
    keys = set()
    for who in (alice, charlie):
        with acting_for(who.id):
            keys |= set(StoredFile.objects.filter(owner_id=who.id).values_list("key", flat=True))
    assert len(keys) == 2
    assert not any("example.com" in key for key in keys)


def test_type_is_detected_from_content_not_from_the_name(alice: Someone) -> None:
    put(alice, "picture.pdf", PNG)
    with acting_for(alice.id):
        assert StoredFile.objects.get(owner_id=alice.id).content_type == "image/png"


def test_url_is_queued_and_stored_unchanged(alice: Someone) -> None:
    url = "https://example.com/" + "long/" * 100 + "?q=ü"
    accepted = alice.post(UPSERT, {"name": "web", "url": url, "base64": None, "wait": False})
    assert accepted.status_code == 202
    assert alice.get("/v1/documents/web/").json()["url"] == url


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x"}, "source_missing"),
        ({"name": "x", "url": None, "base64": ""}, "source_missing"),
        ({"name": "x", "url": "https://example.com", "base64": "aGVsbG8="}, "source_ambiguous"),
        ({"name": "x", "url": "ftp://example.com/x"}, "url_invalid"),
        ({"name": "x", "url": "https:///x"}, "url_invalid"),
        ({"name": "x", "url": "http://[::1"}, "url_invalid"),
        ({"name": "x", "url": "http://example.com:99999/"}, "url_invalid"),
        ({"name": "x", "url": "example.com"}, "url_invalid"),
        ({"name": "x", "base64": "data:application/pdf;base64,aGVsbG8="}, "base64_invalid"),
        ({"name": "x", "base64": "aGVsbG8"}, "base64_invalid"),
        ({"name": "x", "base64": "aGVs\nbG8="}, "base64_invalid"),
        ({"name": "x", "base64": "____"}, "base64_invalid"),
        ({"name": "x", "base64": base64.b64encode(b"\x00\x01\x02binary").decode()}, "unsupported_type"),
        ({"name": "x", "base64": base64.b64encode(b"<html><body>hi</body></html>").decode()}, "unsupported_type"),
        ({"name": "x", "base64": "aGVsbG8=", "collection_name": "all"}, "name_reserved"),
        ({"name": "upsert-document", "base64": "aGVsbG8="}, "name_reserved"),
        ({"name": "x" * 256, "base64": "aGVsbG8="}, "invalid"),
        ({"name": "x", "base64": "aGVsbG8=", "metadata": [1]}, "metadata_invalid"),
        ({"name": "x", "base64": "aGVsbG8=", "metadata": {"a": "\x00"}}, "metadata_invalid"),
        ({"name": "x", "base64": 5}, "invalid"),
    ],
)
def test_unusable_file_is_rejected_and_not_stored(
    alice: Someone, files_of_this_test: Path, body: dict[str, Any], code: str
) -> None:
    refused = alice.post(UPSERT, body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert alice.get("/v1/documents/?collection_name=all").json() == []
    assert alice.get("/v1/collections/").json() == []
    assert not [path for path in files_of_this_test.rglob("*") if path.is_file()]


def test_empty_file_has_its_own_code(alice: Someone) -> None:
    refused = alice.upload(UPSERT, {"name": "x", "file": SimpleUploadedFile("x", b"")})
    assert (refused.status_code, refused.json()["code"]) == (422, "file_empty")


def test_file_over_the_limit_is_rejected_and_not_stored(
    alice: Someone, settings: Settings, files_of_this_test: Path, small_limits: None
) -> None:
    large = PDF + b"\n" * (1024 * 1024)
    for refused in (
        alice.upload(UPSERT, {"name": "x", "file": BytesIO(large)}),
        alice.post(UPSERT, {"name": "x", "base64": base64.b64encode(large).decode()}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert "1 MB" in refused.json()["detail"]
    assert not [path for path in files_of_this_test.rglob("*") if path.is_file()]


def test_three_megabyte_json_upload_is_accepted(alice: Someone) -> None:
    large = PDF + b"%" + b"x" * (3 * 1024 * 1024)
    accepted = alice.post(UPSERT, {"name": "x", "base64": base64.b64encode(large).decode()})
    assert accepted.status_code == 202


def test_lenient_values_of_existing_clients_are_accepted(alice: Someone) -> None:
    body = {"name": "x", "url": "https://example.com/", "wait": "yes", "use_proxy": "false", "whatever": 1}
    assert alice.post(UPSERT, {**body, "metadata": None}).status_code == 202


def test_second_upsert_replaces_metadata_and_file(alice: Someone) -> None:
    first = put(alice, "x", PDF, metadata={"v": 1})
    second = put(alice, "x", PNG)
    assert first["id"] == second["id"]
    assert alice.get("/v1/documents/x/").json()["metadata"] == {}
    with acting_for(alice.id) as tx:
        assert Revision.objects.filter(owner_id=alice.id).count() == 1
        stored = usage(tx)
    assert (stored.documents, stored.bytes) == (1, len(PNG))


def test_current_pages_stay_until_the_new_upload_is_ready(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=2, metadata={"v": 1})
    put(alice, "x", PNG, metadata={"v": 2})
    payload = alice.get("/v1/documents/x/?expand=pages").json()
    assert (payload["status"], payload["num_pages"], payload["metadata"]) == ("queued", 2, {"v": 1})
    assert [page["page_number"] for page in payload["pages"]] == [1, 2]


def test_pending_upload_does_not_overwrite_newer_metadata(alice: Someone) -> None:
    shown_with_pages(alice, "x", pages=1, metadata={"v": 1})
    put(alice, "x", PNG, metadata={"v": 2})
    alice.patch("/v1/documents/x/", {"metadata": {"v": 3}})
    with acting_for(alice.id):
        assert Document.objects.select_related("latest").get(owner_id=alice.id).latest.metadata == {"v": 3}  # type: ignore[union-attr]


def test_upload_over_the_quota_is_not_stored(alice: Someone, files_of_this_test: Path) -> None:
    put(alice, "x", PDF)
    with acting_for(alice.id):
        Usage.objects.filter(owner_id=alice.id).update(max_documents=1, max_bytes=len(PDF))
    another = {"name": "y", "base64": base64.b64encode(PNG).decode()}
    longer = {"name": "x", "base64": base64.b64encode(PDF + b"%").decode()}
    for refused in (alice.post(UPSERT, another), alice.post(UPSERT, longer)):
        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert [row["name"] for row in alice.get("/v1/documents/?collection_name=all").json()] == ["x"]
    assert len([path for path in files_of_this_test.rglob("*") if path.is_file()]) == 1


def test_restricted_key_cannot_write_to_other_collections(alice: Someone) -> None:
    put(alice, "x", PDF, collection="a")
    limited = with_key(alice.user, collections=frozenset({"b"}))
    body = {"name": "x", "collection_name": "a", "base64": base64.b64encode(PNG).decode()}
    assert limited.post(UPSERT, body).json()["code"] == "collection_out_of_reach"
    assert limited.get("/v1/documents/x/?collection_name=all").status_code == 404
    assert limited.post(UPSERT, {**body, "collection_name": "b"}).status_code == 202


@pytest.fixture
def a_disk_that_is_soon_full() -> Iterator[None]:
    """Limit files of this process to 64 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_is_reported_and_nothing_is_stored(
    alice: Someone, files_of_this_test: Path, a_disk_that_is_soon_full: None
) -> None:
    large = PDF + b"%" * 1024 * 1024
    for refused in (
        alice.upload(UPSERT, {"name": "x", "file": BytesIO(large)}),
        alice.post(UPSERT, {"name": "x", "base64": base64.b64encode(large).decode()}),
    ):
        assert refused.status_code == 503
        assert refused["Retry-After"]
    assert alice.get("/v1/documents/?collection_name=all").json() == []


def test_unavailable_storage_is_reported_and_nothing_is_stored(alice: Someone, files_of_this_test: Path) -> None:
    files_of_this_test.write_bytes(b"a file where the folder should be")
    refused = alice.upload(UPSERT, {"name": "x", "file": BytesIO(PDF)})
    assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
    assert alice.get("/v1/documents/?collection_name=all").json() == []


MANY = "/v1/documents/upsert-documents/"


def archive_of(contents: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return out.getvalue()


def send_many(who: Someone, *files: SimpleUploadedFile, **more: Any) -> Any:
    return who.upload(MANY, {"files": list(files), **more})


def answers(response: Any) -> dict[str, str]:
    """Return the status of each file, or the code of its refusal."""
    return {
        one["name"]: one["error"]["code"] if one["error"] else one["status"] for one in response.json()["documents"]
    }


def test_each_of_many_files_becomes_a_document(alice: Someone) -> None:
    files = [SimpleUploadedFile("a.pdf", PDF), SimpleUploadedFile("b.png", PNG)]
    response = send_many(alice, *files, collection_name="reports", metadata='{"year": 2026}')
    assert response.status_code == 202
    assert {name: response.json()[name] for name in ("collection_name", "accepted", "refused")} == {
        "collection_name": "reports",
        "accepted": 2,
        "refused": 0,
    }
    documents = alice.get("/v1/documents/?collection_name=reports").json()
    assert [(row["name"], row["status"], row["metadata"]) for row in documents] == [
        ("a.pdf", "queued", {"year": 2026}),
        ("b.png", "queued", {"year": 2026}),
    ]
    assert [row["id"] for row in documents] == [one["id"] for one in response.json()["documents"]]


def test_refused_file_does_not_affect_the_others(alice: Someone) -> None:
    files = [
        SimpleUploadedFile("good.pdf", PDF),
        SimpleUploadedFile("empty.pdf", b""),
        SimpleUploadedFile("page.html", b"<html>"),
        SimpleUploadedFile("good.pdf", PNG),
        SimpleUploadedFile("last.png", PNG),
    ]
    response = send_many(alice, *files)
    assert response.status_code == 202
    codes = [one["error"] and one["error"]["code"] for one in response.json()["documents"]]
    assert codes == [None, "file_empty", "unsupported_type", "name_repeated", None]
    assert (response.json()["accepted"], response.json()["refused"]) == (2, 3)
    assert [row["name"] for row in alice.get("/v1/documents/").json()] == ["good.pdf", "last.png"]


def test_files_of_an_archive_become_documents_named_by_their_paths(alice: Someone) -> None:
    content = archive_of(
        {
            "2025/": b"",
            "2025/bericht für alle.pdf": PDF,
            "2025/empty.pdf": b"",
            "__MACOSX/2025/._bericht.pdf": b"x",
            "2025/.DS_Store": b"x",
            "../escape.pdf": PDF,
            "scan.png": PNG,
        }
    )
    response = alice.upload(MANY, {"archive": SimpleUploadedFile("all.zip", content)})
    assert answers(response) == {
        "2025/bericht für alle.pdf": "queued",
        "2025/empty.pdf": "file_empty",
        "../escape.pdf": "name_invalid",
        "scan.png": "queued",
    }
    assert alice.get("/v1/documents/2025/bericht für alle.pdf/").json()["status"] == "queued"


def test_archive_with_a_file_above_the_limit_or_a_lie_about_its_size(alice: Someone, small_limits: None) -> None:
    content = archive_of({"large.pdf": PDF + bytes(2 * 1024 * 1024), "small.pdf": PDF})
    response = alice.upload(MANY, {"archive": SimpleUploadedFile("all.zip", content)})
    assert answers(response) == {"large.pdf": "too_large", "small.pdf": "queued"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PDF, "file_damaged"),
        (archive_of({}), "source_missing"),
        (archive_of({f"{number}.pdf": b"" for number in range(1001)}), "archive_too_long"),
        (archive_of({"bomb": bytes(40 * 1024 * 1024)}), "file_expands_too_much"),
    ],
    ids=["no archive", "empty", "too many files", "bomb"],
)
def test_invalid_archive_is_refused_as_a_whole(alice: Someone, content: bytes, code: str) -> None:
    response = alice.upload(MANY, {"archive": SimpleUploadedFile("all.zip", content)})
    assert (response.status_code, response.json()["code"]) == (422 if code != "file_expands_too_much" else 413, code)


def test_request_without_files_and_with_too_many_is_refused(alice: Someone) -> None:
    assert send_many(alice).json()["code"] == "source_missing"
    too_many = [SimpleUploadedFile(f"{number}.pdf", PDF) for number in range(101)]
    response = send_many(alice, *too_many)
    assert (response.status_code, response.json()["code"]) == (422, "too_many_files")


def test_many_files_need_a_collection_in_reach(alice: Someone) -> None:
    restricted = with_key(alice.user, collections=frozenset({"shelf"}))
    assert send_many(restricted, SimpleUploadedFile("a.pdf", PDF)).status_code == 403
    assert send_many(restricted, SimpleUploadedFile("a.pdf", PDF), collection_name="shelf").status_code == 202


def test_full_queue_refuses_uploads_until_documents_are_processed(
    alice: Someone, settings: Settings, service: str
) -> None:
    settings.ENV = replace(settings.ENV, queue_documents=2)
    put(alice, "a.pdf", PDF)
    put(alice, "b.pdf", PDF)
    response = alice.post(UPSERT, {"name": "c.pdf", "base64": base64.b64encode(PDF).decode()})
    assert (response.status_code, response.json()["code"], response["Retry-After"]) == (429, "queue_full", "30")
    assert answers(send_many(alice, SimpleUploadedFile("c.pdf", PDF))) == {"c.pdf": "queue_full"}
    process_all()
    assert answers(send_many(alice, SimpleUploadedFile("c.pdf", PDF))) == {"c.pdf": "queued"}


def test_accepted_uploads_cost_their_bytes_and_refused_ones_units(
    alice: Someone, settings: Settings, services: Services
) -> None:
    settings.ENV = replace(settings.ENV, rate_per_minute=1, rate_burst=4)
    for number in range(20):
        put(alice, f"{number}.pdf", PDF)
    many = answers(send_many(alice, *(SimpleUploadedFile(f"of many {number}.pdf", PDF) for number in range(20))))
    assert set(many.values()) == {"queued"}
    assert alice.get("/v1/documents/").status_code == 200
    for _ in range(2):
        assert alice.post(UPSERT, {"name": "x", "base64": base64.b64encode(b"<html>").decode()}).status_code == 422
    assert alice.post(UPSERT, {"name": "x", "base64": base64.b64encode(PDF).decode()}).status_code == 429
