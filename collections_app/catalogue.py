"""Verbs on collections and documents: find, make, change, delete. Every one begins with the caller.

Locks are always taken in the order collection, document, usage, so that nobody waits in a circle.
"""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Sum
from django.db.models.functions import Now

from accounts.access import Caller
from accounts.quotas import charge
from collections_app.errors import (
    CollectionNameTaken,
    CollectionNotFound,
    CollectionOutOfReach,
    DocumentAmbiguous,
    DocumentNameTaken,
    DocumentNotFound,
)
from collections_app.models import Collection, CollectionQuerySet, Document, DocumentQuerySet, Page, Revision

DEFAULT_COLLECTION = "default_collection"


def collections(caller: Caller) -> CollectionQuerySet:
    """Those the caller can see, with their counts."""
    return Collection.objects.visible_to(caller).with_counts()


def documents(caller: Caller, *, collection_name: str = "all") -> DocumentQuerySet:
    """Those the caller can see, of one collection or of all, with their state."""
    return Document.objects.visible_to(caller).within(collection_name).with_state()


def find_collection(caller: Caller, name: str) -> Collection:
    found = collections(caller).named(name).first()
    if found is None:
        raise CollectionNotFound(f"There is no collection named {name!r}.")
    return found


def create_collection(caller: Caller, *, name: str, metadata: dict[str, Any]) -> Collection:
    """A new, empty collection; of many callers at once exactly one gets it."""
    require_reach(caller, name)
    try:
        with transaction.atomic():
            Collection.objects.create(owner_id=caller.owner_id, name=name, metadata=metadata)
    except IntegrityError:
        raise CollectionNameTaken(
            f"There is a collection named {name!r} already; change it with PATCH /v1/collections/{{name}}/."
        ) from None
    return find_collection(caller, name)


def change_collection(
    caller: Caller,
    name: str,
    *,
    new_name: str | None,
    metadata: dict[str, Any] | None,
    guard: Callable[[Collection], None],
) -> Collection:
    """Rename it, or replace its metadata as a whole; `guard` may still object, once the row is locked."""
    collection = _locked_collection(caller, name)
    guard(find_collection(caller, name))
    if new_name is not None:
        require_reach(caller, new_name)
        collection.name = new_name
    if metadata is not None:
        collection.metadata = metadata
    collection.updated_at = Now()
    try:
        with transaction.atomic():
            collection.save(update_fields=["name", "metadata", "updated_at"])
    except IntegrityError:
        raise CollectionNameTaken(f"There is a collection named {new_name!r} already.") from None
    return find_collection(caller, collection.name)


def delete_collection(caller: Caller, name: str, *, guard: Callable[[Collection], None]) -> None:
    """Delete it with all its documents; their share of the quota comes back at once."""
    collection = _locked_collection(caller, name)
    guard(find_collection(caller, name))
    inside = Document.objects.filter(owner_id=caller.owner_id, collection=collection).select_for_update()
    _delete_documents(caller.owner_id, [document.pk for document in inside.only("pk")])
    collection.delete()


def find_document(caller: Caller, name: str, *, collection_name: str) -> Document:
    """The one document of that name; with `all`, in whichever collection it is."""
    found = list(documents(caller, collection_name=collection_name).named(name)[:2])
    if not found:
        raise DocumentNotFound(f"There is no document named {name!r} in {collection_name!r}.")
    if len(found) > 1:
        raise DocumentAmbiguous(f"Several collections have a document named {name!r}; say which with collection_name.")
    return found[0]


def find_document_to_change(caller: Caller, name: str, *, collection_name: str | None) -> Document:
    """Where no collection is said: in the default one, else wherever exactly one document has that name."""
    if collection_name is not None:
        return find_document(caller, name, collection_name=collection_name)
    try:
        return find_document(caller, name, collection_name=DEFAULT_COLLECTION)
    except DocumentNotFound:
        return find_document(caller, name, collection_name="all")


def change_document(document: Document, *, new_name: str | None, metadata: dict[str, Any] | None) -> None:
    """Rename it or replace its metadata; the content stays what it is. The row must be locked."""
    if new_name is not None:
        document.name = new_name
    if metadata is not None:
        document.metadata = metadata
        # Else a revision on its way would bring its older metadata along.
        if document.latest_id:
            Revision.objects.filter(owner_id=document.owner_id, pk=document.latest_id).update(metadata=metadata)
    document.updated_at = Now()
    try:
        with transaction.atomic():
            document.save(update_fields=["name", "metadata", "updated_at"])
    except IntegrityError:
        raise DocumentNameTaken(f"The collection has a document named {new_name!r} already.") from None


def delete_document(caller: Caller, name: str, *, collection_name: str, guard: Callable[[Document], None]) -> None:
    document = lock_document(find_document(caller, name, collection_name=collection_name))
    # Searches of all processes see the new number.
    rows = Collection.objects.filter(owner_id=caller.owner_id, pk=document.collection_id)
    rows.update(vectors_seq=F("vectors_seq") + 1)
    guard(find_document(caller, name, collection_name=document.collection.name))
    _delete_documents(caller.owner_id, [document.pk])


def lock_document(document: Document) -> Document:
    """The same row, read again and held until the transaction ends, as is its collection's.

    The database itself looks at the collection when a document is changed, and may then wait for whoever changes that
    and wants this document.
    """
    place = Collection.objects.filter(owner_id=document.owner_id, pk=document.collection_id)
    place.select_for_update(no_key=True).first()
    rows = Document.objects.filter(owner_id=document.owner_id, pk=document.pk)
    locked = rows.select_for_update(of=("self",)).select_related("collection").first()
    if locked is None:
        raise DocumentNotFound
    return locked


def require_reach(caller: Caller, collection_name: str) -> None:
    if not caller.sees(collection_name):
        raise CollectionOutOfReach(f"This key does not reach a collection named {collection_name!r}.")


def _locked_collection(caller: Caller, name: str) -> Collection:
    found = Collection.objects.visible_to(caller).named(name).select_for_update().first()
    if found is None:
        raise CollectionNotFound(f"There is no collection named {name!r}.")
    return found


def _delete_documents(owner_id: int, ids: list[int]) -> None:
    """Rows go by cascade; files stay until housekeeping finds that nobody wants them."""
    revisions = Revision.objects.filter(owner_id=owner_id, document_id__in=ids)
    # Locked before anything is counted: a worker may be adding pages to one of them.
    list(revisions.select_for_update().values_list("pk"))
    size = revisions.aggregate(total=Sum("size"))["total"] or 0
    pages = Page.objects.filter(owner_id=owner_id, revision__document_id__in=ids).aggregate(n=Count("pk"))["n"]
    Document.objects.filter(owner_id=owner_id, pk__in=ids).delete()
    charge(owner_id, documents=-len(ids), pages=-pages, bytes=-size)
