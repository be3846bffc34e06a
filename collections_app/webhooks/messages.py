"""The payloads of webhooks: PaliAPI's own form, and the one that ColiVara's clients know."""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.ownership import acting_for
from collections_app.models import Document, Revision, Status
from collections_app.storage import links
from collections_app.storage.links import FileLink
from collections_app.webhook_models import TEST_EVENT, WebhookDelivery, WebhookEvent

# Receivers expect short messages; longer metadata can be requested from the API.
_MAX_METADATA_BYTES = 16 * 1024

_EVENTS = {
    Status.READY: WebhookEvent.DOCUMENT_READY,
    Status.FAILED: WebhookEvent.DOCUMENT_FAILED,
    Status.CANCELLED: WebhookEvent.DOCUMENT_CANCELLED,
}


def revision_payloads(revision: Revision, *, timestamp: str) -> dict[str, dict[str, Any]]:
    """Return the payloads about a finished revision, by event. It must be loaded with its document and collection."""
    status = Status(revision.status)
    event = _EVENTS[status]
    payloads: dict[str, dict[str, Any]] = {event: {"type": str(event), "timestamp": timestamp, "data": _data(revision)}}
    if status == Status.READY:
        payloads[WebhookEvent.UPSERT_SUCCESS] = _upsert_success(revision)
    elif status == Status.FAILED:
        payloads[WebhookEvent.UPSERT_FAIL] = _upsert_fail(revision)
    return payloads


def test_payload(*, timestamp: str) -> dict[str, Any]:
    return {"type": TEST_EVENT, "timestamp": timestamp, "data": {"detail": "This is a test message."}}


def serialize(delivery: WebhookDelivery) -> bytes:
    """Return the bytes to sign and send. Links are created now and not stored, because they expire."""
    payload = dict(delivery.payload)
    if delivery.event == WebhookEvent.UPSERT_SUCCESS:
        payload["url"] = _document_url(delivery.owner_id, payload["id"])
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _data(revision: Revision) -> dict[str, Any]:
    document, collection = revision.document, revision.document.collection
    ready = revision.status == Status.READY
    return {
        "job_id": revision.pk,
        "document": {"id": document.pk, "name": document.name},
        "collection": {"id": collection.pk, "name": collection.name},
        "pages": revision.stored_pages if ready else 0,
        "skipped_pages": [skipped["page"] for skipped in revision.skipped] if ready else [],
        "error": revision.error,
    }


def _upsert_success(revision: Revision) -> dict[str, Any]:
    return {
        "type": str(WebhookEvent.UPSERT_SUCCESS),
        "message": "Document upserted successfully",
        "id": revision.document.pk,
        "name": revision.document.name,
        "metadata": _short_metadata(revision),
        "url": "",
        "num_pages": revision.stored_pages,
        "collection_name": revision.document.collection.name,
    }


def _upsert_fail(revision: Revision) -> dict[str, Any]:
    return {
        "type": str(WebhookEvent.UPSERT_FAIL),
        "message": "There was an error processing your document",
        "name": revision.document.name,
        "metadata": _short_metadata(revision),
        "collection_name": revision.document.collection.name,
        "error": (revision.error or {}).get("detail", ""),
    }


def _short_metadata(revision: Revision) -> dict[str, Any]:
    metadata: dict[str, Any] = revision.metadata
    return metadata if len(json.dumps(metadata)) <= _MAX_METADATA_BYTES else {}


def _document_url(owner_id: int, document_id: int) -> str:
    """Return the URL the document was fetched from, or else a signed link to its file."""
    with acting_for(owner_id) as tx:
        rows = Document.objects.select_related("shown__file").filter(owner_id=tx.owner_id, pk=document_id)
        document = rows.first()
    shown = document.shown if document else None
    if shown is None or shown.url or shown.file is None:
        return shown.url if shown else ""
    token = links.file_token(FileLink(owner_id, 0, document_id, shown.file.pk))
    return settings.ENV.base_url + reverse("getFile", args=[token])
