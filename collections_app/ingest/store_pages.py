"""Store pages in batches: rows, images, vectors and the quota, all or nothing."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Self

from django.db.models import Case, F, Q, TextField, Value, When
from django.db.models.functions import MD5

from accounts.ownership import OwnerTransaction
from accounts.quotas import charge, charging, require_charged
from collections_app import failpoints
from collections_app.engine.rendering.protocol import RenderedPage
from collections_app.engine.retrieval import word_boxes
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.engine.text_rules import MAX_PAGE_CHARACTERS
from collections_app.ingest import publish
from collections_app.ingest.embed_pages import EmbeddedPage
from collections_app.ingest.leases import Changes, Lease
from collections_app.ingest.publish import Publication, RetryStore
from collections_app.models import Page, PageEmbedding, Space, StoredFile
from collections_app.storage import files, vectors
from collections_app.storage.files import Content, Draft
from collections_app.storage.vectors import PageVectors
from embeddings import contract
from embeddings.contract import Word
from paliapi.database import Command, array_of_numbers, array_of_texts, execute_together, statement

# The text from the file itself, without what was recognized in the image.
_FILE_TEXT = Case(When(page__text_was_read=True, then=Value("")), default=F("page__text"), output_field=TextField())

_INSERT = statement(
    "INSERT INTO {pages} (owner_id, revision_id, number, image_id, width, height, text, text_was_read, unread_script) "
    "SELECT %s::bigint, %s::bigint, * FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::int[], %s::text[], "
    "%s::bool[], %s::text[]) RETURNING id, number",
    pages=Page,
)
_CHECKPOINT = (
    b"pages_done = %s, pages_total = %s, space_id = %s, skipped = %s::jsonb, timings = %s::jsonb, "
    b"reused_pages = reused_pages + %s::int, attempts = 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """A page to store with its vectors: new ones, or those of an equal page that is stored already."""

    rendered: RenderedPage
    image_sha256: str
    embedded: EmbeddedPage | None = None
    equal_page_id: int | None = None

    @classmethod
    def of(cls, rendered: RenderedPage) -> Self:
        """Hash the image of a page whose vectors are not known yet."""
        return cls(rendered=rendered, image_sha256=hashlib.sha256(rendered.image).hexdigest())

    @property
    def words(self) -> Sequence[Word]:
        """The words of the text layer, or those that the embeddings service recognized in the image."""
        layout = self.embedded.multi_vector.layout if self.embedded else None
        return self.rendered.words or word_boxes.words_of(layout)

    @property
    def recognized_text(self) -> str:
        """The text that the embeddings service recognized in the image of a page without a text layer."""
        return "" if self.rendered.words else " ".join(word.text for word in self.words)[:MAX_PAGE_CHARACTERS]

    @property
    def unread_script(self) -> str:
        """The script of text on the image that the embeddings service could not read; empty if there is none."""
        layout = self.embedded.multi_vector.layout if self.embedded else None
        return layout.get("unread_script", "") if layout else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualPage:
    """A stored page that equals the new page with this number."""

    number: int
    page_id: int
    space_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a revision is, by the names of its columns; `skipped` lists all pages left out so far."""

    pages_done: int
    pages_total: int | None
    space_id: int | None
    skipped: list[dict[str, Any]]
    timings: dict[str, float]


def space_id_of(space: contract.VectorSpace) -> int:
    row, _ = Space.objects.get_or_create(model=space.model, revision=space.revision, dim=space.dim)
    return row.pk


def find_equal(tx: OwnerTransaction, pages: Sequence[NewPage], *, revision_id: int) -> list[EqualPage]:
    """Find stored pages of the owner with the same image and the same text: in each space, the newest.

    Compact pages do for a compact collection alone: for a full one, their vectors are not precise enough.
    """
    numbers: dict[tuple[str, str], list[int]] = {}
    for page in pages:
        numbers.setdefault((page.image_sha256, _md5(page.rendered.text)), []).append(page.rendered.number)
    rows = PageEmbedding.objects.filter(owner_id=tx.owner_id, page__owner_id=tx.owner_id)
    if vectors.storage_of(tx, revision_id=revision_id) == VectorStorage.FULL:
        rows = rows.filter(codes__isnull=True)
    rows = rows.filter(page__image__sha256__in={sha256 for sha256, _ in numbers}).annotate(md5=MD5(_FILE_TEXT))
    # One row each: there may be thousands of equal empty pages.
    key = ("page__image__sha256", "md5", "space_id")
    newest = rows.order_by(*key, "-page_id").distinct(*key).values_list("page_id", *key)
    return [
        EqualPage(number=number, page_id=page_id, space_id=space_id)
        for page_id, sha256, md5, space_id in newest
        for number in numbers.get((sha256, md5), ())
    ]


def store(
    lease: Lease,
    pages: Sequence[NewPage],
    checkpoint: Checkpoint,
    *,
    stored_files: Set[str] | None = None,
    before_publishing: Callable[[], None] | None = None,
) -> None:
    """Store the next pages of a revision and how far it is; on LeaseLost or RetryStore, nothing is stored.

    `stored_files` is what `files.keep_stored` returned for the images, if it was called. If there is a function to call
    before publishing, the same transaction publishes the revision.
    """
    publishes = before_publishing is not None
    drafts: list[Draft] = []
    with files.discard_on_error(drafts):
        drafts.extend(files.put_all(lease.owner_id, [_content(page) for page in pages], stored=stored_files))
        failpoints.reach("images_put")
        first = [
            *(publish.locking(lease) if publishes else ()),
            *files.settling(lease.owner_id, drafts),  # every transaction locks files before revisions
            lease.lock(),
            vectors.reading_form(lease.owner_id, revision_id=lease.revision_id),
        ]
        with lease.transaction(*first) as tx:
            publication = Publication.begin(tx, lease) if publishes else None
            images = _settle(tx, drafts)
            lease.require(tx.read(lease.lock()))
            inserting = _insert_pages(tx, lease, pages, images, space_id=checkpoint.space_id)
            if before_publishing:
                before_publishing()
            changes = _changes(checkpoint, reused=sum(page.equal_page_id is not None for page in pages))
            changing = publication.commands(changes) if publication else [lease.change(changes)]
            charging_pages = [charging(tx, pages=len(pages))] if pages else []
            results = execute_together(*inserting, *charging_pages, *changing)
            if pages:
                require_charged(tx, results[len(inserting)], pages=len(pages))
            if publication:
                publication.finish(results[-len(changing) :])
            else:
                lease.require(results[-1])
            failpoints.reach("pages_written")
    failpoints.reach("pages_stored")


def _changes(checkpoint: Checkpoint, *, reused: int) -> Changes:
    """Return how the progress changes the revision."""
    values = (
        checkpoint.pages_done,
        checkpoint.pages_total,
        checkpoint.space_id,
        json.dumps(checkpoint.skipped),
        json.dumps(checkpoint.timings),
        reused,
    )
    return Changes(_CHECKPOINT, values)


def restart(lease: Lease) -> None:
    """Delete the pages that are stored, so that the revision starts again."""
    with lease.transaction() as tx:
        lease.write(tx, pages_done=0, reused_pages=0, skipped=[], space_id=None)
        delete_pages(tx, [lease.revision_id])


def delete_pages(tx: OwnerTransaction, revision_ids: Iterable[int]) -> None:
    """Delete the pages of revisions that are not shown, and return their share of the quota."""
    deleted, _ = Page.objects.filter(owner_id=tx.owner_id, revision_id__in=list(revision_ids)).delete()
    charge(tx, pages=-deleted)


def _insert_pages(
    tx: OwnerTransaction, lease: Lease, pages: Sequence[NewPage], images: list[StoredFile], *, space_id: int | None
) -> list[Command]:
    """Insert the pages, with the vectors of equal pages, and return the statements that insert the other vectors."""
    if not pages or space_id is None:
        return []
    recognized = _recognized(tx, pages)
    [rows] = execute_together(_inserting(lease, pages, images, recognized))
    page_ids = {number: page_id for page_id, number in rows}
    by_id = {page_ids[page.rendered.number]: page for page in pages}
    if not vectors.copy(tx, {id_: page.equal_page_id for id_, page in by_id.items() if page.equal_page_id is not None}):
        raise RetryStore
    new = [
        PageVectors(
            page_id=page_id,
            space_id=space_id,
            vectors=page.embedded.multi_vector.vectors,
            layout=word_boxes.without_words(page.embedded.multi_vector.layout),
            words=page.words,
            compact_forms=page.embedded.compact_forms,
        )
        for page_id, page in by_id.items()
        if page.embedded is not None
    ]
    return vectors.inserting(tx, new, form=vectors.form_of(tx, revision_id=lease.revision_id))


def _recognized(tx: OwnerTransaction, pages: Sequence[NewPage]) -> dict[int, tuple[str, str]]:
    """Return the texts that were recognized in the equal pages, and scripts that were not, by page id."""
    page_ids = {page.equal_page_id for page in pages if page.equal_page_id is not None}
    rows = Page.objects.filter(owner_id=tx.owner_id, pk__in=page_ids)
    rows = rows.filter(Q(text_was_read=True) | ~Q(unread_script=""))
    if not page_ids:
        return {}
    values = rows.values_list("pk", "text_was_read", "text", "unread_script")
    return {page_id: (text if was_read else "", script) for page_id, was_read, text, script in values}


def _inserting(
    lease: Lease, pages: Sequence[NewPage], images: list[StoredFile], recognized: dict[int, tuple[str, str]]
) -> Command:
    """Return the statement that inserts the pages; it returns their ids and numbers."""
    texts, were_read, scripts = list[str](), list[str](), list[str]()
    for page in pages:
        equal_text, equal_script = recognized.get(page.equal_page_id or 0, ("", ""))
        text = "" if page.rendered.text else equal_text or page.recognized_text
        texts.append(text or page.rendered.text)
        were_read.append(str(bool(text)))
        scripts.append(equal_script or page.unread_script)
    columns = (
        array_of_numbers(page.rendered.number for page in pages),
        array_of_numbers(image.pk for image in images),
        array_of_numbers(page.rendered.width for page in pages),
        array_of_numbers(page.rendered.height for page in pages),
        array_of_texts(texts),
        array_of_texts(were_read),
        array_of_texts(scripts),
    )
    return Command(_INSERT, (lease.owner_id, lease.revision_id, *columns))


def _content(page: NewPage) -> Content:
    return Content(
        file=BytesIO(page.rendered.image),
        sha256=page.image_sha256,
        size=len(page.rendered.image),
        content_type=page.rendered.content_type,
        thumbnail=page.rendered.thumbnail,
    )


def _settle(tx: OwnerTransaction, drafts: Sequence[Draft]) -> list[StoredFile]:
    rows = files.settle_all(tx, drafts)
    if None in rows:
        raise RetryStore
    return [row for row in rows if row is not None]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
