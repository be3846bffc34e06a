"""Operations on revisions that are being processed: list them, wait for one, cancel it, retry it."""

from collections.abc import Sequence

from django.db.models import Case, Count, F, QuerySet, When
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.errors import DocumentNotFound
from collections_app.ingest import outages, progress, store_pages
from collections_app.ingest.errors import NothingToCancel, NothingToRetry, ProcessingFailed
from collections_app.models import IN_FLIGHT, Collection, Document, Revision, Status
from collections_app.owned import NO_LEASE
from collections_app.webhooks import outbox
from paliapi.errors import Problem

UNFINISHED = (*IN_FLIGHT, Status.FAILED, Status.CANCELLED)

# What a job starts with when it is queued again.
_FRESH_ATTEMPTS: dict[str, object] = {"error": None, "attempts": 0, "waits": 0}
_FRESH: dict[str, object] = {**_FRESH_ATTEMPTS, "skipped": [], "timings": {}}


def unfinished(
    tx: OwnerTransaction, caller: Caller, *, statuses: Sequence[str], collection_name: str
) -> QuerySet[Revision]:
    """Return the latest revisions of documents the caller sees, if they are being processed, failed or cancelled."""
    # Not `document__in`, which would join each document once more.
    rows = Revision.objects.filter(owner_id=tx.owner_id, status__in=statuses)
    rows = rows.filter(document__owner_id=tx.owner_id, document__latest=F("pk"))
    if caller.collections is not None or collection_name != ALL_COLLECTIONS:
        collections = Collection.objects.visible_to(caller)
        named = collections if collection_name == ALL_COLLECTIONS else collections.named(collection_name)
        rows = rows.filter(document__collection__in=named)
    return rows.select_related("document__collection")


def count_unfinished(tx: OwnerTransaction, caller: Caller) -> dict[str, int]:
    """Return how many of the unfinished jobs have each status."""
    rows = unfinished(tx, caller, statuses=UNFINISHED, collection_name=ALL_COLLECTIONS)
    counted = dict(rows.order_by().values_list("status").annotate(n=Count("pk")))
    return {status: counted.get(status, 0) for status in UNFINISHED}


def in_queue_order(rows: QuerySet[Revision]) -> QuerySet[Revision]:
    """Sort jobs as they are processed: those that a worker holds first."""
    is_held = Case(When(lease_until__gt=Now(), then=0), default=1)
    return rows.order_by(is_held, "next_try_at", "pk")


def wait_for(caller: Caller, document: Document, *, timeout_s: float) -> Document | None:
    """Wait until the latest revision is ready and return the document; None on timeout or if it was superseded.

    Raise ProcessingFailed if the revision fails or is cancelled. Call outside a transaction: inside one, the change
    would be invisible.
    """
    for state in progress.follow(caller, document, timeout_s=timeout_s):
        if state is None or not state.is_over or state.status == progress.SUPERSEDED:
            continue
        if state.status in {Status.FAILED, Status.CANCELLED} and state.revision:
            raise _processing_failed(state.revision)
        with acting_for(caller.owner_id) as tx:
            row = catalogue.documents(tx, caller).filter(pk=document.pk).first()
        if row is None:
            raise DocumentNotFound("The document was deleted before it was ready.")
        return row
    return None


def cancel(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> Document:
    """Cancel the latest revision; what the document shows stays. A worker that holds it stops at its next write."""
    document, revision = _lock_latest(tx, caller, name, collection_name=collection_name)
    if revision.status not in IN_FLIGHT:
        raise NothingToCancel
    _change_all(tx, [revision.pk], status=Status.CANCELLED, pages_done=0, reused_pages=0, skipped=[])
    store_pages.delete_pages(tx, [revision.pk])
    outbox.announce(tx, revision.pk)
    return catalogue.find_document(tx, caller, document.name, collection_name=document.collection.name)


def retry(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> Document:
    """Queue the latest revision again if it failed or was cancelled; if it waits for something, end the wait."""
    document, revision = _lock_latest(tx, caller, name, collection_name=collection_name)
    is_waiting = revision.status == Status.QUEUED and revision.waiting_for
    if revision.status not in (Status.FAILED, Status.CANCELLED) and not is_waiting:
        raise NothingToRetry
    if is_waiting:
        outages.probe_soon()
    # A revision that waits keeps the pages it has.
    reset = _FRESH_ATTEMPTS if is_waiting else _FRESH
    _change_all(tx, [revision.pk], status=Status.QUEUED, next_try_at=Now(), **reset)
    return catalogue.find_document(tx, caller, document.name, collection_name=document.collection.name)


def cancel_all(tx: OwnerTransaction, caller: Caller, ids: Sequence[int]) -> list[int]:
    """Cancel those of these jobs that are being processed, and return their ids."""
    cancelled = _lock_all(tx, caller, ids, statuses=IN_FLIGHT)
    _change_all(tx, cancelled, status=Status.CANCELLED, pages_done=0, reused_pages=0, skipped=[])
    store_pages.delete_pages(tx, cancelled)
    outbox.announce_all(tx, cancelled)
    return cancelled


def retry_all(tx: OwnerTransaction, caller: Caller, ids: Sequence[int]) -> list[int]:
    """Queue those of these jobs again that failed or were cancelled, and return their ids."""
    queued = _lock_all(tx, caller, ids, statuses=(Status.FAILED, Status.CANCELLED))
    _change_all(tx, queued, status=Status.QUEUED, next_try_at=Now(), **_FRESH)
    return queued


def _lock_all(tx: OwnerTransaction, caller: Caller, ids: Sequence[int], *, statuses: Sequence[str]) -> list[int]:
    """Lock the jobs in these states with their documents and collections, in the order of every transaction."""
    rows = unfinished(tx, caller, statuses=statuses, collection_name=ALL_COLLECTIONS).filter(pk__in=ids)
    found = list(rows.order_by("pk").values_list("pk", "document", "document__collection"))
    if not found:
        return []
    _, documents, collections = zip(*found, strict=True)
    of_owner = Collection.objects.filter(owner_id=tx.owner_id, pk__in=set(collections))
    list(of_owner.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    locked = Document.objects.filter(owner_id=tx.owner_id, pk__in=documents, collection__in=set(collections))
    latest = list(locked.order_by("pk").select_for_update(of=("self",)).values_list("latest", flat=True))
    revisions = Revision.objects.filter(owner_id=tx.owner_id, pk__in=set(latest) & set(ids), status__in=statuses)
    return list(revisions.order_by("pk").select_for_update().values_list("pk", flat=True))


def _change_all(tx: OwnerTransaction, ids: Sequence[int], **changes: object) -> None:
    rows = Revision.objects.filter(owner_id=tx.owner_id, pk__in=ids)
    rows.update(**NO_LEASE, waiting_for="", updated_at=Now(), **changes)


def _lock_latest(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> tuple[Document, Revision]:
    """Lock the document, then its latest revision: the order in which every transaction locks them."""
    document = catalogue.lock_document(tx, catalogue.find_document(tx, caller, name, collection_name=collection_name))
    rows = Revision.objects.filter(owner_id=tx.owner_id, pk=document.latest_id or 0)
    return document, rows.select_for_update().get()


def _processing_failed(revision: Revision) -> ProcessingFailed:
    if revision.status == Status.CANCELLED:
        return ProcessingFailed("Processing was cancelled.")
    error = revision.error or {}
    detail = str(error.get("detail", ProcessingFailed.title))
    code = str(error.get("code", ProcessingFailed.code))
    return ProcessingFailed(detail, problems=(Problem("", code, detail),))
