"""Render the pages of a file, one after the other, in a child process that can be killed.

    for page in render(path, limits=RenderLimits(max_pages=50)):
        ...

The child has no environment, limits on memory and time, and the walls of `confinement` around it. It works a few pages
ahead of its consumer, so memory stays bounded for any number of pages. It ends when the last page is taken or the
consumer stops early.
"""

import logging
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from collections_app.engine.rendering import errors
from collections_app.engine.rendering.confinement import require_walls
from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooLong, RenderUnavailable
from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.forked import ForkedProcess
from collections_app.engine.rendering.formats.base import Format
from collections_app.engine.rendering.prefetch import prefetch
from collections_app.engine.rendering.protocol import (
    Encoding,
    Job,
    PageNotRendered,
    RenderedPage,
    RenderLimits,
    parse_page,
    read_frame,
)
from collections_app.engine.rendering.soffice import OfficeConverter, convert_to_pdf
from paliapi.errors import Error, Unavailable

logger = logging.getLogger(__name__)

_CHUNK = 1024 * 1024
# Pages that are rendered while the consumer embeds and stores earlier ones.
_PREFETCHED_PAGES = 8
_PREFETCHED_BYTES = 8 * 1024 * 1024
_ERRORS_BY_CODE: dict[str, type[Error]] = {
    error.code: error
    for error in (
        errors.FileDamaged,
        errors.FileEncrypted,
        errors.FileWithoutPages,
        errors.TooManyPages,
        errors.PageTooLarge,
        errors.RenderTookTooMuchMemory,
        errors.RenderCrashed,
        errors.RenderUnavailable,
    )
}


def render(
    source: Path | IO[bytes],
    *,
    format_: Format | None = None,
    limits: RenderLimits = RenderLimits(),  # noqa: B008 - frozen
    dpi: int = 144,
    encoding: Encoding = "png",
    first_page: int = 1,
    thumbnails: bool = False,
    converter: OfficeConverter = OfficeConverter(),  # noqa: B008 - frozen
) -> Generator[RenderedPage, None, None]:
    """Yield the pages of a file from `first_page` on; an Office file is converted to PDF first.

    Without `format_`, the format is detected from the content.

    Images keep their pixels, up to the limit; `dpi` applies to everything else. PageNotRendered names the page at
    fault; any other error concerns the file as a whole.

    A file object must be seekable and must not be used while pages are taken. A consumer that may stop early should
    close the generator (`contextlib.closing`), which ends the process at once.
    """
    if limits.sandbox_required:
        require_walls()
    with _with_descriptor(source) as file:
        format_ = format_ or sniff(file, max_pixels=limits.source_megapixels * 1_000_000)
        job = Job(
            renderer=format_.renderer,
            pillow_format=format_.pillow_format,
            multi_page=format_.multi_page,
            dpi=dpi,
            encoding=encoding,
            limits=limits,
            first_page=first_page,
            thumbnails=thumbnails,
        )
        with (
            _renderable(file, format_, converter) as renderable,
            _Child(renderable, job) as child,
            prefetch(
                child.pages(),
                size=lambda page: len(page.image) + len(page.thumbnail),
                max_items=_PREFETCHED_PAGES,
                max_size=_PREFETCHED_BYTES,
                stop=child.kill,
            ) as pages,
        ):
            yield from pages


@contextmanager
def _renderable(file: IO[bytes], format_: Format, converter: OfficeConverter) -> Iterator[IO[bytes]]:
    if not format_.via_office:
        yield file
        return
    with tempfile.TemporaryFile() as pdf:
        convert_to_pdf(file, pdf, extension=format_.extension, converter=converter)
        yield pdf


@contextmanager
def _with_descriptor(source: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the file as one that has a descriptor; a file in memory is copied."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
        return
    if _has_descriptor(source):
        source.flush()
        yield source
        return
    with tempfile.TemporaryFile() as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield copy


def _has_descriptor(file: IO[bytes]) -> bool:
    try:
        return file.fileno() >= 0
    except (AttributeError, OSError):  # raised by various files in memory
        return False


class _Child:
    """The child process and its output."""

    def __init__(self, file: IO[bytes], job: Job) -> None:
        self._remaining_s = float(job.limits.total_s)
        self._page_s = float(job.limits.page_s)
        self._page_remaining_s = self._page_s
        self._first_page = job.first_page
        self._process = ForkedProcess(job, file)
        self._poll = select.poll()
        self._poll.register(self._process.output, select.POLLIN)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def kill(self) -> None:
        self._process.kill()

    def pages(self) -> Iterator[RenderedPage]:
        """Yield all pages, or raise; output that ends early is never mistaken for a complete document."""
        total = self._read_total()
        number = self._first_page
        while (page := self._next_page(number, total)) is not None:
            yield page
            number += 1

    def _read_total(self) -> int:
        """Return the number of pages. Errors up to this point concern the file as a whole."""
        try:
            header, _, _ = read_frame(self._read)
            if "error" in header:
                raise self._error(header)
            return int(header["total"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RenderCrashed from error

    def _next_page(self, number: int, total: int) -> RenderedPage | None:
        try:
            page = self._read_page()
        except Unavailable:
            raise
        except Error as error:
            raise PageNotRendered(error, page=number, total=total) from error
        if page is not None and (page.number, page.total) != (number, total):
            raise RenderCrashed
        return page

    def _read_page(self) -> RenderedPage | None:
        try:
            self._page_remaining_s = min(self._remaining_s, self._page_s)
            header, image, thumbnail = read_frame(self._read)
            if "end" in header:
                return None
            if "error" in header:
                raise self._error(header)
            return parse_page(header, image, thumbnail)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RenderCrashed from error

    def _error(self, header: dict[str, Any]) -> Error:
        if "cause" in header:
            logger.warning("A page could not be rendered: %s", header["cause"])
        return _ERRORS_BY_CODE.get(str(header["error"]), RenderCrashed)(str(header.get("detail", "")))

    def _read(self, count: int) -> bytes:
        """Return exactly `count` bytes. Only the time spent waiting for the child counts against its limits."""
        data = bytearray()
        while len(data) < count:
            started = time.monotonic()
            timed_out = not self._poll.poll(max(0.0, self._page_remaining_s) * 1000)
            waited = time.monotonic() - started
            self._remaining_s, self._page_remaining_s = self._remaining_s - waited, self._page_remaining_s - waited
            if timed_out:
                raise RenderTookTooLong
            if not (piece := os.read(self._process.output, min(count - len(data), _CHUNK))):
                raise self._exit_error()
            data += piece
        return bytes(data)

    def _exit_error(self) -> Error:
        """Return the reason for which the child closed its output early."""
        status = self._process.exit_status()
        if status == -signal.SIGXCPU:
            return RenderTookTooLong()
        if status in (None, -signal.SIGKILL, -signal.SIGTERM):
            # Not the fault of the file: the machine ran out of memory, or the process was stopped.
            return RenderUnavailable()
        logger.warning("The render process ended with %s.", status)
        return RenderCrashed()
