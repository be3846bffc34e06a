"""Stored files as answers, sent in a way that no browser runs anything in them."""

from django.http import FileResponse

from collections_app.models import StoredFile
from collections_app.storage import files
from paliapi.errors import NotFound


def sent(file: StoredFile, *, cache: str, attachment: bool, name: str = "") -> FileResponse:
    """The bytes; `cache` is the Cache-Control header."""
    try:
        content = files.read(file)
    except FileNotFoundError:
        raise NotFound("The file is missing from storage.") from None
    response = FileResponse(
        content, as_attachment=attachment, filename=name or file.sha256[:12], content_type=file.content_type
    )
    return _harmless(response, size=file.size, etag=file.sha256, cache=cache)


def sent_small(file: StoredFile, *, cache: str) -> FileResponse:
    """The small picture beside the bytes, where there is one."""
    try:
        content = files.read_thumbnail(file)
    except FileNotFoundError:
        raise NotFound("There is no small picture of this page.") from None
    response = FileResponse(content, filename=f"{file.sha256[:12]}-small", content_type=files.THUMBNAIL_TYPE)
    return _harmless(response, size=file.thumbnail_size, etag=f"{file.sha256}-small", cache=cache)


def _harmless(response: FileResponse, *, size: int, etag: str, cache: str) -> FileResponse:
    response["Content-Length"] = str(size)
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = cache
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
