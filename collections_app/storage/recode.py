"""Change the form in which the vectors of a collection are stored, while it is searched.

Pages are converted in batches, each in a transaction of its own, so a run can be stopped at any time and continued by
the next one. Codes score a page the same before and after it is converted: a search that meets codes encodes the other
pages first. So the collection counts as compact as soon as its first page may be, and until its last page was.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import F, QuerySet

from accounts.ownership import OwnerTransaction, acting_as_staff, acting_for
from collections_app import failpoints
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.models import Collection, PageEmbedding
from collections_app.storage import vectors
from collections_app.storage.errors import BeingRecoded

LOCK_CLASS = 0x7265636F  # first key of the advisory lock; the second is the collection
_BATCH_SIZE = 32


def collections_named(name: str, *, email: str | None = None) -> list[tuple[int, int, str]]:
    """Return owner, id and the owner's address of each collection of that name, of one owner or of all."""
    with acting_as_staff():
        rows = Collection.objects.named(name).order_by("owner_id")
        rows = rows.filter(owner__email=email) if email is not None else rows
        return list(rows.values_list("owner_id", "pk", "owner__email"))


def recode(owner_id: int, collection_id: int, to: VectorStorage) -> Generator[int, None, None]:
    """Convert all pages of a collection; yield how many each step converted. Call outside transactions.

    Pages whose vectors are unreadable stay as they are.
    """
    with _exclusive(collection_id):
        if to == VectorStorage.COMPACT:
            with acting_for(owner_id) as tx:
                _declare(tx, collection_id, to)
        yield from _convert_all(owner_id, collection_id, to)
        if to == VectorStorage.FULL:
            with acting_for(owner_id) as tx:
                _declare(tx, collection_id, to)
            # Pages that were being stored meanwhile.
            yield from _convert_all(owner_id, collection_id, to)


def _convert_all(owner_id: int, collection_id: int, to: VectorStorage) -> Generator[int, None, None]:
    last_page_id = 0
    while True:
        with acting_for(owner_id) as tx:
            page_ids = _in_other_form(tx, collection_id, to).filter(pk__gt=last_page_id).order_by("pk")
            batch = list(page_ids.values_list("pk", flat=True)[:_BATCH_SIZE])
            count = vectors.convert(tx, batch, to)
            failpoints.reach("pages_recoded")
        if not batch:
            return
        last_page_id = batch[-1]
        yield count


def _in_other_form(tx: OwnerTransaction, collection_id: int, to: VectorStorage) -> QuerySet[PageEmbedding]:
    rows = PageEmbedding.objects.filter(owner_id=tx.owner_id, page__revision__document__collection=collection_id)
    return rows.filter(codes__isnull=to == VectorStorage.COMPACT)


def _declare(tx: OwnerTransaction, collection_id: int, storage: VectorStorage) -> None:
    """Set the form of new pages and of searches; samples of earlier searches no longer count."""
    rows = Collection.objects.filter(owner_id=tx.owner_id, pk=collection_id).exclude(vector_storage=storage)
    rows.update(vector_storage=storage, vectors_seq=F("vectors_seq") + 1)
    if storage == VectorStorage.FULL:
        # Vectors that processes cached before the pages were compact are not those that are stored now.
        Collection.objects.filter(owner_id=tx.owner_id, pk=collection_id).update(
            vectors_seq=F("vectors_seq") + 1, sketches_seq=F("vectors_seq") + 1
        )


@contextmanager
def _exclusive(collection_id: int) -> Iterator[None]:
    """Hold an advisory lock, which belongs to the connection and so ends with the process."""
    keys = [LOCK_CLASS, collection_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
        if cursor.fetchone() != (True,):
            raise BeingRecoded
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)
