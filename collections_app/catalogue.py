"""Operations on collections and documents: find, create, change, delete.

Each takes the owner's open transaction and the caller, whose key may reach only some collections. Locks are always
taken in the order collection, document, usage, so that two requests never deadlock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.ownership import OwnerTransaction
from accounts.quotas import charge
from collections_app.engine.input import jsonb
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.engine.retrieval.sketch_files import cleaning
from collections_app.errors import (
    CollectionNameTaken,
    CollectionNotFound,
    CollectionOutOfReach,
    DocumentAmbiguous,
    DocumentMoved,
    DocumentNameTaken,
    DocumentNotFound,
    PageNotFound,
    VectorsCompact,
)
from collections_app.models import (
    IN_FLIGHT,
    Collection,
    CollectionQuerySet,
    Document,
    DocumentQuerySet,
    Page,
    PageEmbedding,
    Revision,
    Status,
)
from collections_app.tables.evaluations import Evaluation, EvaluationRun

DEFAULT_COLLECTION = "default_collection"
_MAX_PAGE_NUMBER, _MAX_ID = 2**31 - 1, 2**63 - 1

# Groups of the states of a document's latest upload, by which lists can be filtered.
STATE_GROUPS = {"working": IN_FLIGHT, "failed": (Status.FAILED, Status.CANCELLED), "ready": (Status.READY,)}

Row = TypeVar("Row", Collection, Document)
Rows = TypeVar("Rows", CollectionQuerySet, DocumentQuerySet)
# Called with the locked row before it is changed; raises to refuse the change, for example when `If-Match` fails.
Precondition: TypeAlias = Callable[[Row], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deleted:
    """What was deleted, in the units of the quota."""

    documents: int
    pages: int
    bytes: int


def unconditional(_row: Collection | Document) -> None:
    """Accept the row in any state."""


def collections(_tx: OwnerTransaction, caller: Caller) -> CollectionQuerySet:
    """Return the collections that the caller can see, with their document counts."""
    return Collection.objects.visible_to(caller).with_counts()


def documents(_tx: OwnerTransaction, caller: Caller, *, collection_name: str = ALL_COLLECTIONS) -> DocumentQuerySet:
    """Return the documents that the caller can see, of one collection or of all, with their state."""
    return Document.objects.visible_to(caller).in_collection(collection_name).with_state()


def with_name_like(rows: Rows, part: str) -> Rows:
    """Return the rows whose name contains this text, in upper or lower case."""
    if "\x00" in part:  # Postgres accepts no NUL in text, so no name has it
        return rows.none()
    return rows.filter(name__icontains=part) if part else rows


def in_state(rows: DocumentQuerySet, group: str) -> DocumentQuerySet:
    """Return the documents whose latest upload is in a state of this group; all for any other text."""
    return rows.filter(latest__status__in=STATE_GROUPS[group]) if group in STATE_GROUPS else rows


def count_states(rows: DocumentQuerySet) -> dict[str, int]:
    """Return how many of the documents are in each group of states, and how many there are."""
    by_status: Any = rows.order_by().values_list("latest__status").annotate(n=Count("pk"))
    counted = dict(by_status)
    groups = {group: sum(counted.get(state, 0) for state in states) for group, states in STATE_GROUPS.items()}
    return {**groups, "": sum(counted.values())}


def find_collection(tx: OwnerTransaction, caller: Caller, name: str) -> Collection:
    collection = collections(tx, caller).named(name).first()
    if collection is None:
        raise CollectionNotFound(f"There is no collection named {name!r}.")
    return collection


def create_collection(
    tx: OwnerTransaction, caller: Caller, *, name: str, metadata: dict[str, Any], vector_storage: str | None = None
) -> Collection:
    """Create an empty collection. Of several concurrent calls with the same name, exactly one succeeds."""
    storage = vector_storage or settings.ENV.vector_storage
    require_reach(caller, name)
    size = jsonb.size(metadata)
    try:
        with transaction.atomic():
            Collection.objects.create(
                owner_id=tx.owner_id, name=name, metadata=metadata, size=size, vector_storage=storage
            )
    except IntegrityError:
        raise CollectionNameTaken(
            f"There is already a collection named {name!r}; change it with PATCH /v1/collections/{{name}}/."
        ) from None
    charge(tx, collections=1, bytes=size)
    return find_collection(tx, caller, name)


def get_or_create_collection(tx: OwnerTransaction, name: str) -> tuple[Collection, bool]:
    """Return the collection, and whether it was created now; if it was, the caller charges it."""
    rows = Collection.objects.filter(owner_id=tx.owner_id, name=name)
    if (existing := rows.first()) is not None:
        return existing, False
    try:
        with transaction.atomic():
            storage = settings.ENV.vector_storage
            return Collection.objects.create(owner_id=tx.owner_id, name=name, vector_storage=storage), True
    except IntegrityError:
        return rows.get(), False


def change_collection(
    tx: OwnerTransaction,
    caller: Caller,
    name: str,
    *,
    new_name: str | None,
    metadata: dict[str, Any] | None,
    precondition: Precondition[Collection],
) -> Collection:
    """Rename a collection, or replace its metadata as a whole."""
    collection = _locked_collection(caller, name)
    precondition(find_collection(tx, caller, name))
    if new_name is not None:
        require_reach(caller, new_name)
        collection.name = new_name
    charged = collection.size
    if metadata is not None:
        collection.metadata, collection.size = metadata, jsonb.size(metadata)
    collection.updated_at = Now()
    try:
        with transaction.atomic():
            collection.save(update_fields=["name", "metadata", "size", "updated_at"])
    except IntegrityError:
        raise CollectionNameTaken(f"There is already a collection named {new_name!r}.") from None
    charge(tx, bytes=collection.size - charged)
    return find_collection(tx, caller, collection.name)


def delete_collection(
    tx: OwnerTransaction, caller: Caller, name: str, *, precondition: Precondition[Collection]
) -> None:
    """Delete a collection with all its documents, and release their share of the quota."""
    collection = _locked_collection(caller, name)
    precondition(find_collection(tx, caller, name))
    rows = Document.objects.filter(owner_id=tx.owner_id, collection=collection).select_for_update()
    deleted = _delete_documents(tx, [document.pk for document in rows.only("pk")])
    size = collection.size + _size_of_evaluations(tx, collection)
    delete_files = partial(
        cleaning.delete_collection, settings.ENV.index_files, owner_id=tx.owner_id, collection_id=collection.pk
    )
    transaction.on_commit(delete_files)
    collection.delete()
    charge(tx, collections=-1, documents=-deleted.documents, pages=-deleted.pages, bytes=-deleted.bytes - size)


def _size_of_evaluations(tx: OwnerTransaction, collection: Collection) -> int:
    """Return the bytes charged for the evaluations of a collection and their runs, which are deleted with it."""
    evaluations = Evaluation.objects.filter(owner_id=tx.owner_id, collection=collection)
    runs = EvaluationRun.objects.filter(owner_id=tx.owner_id, evaluation__collection=collection)
    return sum(int(rows.aggregate(size=Sum("size", default=0))["size"]) for rows in (evaluations, runs))


def find_document(tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str) -> Document:
    """Return the only document of that name in the collection; with `all`, the only one in any collection."""
    rows = list(documents(tx, caller, collection_name=collection_name).named(name)[:2])
    if not rows:
        raise DocumentNotFound(f"There is no document named {name!r} in {collection_name!r}.")
    if len(rows) > 1:
        raise DocumentAmbiguous(f"Several collections have a document named {name!r}; choose one with collection_name.")
    return rows[0]


def pages(tx: OwnerTransaction, document: Document) -> QuerySet[Page]:
    """Return the pages that the document shows, with their images, in order."""
    rows = Page.objects.filter(owner_id=tx.owner_id, revision=document.shown_id or 0)
    return rows.select_related("image").order_by("number")


def find_page(tx: OwnerTransaction, document: Document, number: int) -> Page:
    page = pages(tx, document).filter(number=min(number, _MAX_PAGE_NUMBER)).first()
    if page is None:
        raise PageNotFound
    return page


def find_shown_page(tx: OwnerTransaction, caller: Caller, page_id: int) -> Page:
    """Return the page with this id, if a document that the caller sees shows it."""
    shown = Document.objects.visible_to(caller).filter(shown=OuterRef("revision"))
    rows = Page.objects.filter(Exists(shown), owner_id=tx.owner_id, pk=min(page_id, _MAX_ID))
    page = rows.select_related("image").first()
    if page is None:
        raise PageNotFound
    return page


def revisions(tx: OwnerTransaction, document: Document) -> QuerySet[Revision]:
    """Return the uploads of the document, latest first."""
    rows = Revision.objects.filter(owner_id=tx.owner_id, document=document)
    return rows.select_related("file").order_by("-pk")


def find_document_to_change(
    tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str | None
) -> Document:
    """Return the document; without a collection name, look in the default collection first, then in all."""
    if collection_name is not None:
        return find_document(tx, caller, name, collection_name=collection_name)
    try:
        return find_document(tx, caller, name, collection_name=DEFAULT_COLLECTION)
    except DocumentNotFound:
        return find_document(tx, caller, name, collection_name=ALL_COLLECTIONS)


def change_document(
    tx: OwnerTransaction,
    document: Document,
    *,
    new_name: str | None,
    metadata: dict[str, Any] | None,
    collection: Collection | None = None,
) -> int:
    """Rename a locked document, replace its metadata as a whole, or move it to another locked collection.

    Return how many bytes the caller has to charge.
    """
    if new_name is not None:
        document.name = new_name
    if collection is not None and collection.pk != document.collection_id:
        _announce_move(tx, document, collection)
        document.collection = collection
    more = 0 if metadata is None else _replace_metadata(tx, document, metadata)
    document.updated_at = Now()
    try:
        with transaction.atomic():
            document.save(update_fields=["collection", "name", "metadata", "updated_at"])
    except IntegrityError:
        raise DocumentNameTaken(f"The collection already has a document named {document.name!r}.") from None
    return more


def delete_document(
    tx: OwnerTransaction, caller: Caller, name: str, *, collection_name: str, precondition: Precondition[Document]
) -> None:
    document = lock_document(tx, find_document(tx, caller, name, collection_name=collection_name))
    # The new number invalidates the in-memory index of every process.
    rows = Collection.objects.filter(owner_id=tx.owner_id, pk=document.collection_id)
    rows.update(vectors_seq=F("vectors_seq") + 1)
    precondition(find_document(tx, caller, name, collection_name=document.collection.name))
    deleted = _delete_documents(tx, [document.pk])
    charge(tx, documents=-deleted.documents, pages=-deleted.pages, bytes=-deleted.bytes)


def lock_document(tx: OwnerTransaction, document: Document) -> Document:
    """Lock the document and its collection until the transaction ends, and return the document, read again.

    The collection has to be locked first: a change of the document makes the database check the collection, and so
    wait for a transaction that changes the collection and may itself want this document.
    """
    return _lock_document(tx, document, _lock_collections(tx, [document.collection_id]))


def lock_document_to_move(
    tx: OwnerTransaction, caller: Caller, document: Document, *, to: str
) -> tuple[Document, Collection]:
    """Do the same with the collection of that name as well, and return both."""
    require_reach(caller, to)
    target = find_collection(tx, caller, to)
    collections = _lock_collections(tx, [document.collection_id, target.pk])
    locked = _lock_document(tx, document, collections)
    if target.pk not in collections or collections[target.pk].name != to:
        raise CollectionNotFound(f"There is no collection named {to!r}.")
    return locked, collections[target.pk]


def require_reach(caller: Caller, collection_name: str) -> None:
    """Raise CollectionOutOfReach unless the caller's key may use a collection of that name."""
    if not caller.sees(collection_name):
        raise CollectionOutOfReach(f"This key does not reach a collection named {collection_name!r}.")


def _lock_collections(tx: OwnerTransaction, ids: list[int]) -> dict[int, Collection]:
    rows = Collection.objects.filter(owner_id=tx.owner_id, pk__in=ids)
    return {row.pk: row for row in rows.order_by("pk").select_for_update(no_key=True)}


def _lock_document(tx: OwnerTransaction, document: Document, collections: dict[int, Collection]) -> Document:
    """Lock a document of these locked collections; DocumentMoved if it is in another one by now."""
    locked = Document.objects.filter(owner_id=tx.owner_id, pk=document.pk).select_for_update().first()
    if locked is None:
        raise DocumentNotFound
    if locked.collection_id != document.collection_id:
        raise DocumentMoved
    locked.collection = collections[locked.collection_id]
    return locked


def _announce_move(tx: OwnerTransaction, document: Document, target: Collection) -> None:
    """Let searches of both collections see a move; VectorsCompact if the target could not score the pages in full.

    Full pages do for a compact collection, where they are scored by their codes.
    """
    source = document.collection
    if target.vector_storage == VectorStorage.FULL:
        pages = PageEmbedding.objects.filter(owner_id=tx.owner_id, page__revision__document=document)
        # A worker may be storing pages in the form of the present collection.
        in_flight = Revision.objects.in_flight().filter(owner_id=tx.owner_id, document=document)
        is_compact = source.vector_storage == VectorStorage.COMPACT
        if pages.filter(codes__isnull=False).exists() or (is_compact and in_flight.exists()):
            raise VectorsCompact
    rows = Collection.objects.filter(owner_id=tx.owner_id)
    rows.filter(pk__in=[source.pk, target.pk]).update(vectors_seq=F("vectors_seq") + 1)
    if source.sketches_seq:
        # Full vectors of the pages may have been replaced, so those that processes have cached must not be used.
        rows.filter(pk=target.pk).update(sketches_seq=F("vectors_seq"))


def _locked_collection(caller: Caller, name: str) -> Collection:
    collection = Collection.objects.visible_to(caller).named(name).select_for_update().first()
    if collection is None:
        raise CollectionNotFound(f"There is no collection named {name!r}.")
    return collection


def _delete_documents(tx: OwnerTransaction, ids: list[int]) -> _Deleted:
    """Delete documents with their revisions and pages; housekeeping deletes the files later."""
    revisions = Revision.objects.filter(owner_id=tx.owner_id, document_id__in=ids)
    # Lock before counting: a worker may be adding pages to one of them.
    list(revisions.select_for_update().values_list("pk"))
    size = revisions.aggregate(total=Sum("size"))["total"] or 0
    pages = Page.objects.filter(owner_id=tx.owner_id, revision__document_id__in=ids).aggregate(n=Count("pk"))["n"]
    Document.objects.filter(owner_id=tx.owner_id, pk__in=ids).delete()
    return _Deleted(documents=len(ids), pages=pages, bytes=size)


def _replace_metadata(tx: OwnerTransaction, document: Document, metadata: dict[str, Any]) -> int:
    """Replace the metadata of a locked document, and return how many bytes more it has."""
    document.metadata = metadata
    # Also that of its revisions: one still being processed would restore its own, older metadata.
    rows = Revision.objects.filter(owner_id=tx.owner_id, pk__in=[document.shown_id or 0, document.latest_id or 0])
    more = 0
    for revision in rows.select_related("file").order_by("pk").select_for_update(of=("self",)):
        size = jsonb.size(metadata) + (revision.file.size if revision.file else 0)
        rows.filter(pk=revision.pk).update(metadata=metadata, size=size)
        more += size - revision.size
    return more
