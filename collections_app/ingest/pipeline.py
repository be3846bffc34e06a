"""One turn with a revision: from wherever it is to the end, or until others should have their turn.

What is done stands in the row and its pages, batch by batch; whoever comes next goes on at the first page missing.
"""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import structlog
from django.db.models.functions import Now

from accounts.ownership import acting_for
from collections_app import embeddings_client, failpoints
from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooLong, RenderTookTooMuchMemory
from collections_app.engine.rendering.protocol import PageNotDrawn, RenderedPage
from collections_app.engine.rendering.render import render
from collections_app.ingest import download, embed_pages, leases, office_to_pdf, render_limits, store_pages
from collections_app.ingest.embed_pages import Embed, Made, PageRefused
from collections_app.ingest.errors import NoPageUsable, SpaceChanged
from collections_app.ingest.leases import Lease, LeaseLost
from collections_app.ingest.publish import publish
from collections_app.ingest.store_pages import NewPage, PutAgain, Reached
from collections_app.models import OnPageError, Revision, Status, StoredFile
from collections_app.storage import files
from embeddings.contract import VectorSpace
from paliapi.errors import Error

log = structlog.get_logger(__name__)

BATCH_PAGES = 8
_BATCH_BYTES = 5 * 1024 * 1024
# After so many pages others may have their turn.
SLICE_PAGES = 64
# What may be the doing of the pages that were drawn before by the same process.
_MAY_BE_OTHERS = (RenderTookTooLong, RenderTookTooMuchMemory, RenderCrashed)
# Well within the time that the queue gives to one task.
_TURN_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Pages that follow each other, and those among them or after them that cannot be used, by number."""

    pages: list[RenderedPage]
    refused: dict[int, Error] = field(default_factory=dict)
    total: int

    @property
    def last(self) -> int:
        return max([*(page.number for page in self.pages), *self.refused])


@dataclass(slots=True, kw_only=True)
class _Work:
    """A revision in the hands of this worker."""

    lease: Lease
    file: StoredFile
    drawn_from: StoredFile | None  # None: what was sent must be converted first
    done: int
    total: int | None
    space_id: int | None
    space: VectorSpace | None = None  # of that number, once the service has named it
    says_embedding: bool = False
    may_skip: bool
    skipped: list[dict[str, Any]]
    seconds: dict[str, float] = field(default_factory=dict)
    until: float

    def whole(self) -> bool:
        return self.done == self.total

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.monotonic() - begun, 3)


def take(lease: Lease) -> None:
    """From wherever it is to the end, or to the end of its turn."""
    failpoints.reach("claimed")
    work = _taken_up(lease)
    others = False
    while not work.whole():
        if others or time.monotonic() > work.until:
            with acting_for(lease.owner_id):
                lease.end(Status.QUEUED, next_try_at=Now(), attempts=0)
            return
        if work.drawn_from is None:
            _convert(work)
            continue
        before = work.done
        _slice(work)
        if work.done == before:
            raise RenderCrashed
        others = leases.count_due(most=1) > 0
    if len(work.skipped) == work.total:
        raise NoPageUsable(f"No page of the file could be used. The first: {work.skipped[0]['detail']}")
    failpoints.reach("before_publishing")
    publish(lease, timings=work.seconds)
    failpoints.reach("published")
    log.info("published", pages=work.total, seconds=work.seconds)


def _taken_up(lease: Lease) -> _Work:
    begun = time.monotonic()
    with acting_for(lease.owner_id):
        rows = Revision.objects.select_related("file", "converted").filter(
            owner_id=lease.owner_id, pk=lease.revision_id
        )
        row = rows.first()
        if row is None:
            raise LeaseLost
        converted = office_to_pdf.done_before(row)
        lease.write(status=Status.RENDERING if row.file else Status.FETCHING)
    seconds = dict(row.timings)
    if (file := row.file) is None:
        file = download.bring(lease, row.url, use_proxy=row.use_proxy)
        seconds["fetch"] = round(seconds.get("fetch", 0.0) + time.monotonic() - begun, 3)
        failpoints.reach("fetched")
    return _Work(
        lease=lease,
        file=file,
        drawn_from=converted if office_to_pdf.is_needed(file) else file,
        done=row.pages_done,
        total=row.pages_total,
        space_id=row.space_id,
        may_skip=row.on_page_error == OnPageError.SKIP,
        skipped=row.skipped,
        seconds=seconds,
        until=begun + _TURN_S,
    )


def _convert(work: _Work) -> None:
    with work.timed("convert"):
        work.drawn_from = office_to_pdf.convert(work.lease, work.file)
    failpoints.reach("converted")


def _slice(work: _Work) -> None:
    """Draw the next pages, in a process of their own, and keep them batch by batch."""
    limits = render_limits.limits(spent_s=work.seconds.get("render", 0.0))
    # JPEG at 90: an A4 page takes 12-35 ms where WebP takes 350-450 and saves a third to a half of the bytes; at 43 dB
    # no model sees the difference, and readers decode it twice as fast.
    with (
        _opened(work) as source,
        closing(render(source, limits=limits, encoding="jpeg", first_page=work.done + 1, thumbnails=True)) as drawn,
        embed_pages.aside(may_skip=work.may_skip) as embed,
    ):
        on_the_way = _OnTheWay(work, embed)
        asked_at = work.done
        for batch in _batches(work, drawn, on_the_way):
            on_the_way.add(batch)
            on_the_way.keep(all_but=1)
            if time.monotonic() > work.until:
                break
            if batch.last - asked_at >= SLICE_PAGES:
                asked_at = batch.last
                if leases.count_due(most=1):
                    break
        on_the_way.keep()


def _opened(work: _Work) -> IO[bytes]:
    if work.drawn_from is None or work.drawn_from == work.file:
        return files.opened(work.file)
    try:
        return files.read(work.drawn_from)
    except FileNotFoundError:
        office_to_pdf.forget(work.lease)
        raise PutAgain from None


def _batches(work: _Work, pages: Iterator[RenderedPage], on_the_way: "_OnTheWay") -> Iterator[_Batch]:
    """By count and by bytes; a page that cannot be drawn ends the last one, once all before it are kept."""
    first, batch = work.done + 1, list[RenderedPage]()
    while True:
        try:
            with work.timed("render"):
                page = next(pages, None)
        except PageNotDrawn as failed:
            on_the_way.keep()
            yield from _up_to(failed, work, batch, first=first)
            return
        except Exception:
            on_the_way.keep()
            raise
        if page is None:
            break
        on_the_way.keep_what_is_there()
        work.lease.check()
        if batch and sum(len(one.image) for one in batch) + len(page.image) > _BATCH_BYTES:
            yield _Batch(pages=batch, total=page.total)
            batch = []
        batch.append(page)
        if len(batch) == BATCH_PAGES:
            yield _Batch(pages=batch, total=page.total)
            batch = []
    if batch:
        yield _Batch(pages=batch, total=batch[-1].total)


def _up_to(failed: PageNotDrawn, work: _Work, batch: list[RenderedPage], *, first: int) -> Iterator[_Batch]:
    """What was drawn before that page; and the page, if it may be skipped."""
    if isinstance(failed.error, _MAY_BE_OTHERS) and failed.page > first:
        # It gets a process, time and memory of its own.
        if batch:
            yield _Batch(pages=batch, total=failed.total)
    elif work.may_skip:
        yield _Batch(pages=batch, refused={failed.page: failed.error}, total=failed.total)
    else:
        raise PageRefused(failed.error, page=failed.page) from failed


class _OnTheWay:
    """Batches that are drawn and not kept yet, in order. One is embedded while the one before it is kept."""

    def __init__(self, work: _Work, embed: Embed) -> None:
        self._work = work
        self._embed = embed
        self._batches: deque[tuple[_Batch, dict[int, int], Future[Made]]] = deque()

    def add(self, batch: _Batch) -> None:
        """Find out which pages equal others, and have the vectors of the rest made."""
        failpoints.reach("pages_rendered")
        _say_embedding(self._work)
        sources = _equals(self._work, batch.pages) if batch.pages else {}
        new = [page for page in batch.pages if page.number not in sources]
        self._batches.append((batch, sources, self._embed(new)))

    def keep_what_is_there(self) -> None:
        """Those whose vectors are made."""
        while self._batches and self._batches[0][2].done():
            self._keep_first()

    def keep(self, *, all_but: int = 0) -> None:
        """The first ones, as soon as their vectors are made."""
        while len(self._batches) > all_but:
            self._keep_first()

    def _keep_first(self) -> None:
        batch, sources, making = self._batches.popleft()
        _keep(self._work, batch, sources, making.result())


def _say_embedding(work: _Work) -> None:
    if not work.says_embedding:
        with acting_for(work.lease.owner_id):
            work.lease.write(status=Status.EMBEDDING)
        work.says_embedding = True


def _keep(work: _Work, batch: _Batch, sources: dict[int, int], made: Made) -> None:
    """All of the batch into the database."""
    work.seconds["embed"] = round(work.seconds.get("embed", 0.0) + made.took_s, 3)
    for space in made.spaces:
        _settle_space(work, space)
    failpoints.reach("pages_embedded")
    pages = [
        NewPage(rendered=page, embedded=made.pages.get(page.number), source=sources.get(page.number))
        for page in batch.pages
        if page.number not in made.refused
    ]
    if pages and work.space_id is None:
        raise AssertionError("Every page that is kept has a space.")
    skipped = sorted((batch.refused | made.refused).items())
    work.skipped = [*work.skipped, *({"page": at, "code": one.code, "detail": one.detail} for at, one in skipped)]
    with work.timed("store"):
        reached = Reached(
            pages_done=batch.last,
            pages_total=batch.total,
            space_id=work.space_id,
            skipped=work.skipped,
            timings=work.seconds,
        )
        store_pages.store(work.lease, pages, reached)
    work.done, work.total = batch.last, batch.total


def _equals(work: _Work, batch: list[RenderedPage]) -> dict[int, int]:
    """Pages of the batch, by number, that can take over the vectors of another page."""
    found = store_pages.equals(work.lease.owner_id, batch)
    if found and work.space_id is None:
        _settle_space(work, embeddings_client.space())
    return {one.number: one.page_id for one in found if one.space_id == work.space_id}


def _settle_space(work: _Work, space: VectorSpace) -> None:
    """The space of the revision is that of its first vectors."""
    if space == work.space:
        return
    space_id = store_pages.space_id_of(space)
    if work.space_id not in (None, space_id):
        # Vectors of two models are never mixed, not even for a moment.
        store_pages.start_over(work.lease)
        raise SpaceChanged(retry_after_s=1)
    work.space, work.space_id = space, space_id
