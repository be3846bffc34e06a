"""Messages are written in the transaction of what they tell: both are kept, or neither is."""

from typing import Any

from django.utils import timezone

from accounts.ownership import OwnerTransaction
from collections_app.models import Revision
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint
from collections_app.webhooks import messages
from paliapi.timestamps import rfc3339


def announce(tx: OwnerTransaction, revision_id: int) -> None:
    """Write a message about this finished revision for every endpoint that subscribed to the event.

    The endpoints are the last rows that a transaction locks, even after the usage.
    """
    # Held until the end, so that none is deleted between being read here and being referred to.
    endpoints = list(
        WebhookEndpoint.objects.filter(owner_id=tx.owner_id, enabled=True).order_by("pk").select_for_update(no_key=True)
    )
    if not endpoints:
        return
    rows = Revision.objects.select_related("document__collection").filter(owner_id=tx.owner_id)
    told = messages.of_revision(rows.get(pk=revision_id), timestamp=_now())
    WebhookDelivery.objects.bulk_create(
        _message(endpoint, event, payload)
        for endpoint in endpoints
        for event, payload in told.items()
        if event in endpoint.events
    )


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A message that says nothing but that it has arrived."""
    payload = messages.of_test(timestamp=_now())
    made = _message(endpoint, payload["type"], payload)
    made.save(force_insert=True)
    made.refresh_from_db()
    return made


def _message(endpoint: WebhookEndpoint, event: str, payload: dict[str, Any]) -> WebhookDelivery:
    return WebhookDelivery(owner_id=endpoint.owner_id, endpoint=endpoint, event=event, payload=payload)


def _now() -> str:
    return rfc3339(timezone.now())
