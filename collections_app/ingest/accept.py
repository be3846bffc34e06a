"""The verb of ingestion: accept what was sent, so that it can never be lost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.db.models import Sum
from django.db.models.functions import Coalesce, Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import charge
from collections_app.catalogue import (
    Precondition,
    change_document,
    find_document,
    find_document_to_change,
    lock_document,
    require_reach,
)
from collections_app.engine.rendering.file_types import sniff
from collections_app.ingest.errors import URLInvalid
from collections_app.models import Collection, Document, OnPageError, Page, Revision, Status, StoredFile
from collections_app.storage import files
from paliapi.errors import Problem, Unavailable

_TRIES = 5
_LONGEST_URL = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A file as it arrived: on disk, measured and hashed."""

    file: IO[bytes]
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where content comes from when it is not sent along, and how it is to be taken."""

    url: str = ""
    use_proxy: bool = False
    on_page_error: OnPageError = OnPageError.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Source):
    """What the caller wants to be there."""

    name: str
    collection_name: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Source):
    """What the caller wants to be different; None leaves a thing as it is."""

    name: str | None = None
    metadata: dict[str, Any] | None = None
    on_page_error: OnPageError = OnPageError.FAIL


def accept(
    caller: Caller,
    wanted: Wanted,
    content: Content | None,
    *,
    claim: Callable[[], None],
    remember: Callable[[Document], object],
) -> Document:
    """Create or update a document: bytes into storage, then the rows and the quota in one transaction.

    `claim` is called first in that transaction and `remember` last: what they write, happens with it or not at all.
    """
    require_reach(caller, wanted.collection_name)
    _check_url(wanted.url)

    def write(tx: OwnerTransaction, file: StoredFile | None) -> Document:
        claim()
        collection = _collection_named(caller, wanted.collection_name)
        document = _document_named(collection, wanted)
        _revise(document, wanted.metadata, file=file, source=wanted)
        found = find_document(tx, caller, wanted.name, collection_name=wanted.collection_name)
        remember(found)
        return found

    return _with_bytes(caller, content, write)


def amend(
    caller: Caller,
    name: str,
    change: Change,
    content: Content | None,
    *,
    collection_name: str | None,
    precondition: Precondition[Document],
) -> Document:
    """Change name and metadata at once; a new file or URL becomes a revision that is processed like any other."""
    _check_url(change.url)

    def write(tx: OwnerTransaction, file: StoredFile | None) -> Document:
        document = lock_document(tx, find_document_to_change(tx, caller, name, collection_name=collection_name))
        precondition(find_document(tx, caller, name, collection_name=document.collection.name))
        change_document(tx, document, new_name=change.name, metadata=change.metadata)
        if file or (change.url and change.url != _url_of(document)):
            _revise(document, document.metadata, file=file, source=change)
        return find_document(tx, caller, document.name, collection_name=document.collection.name)

    return _with_bytes(caller, content, write)


def _with_bytes(
    caller: Caller, content: Content | None, write: Callable[[OwnerTransaction, StoredFile | None], Document]
) -> Document:
    """Storage first, rows second. What another request changed at the same moment is simply tried again."""
    kind = sniff(content.file) if content else None
    for _ in range(_TRIES):
        draft = None
        if content and kind:
            draft = files.put(
                caller.owner_id,
                content.file,
                sha256=content.sha256,
                size=content.size,
                content_type=kind.content_type,
            )
        try:
            with files.discard_on_error([draft] if draft else []), acting_for(caller.owner_id) as tx:
                file = files.settle(tx, draft) if draft else None
                if draft and file is None:
                    continue  # housekeeping took the old bytes between the two steps
                return write(tx, file)
        except (IntegrityError, ObjectDoesNotExist):
            continue  # the collection or the document was deleted at the same moment
    raise Unavailable("Too much is changing in this collection at the moment.", retry_after_s=1)


def _check_url(url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or len(url) > _LONGEST_URL or not url.isprintable():
        raise URLInvalid(problems=(Problem("/url", URLInvalid.code, URLInvalid.title),))


def _collection_named(caller: Caller, name: str) -> Collection:
    Collection.objects.bulk_create([Collection(owner_id=caller.owner_id, name=name)], ignore_conflicts=True)
    return Collection.objects.get(owner_id=caller.owner_id, name=name)


def _document_named(collection: Collection, wanted: Wanted) -> Document:
    made = Document(owner_id=collection.owner_id, collection=collection, name=wanted.name, metadata=wanted.metadata)
    Document.objects.bulk_create([made], ignore_conflicts=True)
    rows = Document.objects.filter(owner_id=collection.owner_id, collection=collection)
    return rows.select_for_update(of=("self",)).get(name=wanted.name)


def _revise(document: Document, metadata: dict[str, Any], *, file: StoredFile | None, source: Source) -> None:
    """Queue a new revision. What never came to be shown gives way to it, and its share of the quota comes back."""
    owner_id, new = document.owner_id, document.latest_id is None
    passed = Revision.objects.filter(owner_id=owner_id, document=document).exclude(pk=document.shown_id or 0)
    # Locked before anything is counted: a worker may be adding pages to one of them.
    passed_ids = list(passed.select_for_update().values_list("pk", flat=True))
    freed = passed.aggregate(size=Coalesce(Sum("size"), 0))["size"]
    pages = Page.objects.filter(owner_id=owner_id, revision_id__in=passed_ids).count()
    document.latest = Revision.objects.create(
        owner_id=owner_id,
        document=document,
        file=file,
        url=source.url,
        use_proxy=source.use_proxy,
        on_page_error=source.on_page_error,
        metadata=metadata,
        size=file.size if file else 0,
        status=Status.QUEUED,
    )
    document.updated_at = Now()
    if document.shown_id is None:
        document.metadata = metadata
    document.save(update_fields=["latest", "metadata", "updated_at"])
    Revision.objects.filter(owner_id=owner_id, pk__in=passed_ids).delete()
    charge(owner_id, documents=int(new), pages=-pages, bytes=document.latest.size - freed)


def _url_of(document: Document) -> str:
    latest = document.latest
    return latest.url if latest else ""
