"""The content of a document as a request carries it: a file, base64, or a URL."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.conf import settings

from collections_app.api.errors import SourceAmbiguous, SourceMissing
from collections_app.engine.input import base64_input
from collections_app.ingest.accept import Upload
from paliapi.errors import Problem, TooLarge
from paliapi.http.uploads import ReceivedFile, needing_room
from paliapi.units import MEBIBYTE


@contextmanager
def content_of(data: dict[str, Any], *, required: bool) -> Iterator[Upload | None]:
    """The file or the base64 of a body, on disk; None when it has a URL, or nothing and nothing is required."""
    given = [name for name in ("file", "base64", "url") if data.get(name)]
    if len(given) > 1:
        one_too_many = (Problem(f"/{name}", SourceAmbiguous.code, "One way too many.") for name in given)
        raise SourceAmbiguous(problems=tuple(one_too_many))
    if not given and required:
        raise SourceMissing
    if given == ["file"]:
        yield received(data["file"])
    elif given == ["base64"]:
        # Unbuffered, so that a full disk is noticed while writing and not when the file is closed.
        with needing_room():
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the next line does
        with file:
            yield decoded(data["base64"], file, at="/base64")
    else:
        yield None


def received(file: ReceivedFile) -> Upload:
    return Upload(file=file, sha256=file.sha256, size=file.size or 0)


def decoded(text: str, file: IO[bytes], *, at: str) -> Upload:
    """Write base64 in the standard alphabet, without line breaks or a data URI, to `file`, decoded."""
    chunks = base64_input.decode_chunks(text, at=at)
    most = settings.ENV.max_upload_mb * MEBIBYTE
    if len(text) // 4 * 3 > most + 2:
        raise TooLarge(f"A file may have at most {settings.ENV.max_upload_mb} MB.")
    digest = hashlib.sha256()
    for piece in chunks:
        digest.update(piece)
        with needing_room():
            _write(file, piece)
    size = file.tell()
    file.seek(0)
    return Upload(file=file, sha256=digest.hexdigest(), size=size)


def _write(file: IO[bytes], piece: bytes) -> None:
    """All of it: an unbuffered file may take less at a time."""
    left = memoryview(piece)
    while left:
        left = left[file.write(left) :]
