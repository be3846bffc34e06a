"""The payloads of webhooks, as receivers get them."""

from typing import Any

from django.test import Client

from accounts.ownership import acting_for
from collections_app.webhook_models import WebhookDelivery, WebhookEvent
from tests.cast import Someone
from tests.collections_app.documents import body_of, put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import process_all
from tests.collections_app.webhooks.receiving import create_webhook, request_test, send_all, verify
from tests.embeddings.scripted import ScriptedServer

CONTENT = pdf("one", "two", size=(72, 72))
ALL_EVENTS = list(WebhookEvent.values)


def received_messages(server: ScriptedServer, hook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all messages that arrived, verified, by type."""
    messages = [verify(request, hook["secret"]) for request in server.requests]
    by_type = {message["type"]: message for message in messages}
    assert len(by_type) == len(messages)
    return by_type


def test_ready_document_is_announced_in_both_forms(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=ALL_EVENTS)
    accepted = put(owner, "report.pdf", CONTENT, collection="reports", metadata={"year": 2026})
    process_all()
    send_all()
    messages = received_messages(receiver, hook)
    assert set(messages) == {"document.ready", "upsert.success"}
    data = messages["document.ready"]["data"]
    assert set(messages["document.ready"]) == {"type", "timestamp", "data"}
    assert data["document"] == {"id": accepted["id"], "name": "report.pdf"}
    assert data["collection"]["name"] == "reports"
    assert (data["pages"], data["skipped_pages"], data["error"]) == (2, [], None)
    success = messages["upsert.success"]
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


def test_failed_document_is_announced_with_its_error(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=ALL_EVENTS)
    put(owner, "broken.pdf", b"%PDF-1.7\nnothing\n%%EOF", metadata={"year": 2026})
    process_all()
    send_all()
    messages = received_messages(receiver, hook)
    assert set(messages) == {"document.failed", "upsert.fail"}
    error = {"code": "file_damaged", "detail": "The file is damaged and cannot be read."}
    assert messages["document.failed"]["data"]["error"] == error
    assert messages["document.failed"]["data"]["pages"] == 0
    assert messages["upsert.fail"] == {
        "type": "upsert.fail",
        "message": "There was an error processing your document",
        "name": "broken.pdf",
        "metadata": {"year": 2026},
        "collection_name": "default_collection",
        "error": error["detail"],
    }


def test_cancelled_document_is_announced(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=ALL_EVENTS)
    put(owner, "report.pdf", CONTENT)
    assert owner.post("/v1/documents/report.pdf/cancel/", {}).status_code == 200
    send_all()
    assert set(received_messages(receiver, hook)) == {"document.cancelled"}


def test_test_message_says_that_it_is_one(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url)
    request_test(owner, hook)
    send_all()
    message = received_messages(receiver, hook)["webhook.test"]
    assert message["data"] == {"detail": "This is a test message."}


def test_link_to_the_file_is_created_on_sending_and_not_stored(owner: Someone, receiver: ScriptedServer) -> None:
    create_webhook(owner, receiver.url, events=["upsert.success"])
    put(owner, "report.pdf", CONTENT)
    process_all()
    with acting_for(owner.id):
        assert WebhookDelivery.objects.get().payload["url"] == ""
    owner.delete("/v1/documents/report.pdf/")
    send_all()
    assert receiver.requests[0].json()["url"] == "", "the document is gone"


def test_long_metadata_is_left_out(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url, events=["upsert.success"])
    put(owner, "report.pdf", CONTENT, metadata={"long": "x" * 20_000})
    process_all()
    send_all()
    assert received_messages(receiver, hook)["upsert.success"]["metadata"] == {}
    assert len(receiver.requests[0].body) < 20_000
