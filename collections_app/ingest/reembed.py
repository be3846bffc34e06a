"""The verb for a changed model: what collections show is embedded anew, from the images and words that are kept.

Each document gets a copy of what it shows, page by page, that nobody sees; when a collection has all of them, they
take their places in one transaction. Until then the old vectors are searched. Nothing is lost when it stops half-way:
whoever comes next goes on at the first page missing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.db import connection
from django.db.models import F, QuerySet

from accounts.ownership import acting_as_staff, acting_for
from accounts.quotas import charge
from collections_app import embeddings_client
from collections_app.ingest import store_pages
from collections_app.ingest.errors import BeingReembedded, SpaceChanged, StillInOldSpace
from collections_app.models import Collection, Document, Page, Revision, Status
from collections_app.storage import files, vectors
from collections_app.storage.errors import FileMissing
from collections_app.storage.vectors import PageVectors
from embeddings import contract
from embeddings.contract import Word

log = structlog.get_logger(__name__)

_AT_ONCE = 8
_ROUNDS = 5
# Columns that a copy does not take over.
_OF_ITS_OWN = frozenset(
    {"id", "size", "status", "space_id", "copy_of", "pages_done", "reused_pages", "timings", "created_at", "updated_at"}
)
NAME_OF_LOCK = 0x7265656D  # first half of the advisory lock's name; the second is the collection


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A collection that shows documents in another space."""

    owner_id: int
    email: str
    collection_id: int
    name: str
    documents: int


def target() -> int:
    """The space in which the embeddings service answers now."""
    return store_pages.space_id_of(embeddings_client.space())


def places(space_id: int, *, email: str | None = None, collection_name: str | None = None) -> list[Place]:
    """Where there is something to do, of one owner or of all."""
    with acting_as_staff():
        rows = Collection.objects.select_related("owner").order_by("owner_id", "pk")
        rows = rows.filter(owner__email=email) if email is not None else rows
        rows = rows.filter(name=collection_name) if collection_name is not None else rows
        found = [(row, _outdated(row.owner_id, row.pk, space_id).count()) for row in rows]
    return [
        Place(owner_id=row.owner_id, email=row.owner.email, collection_id=row.pk, name=row.name, documents=count)
        for row, count in found
        if count
    ]


def run(place: Place, space_id: int) -> Iterator[int]:
    """Bring one collection into the space; tells how many pages were embedded since it told last. Outside transactions.

    Unavailable where the service or storage is away: run it again.
    """
    with _alone(place.collection_id):
        for _ in range(_ROUNDS):
            with acting_for(place.owner_id):
                ids = list(_outdated(place.owner_id, place.collection_id, space_id).values_list("pk", flat=True))
            for document_id in ids:
                yield from _copy(place.owner_id, document_id, space_id)
            if _swap(place, space_id):
                log.info("reembedded", collection=place.collection_id, space=space_id)
                return
        raise StillInOldSpace


def _outdated(owner_id: int, collection_id: int, space_id: int) -> QuerySet[Document]:
    shown = Document.objects.filter(owner_id=owner_id, collection_id=collection_id, shown__isnull=False)
    return shown.exclude(shown__space_id=space_id).order_by("pk")


@contextmanager
def _alone(collection_id: int) -> Iterator[None]:
    """Held by the connection, so it ends with the process."""
    names = [NAME_OF_LOCK, collection_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", names)
        if cursor.fetchone() != (True,):
            raise BeingReembedded
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", names)


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A page that is shown, and what is known of the words on it."""

    page: Page
    words: Sequence[Word]


def _copy(owner_id: int, document_id: int, space_id: int) -> Iterator[int]:
    """Embed the pages that the copy lacks."""
    with acting_for(owner_id):
        copy = _copy_of(owner_id, document_id, space_id)
    while copy is not None:
        sources = _next(copy)
        made = _embedded(sources, space_id) if sources else []
        copy = _keep(copy, sources, made)
        yield len(sources)
        if not sources:
            return


def _next(copy: Revision) -> list[_Source]:
    with acting_for(copy.owner_id):
        rows = Page.objects.filter(owner_id=copy.owner_id, revision_id=copy.copy_of or 0, number__gt=copy.pages_done)
        pages = list(rows.select_related("image").order_by("number")[:_AT_ONCE])
        kept = vectors.read_placed(copy.owner_id, [page.pk for page in pages])
    return [_Source(page, kept[page.pk].words if page.pk in kept else ()) for page in pages]


def _copy_of(owner_id: int, document_id: int, space_id: int) -> Revision | None:
    """The copy of what the document shows, made now if there is none; None if there is nothing to copy any more."""
    rows = Document.objects.filter(owner_id=owner_id, pk=document_id).select_related("shown")
    document = rows.select_for_update(of=("self",)).first()
    if document is None or document.shown is None or document.shown.space_id == space_id:
        return None
    shown = document.shown
    copies = Revision.objects.filter(owner_id=owner_id, document=document, copy_of__isnull=False)
    _drop(owner_id, copies.exclude(copy_of=shown.pk, space_id=space_id))
    if (copy := copies.first()) is not None:
        return copy
    same = {
        field.attname: getattr(shown, field.attname)
        for field in Revision._meta.concrete_fields
        if field.attname not in _OF_ITS_OWN
    }
    return Revision.objects.create(**same, size=0, status=Status.READY, space_id=space_id, copy_of=shown.pk)


def _drop(owner_id: int, copies: QuerySet[Revision]) -> None:
    ids = list(copies.select_for_update().values_list("pk", flat=True))
    store_pages.drop(owner_id, ids)
    Revision.objects.filter(owner_id=owner_id, pk__in=ids).delete()


def _embedded(sources: list[_Source], space_id: int) -> list[contract.MultiVector]:
    images: list[bytes] = []
    for source in sources:
        try:
            images.append(files.content(source.page.image))
        except FileMissing:
            raise FileMissing(f"The image of page {source.page.pk} is missing from storage.") from None
    space, made = embeddings_client.pages_to_keep(images, at="", words=[source.words or None for source in sources])
    if store_pages.space_id_of(space) != space_id:
        raise SpaceChanged("The embeddings service changed its model meanwhile.")
    return made


def _keep(copy: Revision, sources: list[_Source], made: list[contract.MultiVector]) -> Revision | None:
    """Pages, vectors, the quota, and how far it is, all or nothing; None if the copy has gone meanwhile."""
    owner_id = copy.owner_id
    with acting_for(owner_id) as tx:
        rows = Revision.objects.filter(owner_id=owner_id, pk=copy.pk, pages_done=copy.pages_done)
        found = rows.select_for_update().first()
        if found is None:
            return None
        pages = Page.objects.bulk_create([_again(source.page, revision_id=copy.pk) for source in sources])
        space_id = found.space_id or 0
        kept = [
            PageVectors(
                page_id=page.pk,
                space_id=space_id,
                vectors=one.vectors,
                layout=one.layout,
                words=source.words,
            )
            for page, source, one in zip(pages, sources, made, strict=True)
        ]
        vectors.insert(tx, kept)
        # What was left out of the document may be at its end.
        found.pages_done = sources[-1].page.number if sources else (found.pages_total or 0)
        found.save(update_fields=["pages_done"])
        charge(owner_id, pages=len(pages))
    return found


def _again(page: Page, *, revision_id: int) -> Page:
    fields = (field.attname for field in Page._meta.concrete_fields if field.attname not in {"id", "revision_id"})
    return Page(**{name: getattr(page, name) for name in fields}, revision_id=revision_id)


def _swap(place: Place, space_id: int) -> bool:
    """Show the copies, all at once; False if a document came meanwhile that has none."""
    owner_id = place.owner_id
    with acting_for(owner_id):
        mine = Collection.objects.filter(owner_id=owner_id, pk=place.collection_id)
        if mine.select_for_update(no_key=True).first() is None:
            return True
        documents = list(
            _outdated(owner_id, place.collection_id, space_id).select_related("shown").select_for_update(of=("self",))
        )
        whole = Revision.objects.filter(owner_id=owner_id, space_id=space_id, pages_done=F("pages_total"))
        copies = {row.copy_of: row for row in whole.filter(copy_of__in=[one.shown_id for one in documents])}
        if any(document.shown_id not in copies for document in documents):
            return False
        old = [document.shown_id for document in documents if document.shown_id]
        for document in documents:
            _show(document, copies[document.shown_id])
        Document.objects.bulk_update(documents, ["shown", "latest", "updated_at"], batch_size=500)
        Revision.objects.bulk_update(copies.values(), ["size", "copy_of"], batch_size=500)
        store_pages.drop(owner_id, old)
        Revision.objects.filter(owner_id=owner_id, pk__in=old).delete()
        mine.update(vectors_seq=F("vectors_seq") + 1)
    return True


def _show(document: Document, copy: Revision) -> None:
    if document.latest_id == document.shown_id:
        document.latest = copy
    copy.size, copy.copy_of = (document.shown.size if document.shown else 0), None
    document.shown = copy
