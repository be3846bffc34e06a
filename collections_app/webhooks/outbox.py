"""Write messages in the transaction of the change that they announce: both are committed, or neither is."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts.ownership import OwnerTransaction
from collections_app.models import Collection, Document, Revision
from collections_app.webhook_models import WebhookDelivery, WebhookEndpoint
from collections_app.webhooks import messages
from paliapi.database import Command, statement
from paliapi.units import rfc3339

_LOCK = statement(
    "SELECT id FROM {endpoints} WHERE owner_id = %s AND enabled ORDER BY id FOR NO KEY UPDATE",
    endpoints=WebhookEndpoint,
)


def subscribed(tx: OwnerTransaction) -> Command:
    """Return the statement that locks the endpoints: without a row, there is nothing to announce."""
    return Command(_LOCK, (tx.owner_id,))


def announce(tx: OwnerTransaction, revision_id: int) -> None:
    """Write a message about this finished revision for every endpoint that subscribed to the event."""
    announce_all(tx, [revision_id])


def announce_all(tx: OwnerTransaction, revision_ids: Sequence[int]) -> None:
    """Write a message about each of these finished revisions for every endpoint that subscribed to its event.

    The endpoints are the last rows that a transaction locks, even after the usage.
    """
    # Locked until the end, so that none is deleted between this read and the insert that refers to it.
    rows = WebhookEndpoint.objects.filter(owner_id=tx.owner_id, enabled=True)
    endpoints = list(rows.order_by("pk").select_for_update(no_key=True))
    if not endpoints:
        return
    now = _now()
    WebhookDelivery.objects.bulk_create(
        _delivery(tx, endpoint, event, payload)
        for revision in _with_documents(tx, revision_ids)
        for payloads in [messages.revision_payloads(revision, timestamp=now)]
        for endpoint in endpoints
        for event, payload in payloads.items()
        if event in endpoint.events
    )


def _with_documents(tx: OwnerTransaction, revision_ids: Sequence[int]) -> list[Revision]:
    """Return the revisions with documents and collections.

    One statement for each: a join of thousands of new rows, of which there are no statistics yet, takes seconds.
    """
    revisions = list(Revision.objects.filter(owner_id=tx.owner_id, pk__in=revision_ids).order_by("pk"))
    documents = Document.objects.filter(owner_id=tx.owner_id).only("owner_id", "collection_id", "name")
    found = documents.in_bulk([revision.document_id for revision in revisions])
    collections = Collection.objects.filter(owner_id=tx.owner_id).only("owner_id", "name")
    of_documents = collections.in_bulk({document.collection_id for document in found.values()})
    for revision in revisions:
        revision.document = found[revision.document_id]
        revision.document.collection = of_documents[revision.document.collection_id]
    return revisions


def write_test(tx: OwnerTransaction, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Write a test message, whatever events the endpoint subscribed to."""
    payload = messages.test_payload(timestamp=_now())
    delivery = _delivery(tx, endpoint, payload["type"], payload)
    delivery.save(force_insert=True)
    delivery.refresh_from_db()
    return delivery


def _delivery(tx: OwnerTransaction, endpoint: WebhookEndpoint, event: str, payload: dict[str, Any]) -> WebhookDelivery:
    return WebhookDelivery(owner_id=tx.owner_id, endpoint=endpoint, event=event, payload=payload)


def _now() -> str:
    return rfc3339(timezone.now())
