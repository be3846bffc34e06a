"""What is told, and that it is written with what it tells."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app import failpoints
from collections_app.failpoints import Fault
from collections_app.webhook_models import Event, WebhookDelivery
from tests.cast import Someone
from tests.collections_app.documents import body_of, put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import end_waits, get_document, process_all
from tests.collections_app.webhooks.receiving import create_webhook, list_deliveries, receiving, send_all, verify
from tests.embeddings.scripted import ScriptedServer

CONTENT = pdf("one", "two", size=(72, 72))
EVERYTHING = list(Event.values)


@pytest.fixture
def owner(alice: Someone, service: str) -> Someone:
    return alice


@pytest.fixture
def receiver(settings: Settings) -> Iterator[ScriptedServer]:
    with receiving(settings) as server:
        yield server


def messages(server: ScriptedServer, hook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that arrived and verified, by type."""
    found = [verify(one, hook["secret"]) for one in server.requests]
    assert len({one["type"] for one in found}) == len(found)
    return {one["type"]: one for one in found}


def test_a_document_that_is_ready_is_told_in_both_forms(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=EVERYTHING)
    accepted = put(owner, "report.pdf", CONTENT, collection="reports", metadata={"year": 2026})
    process_all()
    send_all()
    found = messages(receiver, hook)
    assert set(found) == {"document.ready", "upsert.success"}
    data = found["document.ready"]["data"]
    assert set(found["document.ready"]) == {"type", "timestamp", "data"}
    assert data["document"] == {"id": accepted["id"], "name": "report.pdf"}
    assert data["collection"]["name"] == "reports"
    assert (data["pages"], data["skipped_pages"], data["error"]) == (2, [], None)
    success = found["upsert.success"]
    link = success.pop("url")
    assert success == {
        "type": "upsert.success",
        "message": "Document upserted successfully",
        "id": accepted["id"],
        "name": "report.pdf",
        "metadata": {"year": 2026},
        "num_pages": 2,
        "collection_name": "reports",
    }
    assert body_of(Client().get(link.removeprefix("http://localhost:8001"))) == CONTENT


def test_a_link_to_the_file_is_made_when_it_is_sent_and_kept_nowhere(owner: Someone, receiver: ScriptedServer) -> None:
    create_webhook(owner, receiver.url, events=["upsert.success"])
    put(owner, "report.pdf", CONTENT)
    process_all()
    with acting_for(owner.id):
        assert WebhookDelivery.objects.get().payload["url"] == ""
    owner.delete("/v1/documents/report.pdf/")
    send_all()
    assert receiver.requests[0].json()["url"] == "", "the document is gone"


def test_a_document_that_failed_is_told_with_its_error(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=EVERYTHING)
    put(owner, "broken.pdf", b"%PDF-1.7\nnothing\n%%EOF", metadata={"year": 2026})
    process_all()
    send_all()
    found = messages(receiver, hook)
    assert set(found) == {"document.failed", "upsert.fail"}
    error = {"code": "file_damaged", "detail": "The file is damaged and cannot be read."}
    assert found["document.failed"]["data"]["error"] == error
    assert found["document.failed"]["data"]["pages"] == 0
    assert found["upsert.fail"] == {
        "type": "upsert.fail",
        "message": "There was an error processing your document",
        "name": "broken.pdf",
        "metadata": {"year": 2026},
        "collection_name": "default_collection",
        "error": error["detail"],
    }


def test_a_cancelled_document_is_told(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=EVERYTHING)
    put(owner, "report.pdf", CONTENT)
    assert owner.post("/v1/documents/report.pdf/cancel/", {}).status_code == 200
    send_all()
    assert set(messages(receiver, hook)) == {"document.cancelled"}


def test_only_what_an_endpoint_wants_is_told_it_and_only_to_its_owner(
    owner: Someone, charlie: Someone, receiver: ScriptedServer
) -> None:
    wanting = create_webhook(owner, receiver.url, events=["document.ready"])
    other = create_webhook(owner, receiver.url, events=["document.failed"])
    theirs = create_webhook(charlie, receiver.url, events=EVERYTHING)
    put(owner, "report.pdf", CONTENT)
    process_all()
    assert [row["event"] for row in list_deliveries(owner, wanting)] == ["document.ready"]
    assert list_deliveries(owner, other) == list_deliveries(charlie, theirs) == []


def test_long_metadata_is_left_out(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=["upsert.success"])
    put(owner, "report.pdf", CONTENT, metadata={"long": "x" * 20_000})
    process_all()
    send_all()
    assert messages(receiver, hook)["upsert.success"]["metadata"] == {}
    assert len(receiver.requests[0].body) < 20_000


@pytest.mark.parametrize("point", ["before_publishing", "published"])
def test_where_a_worker_dies_the_news_is_written_once_and_with_the_change(
    owner: Someone, receiver: ScriptedServer, settings: Settings, point: str
) -> None:
    hook = create_webhook(owner, receiver.url)
    put(owner, "report.pdf", CONTENT)
    failpoints.reset()
    settings.ENV = replace(settings.ENV, failpoint=f"{point}=raise")
    with pytest.raises(Fault):
        process_all()
    assert len(list_deliveries(owner, hook)) == (get_document(owner, "report.pdf")["status"] == "ready")
    settings.ENV = replace(settings.ENV, failpoint="")
    end_waits()
    process_all()
    assert [row["event"] for row in list_deliveries(owner, hook)] == ["document.ready"]
