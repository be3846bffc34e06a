"""HTTP responses that serve stored files, with headers that keep a browser from running anything in them."""

from django.http import FileResponse

from collections_app.models import StoredFile
from collections_app.storage import files
from collections_app.storage.errors import FileMissing
from paliapi.errors import NotFound


def file_response(file: StoredFile, *, cache: str, attachment: bool, name: str = "") -> FileResponse:
    """Return a response with the file; `cache` is its Cache-Control header."""
    try:
        content = files.open_file(file)
    except FileMissing:
        raise NotFound("The file is missing from storage.") from None
    response = FileResponse(
        content, as_attachment=attachment, filename=name or file.sha256[:12], content_type=file.content_type
    )
    return _with_headers(response, size=file.size, etag=file.sha256, cache=cache)


def thumbnail_response(file: StoredFile, *, cache: str) -> FileResponse:
    """Return a response with the thumbnail of a page image."""
    try:
        content = files.open_thumbnail(file)
    except FileMissing:
        raise NotFound("This page has no thumbnail.") from None
    response = FileResponse(content, filename=f"{file.sha256[:12]}-small", content_type=files.THUMBNAIL_TYPE)
    return _with_headers(response, size=file.thumbnail_size, etag=f"{file.sha256}-small", cache=cache)


def _with_headers(response: FileResponse, *, size: int, etag: str, cache: str) -> FileResponse:
    response["Content-Length"] = str(size)
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = cache
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
