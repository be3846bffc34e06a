"""Sketches and pooled vectors made again from the vectors, and whether everything a search needs is in order.

Both go through the pages of one collection after the other, some at a time, so that they may be stopped at any moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from django.db.models import F

from accounts.ownership import acting_as_staff, acting_for
from collections_app.engine.retrieval import sketch
from collections_app.engine.retrieval.sketch import NotASketch
from collections_app.models import Collection, Page, PageEmbedding
from collections_app.storage import files, vectors

_AT_ONCE = 32


@dataclass(slots=True, kw_only=True)
class Verdict:
    """How many pages were looked at, and how many of them are not in order."""

    pages: int = 0
    without_vectors: int = 0
    unreadable_vectors: int = 0
    without_sketch: int = 0
    wrong_sketch: int = 0
    without_file: int = 0

    @property
    def good(self) -> bool:
        """Pages without vectors may be on their way to them; all else is damage, or wants `rebuild_sketches`."""
        return not any(getattr(self, one.name) for one in fields(self) if one.name not in ("pages", "without_vectors"))


def rebuild(*, everything: bool) -> Iterator[tuple[int, int]]:
    """Make what is missing, or everything, again; yields each collection with the number of pages that were made."""
    for owner_id, collection_id in _collections():
        made = _rebuild_collection(owner_id, collection_id, everything=everything)
        if made:
            yield collection_id, made


def verify() -> Verdict:
    """Look at every page that is shown."""
    verdict = Verdict()
    for owner_id, collection_id in _collections():
        after: int | None = 0
        while after is not None:
            after = _verify_some(owner_id, collection_id, verdict, after=after)
    return verdict


def _collections() -> list[tuple[int, int]]:
    with acting_as_staff():
        return list(Collection.objects.order_by("pk").values_list("owner_id", "pk"))


def _rebuild_collection(owner_id: int, collection_id: int, *, everything: bool) -> int:
    made = 0
    try:
        for some in _made_some(owner_id, collection_id, everything=everything):
            made += some
    finally:  # stopped half way, too
        if made:
            _tell_searches(owner_id, collection_id)
    return made


def _made_some(owner_id: int, collection_id: int, *, everything: bool) -> Iterator[int]:
    after = 0
    while True:
        made = 0
        with acting_for(owner_id):
            rows = PageEmbedding.objects.filter(owner_id=owner_id, page__revision__document__collection=collection_id)
            rows = rows if everything else rows.filter(sketch=None) | rows.filter(pooled=None)
            some = list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
            for page_id, page in vectors.read(owner_id, some).items():
                small = sketch.small(page)
                PageEmbedding.objects.filter(owner_id=owner_id, pk=page_id).update(
                    pooled=small.pooled, sketch=small.sketch
                )
                made += 1
        if not some:
            break
        after = some[-1]
        yield made


def _tell_searches(owner_id: int, collection_id: int) -> None:
    """What is in their memory is no longer what is kept."""
    with acting_for(owner_id):
        rows = Collection.objects.filter(owner_id=owner_id, pk=collection_id)
        rows.update(vectors_seq=F("vectors_seq") + 1, sketches_seq=F("vectors_seq") + 1)


def _verify_some(owner_id: int, collection_id: int, verdict: Verdict, *, after: int) -> int | None:
    """The last page that was looked at; None after the end."""
    with acting_for(owner_id):
        shown = Page.objects.filter(owner_id=owner_id, revision__document__collection=collection_id)
        shown = shown.filter(revision__document__shown=F("revision"), pk__gt=after).select_related("image")
        pages = list(shown.order_by("pk").defer("text")[:_AT_ONCE])
        ids = [page.pk for page in pages]
        rows = PageEmbedding.objects.filter(owner_id=owner_id, pk__in=ids).values_list("pk", "space__dim", "sketch")
        kept = {page_id: (dim, signs) for page_id, dim, signs in rows}
        read = vectors.read(owner_id, ids)
    verdict.pages += len(pages)
    for page in pages:
        verdict.without_file += not files.storage().exists(page.image.key)
        if page.pk not in kept:
            verdict.without_vectors += 1
            continue
        dim, signs = kept[page.pk]
        found = read.get(page.pk)
        verdict.unreadable_vectors += found is None or found.shape[1] != dim
        verdict.without_sketch += signs is None
        verdict.wrong_sketch += signs is not None and not _is_sketch(bytes(signs), dim)
    return pages[-1].pk if pages else None


def _is_sketch(signs: bytes, dim: int) -> bool:
    try:
        sketch.check(signs, dim=dim)
    except NotASketch:
        return False
    return True
