"""Jobs: list, wait, cancel, retry."""

import base64
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.limits.process_slots import process_slot
from accounts.ownership import acting_for
from collections_app.ingest import worker
from collections_app.models import Page, Revision
from tests.cast import Someone, someone, with_key
from tests.collections_app.documents import put, shown_with_pages
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import (
    assert_consistent,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    shown_texts,
)

UPSERT = "/v1/documents/upsert-document/"
TINY = (72, 72)


@contextmanager
def a_worker() -> Iterator[None]:
    """Run a worker until the block ends."""
    over = threading.Event()

    def run() -> None:
        try:
            while not over.wait(0.02):
                worker.run()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def body_of(name: str, content: bytes, **more: Any) -> dict[str, Any]:
    return {"name": name, "base64": base64.b64encode(content).decode(), **more}


def failed(who: Someone, name: str) -> None:
    put(who, name, pdf("secret", encrypt=True))
    process_all()
    assert get_document(who, name)["status"] == "failed"


@pytest.fixture
def patient(transactional_db: None, service: str, settings: Settings) -> Someone:
    settings.ENV = replace(settings.ENV, wait_timeout_s=30)
    return someone("patient@example.com")


def test_waiting_client_gets_the_ready_document(patient: Someone) -> None:
    with a_worker():
        created = patient.post(UPSERT, body_of("a.pdf", pdf("one", "two", size=TINY), wait=True))
        assert created.status_code == 201
        assert (created.json()["status"], created.json()["num_pages"]) == ("ready", 2)
        again = patient.post(UPSERT, body_of("a.pdf", pdf("three", size=TINY), wait=True))
    assert (again.status_code, again.json()["id"]) == (201, created.json()["id"]), "also for an update"
    assert shown_texts(patient, "a.pdf") == ["three"]


def test_client_whose_key_is_revoked_while_it_waits_gets_no_document(patient: Someone) -> None:
    other = with_key(patient.user)

    def upload() -> int:
        try:
            return int(other.post(UPSERT, body_of("a.pdf", pdf("one", size=TINY), wait=True)).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(upload)
        while patient.get("/v1/documents/a.pdf/").status_code != 200:
            time.sleep(0.02)
        key_id = patient.get("/v1/keys/").json()[-1]["id"]
        assert patient.delete(f"/v1/keys/{key_id}/").status_code == 204
        process_all()
        assert waiting.result(timeout=30) == 401
    assert get_document(patient, "a.pdf")["status"] == "ready"


def test_waiting_client_gets_the_reason_of_a_failure(patient: Someone) -> None:
    with a_worker():
        refused = patient.post(UPSERT, body_of("a.pdf", pdf("secret", encrypt=True), wait=True))
    assert (refused.status_code, refused.json()["code"]) == (422, "processing_failed")
    assert refused.json()["detail"] == "The file is protected by a password; send it without one."
    assert refused.json()["errors"][0]["code"] == "file_encrypted"


def test_wait_times_out_and_processing_continues(alice: Someone, settings: Settings, service: str) -> None:
    settings.ENV = replace(settings.ENV, wait_timeout_s=0)
    accepted = alice.post(UPSERT, body_of("a.pdf", pdf("one"), wait=True))
    assert (accepted.status_code, accepted.json()["status"]) == (202, "queued")
    process_all()
    assert get_document(alice, "a.pdf")["status"] == "ready"


def test_upload_is_not_waited_for_while_too_many_are(patient: Someone, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, web_threads=2)
    with process_slot("wait", limit=1):
        accepted = patient.post(UPSERT, body_of("a.pdf", pdf("one", size=TINY), wait=True))
    assert (accepted.status_code, accepted.json()["status"]) == (202, "queued")
    assert accepted["Location"]


def test_repeated_request_gets_the_response_after_waiting(patient: Someone) -> None:
    body = body_of("a.pdf", pdf("one", size=TINY), wait=True)
    with a_worker():
        first = patient.post(UPSERT, body, Idempotency_Key="once")
        second = patient.post(UPSERT, body, Idempotency_Key="once")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()


def test_response_after_waiting_is_not_replayed_to_a_key_without_read(patient: Someone) -> None:
    body = body_of("a.pdf", pdf("one", size=TINY), wait=True)
    with a_worker():
        assert patient.post(UPSERT, body, Idempotency_Key="once").json()["url"]
        writer = with_key(patient.user, scopes=frozenset({"write"}))
        refused = writer.post(UPSERT, body, Idempotency_Key="once")
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        created = [writer.post(UPSERT, body, Idempotency_Key="twice") for _ in range(2)]
    assert [(answer.status_code, answer.json()["url"]) for answer in created] == [(201, ""), (201, "")]
    assert patient.post(UPSERT, body, Idempotency_Key="twice").status_code == 422


def test_cancelled_upload_is_not_processed_until_retried(alice: Someone, service: str) -> None:
    put(alice, "a.pdf", pdf("one"))
    cancelled = alice.post("/v1/documents/a.pdf/cancel/", "")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    process_all()
    assert get_document(alice, "a.pdf")["status"] == "cancelled"
    again = alice.post("/v1/documents/a.pdf/retry/", "")
    assert (again.status_code, again.json()["status"]) == (200, "queued")
    process_all()
    assert shown_texts(alice, "a.pdf") == ["one"]
    assert_consistent(alice)


def test_cancelling_an_update_keeps_the_shown_revision(alice: Someone, service: str) -> None:
    put(alice, "a.pdf", pdf("old"))
    process_all()
    put(alice, "a.pdf", pdf("new"))
    alice.post("/v1/documents/a.pdf/cancel/", "")
    process_all()
    assert shown_texts(alice, "a.pdf") == ["old"]
    assert (get_document(alice, "a.pdf")["status"], get_document(alice, "a.pdf")["num_pages"]) == ("cancelled", 1)
    assert_consistent(alice)


def test_cancelling_deletes_finished_pages_and_stops_the_worker(
    alice: Someone, service: str, settings: Settings
) -> None:
    put(alice, "a.pdf", pdf(*["x"] * 12, size=TINY))
    settings.ENV = replace(settings.ENV, failpoint="pages_stored=raise")
    with pytest.raises(BaseException, match="pages_stored"):
        worker.run()
    assert latest_revision(alice, "a.pdf").pages_done == 8
    alice.post("/v1/documents/a.pdf/cancel/", "")
    with acting_for(alice.id):
        assert not Page.objects.filter(owner_id=alice.id).exists()
    assert latest_revision(alice, "a.pdf").lease_token is None
    assert_consistent(alice)


def test_failed_upload_can_be_retried_without_sending_the_file(alice: Someone, service: str) -> None:
    failed(alice, "a.pdf")
    again = alice.post("/v1/documents/a.pdf/retry/", "").json()
    assert (again["status"], again["error"]) == ("queued", None)
    process_all()
    assert get_document(alice, "a.pdf")["error"]["code"] == "file_encrypted"


def test_waiting_job_can_be_retried_at_once(alice: Someone, service: str, settings: Settings) -> None:
    up = settings.ENV
    settings.ENV = replace(up, embeddings_url="http://127.0.0.1:1")
    put(alice, "a.pdf", pdf("one"))
    worker.run()
    settings.ENV = up
    assert not worker.run()
    assert alice.post("/v1/documents/a.pdf/retry/", "").status_code == 200
    process_all()
    assert get_document(alice, "a.pdf")["status"] == "ready"


@pytest.mark.parametrize(("act", "code"), [("cancel", "nothing_to_cancel"), ("retry", "nothing_to_retry")])
def test_ready_upload_can_neither_be_cancelled_nor_retried(alice: Someone, act: str, code: str) -> None:
    shown_with_pages(alice, "a.pdf", pages=1)
    refused = alice.post(f"/v1/documents/a.pdf/{act}/", "")
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert alice.post(f"/v1/documents/b.pdf/{act}/", "").status_code == 404
    assert alice.post(f"/v1/documents/a.pdf/{act}/?colection_name=x", "").json()["code"] == "unknown_parameter"


def test_jobs_are_unfinished_and_failed_uploads(alice: Someone, charlie: Someone, service: str) -> None:
    failed(alice, "failed.pdf")
    shown_with_pages(alice, "ready.pdf", pages=1)
    put(alice, "queued.pdf", pdf("one"), collection="reports")
    results = alice.get("/v1/jobs/").json()
    assert [(job["document_name"], job["status"]) for job in results] == [
        ("failed.pdf", "failed"),
        ("queued.pdf", "queued"),
    ]
    assert results[0]["error"]["code"] == "file_encrypted"
    assert [job["document_name"] for job in alice.get("/v1/jobs/?status=queued").json()] == ["queued.pdf"]
    assert [job["document_name"] for job in alice.get("/v1/jobs/?collection_name=reports").json()] == ["queued.pdf"]
    assert charlie.get("/v1/jobs/").json() == []
    elsewhere = with_key(alice.user, collections=frozenset({"reports"}))
    assert [job["document_name"] for job in elsewhere.get("/v1/jobs/").json()] == ["queued.pdf"]


def test_waiting_job_shows_its_reason_and_next_try(alice: Someone, service: str, settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url="http://127.0.0.1:1")
    put(alice, "a.pdf", pdf("one"))
    worker.run()
    (job,) = alice.get("/v1/jobs/").json()
    assert (job["status"], job["waiting_for"], job["attempts"]) == ("queued", "embeddings_unavailable", 0)
    assert job["next_try_at"] > job["updated_at"]


def test_jobs_are_paginated_and_invalid_parameters_rejected(alice: Someone) -> None:
    for number in range(3):
        put(alice, f"{number}.pdf", pdf("one"))
    first = alice.get("/v1/jobs/?limit=2")
    assert (len(first.json()), 'rel="next"' in first["Link"]) == (2, True)
    refused = alice.get("/v1/jobs/?status=ready")
    assert (refused.status_code, refused.json()["code"]) == (422, "job_status_invalid")
    assert alice.get("/v1/jobs/?state=queued").json()["code"] == "unknown_parameter"


def test_shown_older_revision_is_not_a_job(alice: Someone, service: str) -> None:
    put(alice, "a.pdf", pdf("old"))
    process_all()
    put(alice, "a.pdf", pdf("new"))
    end_waits()
    assert len(alice.get("/v1/jobs/").json()) == 1
    with acting_for(alice.id):
        assert Revision.objects.filter(owner_id=alice.id).count() == 2


def test_progress_counts_what_is_left_of_the_account(alice: Someone, charlie: Someone, service: str) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, pdf("one", size=TINY))
    nothing = {"documents_left": 0, "pages_left": 0, "pages_per_s": None, "seconds_left": None}
    assert alice.get("/v1/progress/").json() == {**nothing, "documents_left": 2, "pages_left": 2}
    assert charlie.get("/v1/progress/").json() == nothing
    process_all()
    assert alice.get("/v1/progress/").json()["documents_left"] == 0


def test_job_shows_its_rate_and_the_time_left(alice: Someone, service: str) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, pdf(*["one"] * 4, size=TINY))
    assert [(job["pages_per_s"], job["seconds_left"]) for job in alice.get("/v1/jobs/").json()] == [(None, None)] * 2
    row = latest_revision(alice, "a.pdf")
    with acting_for(alice.id):
        Revision.objects.filter(pk=row.pk).update(
            status="embedding",
            pages_total=40,
            pages_done=10,
            claimed_at=Now() - timedelta(seconds=5),
            updated_at=Now(),
            lease_until=Now() + timedelta(seconds=5),
        )
    first, second = alice.get("/v1/jobs/").json()
    assert (first["pages_per_s"], first["seconds_left"]) == (2.0, 15.0)
    assert (second["pages_per_s"], second["seconds_left"]) == (None, 35.0)
