"""Constraints and names of webhook rows."""

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from accounts.ownership import acting_for
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from tests.cast import Someone

URL = "https://example.com/hook"


def create(who: Someone, **fields: Any) -> WebhookEndpoint:
    values = {"url": URL, "events": [WebhookEvent.DOCUMENT_READY], "salt": b"salt", "pepper_id": 1, **fields}
    with acting_for(who.id), transaction.atomic():
        return WebhookEndpoint.objects.create(owner_id=who.id, **values)


@pytest.mark.parametrize("events", [[], ["document.deleted"], [WebhookEvent.DOCUMENT_READY, "webhook.test"]])
def test_endpoint_needs_known_events(alice: Someone, events: list[str]) -> None:
    with pytest.raises(IntegrityError, match="webhook_endpoint_events_known"):
        create(alice, events=events)


def test_owner_has_at_most_one_colivara_endpoint(alice: Someone, charlie: Someone) -> None:
    create(alice, compatible=True)
    create(alice)
    create(charlie, compatible=True)
    with pytest.raises(IntegrityError, match="webhook_endpoint_compatible_once"):
        create(alice, compatible=True)


def test_delivery_is_named_by_its_message_id() -> None:
    delivery = WebhookDelivery(message_id=UUID(int=255), event=WebhookEvent.DOCUMENT_READY)
    assert delivery.name == "msg_" + "0" * 30 + "ff"
    assert str(delivery) == f"document.ready {delivery.name}"


def test_endpoint_is_named_by_the_beginning_of_its_url() -> None:
    assert str(WebhookEndpoint(url=URL + "x" * 200)) == (URL + "x" * 200)[:100]
