"""What webhooks say: the clean form, and the one that ColiVara's clients know."""

import json
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.ownership import acting_for
from collections_app.models import Document, Revision, Status
from collections_app.storage import links
from collections_app.webhook_models import TEST, Event, WebhookDelivery

# Receivers expect short messages; what does not fit is a request away.
_MOST_METADATA_BYTES = 16 * 1024

_CLEAN = {
    Status.READY: Event.DOCUMENT_READY,
    Status.FAILED: Event.DOCUMENT_FAILED,
    Status.CANCELLED: Event.DOCUMENT_CANCELLED,
}


def of_revision(revision: Revision, *, timestamp: str) -> dict[str, dict[str, Any]]:
    """What there is to tell of a revision that has come to its end, by event. It comes with document and collection."""
    status = Status(revision.status)
    clean = {"type": str(_CLEAN[status]), "timestamp": timestamp, "data": _data(revision)}
    found: dict[str, dict[str, Any]] = {_CLEAN[status]: clean}
    if status == Status.READY:
        found[Event.UPSERT_SUCCESS] = _success(revision)
    elif status == Status.FAILED:
        found[Event.UPSERT_FAIL] = _failure(revision)
    return found


def of_test(*, timestamp: str) -> dict[str, Any]:
    return {"type": TEST, "timestamp": timestamp, "data": {"detail": "Somebody asked for this message."}}


def body_of(delivery: WebhookDelivery) -> bytes:
    """The bytes that are signed and sent. Links expire, so they are made now and kept nowhere."""
    payload = dict(delivery.payload)
    if delivery.event == Event.UPSERT_SUCCESS:
        payload["url"] = _url(delivery.owner_id, payload["id"])
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _data(revision: Revision) -> dict[str, Any]:
    document, collection = revision.document, revision.document.collection
    ready = revision.status == Status.READY
    return {
        "job_id": revision.pk,
        "document": {"id": document.pk, "name": document.name},
        "collection": {"id": collection.pk, "name": collection.name},
        "pages": revision.pages_kept if ready else 0,
        "skipped_pages": [one["page"] for one in revision.skipped] if ready else [],
        "error": revision.error,
    }


def _success(revision: Revision) -> dict[str, Any]:
    return {
        "type": str(Event.UPSERT_SUCCESS),
        "message": "Document upserted successfully",
        "id": revision.document.pk,
        "name": revision.document.name,
        "metadata": _short(revision.metadata),
        "url": "",
        "num_pages": revision.pages_kept,
        "collection_name": revision.document.collection.name,
    }


def _failure(revision: Revision) -> dict[str, Any]:
    return {
        "type": str(Event.UPSERT_FAIL),
        "message": "There was an error processing your document",
        "name": revision.document.name,
        "metadata": _short(revision.metadata),
        "collection_name": revision.document.collection.name,
        "error": (revision.error or {}).get("detail", ""),
    }


def _short(metadata: dict[str, Any]) -> dict[str, Any]:
    return metadata if len(json.dumps(metadata)) <= _MOST_METADATA_BYTES else {}


def _url(owner_id: int, document_id: int) -> str:
    """Where the document came from, or a signed link to its file."""
    with acting_for(owner_id):
        rows = Document.objects.select_related("shown__file").filter(owner_id=owner_id, pk=document_id)
        document = rows.first()
    shown = document.shown if document else None
    if shown is None or shown.url or shown.file is None:
        return shown.url if shown else ""
    return settings.ENV.base_url + reverse("getFile", args=[links.file_token(shown.file)])
