"""Tokens of signed links.

A link needs no API key: anyone who has it can read one file, or one page image. It works until it expires, until the
document no longer has the file or the page is deleted, until the key that got it ends, or its owner is deactivated. A
link to a thumbnail does not open the full image.
"""

from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from django.conf import settings
from django.core import signing

from collections_app.storage.errors import FileLinkExpired

ImageKind: TypeAlias = Literal["image", "thumbnail"]

_FILE_SALT = "collections_app.file_link"


class FileLink(NamedTuple):
    """A file of a document, and the key that got the link; 0: none, the link was sent in a webhook."""

    owner_id: int
    key_id: int
    document_id: int
    file_id: int


class PageLink(NamedTuple):
    """A page, and the key that got the link."""

    owner_id: int
    key_id: int
    page_id: int


def file_token(link: FileLink) -> str:
    """Return the token of a link to a file."""
    return _token(link, salt=_FILE_SALT)


def read_file_token(token: str, *, max_age_s: int) -> FileLink:
    """Return the link of a valid token; raise FileLinkExpired otherwise."""
    return FileLink(*_read(token, fields=len(FileLink._fields), salt=_FILE_SALT, max_age_s=max_age_s))


def page_token(link: PageLink, *, kind: ImageKind = "image") -> str:
    """Return the token of a link to the image of a page, or to its thumbnail."""
    return _token(link, salt=_page_salt(kind))


def read_page_token(token: str, *, kind: ImageKind = "image", max_age_s: int) -> PageLink:
    """Return the link of a valid token; raise FileLinkExpired otherwise."""
    return PageLink(*_read(token, fields=len(PageLink._fields), salt=_page_salt(kind), max_age_s=max_age_s))


def _token(link: FileLink | PageLink, *, salt: str) -> str:
    return _signer(settings.SECRET_KEY, salt).sign_object(link)


@cache
def _signer(secret_key: str, salt: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(key=secret_key, salt=salt)


def _read(token: str, *, fields: int, salt: str, max_age_s: int) -> list[Any]:
    try:
        values = signing.loads(token, salt=salt, max_age=max_age_s)
    except (signing.BadSignature, ValueError):
        raise FileLinkExpired from None
    if not isinstance(values, list) or len(values) != fields:
        raise FileLinkExpired  # signed by an older version
    return values


def _page_salt(kind: ImageKind) -> str:
    return f"collections_app.page_{kind}"
