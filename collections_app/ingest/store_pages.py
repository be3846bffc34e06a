"""Pages into the database, a batch at a time: rows, images, vectors and the quota, all or nothing."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from django.db.models import Case, F, TextField, Value, When
from django.db.models.functions import MD5

from accounts.ownership import OwnerTransaction, acting_for
from accounts.quotas import charge
from collections_app import failpoints
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval import word_boxes
from collections_app.engine.text_rules import MAX_PAGE_CHARACTERS
from collections_app.ingest.embed_pages import Embedded
from collections_app.ingest.leases import Lease
from collections_app.models import Page, PageEmbedding, Space, StoredFile
from collections_app.storage import files, vectors
from collections_app.storage.files import Content, Draft
from collections_app.storage.vectors import PageVectors
from embeddings import contract
from embeddings.contract import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """A page, and its vectors: new ones, or those of the page `source`, which looks the same."""

    rendered: RenderedPage
    embedded: Embedded | None = None
    source: int | None = None

    @property
    def words(self) -> Sequence[Word]:
        """Those of its text layer, or those that the embeddings service has read on the image."""
        layout = self.embedded.multi_vector.layout if self.embedded else None
        return self.rendered.words or word_boxes.of_layout(layout)

    @property
    def read(self) -> str:
        """The words that were read, as a text."""
        return "" if self.rendered.words else " ".join(word.text for word in self.words)[:MAX_PAGE_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a revision is, by the names of its columns; `skipped` are all pages left out so far."""

    pages_done: int
    pages_total: int
    space_id: int | None
    skipped: list[dict[str, Any]]
    timings: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equal:
    """A page that is there already and equals the one with this number."""

    number: int
    page_id: int
    space_id: int


_TEXT_OF_FILE = Case(When(page__text_was_read=True, then=Value("")), default=F("page__text"), output_field=TextField())


class PutAgain(Exception):
    """Something that was there a moment ago has gone. Nothing was written; the same call may well succeed."""


def space_id_of(space: contract.VectorSpace) -> int:
    row, _ = Space.objects.get_or_create(model=space.model, revision=space.revision, dim=space.dim)
    return row.pk


def equals(owner_id: int, pages: Sequence[RenderedPage]) -> list[Equal]:
    """Pages of the same owner with the same image and the same text, the newest of each space."""
    numbers: dict[tuple[str, str], list[int]] = {}
    for page in pages:
        numbers.setdefault((_sha256(page), _md5(page.text)), []).append(page.number)
    with acting_for(owner_id):
        rows = PageEmbedding.objects.filter(owner_id=owner_id, page__owner_id=owner_id)
        rows = rows.filter(page__image__sha256__in={sha256 for sha256, _ in numbers}).annotate(md5=MD5(_TEXT_OF_FILE))
        # Of an empty page there may be thousands.
        each = ("page__image__sha256", "md5", "space_id")
        found = rows.order_by(*each, "-page_id").distinct(*each).values_list("page_id", *each)
        return [
            Equal(number=number, page_id=page_id, space_id=space_id)
            for page_id, sha256, md5, space_id in found
            for number in numbers.get((sha256, md5), ())
        ]


def store(lease: Lease, pages: Sequence[NewPage], reached: Reached) -> None:
    """Keep the pages that follow those which are there; LeaseLost or PutAgain, and nothing kept."""
    drafts: list[Draft] = []
    with files.discard_on_error(drafts):
        drafts.extend(files.put_all(lease.owner_id, [_content(page.rendered) for page in pages]))
        failpoints.reach("images_put")
        with acting_for(lease.owner_id) as tx:
            images = _settled(tx, drafts)  # files before revisions, as everybody locks them
            taken = sum(page.source is not None for page in pages)
            lease.write(**asdict(reached), reused_pages=F("reused_pages") + taken, attempts=0)
            if pages and reached.space_id is not None:
                _write(tx, lease, pages, images, space_id=reached.space_id)
            failpoints.reach("pages_written")
    failpoints.reach("pages_stored")


def start_over(lease: Lease) -> None:
    """Forget the pages that are there."""
    with acting_for(lease.owner_id):
        lease.write(pages_done=0, reused_pages=0, skipped=[], space_id=None)
        drop(lease.owner_id, [lease.revision_id])


def drop(owner_id: int, revision_ids: Iterable[int]) -> None:
    """Delete the pages of revisions that nobody is shown, and give the quota back; inside `acting_for(owner_id)`."""
    deleted, _ = Page.objects.filter(owner_id=owner_id, revision_id__in=list(revision_ids)).delete()
    charge(owner_id, pages=-deleted)


def _write(
    tx: OwnerTransaction,
    lease: Lease,
    pages: Sequence[NewPage],
    images: list[StoredFile],
    *,
    space_id: int,
) -> None:
    shown = zip(pages, images, strict=True)
    read = _read_before(lease.owner_id, pages)
    rows = Page.objects.bulk_create([_row(lease, page, image, read=read) for page, image in shown])
    new = [
        PageVectors(
            page_id=row.pk,
            space_id=space_id,
            vectors=page.embedded.multi_vector.vectors,
            layout=word_boxes.without_words(page.embedded.multi_vector.layout),
            words=page.words,
            small=page.embedded.small,
        )
        for row, page in zip(rows, pages, strict=True)
        if page.embedded is not None
    ]
    vectors.insert(tx, new)
    sources = {row.pk: page.source for row, page in zip(rows, pages, strict=True) if page.source is not None}
    if not vectors.copy(tx, sources):
        raise PutAgain
    charge(lease.owner_id, pages=len(pages))


def _read_before(owner_id: int, pages: Sequence[NewPage]) -> dict[int, str]:
    """What was read on the pages that others look like, by their ids."""
    sources = {page.source for page in pages if page.source is not None}
    rows = Page.objects.filter(owner_id=owner_id, pk__in=sources, text_was_read=True)
    return dict(rows.values_list("pk", "text")) if sources else {}


def _row(lease: Lease, page: NewPage, image: StoredFile, *, read: dict[int, str]) -> Page:
    rendered = page.rendered
    text = "" if rendered.text else read.get(page.source or 0) or page.read
    return Page(
        owner_id=lease.owner_id,
        revision_id=lease.revision_id,
        number=rendered.number,
        image=image,
        width=rendered.width,
        height=rendered.height,
        text=text or rendered.text,
        text_was_read=bool(text),
    )


def _content(page: RenderedPage) -> Content:
    return Content(
        file=BytesIO(page.image),
        sha256=_sha256(page),
        size=len(page.image),
        content_type=page.content_type,
        thumbnail=page.thumbnail,
    )


def _settled(tx: OwnerTransaction, drafts: Sequence[Draft]) -> list[StoredFile]:
    """The files of the drafts, in the order of these."""
    found = files.settle_all(tx, drafts)
    if None in found:
        raise PutAgain
    return [file for file in found if file is not None]


def _sha256(page: RenderedPage) -> str:
    return hashlib.sha256(page.image).hexdigest()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
