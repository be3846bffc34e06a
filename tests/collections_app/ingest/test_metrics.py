"""What `/metrics` and `/readyz` say about the queue."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.ingest import metrics, worker
from collections_app.models import Revision
from paliapi import health
from tests.cast import Someone, activate
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import use_embeddings
from tests.collections_app.webhooks.receiving import create_webhook, receiving, request_test, send_all
from tests.embeddings.scripted import Reply, scripted


def values() -> dict[str, dict[tuple[str, ...], float]]:
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in metrics.collect()
    }


def test_empty_queue(db: None) -> None:
    assert metrics.count_waiting() == {}
    assert values() == {
        "paliapi_jobs": {},
        "paliapi_job_oldest_due_seconds": {(): 0.0},
        "paliapi_outage_seconds": {},
        "paliapi_webhooks_pending": {(): 0.0},
    }


def test_jobs_are_counted_and_the_oldest_is_timed(alice: Someone) -> None:
    for name in ("a.pdf", "b.pdf"):
        put(alice, name, pdf("one"))
    with acting_for(alice.id):
        Revision.objects.update(next_try_at=timezone.now() - timedelta(minutes=5))
    collected = values()
    assert collected["paliapi_jobs"] == {("queued", ""): 2.0}
    assert 300 <= collected["paliapi_job_oldest_due_seconds"][()] < 360
    activate(alice, is_active=False)
    assert values()["paliapi_job_oldest_due_seconds"] == {(): 0.0}


def test_outage_is_visible_in_metrics_and_readiness(
    alice: Someone, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_readiness", health.Readiness())
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        put(alice, name, pdf("one", size=(72, 72)))
    with scripted(lambda _: Reply.json({"detail": "The model is not ready."}, status=503)) as server:
        use_embeddings(settings, server.url)
        worker.run()
        assert Client().get("/readyz").json()["waiting"] == {"embeddings_unavailable": 3}
    page = Client().get("/metrics").content.decode()
    assert 'paliapi_jobs{status="queued",waiting_for="embeddings_unavailable"} 3.0' in page
    assert 'paliapi_outage_seconds{part="embeddings"}' in page


def test_undelivered_webhook_messages_are_counted(alice: Someone, settings: Settings) -> None:
    with receiving(settings) as server:
        hook = create_webhook(alice, server.url)
        for pending in (1.0, 2.0):
            request_test(alice, hook)
            assert values()["paliapi_webhooks_pending"] == {(): pending}
        send_all()
    assert "paliapi_webhooks_pending 0.0" in Client().get("/metrics").content.decode()
