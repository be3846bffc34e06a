"""Stored files as answers, sent in a way that no browser runs anything in them."""

from django.http import FileResponse

from collections_app import files
from collections_app.models import StoredFile
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
    response["Content-Length"] = str(file.size)
    response["ETag"] = f'"{file.sha256}"'
    response["Cache-Control"] = cache
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
