"""The embeddings service is away: documents wait, and nobody asks in vain but one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from collections_app.ingest import worker
from collections_app.models import Outage
from embeddings.contract import VectorSpace
from paliapi import health
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
)
from tests.embeddings.scripted import ReceivedRequest, Reply, ScriptedServer, scripted

TINY = (72, 72)
NAMES = ("a.pdf", "b.pdf", "c.pdf")
TOY = VectorSpace("toy", "1", 4)


def away(_asked: ReceivedRequest) -> Reply:
    return Reply.json({"detail": "The model is not ready."}, status=503, **{"retry-after": "0"})


def time_to_ask() -> None:
    Outage.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def three(alice: Someone) -> Someone:
    """Alice, with three documents in the queue."""
    for name in NAMES:
        put(alice, name, pdf("one", size=TINY))
    return alice


def use(settings: Settings, server: ScriptedServer) -> None:
    settings.ENV = replace(settings.ENV, embeddings_url=server.url)


def test_the_first_that_fails_spares_the_others_and_says_so_in_their_rows(three: Someone, settings: Settings) -> None:
    with scripted(away) as server:
        use(settings, server)
        worker.run()
        asked = len(server.requests)
        for _ in range(5):
            assert not worker.run()
            assert worker.sweep(limit=5) == 0
        assert len(server.requests) == asked, "nobody asks before it is time"
        time_to_ask()
        assert worker.sweep(limit=5) == 0
        assert len(server.requests) == asked + 1, "and then one does"
    jobs = three.get("/v1/jobs/").json()
    assert [(job["status"], job["waiting_for"], job["attempts"]) for job in jobs] == [
        ("queued", "embeddings_unavailable", 0)
    ] * 3
    assert [latest_revision(three, name).waits for name in NAMES] == [1, 0, 0]


def test_what_is_uploaded_meanwhile_waits_too(three: Someone, settings: Settings) -> None:
    with scripted(away) as server:
        use(settings, server)
        worker.run()
        put(three, "late.pdf", pdf("one"))
        worker.run()
    assert get_document(three, "late.pdf")["waiting_for"] == "embeddings_unavailable"


def test_once_it_is_back_everything_goes_on(three: Someone, settings: Settings) -> None:
    with scripted(away) as server:
        use(settings, server)
        worker.run()
    with scripted(lambda asked: embeddings_reply(TOY, asked)) as server:
        use(settings, server)
        time_to_ask()
        assert worker.sweep(limit=5) == 2
        assert [latest_revision(three, name).waiting_for for name in NAMES] == ["embeddings_unavailable", "", ""]
        process_all()
        assert [latest_revision(three, name).status for name in NAMES] == ["queued", "ready", "ready"]
        end_waits()  # the first had its own time to try again
        process_all()
    assert [latest_revision(three, name).status for name in NAMES] == ["ready"] * 3
    assert not Outage.objects.exists()
    assert_consistent(three)


def but_for_pages(fails: Callable[[ReceivedRequest], Reply]) -> Callable[[ReceivedRequest], Reply]:
    return lambda asked: fails(asked) if asked.json()["input_type"] == "image" else embeddings_reply(TOY, asked)


def test_trouble_with_one_document_is_no_outage(three: Someone, settings: Settings) -> None:
    with scripted(but_for_pages(away)) as server:
        use(settings, server)
        assert worker.run(), "there is more to do"
        assert not Outage.objects.exists()
    assert [latest_revision(three, name).waiting_for for name in NAMES] == ["embeddings_unavailable", "", ""]


def test_an_outage_is_told_to_who_watches(three: Someone, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_readiness", health.Readiness())
    with scripted(away) as server:
        use(settings, server)
        worker.run()
        assert Client().get("/readyz").json()["waiting"] == {"embeddings_unavailable": 3}
    figures = Client().get("/metrics").content.decode()
    assert 'paliapi_jobs{status="queued",waiting_for="embeddings_unavailable"} 3.0' in figures
    assert 'paliapi_outage_seconds{part="embeddings"}' in figures
