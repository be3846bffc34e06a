"""The files of documents, which a request sends as form fields, in a ZIP archive, as base64, or as a URL."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import IO

from django.conf import settings

from collections_app.api.document_in import FileSource
from collections_app.api.errors import SourceAmbiguous, SourceMissing
from collections_app.engine.input import base64_input
from collections_app.ingest.accept import Upload
from collections_app.ingest.archive import files_in
from paliapi.errors import Problem, TooLarge
from paliapi.http.uploads import ReceivedFile, disk_errors_mapped
from paliapi.units import MEBIBYTE


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One of many files, with the name that its document gets. `open` may raise an Error of this file alone."""

    name: str
    open: Callable[[], AbstractContextManager[Upload]]


def named_files(files: Sequence[ReceivedFile], archive: ReceivedFile | None) -> list[NamedFile]:
    """Return the files of a form and those in the archive; raise an Error if it is no valid archive."""
    sent = [NamedFile(file.name or "", partial(_received, file)) for file in files]
    archived = [] if archive is None else [NamedFile(file.name, file.unpacked) for file in files_in(archive)]
    if not sent and not archived:
        raise SourceMissing("Send `files`, or an `archive` with files.")
    return sent + archived


def _received(file: ReceivedFile) -> AbstractContextManager[Upload]:
    return nullcontext(received_upload(file))


@contextmanager
def open_upload(source: FileSource, *, required: bool) -> Iterator[Upload | None]:
    """Yield the sent file, on disk; None if the source is a URL, or missing and not required."""
    fields = [name for name in ("file", "base64", "url") if getattr(source, name)]
    if len(fields) > 1:
        problems = (Problem(f"/{name}", SourceAmbiguous.code, "Send only one of these fields.") for name in fields)
        raise SourceAmbiguous(problems=tuple(problems))
    if not fields and required:
        raise SourceMissing
    if source.file:
        yield received_upload(source.file)
    elif source.base64:
        # Unbuffered, so that a full disk raises while writing and not when the file is closed.
        with disk_errors_mapped():
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the next statement
        with file:
            yield decode_upload(source.base64, file, at="/base64")
    else:
        yield None


def received_upload(file: ReceivedFile) -> Upload:
    return Upload(file=file, sha256=file.sha256, size=file.size or 0)


def decode_upload(text: str, file: IO[bytes], *, at: str) -> Upload:
    """Decode base64 (standard alphabet, no line breaks, no data URI) into `file`."""
    chunks = base64_input.decode_chunks(text, at=at)
    limit = settings.ENV.max_upload_mb * MEBIBYTE
    if len(text) // 4 * 3 > limit + 2:
        raise TooLarge(f"A file may have at most {settings.ENV.max_upload_mb} MB.")
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        with disk_errors_mapped():
            _write_all(file, chunk)
    size = file.tell()
    file.seek(0)
    return Upload(file=file, sha256=digest.hexdigest(), size=size)


def _write_all(file: IO[bytes], chunk: bytes) -> None:
    """Write a whole chunk; an unbuffered file may accept only part of it at a time."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
