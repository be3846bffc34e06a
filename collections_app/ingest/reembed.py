"""After a change of the model, embed again what collections show, from the stored images and words.

Each document gets a hidden copy of its revision, page by page. Once a collection has a copy of every document, the
copies replace the originals in one transaction; until then searches use the old vectors. An interrupted run loses
nothing: the next one continues at the first missing page.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.db import connection
from django.db.models import F, QuerySet

from accounts.ownership import OwnerTransaction, acting_as_staff, acting_for
from accounts.quotas import charge
from collections_app import embeddings_client
from collections_app.engine.retrieval import word_boxes
from collections_app.ingest import store_pages
from collections_app.ingest.errors import BeingReembedded, SpaceChanged, StillInOldSpace
from collections_app.models import Collection, Document, Page, Revision, Status
from collections_app.storage import files, vectors
from collections_app.storage.errors import FileMissing
from collections_app.storage.vectors import PageVectors
from embeddings import contract
from embeddings.contract import Word

log = structlog.get_logger(__name__)

_BATCH_PAGES = 8
_MAX_ROUNDS = 5
# Columns that a copy does not take over.
_NOT_COPIED = frozenset(
    {"id", "size", "status", "space_id", "copy_of", "pages_done", "reused_pages", "timings", "created_at", "updated_at"}
)
LOCK_CLASS = 0x7265656D  # first key of the advisory lock; the second is the collection


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedCollection:
    """A collection that shows documents in another space."""

    owner_id: int
    email: str
    collection_id: int
    name: str
    documents: int


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A shown page, and the words that are known of it."""

    page: Page
    words: Sequence[Word]


def current_space_id() -> int:
    """Return the space of the model that the embeddings service uses now."""
    return store_pages.space_id_of(embeddings_client.current_space())


def outdated_collections(
    space_id: int, *, email: str | None = None, collection_name: str | None = None
) -> list[OutdatedCollection]:
    """List the collections with documents to embed again, of one owner or of all."""
    with acting_as_staff():
        rows = Collection.objects.select_related("owner").order_by("owner_id", "pk")
        rows = rows.filter(owner__email=email) if email is not None else rows
        rows = rows.filter(name=collection_name) if collection_name is not None else rows
        counted = [(row, _outdated(row.owner_id, row.pk, space_id).count()) for row in rows]
    return [
        OutdatedCollection(
            owner_id=row.owner_id, email=row.owner.email, collection_id=row.pk, name=row.name, documents=count
        )
        for row, count in counted
        if count
    ]


def run(collection: OutdatedCollection, space_id: int) -> Iterator[int]:
    """Embed a collection in the space, and yield how many pages each step embedded. Call outside transactions.

    Raise Unavailable if the service or storage is away; a later run continues.
    """
    with _exclusive(collection.collection_id):
        for _ in range(_MAX_ROUNDS):
            with acting_for(collection.owner_id) as tx:
                outdated = _outdated(tx.owner_id, collection.collection_id, space_id)
                ids = list(outdated.values_list("pk", flat=True))
            for document_id in ids:
                yield from _copy_document(collection.owner_id, document_id, space_id)
            if _swap(collection, space_id):
                log.info("reembedded", collection=collection.collection_id, space=space_id)
                return
        raise StillInOldSpace


def _outdated(owner_id: int, collection_id: int, space_id: int) -> QuerySet[Document]:
    shown = Document.objects.filter(owner_id=owner_id, collection_id=collection_id, shown__isnull=False)
    return shown.exclude(shown__space_id=space_id).order_by("pk")


@contextmanager
def _exclusive(collection_id: int) -> Iterator[None]:
    """Hold an advisory lock, which belongs to the connection and so ends with the process."""
    keys = [LOCK_CLASS, collection_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
        if cursor.fetchone() != (True,):
            raise BeingReembedded
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)


def _copy_document(owner_id: int, document_id: int, space_id: int) -> Iterator[int]:
    """Embed the pages that the copy lacks."""
    with acting_for(owner_id) as tx:
        copy = _get_or_create_copy(tx, document_id, space_id)
    while copy is not None:
        with acting_for(owner_id) as tx:
            sources = _next_sources(tx, copy)
        embedded = _embed(sources, space_id) if sources else []
        with acting_for(owner_id) as tx:
            copy = _store(tx, copy, sources, embedded)
        yield len(sources)
        if not sources:
            return


def _get_or_create_copy(tx: OwnerTransaction, document_id: int, space_id: int) -> Revision | None:
    """Return the copy of what the document shows; None if there is nothing to copy any more."""
    rows = Document.objects.filter(owner_id=tx.owner_id, pk=document_id).select_related("shown")
    document = rows.select_for_update(of=("self",)).first()
    if document is None or document.shown is None or document.shown.space_id == space_id:
        return None
    shown = document.shown
    copies = Revision.objects.filter(owner_id=tx.owner_id, document=document, copy_of__isnull=False)
    _delete(tx, copies.exclude(copy_of=shown.pk, space_id=space_id))
    if (copy := copies.first()) is not None:
        return copy
    columns = {
        field.attname: getattr(shown, field.attname)
        for field in Revision._meta.concrete_fields
        if field.attname not in _NOT_COPIED
    }
    return Revision.objects.create(**columns, size=0, status=Status.READY, space_id=space_id, copy_of=shown.pk)


def _delete(tx: OwnerTransaction, copies: QuerySet[Revision]) -> None:
    ids = list(copies.select_for_update().values_list("pk", flat=True))
    store_pages.delete_pages(tx, ids)
    Revision.objects.filter(owner_id=tx.owner_id, pk__in=ids).delete()


def _next_sources(tx: OwnerTransaction, copy: Revision) -> list[_Source]:
    rows = Page.objects.filter(owner_id=tx.owner_id, revision_id=copy.copy_of or 0, number__gt=copy.pages_done)
    pages = list(rows.select_related("image").order_by("number")[:_BATCH_PAGES])
    stored = vectors.read_with_layout(tx, [page.pk for page in pages])
    return [_Source(page, stored[page.pk].words if page.pk in stored else ()) for page in pages]


def _embed(sources: list[_Source], space_id: int) -> list[contract.MultiVector]:
    images: list[bytes] = []
    for source in sources:
        try:
            images.append(files.content(source.page.image))
        except FileMissing:
            raise FileMissing(f"The image of page {source.page.pk} is missing from storage.") from None
    words = [source.words or None for source in sources]
    space, multi_vectors = embeddings_client.embed_pages_for_index(images, at="", words=words)
    if store_pages.space_id_of(space) != space_id:
        raise SpaceChanged("The embeddings service changed its model during the run.")
    return multi_vectors


def _store(
    tx: OwnerTransaction, copy: Revision, sources: list[_Source], embedded: list[contract.MultiVector]
) -> Revision | None:
    """Store pages, vectors, the quota and the progress of the copy; return None if the copy was deleted meanwhile."""
    rows = Revision.objects.filter(owner_id=tx.owner_id, pk=copy.pk, pages_done=copy.pages_done)
    locked = rows.select_for_update().first()
    if locked is None:
        return None
    pages = Page.objects.bulk_create([_copy_page(source.page, revision_id=copy.pk) for source in sources])
    space_id = locked.space_id or 0
    new = [
        PageVectors(
            page_id=page.pk,
            space_id=space_id,
            vectors=multi_vector.vectors,
            layout=word_boxes.without_words(multi_vector.layout),
            words=source.words,
        )
        for page, source, multi_vector in zip(pages, sources, embedded, strict=True)
    ]
    vectors.insert(tx, new)
    # The last pages of the document may have been skipped, so the end of its pages is the end of the copy.
    locked.pages_done = sources[-1].page.number if sources else (locked.pages_total or 0)
    locked.save(update_fields=["pages_done"])
    charge(tx, pages=len(pages))
    return locked


def _copy_page(page: Page, *, revision_id: int) -> Page:
    fields = (field.attname for field in Page._meta.concrete_fields if field.attname not in {"id", "revision_id"})
    return Page(**{name: getattr(page, name) for name in fields}, revision_id=revision_id)


def _swap(collection: OutdatedCollection, space_id: int) -> bool:
    """Show all copies at once; return False if there is a new document without a copy."""
    with acting_for(collection.owner_id) as tx:
        rows = Collection.objects.filter(owner_id=tx.owner_id, pk=collection.collection_id)
        if rows.select_for_update(no_key=True).first() is None:
            return True
        outdated = _outdated(tx.owner_id, collection.collection_id, space_id)
        documents = list(outdated.select_related("shown").select_for_update(of=("self",)))
        complete = Revision.objects.filter(owner_id=tx.owner_id, space_id=space_id, pages_done=F("pages_total"))
        shown_ids = [document.shown_id for document in documents if document.shown_id]
        copies = {copy.copy_of: copy for copy in complete.filter(copy_of__in=shown_ids)}
        if any(document.shown_id not in copies for document in documents):
            return False
        for document in documents:
            _show(document, copies[document.shown_id])
        Document.objects.bulk_update(documents, ["shown", "latest", "updated_at"], batch_size=500)
        Revision.objects.bulk_update(copies.values(), ["size", "metadata", "copy_of"], batch_size=500)
        store_pages.delete_pages(tx, shown_ids)
        Revision.objects.filter(owner_id=tx.owner_id, pk__in=shown_ids).delete()
        rows.update(vectors_seq=F("vectors_seq") + 1)
    return True


def _show(document: Document, copy: Revision) -> None:
    if document.latest_id == document.shown_id:
        document.latest = copy
    if document.shown:  # the metadata may have been replaced since it was copied
        copy.size, copy.metadata = document.shown.size, document.shown.metadata
    document.shown, copy.copy_of = copy, None
