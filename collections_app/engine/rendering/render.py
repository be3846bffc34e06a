"""A file becomes page images, one after the other, in a child process that can be killed.

    for page in render(path, limits=RenderLimits(max_pages=50)):
        ...

The child has no network where the kernel lets it go, no environment, and limits on memory, time and files. It draws
ahead of its consumer by a few pages, so memory stays bounded whatever their number. It ends when the last page is
taken and when the consumer stops early.
"""

import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from collections_app.engine.rendering import errors
from collections_app.engine.rendering.errors import RenderCrashed, RenderTookTooLong, RenderUnavailable
from collections_app.engine.rendering.file_types import Kind, sniff
from collections_app.engine.rendering.prefetch import ahead
from collections_app.engine.rendering.protocol import (
    Encoding,
    Job,
    PageNotDrawn,
    RenderedPage,
    RenderLimits,
    page_of,
    read_frame,
)
from collections_app.engine.rendering.soffice import Conversion, to_pdf
from paliapi.errors import Error, Unavailable

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[3]
_CHUNK = 1024 * 1024
_DYING_S = 5.0
# What is drawn while the consumer embeds and stores what it has.
_AHEAD_PAGES = 8
_AHEAD_BYTES = 8 * 1024 * 1024
_REFUSALS: dict[str, type[Error]] = {
    refusal.code: refusal
    for refusal in (
        errors.FileDamaged,
        errors.FileEncrypted,
        errors.FileWithoutPages,
        errors.TooManyPages,
        errors.PageTooLarge,
        errors.RenderTookTooMuchMemory,
        errors.RenderCrashed,
    )
}


def render(
    source: Path | IO[bytes],
    *,
    limits: RenderLimits = RenderLimits(),  # noqa: B008 - frozen
    dpi: int = 144,
    encoding: Encoding = "png",
    first_page: int = 1,
    thumbnails: bool = False,
    by: Conversion = Conversion(),  # noqa: B008 - frozen
) -> Generator[RenderedPage, None, None]:
    """The pages of a file, from `first_page` on; an Office file is converted `by` LibreOffice first. Pictures keep
    their pixels, up to the limit; `dpi` is for all others.

    PageNotDrawn says which page is at fault; any other error is about the file as a whole.

    A file object must be seekable and is not to be used while pages are taken. Who may stop early closes the
    generator (`contextlib.closing`), which ends the process at once.
    """
    with _on_disk(source) as sent:
        kind = sniff(sent, max_pixels=limits.source_megapixels * 1_000_000)
        job = Job(
            form=_form(kind),
            dpi=dpi,
            encoding=encoding,
            limits=limits,
            first_page=first_page,
            thumbnails=thumbnails,
        )
        with (
            _drawable(sent, kind, by) as file,
            _Child(file, job) as child,
            ahead(child.pages(), size=_bytes, most=_AHEAD_PAGES, most_size=_AHEAD_BYTES, stop=child.kill) as pages,
        ):
            yield from pages


def _bytes(page: RenderedPage) -> int:
    return len(page.image) + len(page.thumbnail)


def _form(kind: Kind) -> str:
    return "PDF" if kind.family == "office" else kind.content_type.partition("/")[2].upper()


@contextmanager
def _drawable(file: IO[bytes], kind: Kind, by: Conversion) -> Iterator[IO[bytes]]:
    if kind.family != "office":
        yield file
        return
    with tempfile.TemporaryFile() as pdf:
        to_pdf(file, pdf, kind=kind, by=by)
        yield pdf


@contextmanager
def _on_disk(source: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """The file with a descriptor of its own; what has none is copied."""
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
    except (AttributeError, OSError):  # the ways in which files in memory say no
        return False


class _Child:
    """The process, and what comes out of it."""

    def __init__(self, file: IO[bytes], job: Job) -> None:
        self._left_s = float(job.limits.total_s)
        self._page_s = float(job.limits.page_s)
        self._page_left_s = self._page_s
        self._first_page = job.first_page
        command = [sys.executable, "-B", "-m", "collections_app.engine.rendering.child", job.as_text()]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=_ROOT,
                env={"LANG": "C.UTF-8", "PATH": os.defpath},
                start_new_session=True,
            )
        except OSError as error:
            raise RenderUnavailable from error
        self._out = cast(IO[bytes], self._process.stdout)
        self._ready = select.poll()
        self._ready.register(self._out, select.POLLIN)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._out.close()
        self._process.wait()

    def kill(self) -> None:
        if self._process.poll() is None:
            # Its own group, so that nothing it may have started stays.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def pages(self) -> Iterator[RenderedPage]:
        """All pages, or the error that says why not; a document that breaks off is never taken for a whole one."""
        total = self._total()
        number = self._first_page
        while (page := self._next_page(number, total)) is not None:
            yield page
            number += 1

    def _total(self) -> int:
        """How many pages the file has; what goes wrong before that is known is wrong with the file."""
        try:
            header, _, _ = read_frame(self._read)
            if "error" in header:
                raise self._refusal(header)
            return int(header["total"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RenderCrashed from error

    def _next_page(self, number: int, total: int) -> RenderedPage | None:
        try:
            page = self._read_page()
        except Unavailable:
            raise
        except Error as error:
            raise PageNotDrawn(error, page=number, total=total) from error
        if page is not None and (page.number, page.total) != (number, total):
            raise RenderCrashed
        return page

    def _read_page(self) -> RenderedPage | None:
        try:
            self._page_left_s = min(self._left_s, self._page_s)
            header, image, thumbnail = read_frame(self._read)
            if "end" in header:
                return None
            if "error" in header:
                raise self._refusal(header)
            return page_of(header, image, thumbnail)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RenderCrashed from error

    def _refusal(self, header: dict[str, Any]) -> Error:
        if "cause" in header:
            logger.warning("A page could not be drawn: %s", header["cause"])
        return _REFUSALS.get(str(header["error"]), RenderCrashed)(str(header.get("detail", "")))

    def _read(self, count: int) -> bytes:
        """Exactly so many bytes. Only the time spent waiting counts, not that in which there is no room for pages."""
        found = bytearray()
        while len(found) < count:
            begun = time.monotonic()
            waiting = not self._ready.poll(max(0.0, self._page_left_s) * 1000)
            waited = time.monotonic() - begun
            self._left_s, self._page_left_s = self._left_s - waited, self._page_left_s - waited
            if waiting:
                raise RenderTookTooLong
            if not (piece := os.read(self._out.fileno(), min(count - len(found), _CHUNK))):
                raise self._death()
            found += piece
        return bytes(found)

    def _death(self) -> Error:
        """Why there is nothing more to read."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING_S)
        status = self._process.returncode
        if status == -signal.SIGXCPU:
            return RenderTookTooLong()
        if status in (-signal.SIGKILL, -signal.SIGTERM):
            # Not the file's doing: the machine was short of memory, or somebody stopped it.
            return RenderUnavailable()
        logger.warning("The process that draws pages ended with %s.", status)
        return RenderCrashed()
