"""During an outage of the embeddings service, documents wait and only one worker probes the service."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_housekeeping
from collections_app.ingest import worker
from collections_app.models import Outage
from embeddings.contract import VectorSpace
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import (
    assert_consistent,
    embeddings_reply,
    end_waits,
    get_document,
    latest_revision,
    process_all,
    use_embeddings,
)
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

TINY = (72, 72)
NAMES = ("a.pdf", "b.pdf", "c.pdf")
SPACE = VectorSpace("toy", "1", 4)


def unavailable(_request: ReceivedRequest) -> Reply:
    return Reply.json({"detail": "The model is not ready."}, status=503, **{"retry-after": "0"})


def make_probe_due() -> None:
    with acting_as_housekeeping():
        Outage.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def three(alice: Someone) -> Someone:
    """Alice, with three documents in the queue."""
    for name in NAMES:
        put(alice, name, pdf("one", size=TINY))
    return alice


def test_first_failure_makes_all_due_documents_wait(three: Someone, settings: Settings) -> None:
    with scripted(unavailable) as server:
        use_embeddings(settings, server.url)
        worker.run()
        requests = len(server.requests)
        for _ in range(5):
            assert not worker.run()
            assert worker.sweep(limit=5) == 0
        assert len(server.requests) == requests, "no probe before it is due"
        make_probe_due()
        assert worker.sweep(limit=5) == 0
        assert len(server.requests) == requests + 1, "and then one"
    jobs = three.get("/v1/jobs/").json()
    assert [(job["status"], job["waiting_for"], job["attempts"]) for job in jobs] == [
        ("queued", "embeddings_unavailable", 0)
    ] * 3
    assert [latest_revision(three, name).waits for name in NAMES] == [1, 0, 0]


def test_document_uploaded_during_an_outage_waits_too(three: Someone, settings: Settings) -> None:
    with scripted(unavailable) as server:
        use_embeddings(settings, server.url)
        worker.run()
        put(three, "late.pdf", pdf("one"))
        worker.run()
    assert get_document(three, "late.pdf")["waiting_for"] == "embeddings_unavailable"


def test_processing_resumes_after_the_outage(three: Someone, settings: Settings) -> None:
    with scripted(unavailable) as server:
        use_embeddings(settings, server.url)
        worker.run()
    with scripted(lambda request: embeddings_reply(SPACE, request)) as server:
        use_embeddings(settings, server.url)
        make_probe_due()
        assert worker.sweep(limit=5) == 2
        assert [latest_revision(three, name).waiting_for for name in NAMES] == ["embeddings_unavailable", "", ""]
        process_all()
        assert [latest_revision(three, name).status for name in NAMES] == ["queued", "ready", "ready"]
        end_waits()  # the first has its own time to try again
        process_all()
    assert [latest_revision(three, name).status for name in NAMES] == ["ready"] * 3
    assert not Outage.objects.exists()
    assert_consistent(three)


def only_for_pages(fail: Callable[[ReceivedRequest], Reply]) -> Callable[[ReceivedRequest], Reply]:
    def reply(request: ReceivedRequest) -> Reply:
        return fail(request) if request.json()["input_type"] == "image" else embeddings_reply(SPACE, request)

    return reply


def test_failure_of_one_document_is_no_outage(three: Someone, settings: Settings) -> None:
    with scripted(only_for_pages(unavailable)) as server:
        use_embeddings(settings, server.url)
        assert worker.run(), "there is more to do"
        assert not Outage.objects.exists()
    assert [latest_revision(three, name).waiting_for for name in NAMES] == ["embeddings_unavailable", "", ""]
