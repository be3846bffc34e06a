"""Process one slice of a revision: from where it is to the end, or until other work is due.

Progress is stored in the row and its pages, batch by batch, so the next worker continues at the first missing page.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import IO

import structlog
from django.db.models.functions import Now

from collections_app import embeddings_client, failpoints
from collections_app.engine.rendering.errors import RenderCrashed
from collections_app.engine.rendering.file_types import known_format
from collections_app.engine.rendering.protocol import PageNotRendered, RenderedPage
from collections_app.engine.rendering.render import render
from collections_app.ingest import leases, office_to_pdf, render_limits, store_pages
from collections_app.ingest.batches import Batch, batches
from collections_app.ingest.download import download
from collections_app.ingest.embed_pages import PendingBatch, SharedEmbedder
from collections_app.ingest.errors import NoPageUsable, SpaceChanged
from collections_app.ingest.leases import Changes, Lease
from collections_app.ingest.publish import RetryStore, publish
from collections_app.ingest.store_pages import Checkpoint, NewPage
from collections_app.models import OnPageError, Status, StoredFile
from collections_app.storage import files
from collections_app.storage.errors import FileMissing
from embeddings.contract import VectorSpace
from paliapi.database import WITHOUT_SYNC, release_connection
from paliapi.errors import Error

log = structlog.get_logger(__name__)

# After this many pages, other due revisions get their turn; those of an owner who has nothing in flight, after a batch.
SLICE_PAGES = 64
_CHECK_EVERY_S = 1.0
# Well below the time that the queue allows for one task.
_SLICE_S = 90.0


@dataclass(slots=True, kw_only=True)
class _Work:
    """A revision while this worker holds its lease. `checkpoint` is what its row says."""

    lease: Lease
    embedder: SharedEmbedder
    rendered: Callable[[], None]  # call it once the last page is rendered
    file: StoredFile
    render_from: StoredFile | None  # None: the file must be converted first
    may_skip: bool
    checkpoint: Checkpoint
    timings: dict[str, float]
    deadline: float
    is_published: bool = False

    @property
    def is_complete(self) -> bool:
        return self.checkpoint.pages_done == self.checkpoint.pages_total

    @property
    def is_overtime(self) -> bool:
        return time.monotonic() > self.deadline

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            self.add_time(stage, time.monotonic() - start)

    def add_time(self, stage: str, seconds: float) -> None:
        self.timings[stage] = round(self.timings.get(stage, 0.0) + seconds, 3)


def process(lease: Lease, embedder: SharedEmbedder, *, rendered: Callable[[], None] = lambda: None) -> None:
    """Process the revision until it is published, or queue it again at the end of the slice.

    Call `rendered` when nothing is left to do but to embed and store the last pages.
    """
    failpoints.reach("claimed")
    work = _start(lease, embedder, rendered)
    is_first = True
    while not work.is_complete:
        if work.is_overtime or (not is_first and leases.count_due(limit=1)):
            with lease.transaction() as tx:
                lease.end(tx, Status.QUEUED, next_try_at=Now(), attempts=0)
            return
        if work.render_from is None:
            with work.timed("convert"):
                work.render_from = office_to_pdf.convert(lease, work.file)
            failpoints.reach("converted")
            continue
        done_before = work.checkpoint.pages_done
        _process_pages(work)
        if work.checkpoint.pages_done == done_before:
            raise RenderCrashed
        is_first = False
    skipped, total = work.checkpoint.skipped, work.checkpoint.pages_total
    if len(skipped) == total:
        raise NoPageUsable(f"No page of the file could be used. The first: {skipped[0]['detail']}")
    if not work.is_published:  # unless its last pages were stored by an earlier attempt, or are all left out
        publish(lease, timings=work.timings)
    failpoints.reach("published")
    log.info("published", pages=total, seconds=work.timings)


def _start(lease: Lease, embedder: SharedEmbedder, rendered: Callable[[], None]) -> _Work:
    start = time.monotonic()
    with lease.transaction() as tx:
        row = lease.read(tx)
        pdf = office_to_pdf.keep_pdf(tx, row)
    file = row.file or download(lease, row.url, use_proxy=row.use_proxy)
    work = _Work(
        lease=lease,
        embedder=embedder,
        rendered=rendered,
        file=file,
        render_from=pdf if office_to_pdf.is_needed(file) else file,
        may_skip=row.on_page_error == OnPageError.SKIP,
        checkpoint=Checkpoint(
            pages_done=row.pages_done,
            pages_total=row.pages_total,
            space_id=row.space_id,
            skipped=row.skipped,
            timings=row.timings,
        ),
        timings=dict(row.timings),
        deadline=start + _SLICE_S,
    )
    if row.file is None:
        work.add_time("fetch", time.monotonic() - start)
        failpoints.reach("fetched")
    return work


def _process_pages(work: _Work) -> None:
    """Render the next pages in a process of their own, embed them in other threads, and store them batch by batch."""
    first = work.checkpoint.pages_done + 1
    limits = render_limits.limits(spent_s=work.timings.get("render", 0.0))
    # JPEG at 90: an A4 page takes 12-35 ms where WebP takes 350-450 and saves a third to a half of the bytes; at 43 dB
    # no model sees the difference, and readers decode it twice as fast.
    queue = _EmbeddingQueue(work)
    try:
        with (
            _open_source(work) as source,
            closing(
                render(
                    source,
                    format_=known_format((work.render_from or work.file).content_type),  # detected when it was stored
                    limits=limits,
                    encoding="jpeg",
                    first_page=first,
                    thumbnails=True,
                )
            ) as pages,
        ):
            slice_start, checked_at = first - 1, time.monotonic()
            for batch in batches(_rendered_pages(work, pages, queue), first=first, may_skip=work.may_skip):
                queue.submit(batch)
                queue.drain(leave=1)
                if work.is_overtime:
                    break
                if batch.last - slice_start >= SLICE_PAGES:
                    slice_start = batch.last
                    if leases.count_due(limit=1):
                        break
                elif time.monotonic() > checked_at + _CHECK_EVERY_S:
                    checked_at = time.monotonic()
                    if leases.is_owner_waiting():
                        break
        if queue.is_last_page_submitted:
            work.rendered()
        queue.drain()
    finally:
        queue.cancel()


def _open_source(work: _Work) -> IO[bytes]:
    """Open the file to render; if it is a converted PDF that has been deleted, start over with its conversion."""
    source = work.render_from or work.file
    try:
        return files.open_file(source)
    except FileMissing:
        if source == work.file:
            raise
        office_to_pdf.forget_pdf(work.lease)
        raise RetryStore from None


def _rendered_pages(
    work: _Work, pages: Iterator[RenderedPage], queue: "_EmbeddingQueue"
) -> Iterator[RenderedPage | PageNotRendered]:
    """Yield the pages as they are rendered, and last the failure of a page if there is one.

    Store finished batches in between, and all batches before any failure, so that nothing that was rendered is lost.
    """
    while True:
        try:
            with work.timed("render"):
                page = next(pages, None)
        except PageNotRendered as failure:
            queue.drain()
            yield failure
            return
        except Exception:
            queue.drain()
            raise
        if page is None:
            return
        queue.store_finished()
        work.lease.check()
        yield page


@dataclass(frozen=True, slots=True, eq=False)
class _Submitted:
    """A batch whose pages are being embedded. `stored_files` are the digests of its images that are stored."""

    batch: Batch
    pages: list[NewPage]
    stored_files: set[str]
    pending: PendingBatch


class _EmbeddingQueue:
    """Batches that are rendered and not yet stored, in order. One is embedded while the one before it is stored."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._queue: deque[_Submitted] = deque()
        self.is_last_page_submitted = False
        self._space_id = work.checkpoint.space_id
        self._space: VectorSpace | None = None  # the space with this id, once the service has named it
        self._status_written = False
        self._store_began = 0.0

    def submit(self, batch: Batch) -> None:
        """Let the pages of the batch be embedded, except those that equal stored pages."""
        failpoints.reach("pages_rendered")
        pages, stored_files = self._find_stored([NewPage.of(page) for page in batch.pages])
        new = [page.rendered for page in pages if page.equal_page_id is None]
        lease, may_skip = self._work.lease, self._work.may_skip
        pending = self._work.embedder.submit(
            new, owner_id=lease.owner_id, document=lease.revision_id, may_skip=may_skip
        )
        self._queue.append(_Submitted(batch, pages, stored_files, pending))
        self.is_last_page_submitted = batch.last == batch.total

    def store_finished(self) -> None:
        """Store the batches that are embedded by now."""
        while self._queue and self._queue[0].pending.is_done():
            self._store_first()

    def drain(self, *, leave: int = 0) -> None:
        """Wait for the batches and store them, except the last `leave`."""
        while len(self._queue) > leave:
            self._store_first()

    def cancel(self) -> None:
        """Do without the batches that are not stored yet."""
        for submitted in self._queue:
            submitted.pending.cancel()

    def _find_stored(self, pages: list[NewPage]) -> tuple[list[NewPage], set[str]]:
        """Link the pages to equal pages of the same owner in the space of this revision; return stored images too."""
        lease = self._work.lease
        keeping = files.keeping_stored(lease.owner_id, {page.image_sha256 for page in pages})
        status = lease.change(Changes(b"status = %s", (Status.EMBEDDING,)))
        # A crash of Postgres may undo this without harm, so its commit does not wait for the disk.
        with lease.transaction(WITHOUT_SYNC, keeping, *([] if self._status_written else [status])) as tx:
            stored_files = files.keep_stored(tx, keeping)
            if not self._status_written:
                lease.require(tx.read(status))
            # An equal page has an equal image.
            candidates = [page for page in pages if page.image_sha256 in stored_files]
            equal_pages = store_pages.find_equal(tx, candidates, revision_id=lease.revision_id) if candidates else []
        self._status_written = True
        if equal_pages and self._space_id is None:
            self._use_space(embeddings_client.current_space())
        page_ids = {equal.number: equal.page_id for equal in equal_pages if equal.space_id == self._space_id}
        return [replace(page, equal_page_id=page_ids.get(page.rendered.number)) for page in pages], stored_files

    def _store_first(self) -> None:
        submitted, work = self._queue[0], self._work
        if not submitted.pending.is_done():
            release_connection()
        result = submitted.pending.result()
        self._queue.popleft()
        work.add_time("embed", result.took_s)
        for space in result.spaces:
            self._use_space(space)
        failpoints.reach("pages_embedded")
        accepted = [
            replace(page, embedded=result.pages.get(page.rendered.number))
            for page in submitted.pages
            if page.rendered.number not in result.refused
        ]
        if accepted and self._space_id is None:
            raise AssertionError("Every page that is stored has a space.")
        self._store(submitted, accepted, refused=submitted.batch.refused | result.refused)

    def _store(self, submitted: "_Submitted", accepted: list[NewPage], *, refused: dict[int, Error]) -> None:
        """Store the pages of a batch, and with those of the last one, publish the revision."""
        work, batch = self._work, submitted.batch
        skipped = [
            {"page": number, "code": error.code, "detail": error.detail} for number, error in sorted(refused.items())
        ]
        checkpoint = Checkpoint(
            pages_done=batch.last,
            pages_total=batch.total,
            space_id=self._space_id,
            skipped=[*work.checkpoint.skipped, *skipped],
            timings=work.timings,
        )
        is_last = batch.last == batch.total and len(checkpoint.skipped) < batch.total
        self._store_began = time.monotonic()
        store_pages.store(
            work.lease,
            accepted,
            checkpoint,
            stored_files=submitted.stored_files,
            before_publishing=self._before_publishing if is_last else None,
        )
        if not is_last:
            work.add_time("store", time.monotonic() - self._store_began)
        work.checkpoint, work.is_published = checkpoint, is_last

    def _before_publishing(self) -> None:
        self._work.add_time("store", time.monotonic() - self._store_began)
        failpoints.reach("before_publishing")

    def _use_space(self, space: VectorSpace) -> None:
        """Fix the space of the revision to that of its first vectors; SpaceChanged if another one comes later."""
        if space == self._space:
            return
        space_ids = self._work.embedder.space_ids
        space_id = space_ids[space] = space_ids.get(space) or store_pages.space_id_of(space)
        if self._space_id not in (None, space_id):
            # Vectors of two models are never mixed, not even for a moment.
            store_pages.restart(self._work.lease)
            raise SpaceChanged(retry_after_s=1)
        self._space, self._space_id = space, space_id
