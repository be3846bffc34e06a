"""The worker: which errors fail a revision, which make it wait, and which cost an attempt."""

import threading
from dataclasses import replace

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Usage
from accounts.ownership import acting_for
from collections_app.failpoints import Fault
from collections_app.ingest import worker
from collections_app.models import Document, Status
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import (
    embeddings_reply,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    set_failpoint,
    shown_texts,
    use_embeddings,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted
from tests.environment import Services

TINY = (72, 72)


def test_without_due_revisions_there_is_nothing_to_do(db: None) -> None:
    assert not worker.run()
    assert worker.sweep(limit=5) == 0


def test_failed_update_leaves_the_shown_revision(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("old"))
    process_all()
    put(owner, "report.pdf", pdf("secret", encrypt=True))
    process_all()
    document = get_document(owner, "report.pdf")
    assert (document["status"], document["error"]["code"]) == ("failed", "file_encrypted")
    assert document["num_pages"] == 1
    assert shown_texts(owner, "report.pdf") == ["old"]


def test_failed_first_upload_shows_nothing(owner: Someone) -> None:
    put(owner, "broken.pdf", b"%PDF-1.7\nnothing\n%%EOF")
    process_all()
    document = get_document(owner, "broken.pdf")
    assert (document["status"], document["num_pages"], document["pages_done"]) == ("failed", 0, 0)
    assert document["error"] == {"code": "file_damaged", "detail": "The file is damaged and cannot be read."}


def test_document_over_the_quota_fails_and_is_not_counted(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("one", "two"))
    with acting_for(owner.id):
        Usage.objects.filter(owner_id=owner.id).update(max_pages=1)
    process_all()
    assert get_document(owner, "report.pdf")["error"]["code"] == "quota_exceeded"


def test_deleted_document_is_not_processed(owner: Someone) -> None:
    put(owner, "report.pdf", pdf("one"))
    owner.delete("/v1/documents/report.pdf/")
    process_all()
    with acting_for(owner.id):
        assert not Document.objects.filter(owner_id=owner.id).exists()


def test_document_that_kills_every_worker_fails_and_can_be_uploaded_again(owner: Someone, settings: Settings) -> None:
    put(owner, "poison.pdf", pdf("one"))
    for _ in range(3):
        set_failpoint(settings, "pages_rendered")
        with pytest.raises(Fault):
            worker.run()
        end_waits()
    assert not worker.run()
    assert worker.sweep(limit=5) == 0
    assert get_document(owner, "poison.pdf")["error"]["code"] == "tried_too_often"
    set_failpoint(settings, "")
    put(owner, "poison.pdf", pdf("two"))
    process_all()
    assert get_document(owner, "poison.pdf")["status"] == "ready"


def test_unexpected_error_is_retried_and_then_fails_the_document(owner: Someone, settings: Settings) -> None:
    put(owner, "report.pdf", pdf("one"))
    use_embeddings(settings, "http://[")
    for attempt in range(1, 4):
        worker.run()
        assert latest_revision(owner, "report.pdf").attempts == attempt
        end_waits()
    worker.sweep(limit=1)
    assert get_document(owner, "report.pdf")["error"]["code"] == "tried_too_often"


def test_documents_wait_until_the_process_that_opens_them_can_be_confined(
    owner: Someone, settings: Settings, without_walls: None
) -> None:
    settings.ENV = replace(settings.ENV, render_sandbox="required")
    put(owner, "report.pdf", pdf("one"))
    for _ in range(12):  # more often than for other servers
        assert not worker.run()
        row = latest_revision(owner, "report.pdf")
        assert (row.status, row.waiting_for, row.attempts) == ("queued", "sandbox_incomplete", 0)
        end_waits()
    settings.ENV = replace(settings.ENV, render_sandbox="best-effort")
    process_all()
    assert shown_texts(owner, "report.pdf") == ["one"]


def test_without_the_embeddings_service_documents_wait_and_say_what_for(owner: Someone, settings: Settings) -> None:
    working = settings.ENV.embeddings_url
    use_embeddings(settings, "http://127.0.0.1:1")
    put(owner, "report.pdf", pdf("one"))
    for _ in range(3):
        assert not worker.run()
        row = latest_revision(owner, "report.pdf")
        assert (row.status, row.waits, row.attempts) == ("queued", 1, 0)
        end_waits()
    assert get_document(owner, "report.pdf")["waiting_for"] == "embeddings_unavailable"
    use_embeddings(settings, working)
    process_all()
    document = get_document(owner, "report.pdf")
    assert (document["status"], document["waiting_for"]) == ("ready", None)


def test_unusable_response_of_the_embeddings_service_makes_the_document_wait(
    owner: Someone, settings: Settings
) -> None:
    put(owner, "report.pdf", pdf("one"))
    with scripted(lambda _: Reply.json({"embeddings": "none"})) as server:
        use_embeddings(settings, server.url)
        worker.run()
    assert latest_revision(owner, "report.pdf").waiting_for == "embeddings_untrustworthy"


@pytest.mark.parametrize("model", ["a" * 201, "with \0 inside"])
def test_model_name_that_cannot_be_stored_makes_the_document_wait(
    owner: Someone, settings: Settings, model: str
) -> None:
    put(owner, "report.pdf", pdf("one"))
    with scripted(lambda request: embeddings_reply(VectorSpace(model, "1", 4), request)) as server:
        use_embeddings(settings, server.url)
        worker.run()
    assert latest_revision(owner, "report.pdf").waiting_for == "embeddings_untrustworthy"


def test_document_is_released_at_once_if_the_database_disconnects(
    real_owner: Someone, settings: Settings, services: Services
) -> None:
    put(real_owner, "report.pdf", pdf("one", size=TINY))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (worker_pid,) = cursor.fetchone()
    disconnected = threading.Event()

    def reply(request: ReceivedRequest) -> Reply:
        if not disconnected.is_set():
            disconnected.set()
            with psycopg.connect(services.superuser_url) as superuser:
                superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [worker_pid])
        return embeddings_reply(VectorSpace("slow", "1", 4), request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        worker.run()
        row = latest_revision(real_owner, "report.pdf")
        assert (row.status, row.lease_token, row.attempts) == (Status.QUEUED, None, 1)
        process_all()
    assert shown_texts(real_owner, "report.pdf") == ["one"]
