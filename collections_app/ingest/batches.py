"""Group rendered pages into batches that are embedded and stored together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooLong, RenderTookTooMuchMemory
from collections_app.engine.rendering.protocol import PageNotRendered, RenderedPage
from collections_app.ingest.embed_pages import PageFailed
from paliapi.errors import Error

BATCH_PAGES = 8
_BATCH_BYTES = 5 * 1024 * 1024
# Errors that may be caused by the pages that the same process rendered before.
_MAY_BE_CAUSED_BY_EARLIER_PAGES = (RenderTookTooLong, RenderTookTooMuchMemory, RenderCrashed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive pages, and, by number, the pages among or after them that cannot be used."""

    pages: list[RenderedPage]
    refused: dict[int, Error] = field(default_factory=dict)
    total: int

    @property
    def last(self) -> int:
        return max([*(page.number for page in self.pages), *self.refused])


def batches(results: Iterable[RenderedPage | PageNotRendered], *, first: int, may_skip: bool) -> Iterator[Batch]:
    """Group pages by count and by bytes. The failure of a page ends the last batch, or raises PageFailed."""
    pages, size = list[RenderedPage](), 0
    for result in results:
        if isinstance(result, PageNotRendered):
            yield from _last_batch(result, pages, first=first, may_skip=may_skip)
            return
        if pages and size + len(result.image) > _BATCH_BYTES:
            yield Batch(pages=pages, total=result.total)
            pages, size = [], 0
        pages.append(result)
        size += len(result.image)
        if len(pages) == BATCH_PAGES:
            yield Batch(pages=pages, total=result.total)
            pages, size = [], 0
    if pages:
        yield Batch(pages=pages, total=pages[-1].total)


def _last_batch(failure: PageNotRendered, pages: list[RenderedPage], *, first: int, may_skip: bool) -> Iterator[Batch]:
    if isinstance(failure.error, _MAY_BE_CAUSED_BY_EARLIER_PAGES) and failure.page > first:
        # The page is tried again with a process, time and memory of its own.
        if pages:
            yield Batch(pages=pages, total=failure.total)
    elif may_skip:
        yield Batch(pages=pages, refused={failure.page: failure.error}, total=failure.total)
    else:
        raise PageFailed(failure.error, page=failure.page) from failure
