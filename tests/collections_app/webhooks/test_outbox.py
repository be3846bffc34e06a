"""Messages are written in the transaction of the change that they announce."""

import pytest
from pytest_django import Settings

from collections_app.failpoints import Fault
from collections_app.webhook_models import WebhookEvent
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf
from tests.collections_app.ingestion import end_waits, get_document, process_all, set_failpoint
from tests.collections_app.webhooks.receiving import WEBHOOKS, create_webhook, list_deliveries
from tests.embeddings.scripted import ScriptedServer

CONTENT = pdf("one", "two", size=(72, 72))


def test_only_subscribed_endpoints_of_the_owner_get_a_message(
    owner: Someone, charlie: Someone, receiver: ScriptedServer
) -> None:
    subscribed = create_webhook(owner, receiver.url, events=["document.ready"])
    other_event = create_webhook(owner, receiver.url, events=["document.failed"])
    other_owner = create_webhook(charlie, receiver.url, events=list(WebhookEvent.values))
    put(owner, "report.pdf", CONTENT)
    process_all()
    assert [delivery["event"] for delivery in list_deliveries(owner, subscribed)] == ["document.ready"]
    assert list_deliveries(owner, other_event) == list_deliveries(charlie, other_owner) == []


def test_disabled_endpoint_gets_no_message(owner: Someone, receiver: ScriptedServer) -> None:
    hook = create_webhook(owner, receiver.url)
    owner.patch(f"{WEBHOOKS}{hook['id']}/", {"enabled": False})
    put(owner, "report.pdf", CONTENT)
    process_all()
    assert list_deliveries(owner, hook) == []


@pytest.mark.parametrize("point", ["before_publishing", "published"])
def test_message_is_written_once_and_with_the_change_if_a_worker_dies(
    owner: Someone, receiver: ScriptedServer, settings: Settings, point: str
) -> None:
    hook = create_webhook(owner, receiver.url)
    put(owner, "report.pdf", CONTENT)
    set_failpoint(settings, point)
    with pytest.raises(Fault):
        process_all()
    assert len(list_deliveries(owner, hook)) == (get_document(owner, "report.pdf")["status"] == "ready")
    set_failpoint(settings, "")
    end_waits()
    process_all()
    assert [delivery["event"] for delivery in list_deliveries(owner, hook)] == ["document.ready"]
