"""Verbs on what is on its way: list it, wait for it, stop it, try it again."""

from collections.abc import Sequence

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from collections_app import catalogue
from collections_app.errors import DocumentNotFound
from collections_app.ingest import outages, progress, store_pages
from collections_app.ingest.errors import NothingToCancel, NothingToRetry, ProcessingFailed
from collections_app.models import IN_FLIGHT, Document, Revision, Status
from collections_app.webhooks import outbox
from paliapi.errors import Problem

UNFINISHED = (*IN_FLIGHT, Status.FAILED, Status.CANCELLED)


def unfinished(caller: Caller, *, statuses: Sequence[str], collection_name: str) -> QuerySet[Revision]:
    """The newest contents that are on their way, or that did not arrive, of documents that the caller sees."""
    documents = Document.objects.visible_to(caller).within(collection_name)
    rows = Revision.objects.filter(owner_id=caller.owner_id, status__in=statuses, document__in=documents)
    return rows.filter(document__latest=F("pk")).select_related("document__collection")


def wait_for(caller: Caller, document: Document, *, within_s: float) -> Document | None:
    """The document once its newest content is ready; None if that takes longer, or something newer came.

    Call it outside a transaction, which would not see the end. ProcessingFailed if it comes to nothing.
    """
    for state in progress.follow(caller, document, within_s=within_s):
        if state is None or not state.is_over or state.status == progress.SUPERSEDED:
            continue
        if state.status in {Status.FAILED, Status.CANCELLED} and state.revision:
            raise _failed(state.revision)
        with acting_for(caller.owner_id) as tx:
            row = catalogue.documents(tx, caller).filter(pk=document.pk).first()
        if row is None:
            raise DocumentNotFound("The document was deleted before it was ready.")
        return row
    return None


def cancel(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> Document:
    """Stop the newest content; what the document shows stays. A worker that has it stops at its next write."""
    document, revision = _newest(tx, caller, name, collection_name=collection_name)
    if revision.status not in IN_FLIGHT:
        raise NothingToCancel
    _change(revision, status=Status.CANCELLED, pages_done=0, reused_pages=0, skipped=[])
    store_pages.drop(caller.owner_id, [revision.pk])
    outbox.announce(caller.owner_id, revision.pk)
    return catalogue.find_document(tx, caller, document.name, collection_name=document.collection.name)


def retry(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> Document:
    """Queue the newest content again if it failed or was cancelled; if it waits for something, end the waiting."""
    document, revision = _newest(tx, caller, name, collection_name=collection_name)
    waits = revision.status == Status.QUEUED and revision.waiting_for
    if revision.status not in (Status.FAILED, Status.CANCELLED) and not waits:
        raise NothingToRetry
    if waits:
        outages.ask_soon()
    again: dict[str, object] = {} if waits else {"skipped": [], "timings": {}}  # what is done stays done
    _change(revision, status=Status.QUEUED, error=None, attempts=0, waits=0, next_try_at=Now(), **again)
    return catalogue.find_document(tx, caller, document.name, collection_name=document.collection.name)


def _newest(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> tuple[Document, Revision]:
    """Both locked, in the order of everybody."""
    document = catalogue.lock_document(tx, catalogue.find_document(tx, caller, name, collection_name=collection_name))
    rows = Revision.objects.filter(owner_id=caller.owner_id, pk=document.latest_id or 0)
    return document, rows.select_for_update().get()


def _change(revision: Revision, **changes: object) -> None:
    rows = Revision.objects.filter(owner_id=revision.owner_id, pk=revision.pk)
    rows.update(lease_token=None, lease_until=None, waiting_for="", updated_at=Now(), **changes)


def _failed(revision: Revision) -> ProcessingFailed:
    if revision.status == Status.CANCELLED:
        return ProcessingFailed("Processing was cancelled.")
    told = revision.error or {}
    detail = str(told.get("detail", ProcessingFailed.title))
    code = str(told.get("code", ProcessingFailed.code))
    return ProcessingFailed(detail, problems=(Problem("", code, detail),))
