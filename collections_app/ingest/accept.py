"""Accept an upload so that it can never be lost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import charge
from collections_app.catalogue import (
    Precondition,
    change_document,
    find_document,
    find_document_to_change,
    get_or_create_collection,
    lock_document,
    lock_document_to_move,
    require_reach,
)
from collections_app.engine.input import jsonb
from collections_app.engine.rendering.file_types import sniff
from collections_app.errors import DocumentMoved
from collections_app.ingest.errors import QueueFull, URLInvalid
from collections_app.models import Collection, Document, OnPageError, Page, Revision, Status, StoredFile
from collections_app.storage import files
from collections_app.storage.errors import StorageUnavailable
from paliapi.errors import Problem, Unavailable

_MAX_TRIES = 5
_MAX_URL_LENGTH = 8000
_QUEUE_RETRY_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it was received: on disk, measured and hashed."""

    file: IO[bytes]
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The URL of a file that was not uploaded, and how to process a file from any source."""

    url: str = ""
    use_proxy: bool = False
    on_page_error: OnPageError = OnPageError.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUpsert(Source):
    """A document to create, or to give a new revision if it exists."""

    name: str
    collection_name: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUpdate(Source):
    """Changes to a document; None leaves a field unchanged."""

    name: str | None = None
    metadata: dict[str, Any] | None = None
    move_to: str | None = None
    on_page_error: OnPageError = OnPageError.FAIL


def upsert_document(
    caller: Caller,
    upsert: DocumentUpsert,
    upload: Upload | None,
    *,
    claim: Callable[[OwnerTransaction], None],
    remember: Callable[[OwnerTransaction, Document], None],
) -> Document:
    """Create or update a document: write the bytes to storage, then the rows and the quota in one transaction.

    Call `claim` first in that transaction and `remember` last: what they write is committed with it or not at all.
    """
    require_reach(caller, upsert.collection_name)
    _check_url(upsert.url)

    def write(tx: OwnerTransaction, file: StoredFile | None) -> Document:
        claim(tx)
        collection, is_new = get_or_create_collection(tx, upsert.collection_name)
        document = _get_or_create_document(tx, collection, upsert)
        _queue_revision(tx, document, upsert.metadata, file=file, source=upsert, new_collections=int(is_new))
        document = find_document(tx, caller, upsert.name, collection_name=upsert.collection_name)
        remember(tx, document)
        return document

    return _store_and_write(caller, upload, write)


def update_document(
    caller: Caller,
    name: str,
    update: DocumentUpdate,
    upload: Upload | None,
    *,
    collection_name: str | None,
    precondition: Precondition[Document],
) -> Document:
    """Change name, metadata and collection at once, and queue a new file or URL as a revision.

    Call `precondition` with the locked document before it is changed; an exception from it cancels the update.
    """
    _check_url(update.url)

    def write(tx: OwnerTransaction, file: StoredFile | None) -> Document:
        found = find_document_to_change(tx, caller, name, collection_name=collection_name)
        if update.move_to is None:
            document, target = lock_document(tx, found), None
        else:
            document, target = lock_document_to_move(tx, caller, found, to=update.move_to)
        precondition(find_document(tx, caller, name, collection_name=document.collection.name))
        more_bytes = change_document(tx, document, new_name=update.name, metadata=update.metadata, collection=target)
        if file or (update.url and update.url != _latest_url(document)):
            _queue_revision(tx, document, document.metadata, file=file, source=update, more_bytes=more_bytes)
        else:
            charge(tx, bytes=more_bytes)
        return find_document(tx, caller, document.name, collection_name=document.collection.name)

    return _store_and_write(caller, upload, write)


def _store_and_write(
    caller: Caller, upload: Upload | None, write: Callable[[OwnerTransaction, StoredFile | None], Document]
) -> Document:
    """Store the bytes, then write the rows. Try again if a concurrent request interferes."""
    kind = sniff(upload.file) if upload else None
    for _ in range(_MAX_TRIES):
        draft = None
        if upload and kind:
            draft = files.put(
                caller.owner_id,
                upload.file,
                sha256=upload.sha256,
                size=upload.size,
                content_type=kind.content_type,
            )
        try:
            if draft is None:
                with acting_for(caller.owner_id) as tx:
                    return write(tx, None)
            with files.keep(draft) as (tx, file):
                return write(tx, file)
        except StorageUnavailable:
            continue  # housekeeping deleted the old bytes between the two steps
        except (IntegrityError, ObjectDoesNotExist, DocumentMoved):
            continue  # the collection or the document was deleted or moved at the same moment
    raise Unavailable("This collection is being changed by too many requests at once.", retry_after_s=1)


def _check_url(url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or len(url) > _MAX_URL_LENGTH or not url.isprintable():
        raise URLInvalid(problems=(Problem("/url", URLInvalid.code, URLInvalid.title),))


def _get_or_create_document(tx: OwnerTransaction, collection: Collection, upsert: DocumentUpsert) -> Document:
    """Return the document, locked."""
    new = Document(owner_id=tx.owner_id, collection=collection, name=upsert.name, metadata=upsert.metadata)
    Document.objects.bulk_create([new], ignore_conflicts=True)
    rows = Document.objects.filter(owner_id=tx.owner_id, collection=collection)
    return rows.select_for_update(of=("self",)).get(name=upsert.name)


def _queue_revision(
    tx: OwnerTransaction,
    document: Document,
    metadata: dict[str, Any],
    *,
    file: StoredFile | None,
    source: Source,
    new_collections: int = 0,
    more_bytes: int = 0,
) -> None:
    """Queue a new revision. Delete those that were never shown, and return their share of the quota.

    Charge what this transaction has added before as well, because the usage is locked last.
    """
    _require_room_in_queue(tx)
    is_new = document.latest_id is None
    superseded = {} if is_new else _lock_superseded(tx, document)
    freed_pages = Page.objects.filter(owner_id=tx.owner_id, revision_id__in=superseded).count() if superseded else 0
    document.latest = Revision.objects.create(
        owner_id=tx.owner_id,
        document=document,
        file=file,
        url=source.url,
        use_proxy=source.use_proxy,
        on_page_error=source.on_page_error,
        metadata=metadata,
        size=jsonb.size(metadata) + (file.size if file else 0),
        status=Status.QUEUED,
    )
    document.updated_at = Now()
    if document.shown_id is None:
        document.metadata = metadata
    document.save(update_fields=["latest", "metadata", "updated_at"])
    if superseded:
        Revision.objects.filter(owner_id=tx.owner_id, pk__in=superseded).delete()
    more_bytes += document.latest.size - sum(superseded.values())
    charge(tx, collections=new_collections, documents=int(is_new), pages=-freed_pages, bytes=more_bytes)


def _lock_superseded(tx: OwnerTransaction, document: Document) -> dict[int, int]:
    """Lock the revisions that were never shown, to which a worker may be adding pages, and return their sizes."""
    rows = Revision.objects.filter(owner_id=tx.owner_id, document=document).exclude(pk=document.shown_id or 0)
    return dict(rows.select_for_update().values_list("pk", "size"))


def _require_room_in_queue(tx: OwnerTransaction) -> None:
    limit = settings.ENV.queue_documents
    waiting = Revision.objects.in_flight().filter(owner_id=tx.owner_id)
    # Concurrent requests may exceed the limit by as many documents, which does no harm.
    if len(waiting.order_by().values_list("pk", flat=True)[:limit]) >= limit:
        raise QueueFull(f"At most {limit:,} documents of an account may wait.", retry_after_s=_QUEUE_RETRY_S)


def _latest_url(document: Document) -> str:
    latest = document.latest
    return latest.url if latest else ""
