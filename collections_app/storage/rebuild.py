"""Sketches and pooled vectors rebuilt from the vectors, and a check of everything that a search needs.

Both process the pages of one collection after another in batches, so they can be interrupted at any time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from django.db.models import F

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.sketch import InvalidSketch
from collections_app.models import Collection, Page, PageEmbedding
from collections_app.storage import files, vectors

_BATCH_SIZE = 32


@dataclass(slots=True, kw_only=True)
class IndexReport:
    """The number of pages checked, and how many of them have each kind of damage."""

    pages: int = 0
    without_vectors: int = 0
    unreadable_vectors: int = 0
    without_sketch: int = 0
    wrong_sketch: int = 0
    without_file: int = 0

    @property
    def is_healthy(self) -> bool:
        """True without damage; a page without vectors is no damage, because it may not be embedded yet."""
        damage = (field.name for field in fields(self) if field.name not in ("pages", "without_vectors"))
        return not any(getattr(self, name) for name in damage)


def rebuild_sketches(*, everything: bool) -> Iterator[tuple[int, int]]:
    """Rebuild missing sketches, or all; yield the id of each changed collection with its number of rebuilt pages."""
    for owner_id, collection_id in _collections():
        count = _rebuild_collection(owner_id, collection_id, everything=everything)
        if count:
            yield collection_id, count


def verify_index() -> IndexReport:
    """Check every page that can be searched."""
    report = IndexReport()
    for owner_id, collection_id in _collections():
        last_page_id: int | None = 0
        while last_page_id is not None:
            last_page_id = _verify_batch(owner_id, collection_id, report, after=last_page_id)
    return report


def _collections() -> list[tuple[int, int]]:
    with acting_as_staff():
        return list(Collection.objects.order_by("pk").values_list("owner_id", "pk"))


def _rebuild_collection(owner_id: int, collection_id: int, *, everything: bool) -> int:
    count = 0
    try:
        for batch_count in _rebuild_batches(owner_id, collection_id, everything=everything):
            count += batch_count
    finally:  # also when interrupted
        if count:
            _invalidate_indexes(owner_id, collection_id)
    return count


def _rebuild_batches(owner_id: int, collection_id: int, *, everything: bool) -> Iterator[int]:
    """Rebuild the pages of a collection; yield how many pages each batch changed."""
    last_page_id = 0
    while True:
        count = 0
        with acting_for(owner_id) as tx:
            rows = PageEmbedding.objects.filter(
                owner_id=tx.owner_id, page__revision__document__collection=collection_id
            )
            rows = rows if everything else rows.filter(sketch=None) | rows.filter(pooled=None)
            page_ids = rows.filter(pk__gt=last_page_id).order_by("pk").values_list("pk", flat=True)
            batch = list(page_ids[:_BATCH_SIZE])
            for page_id, page_vectors in vectors.read(tx, batch).items():
                forms = sketch.compact_forms(page_vectors)
                PageEmbedding.objects.filter(owner_id=tx.owner_id, pk=page_id).update(
                    pooled=forms.pooled, sketch=forms.sketch
                )
                count += 1
        if not batch:
            break
        last_page_id = batch[-1]
        yield count


def _invalidate_indexes(owner_id: int, collection_id: int) -> None:
    """Make every process load the sketches of the collection again."""
    with acting_for(owner_id) as tx:
        rows = Collection.objects.filter(owner_id=tx.owner_id, pk=collection_id)
        rows.update(vectors_seq=F("vectors_seq") + 1, sketches_seq=F("vectors_seq") + 1)


def _verify_batch(owner_id: int, collection_id: int, report: IndexReport, *, after: int) -> int | None:
    """Check the next pages of a collection; return the id of the last one, or None at the end."""
    with acting_for(owner_id) as tx:
        shown = Page.objects.filter(owner_id=tx.owner_id, revision__document__collection=collection_id)
        shown = shown.filter(revision__document__shown=F("revision"), pk__gt=after).select_related("image")
        pages = list(shown.order_by("pk").defer("text")[:_BATCH_SIZE])
        page_ids = [page.pk for page in pages]
        rows = PageEmbedding.objects.filter(owner_id=tx.owner_id, pk__in=page_ids)
        embeddings = {
            page_id: (dim, page_sketch) for page_id, dim, page_sketch in rows.values_list("pk", "space__dim", "sketch")
        }
        readable = vectors.read(tx, page_ids)
    report.pages += len(pages)
    for page in pages:
        report.without_file += not files.storage().exists(page.image.key)
        if page.pk not in embeddings:
            report.without_vectors += 1
            continue
        dim, page_sketch = embeddings[page.pk]
        page_vectors = readable.get(page.pk)
        report.unreadable_vectors += page_vectors is None or page_vectors.shape[1] != dim
        report.without_sketch += page_sketch is None
        report.wrong_sketch += page_sketch is not None and not _is_sketch(bytes(page_sketch), dim)
    return pages[-1].pk if pages else None


def _is_sketch(data: bytes, dim: int) -> bool:
    try:
        sketch.check(data, dim=dim)
    except InvalidSketch:
        return False
    return True
