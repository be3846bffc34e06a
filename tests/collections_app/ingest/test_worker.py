"""The worker: which errors fail a revision, which make it wait, and which cost an attempt."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Usage
from accounts.ownership import acting_for
from collections_app.failpoints import Fault
from collections_app.ingest import leases, worker
from collections_app.models import Document, Revision, Status
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
SPACE = VectorSpace("toy", "1", 4)


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


@contextmanager
def storing_ends_the_connection(services: Services) -> Iterator[None]:
    """Let Postgres end each connection that stores a page."""
    with psycopg.connect(services.superuser_url, autocommit=True) as superuser:
        superuser.execute(
            "CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            " AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        superuser.execute(
            "CREATE TRIGGER end_connection BEFORE INSERT ON collections_app_page EXECUTE FUNCTION end_connection()"
        )
        try:
            yield
        finally:
            superuser.execute("DROP FUNCTION end_connection CASCADE")


def test_document_is_released_at_once_if_the_database_disconnects(real_owner: Someone, services: Services) -> None:
    put(real_owner, "report.pdf", pdf("one", size=TINY))
    with storing_ends_the_connection(services):
        worker.run()
    row = latest_revision(real_owner, "report.pdf")
    assert (row.status, row.lease_token, row.attempts) == (Status.QUEUED, None, 1)
    process_all()
    assert shown_texts(real_owner, "report.pdf") == ["one"]


@pytest.fixture
def many(settings: Settings) -> None:
    """Let a worker have several documents in flight."""
    settings.ENV = replace(settings.ENV, worker_documents=12)


@pytest.mark.usefixtures("many")
def test_documents_in_flight_share_requests_to_the_service(real_owner: Someone, settings: Settings) -> None:
    names = [f"{number}.pdf" for number in range(20)]
    for name in names:
        put(real_owner, name, pdf(name, size=TINY))

    def reply(request: ReceivedRequest) -> Reply:
        time.sleep(0.3)
        return embeddings_reply(SPACE, request)

    calls = list[float]()
    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        assert not worker.run(meanwhile=lambda: calls.append(time.monotonic()))
    assert [shown_texts(real_owner, name) for name in names] == [[name] for name in names]
    counts = [len(request.json()["inputs"]) for request in server.requests]
    assert (sum(counts), max(counts) > 1) == (20, True)
    assert all(later - earlier > 1 for earlier, later in pairwise(calls))


@pytest.mark.usefixtures("many")
def test_worker_that_dies_with_documents_in_flight_leaves_them_to_the_next(
    real_owner: Someone, settings: Settings
) -> None:
    names = [f"{number}.pdf" for number in range(10)]
    for name in names:
        put(real_owner, name, pdf(name, f"second page of {name}", size=TINY))
    set_failpoint(settings, "pages_embedded:5")
    with pytest.raises(Fault):
        process_all()
    set_failpoint(settings, "")
    end_waits()
    process_all()
    for name in names:
        assert shown_texts(real_owner, name) == [name, f"second page of {name}"]


@pytest.mark.usefixtures("many")
def test_retry_has_the_process_to_itself(real_owner: Someone, settings: Settings) -> None:
    put(real_owner, "a.pdf", pdf("a", size=TINY))
    leases.claim()
    end_waits()
    for name in ("b.pdf", "c.pdf", "d.pdf"):
        put(real_owner, name, pdf(name, size=TINY))
    held = list[int]()

    def reply(request: ReceivedRequest) -> Reply:
        with acting_for(real_owner.id):
            held.append(Revision.objects.held().count())
        connection.close()
        return embeddings_reply(SPACE, request)

    with scripted(reply) as server:
        use_embeddings(settings, server.url)
        process_all()
    assert held[0] == 1
    assert [latest_revision(real_owner, name).status for name in ("a.pdf", "b.pdf", "d.pdf")] == [Status.READY] * 3


@pytest.mark.usefixtures("many")
def test_documents_in_flight_wait_during_an_outage(real_owner: Someone, settings: Settings) -> None:
    names = [f"{number}.pdf" for number in range(6)]
    for name in names:
        put(real_owner, name, pdf(name, size=TINY))
    working = settings.ENV.embeddings_url
    use_embeddings(settings, "http://127.0.0.1:1")
    assert not worker.run()
    rows = [latest_revision(real_owner, name) for name in names]
    assert {(row.status, row.attempts, row.waiting_for) for row in rows} == {("queued", 0, "embeddings_unavailable")}
    use_embeddings(settings, working)
    end_waits()
    process_all()
    assert [shown_texts(real_owner, name) for name in names] == [[name] for name in names]
